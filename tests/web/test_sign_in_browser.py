"""Passkey and app set up and used in a browser, with Chromium's virtual authenticator and under our own CSP."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

from tests.factories import PASSWORD, Company, make_company
from tests.web.test_sign_in import add_totp, code

pytestmark = pytest.mark.django_db(transaction=True)
Site = Callable[..., str]


class Browser:
    """A page, what it complained about, and a device that holds passkeys."""

    def __init__(self, page: Any, site: str) -> None:
        # Browsers know passkeys by name, not by number.
        self.page, self.site = page, site.replace("127.0.0.1", "localhost")
        self.complaints: list[str] = []
        page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.device = page.context.new_cdp_session(page)
        self.device.send("WebAuthn.enable")

    def plug_in(self, *, verifies: bool = True) -> None:
        """A telephone with a finger, or a simple key that only knows a touch."""
        self.device.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2", "transport": "internal" if verifies else "usb", "hasResidentKey": verifies,
                    "hasUserVerification": verifies, "isUserVerified": verifies, "automaticPresenceSimulation": True,
                }
            },
        )  # fmt: skip

    def sign_in(self, name: str) -> None:
        self.page.goto(f"{self.site}/accounts/login/")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", PASSWORD)
        self.page.click("main .btn-primary")
        self.page.wait_for_load_state()

    def sign_out(self) -> None:
        self.page.click("header form[action$='/logout/'] button")
        self.page.wait_for_url(f"{self.site}/accounts/login/")


@pytest.fixture
def company() -> Company:
    return make_company()


@pytest.fixture
def browser(browser_page: Any, live_site: Site, company: Company) -> Browser:
    return Browser(browser_page, live_site(BREACHCLOCK_SECOND_FACTOR="policy"))


def test_a_passkey_is_set_up_where_the_role_needs_it_and_signs_in_alone(browser: Browser, company: Company) -> None:
    page = browser.page
    browser.plug_in()
    browser.sign_in("counsel")
    assert page.url == f"{browser.site}/accounts/2fa/"
    page.goto(f"{browser.site}/incidents/")
    assert page.url == f"{browser.site}/accounts/2fa/"
    page.click("a[href='/accounts/2fa/webauthn/add/']")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(f"{browser.site}/accounts/2fa/recovery-codes/")
    assert page.locator("#recovery_codes li").count() == 10
    page.goto(f"{browser.site}/incidents/")
    assert page.url == f"{browser.site}/incidents/"
    browser.sign_out()
    page.click("#passkey_login")
    page.wait_for_url(f"{browser.site}/")
    assert Authenticator.objects.filter(user=company.counsel, type="webauthn", last_used_at__isnull=False).exists()
    assert browser.complaints == []


def test_a_simple_security_key_is_a_second_factor_after_the_password(browser: Browser, company: Company) -> None:
    page = browser.page
    browser.plug_in(verifies=False)
    browser.sign_in("manager")
    page.goto(f"{browser.site}/accounts/2fa/webauthn/add/")
    page.uncheck("#id_passwordless")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(f"{browser.site}/accounts/2fa/recovery-codes/")
    browser.sign_out()
    browser.sign_in("manager")
    page.wait_for_url(f"{browser.site}/accounts/2fa/authenticate/")
    page.click("#mfa_webauthn_authenticate")
    page.wait_for_url(f"{browser.site}/")
    assert browser.complaints == []


def test_the_app_is_set_up_and_its_codes_sign_in(browser: Browser, company: Company) -> None:
    page = browser.page
    browser.sign_in("approver")
    page.click("a[href='/accounts/2fa/totp/activate/']")
    assert page.locator("img.qr").evaluate("image => image.naturalWidth") > 0
    secret = page.inner_text("#totp_secret")
    page.fill("#id_code", code(secret))
    page.click("main .btn-primary")
    page.wait_for_url(f"{browser.site}/accounts/2fa/recovery-codes/")
    spare = page.locator("#recovery_codes code").first.inner_text()
    browser.sign_out()
    browser.sign_in("approver")
    page.wait_for_url(f"{browser.site}/accounts/2fa/authenticate/")
    # The app's code was used a moment ago; a code on paper does as well.
    page.fill("#id_code", spare)
    page.click("main .btn-primary")
    page.wait_for_url(f"{browser.site}/")
    assert browser.complaints == []


def test_a_device_without_a_key_for_the_site_is_told_so(browser: Browser) -> None:
    page = browser.page
    page.goto(f"{browser.site}/accounts/login/")
    browser.plug_in()
    assert not page.locator("[data-key-failed]").is_visible()
    page.click("#passkey_login")
    page.locator("[data-key-failed]").wait_for(state="visible")


def test_no_page_of_signing_in_is_wider_than_a_small_phone(browser: Browser, company: Company) -> None:
    page = browser.page
    page.set_viewport_size({"width": 320, "height": 700})
    paths = ["login/", "password/reset/", "password/reset/done/", "password/reset/key/x-y/", "signup/", "inactive/"]
    wide = [path for path in paths if _width(page, f"{browser.site}/accounts/{path}") > 320]
    secret = add_totp(company.owner)
    RecoveryCodes.activate(company.owner)
    browser.sign_in("owner")
    wide += [page.url] if page.evaluate("document.documentElement.scrollWidth") > 320 else []
    page.fill("#id_code", code(secret))
    page.click("main .btn-primary")
    page.wait_for_url(f"{browser.site}/")
    own = [
        "2fa/", "2fa/totp/deactivate/", "2fa/recovery-codes/", "2fa/recovery-codes/generate/", "2fa/webauthn/",
        "2fa/webauthn/add/", "sessions/", "password/change/", "reauthenticate/", "2fa/reauthenticate/",
    ]  # fmt: skip
    wide += [path for path in own if _width(page, f"{browser.site}/accounts/{path}") > 320]
    assert wide == []


def _width(page: Any, address: str) -> int:
    page.goto(address)
    return int(page.evaluate("document.documentElement.scrollWidth"))
