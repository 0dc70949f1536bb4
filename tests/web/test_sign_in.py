"""Signing in with a password and a second factor; what ends sessions; what tells nothing."""

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from compliance import clock
from compliance.models import Membership
from config.accounts import MfaAdapter
from incidents.models import JournalEntry, OutboxMessage
from incidents.services import people
from tests.factories import PASSWORD, Company, make_company

LOGIN = "/accounts/login/"
WRONG = "User name and password do not match"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()


@pytest.fixture
def policy(settings: Any) -> Any:
    """The house's policy on second factors is in force."""
    settings.SECOND_FACTOR = "policy"
    return settings


def sign_in(client: Client, name: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post(LOGIN, {"login": name, "password": password, **more}, headers={"accept-language": "en"})


def add_totp(person: User, secret: str = "JBSWY3DPEHPK3PXP") -> str:
    TOTP.activate(person, secret)
    return secret


def code(secret: str) -> str:
    """What the app shows now, early enough in its half minute to be still good when it arrives."""
    if time.time() % 30 > 25:
        time.sleep(6)
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_a_password_signs_in_and_the_page_asked_for_comes(client: Client, company: Company) -> None:
    answer = sign_in(client, "owner", next="/overview/")
    assert (answer.status_code, answer.url) == (302, "/overview/")


@pytest.mark.parametrize(
    "next_", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_nobody_is_led_to_another_site(client: Client, company: Company, next_: str) -> None:
    assert sign_in(client, "owner", next=next_).url == "/"


def test_the_sessions_key_changes_at_signing_in(client: Client, company: Company) -> None:
    client.get(LOGIN)
    session = client.session
    session["before"] = "x"
    session.save()
    client.cookies["sessionid"] = planted = session.session_key
    sign_in(client, "owner")
    assert client.session.session_key != planted
    assert not type(client.session)().exists(planted)


def test_the_sessions_key_changes_with_a_second_factor_too(client: Client, company: Company) -> None:
    secret = add_totp(company.owner)
    sign_in(client, "owner")
    before = client.session.session_key
    client.post("/accounts/2fa/authenticate/", {"code": code(secret)})
    assert client.session["_auth_user_id"] == str(company.owner.pk)
    assert client.session.session_key != before


def said(answer: Any) -> str:
    """What the page says, without what is new in each."""
    return re.sub(r'value="[^"]*"', "", answer.content.decode())


def test_an_unknown_name_is_answered_like_a_wrong_password(client: Client, company: Company) -> None:
    known, unknown = sign_in(client, "owner", "wrong"), sign_in(client, "nobody-at-all", "wrong")
    assert known.status_code == unknown.status_code == 200
    assert WRONG in said(known)
    assert said(known) == said(unknown)


def test_a_deactivated_or_invited_person_is_not_told_from_a_wrong_password(client: Client, company: Company) -> None:
    company.owner.is_active = False
    company.owner.save()
    assert WRONG in said(sign_in(client, "owner", "wrong"))
    invited = people.person_invite(
        email="new@example.test",
        name="새사람",
        entity=company.entity,
        roles=["ciso"],
        language="ko",
        at=clock.now(),
        by=None,
    )
    assert WRONG in said(sign_in(client, invited.username, "wrong"))


def test_asking_for_a_new_password_says_the_same_whether_or_not_there_is_an_account(
    client: Client, company: Company
) -> None:
    company.owner.email = "owner@example.test"
    company.owner.save()
    OutboxMessage.objects.all().delete()
    answers = [
        client.post("/accounts/password/reset/", {"email": mail}) for mail in ("owner@example.test", "no@example.test")
    ]
    assert {(answer.status_code, answer.url) for answer in answers} == {(302, "/accounts/password/reset/done/")}
    assert [row.address for row in OutboxMessage.objects.all()] == ["owner@example.test"]


def test_a_new_password_comes_by_a_link_of_our_own_site_that_works_once(
    client: Client, company: Company, settings: Any
) -> None:
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://desk.example.test", ["testserver", "other.example"]
    company.owner.email = "owner@example.test"
    company.owner.save()
    other = Client()
    other.force_login(company.owner)
    client.post("/accounts/password/reset/", {"email": "owner@example.test"}, headers={"host": "other.example"})
    body = OutboxMessage.objects.get(subject__contains="비밀번호").body
    link = re.search(r"https://desk\.example\.test(/accounts/password/reset/key/\S+)", body)
    assert link is not None
    assert "other.example" not in body
    form = client.get(link[1]).url
    chosen = {"password1": "nine purple lanterns", "password2": "nine purple lanterns"}
    assert client.post(form, chosen).status_code == 302
    assert sign_in(client, "owner", "nine purple lanterns").status_code == 302
    assert "This link is not complete" in Client().get(link[1], headers={"accept-language": "en"}).content.decode()
    assert other.get("/").status_code == 302
    assert JournalEntry.objects.filter(action="person.password_changed", chain="system").count() == 1


def test_a_name_of_a_header_in_the_address_sends_nothing(client: Client, company: Company) -> None:
    company.owner.email = "owner@example.test"
    company.owner.save()
    OutboxMessage.objects.all().delete()
    for address in ("owner@example.test\r\nBcc: x@evil.example", "owner@example.test,x@evil.example"):
        assert client.post("/accounts/password/reset/", {"email": address}).status_code == 200
    assert not OutboxMessage.objects.exists()


def test_who_signs_in_elsewhere_gets_no_password_by_mail(client: Client, company: Company) -> None:
    company.owner.email = "owner@example.test"
    company.owner.set_unusable_password()
    company.owner.save()
    OutboxMessage.objects.all().delete()
    assert client.post("/accounts/password/reset/", {"email": "owner@example.test"}).status_code == 302
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("weak", ["short", "1234567890123", "password1234", "qwertyuiop123"])
def test_a_password_that_is_short_or_known_from_a_breach_is_refused(
    client: Client, company: Company, weak: str
) -> None:
    client.force_login(company.owner)
    sent = {"oldpassword": PASSWORD, "password1": weak, "password2": weak}
    assert client.post("/accounts/password/change/", sent).status_code == 200
    company.owner.refresh_from_db()
    assert company.owner.check_password(PASSWORD)


def test_changing_the_password_ends_the_other_sessions_and_is_told(client: Client, company: Company) -> None:
    company.owner.email = "owner@example.test"
    company.owner.save()
    other = Client()
    other.force_login(company.owner)
    client.force_login(company.owner)
    sent = {"oldpassword": PASSWORD, "password1": "nine purple lanterns", "password2": "nine purple lanterns"}
    assert client.post("/accounts/password/change/", sent).status_code == 302
    assert client.get("/").status_code == 200
    assert other.get("/").status_code == 302
    assert OutboxMessage.objects.filter(address="owner@example.test", subject__contains="비밀번호").count() == 1


def test_five_wrong_passwords_lock_the_name_whatever_the_address(client: Client, company: Company) -> None:
    for number in range(5):
        client.post(LOGIN, {"login": "owner", "password": "wrong"}, REMOTE_ADDR=f"10.0.0.{number}")
    locked = client.post(LOGIN, {"login": "owner", "password": PASSWORD}, REMOTE_ADDR="10.0.1.1")
    assert "_auth_user_id" not in client.session
    assert locked.status_code == 200
    assert sign_in(Client(), "counsel").status_code == 302


def test_one_address_that_tries_many_names_is_slowed_down(client: Client, company: Company) -> None:
    answers = [sign_in(client, f"name-{number}", "wrong") for number in range(12)]
    assert "Too many attempts" in answers[-1].content.decode()
    assert "_auth_user_id" not in client.session


def test_codes_cannot_be_tried_without_end(client: Client, company: Company) -> None:
    add_totp(company.owner)
    sign_in(client, "owner")
    for _time in range(6):
        last = client.post("/accounts/2fa/authenticate/", {"code": "000000"}, headers={"accept-language": "en"})
    assert "Too many attempts" in last.content.decode()


def test_a_password_alone_does_not_sign_in_who_has_a_second_factor(client: Client, company: Company) -> None:
    secret = add_totp(company.owner)
    assert sign_in(client, "owner").url == "/accounts/2fa/authenticate/"
    assert client.get("/").status_code == 302
    assert client.post("/accounts/2fa/authenticate/", {"code": code(secret)}).status_code == 302
    assert client.get("/").status_code == 200


def test_a_code_is_good_once(client: Client, company: Company) -> None:
    secret = add_totp(company.owner)
    shown = code(secret)
    for browser in (client, Client()):
        sign_in(browser, "owner")
        browser.post("/accounts/2fa/authenticate/", {"code": shown})
    assert client.get("/").status_code == 200
    assert browser.get("/").status_code == 302


def test_a_recovery_code_signs_in_once(client: Client, company: Company) -> None:
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    add_totp(company.owner)
    spare = RecoveryCodes.activate(company.owner).get_unused_codes()[0]
    for browser in (client, Client()):
        sign_in(browser, "owner")
        browser.post("/accounts/2fa/authenticate/", {"code": spare})
    assert client.get("/").status_code == 200
    assert browser.get("/").status_code == 302


def test_secrets_of_second_factors_lie_encrypted(company: Company) -> None:
    add_totp(company.owner, "JBSWY3DPEHPK3PXP")
    kept = str(Authenticator.objects.get(user=company.owner).data)
    assert "JBSWY3DPEHPK3PXP" not in kept


def test_a_new_secret_key_still_reads_what_the_old_one_wrote(settings: Any) -> None:
    written = MfaAdapter().encrypt("JBSWY3DPEHPK3PXP")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-" + "y1z2" * 12
    assert MfaAdapter().decrypt(written) == "JBSWY3DPEHPK3PXP"


def test_a_role_that_needs_a_second_factor_is_led_to_it_before_anything_else(
    client: Client, company: Company, policy: Any
) -> None:
    sign_in(client, "counsel")
    for path in ("/", "/incidents/", "/tokens/", "/law/"):
        assert client.get(path).url == "/accounts/2fa/"
    assert client.post("/report/", {}).url == "/accounts/2fa/"
    assert client.get("/api/v1/incidents").status_code == 403
    page = client.get("/accounts/2fa/", headers={"accept-language": "en"}).content.decode()
    assert "Your role needs a second factor." in page
    # A page that is fetched in parts is led there whole.
    assert client.get("/", headers={"hx-request": "true"})["HX-Redirect"] == "/accounts/2fa/"


def test_a_token_works_without_the_session(client: Client, company: Company, policy: Any) -> None:
    client.force_login(company.counsel)
    assert client.get("/api/v1/incidents", headers={"authorization": "Bearer bck_wrong"}).status_code == 401


def test_a_role_that_needs_none_is_let_in(client: Client, company: Company, policy: Any) -> None:
    sign_in(client, "reporter")
    assert client.get("/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_setting_up_the_app_opens_the_rest_ends_other_sessions_and_is_written_down(
    client: Client, company: Company, policy: Any
) -> None:
    other = Client()
    sign_in(other, "counsel")
    other.get("/accounts/2fa/")
    sign_in(client, "counsel")
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'id="totp_secret">([A-Z2-7]+)<', page)
    assert secret is not None
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code(secret[1])})
    assert answer.url == "/accounts/2fa/recovery-codes/"
    assert client.get(answer.url).content.decode().count("<li><code>") == 10
    assert client.get("/").status_code == 200
    assert other.get("/").url.startswith(LOGIN)
    assert JournalEntry.objects.filter(action="person.factor_added", subject=f"user:{company.counsel.pk}").exists()


def test_a_role_given_while_signed_in_asks_for_its_second_factor_at_once(
    client: Client, company: Company, policy: Any
) -> None:
    sign_in(client, "reporter")
    assert client.get("/").status_code == 200
    Membership.objects.create(user=company.reporter, entity=company.entity, role="manager")
    assert client.get("/").url == "/accounts/2fa/"


def test_who_takes_the_last_factor_off_has_to_set_up_another(client: Client, company: Company, policy: Any) -> None:
    secret = add_totp(company.counsel)
    sign_in(client, "counsel")
    client.post("/accounts/2fa/authenticate/", {"code": code(secret)})
    assert client.get("/").status_code == 200
    assert client.post("/accounts/2fa/totp/deactivate/").status_code == 302
    assert client.get("/").url == "/accounts/2fa/"


def test_a_deactivated_persons_session_is_dead_at_once(client: Client, company: Company) -> None:
    sign_in(client, "owner")
    assert client.get("/").status_code == 200
    people.person_deactivate(person=company.owner, at=clock.now(), by=company.administrator)
    assert client.get("/").url.startswith(LOGIN)


def later_than_the_policy(client: Client) -> None:
    """As if the person had shown who it is an hour ago."""
    session = client.session
    session["account_authentication_methods"] = [
        {**record, "at": record["at"] - 3600} for record in session["account_authentication_methods"]
    ]
    session.save()


def test_making_a_token_asks_again_who_it_is_and_then_goes_on(client: Client, company: Company) -> None:
    sign_in(client, "owner")
    later_than_the_policy(client)
    sent = {"action": "make", "label": "mine", "scopes": ["read"], "days": "7"}
    asked = client.post("/tokens/", sent)
    assert asked.url == "/accounts/reauthenticate/?next=%2Ftokens%2F"
    assert not company.owner.api_tokens.exists()
    client.post(asked.url, {"password": "wrong"})
    assert not company.owner.api_tokens.exists()
    client.post(asked.url, {"password": PASSWORD})
    assert company.owner.api_tokens.count() == 1


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/admin-area/people/", {"email": "a@example.test", "name": "새", "roles": ["ciso"], "language": "ko"}),
        ("/admin-area/entities/new/", {"key": "fresh", "name": "새 법인"}),
    ],
)
def test_administering_asks_again_who_it_is(client: Client, company: Company, path: str, sent: dict[str, Any]) -> None:
    sign_in(client, "administrator")
    later_than_the_policy(client)
    assert client.get(path).status_code == 200
    assert client.post(path, sent).url.startswith("/accounts/reauthenticate/")


def test_changing_second_factors_asks_again_who_it_is(client: Client, company: Company) -> None:
    sign_in(client, "owner")
    later_than_the_policy(client)
    for path in ("totp/activate/", "webauthn/add/"):
        assert client.get(f"/accounts/2fa/{path}").url.startswith("/accounts/reauthenticate/")


def test_sessions_are_listed_and_one_can_be_ended(client: Client, company: Company) -> None:
    other = Client(headers={"user-agent": "Some browser"})
    sign_in(other, "owner")
    sign_in(client, "owner")
    page = client.get("/accounts/sessions/").content.decode()
    assert "Some browser" in page
    row = UserSession.objects.get(user_agent="Some browser")
    client.post("/accounts/sessions/", {"session": str(row.pk)})
    assert other.get("/").url.startswith(LOGIN)
    assert client.get("/").status_code == 200


def test_nobody_ends_the_session_of_another(client: Client, company: Company) -> None:
    other = Client()
    sign_in(other, "counsel")
    sign_in(client, "owner")
    row = UserSession.objects.get(user=company.counsel)
    assert client.post("/accounts/sessions/", {"session": str(row.pk)}).status_code == 404
    assert other.get("/").status_code == 200


def test_nobody_makes_an_account_for_himself(client: Client, company: Company) -> None:
    before = User.objects.count()
    sent = {"username": "new", "password1": "nine purple lanterns", "password2": "nine purple lanterns"}
    assert client.post("/accounts/signup/", sent).status_code == 403
    assert User.objects.count() == before


def test_whoever_runs_the_server_can_take_lost_factors_off(company: Company, client: Client) -> None:
    from django.core.management import call_command

    other = Client()
    sign_in(other, "owner")
    add_totp(company.owner)
    call_command("reset_second_factor", "owner", reason="휴대전화 분실")
    assert not Authenticator.objects.filter(user=company.owner).exists()
    assert other.get("/").status_code == 302
    assert sign_in(client, "owner").url == "/"
    assert JournalEntry.objects.filter(action="person.factors_reset").count() == 1


def test_every_page_sends_what_it_may_not_ask_of_the_browser(client: Client, db: None) -> None:
    answer = client.get(LOGIN)
    assert "camera=()" in answer["Permissions-Policy"]
    assert "publickey-credentials-get=(self)" in answer["Permissions-Policy"]
    assert "unsafe-inline" not in answer["Content-Security-Policy"]


def test_a_host_that_is_not_ours_is_refused(client: Client, db: None) -> None:
    assert client.get(LOGIN, headers={"host": "evil.example"}).status_code == 400


PAGES = [
    "/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/", "/accounts/inactive/",
    "/accounts/password/reset/key/done/", "/accounts/password/reset/key/x-y/", "/accounts/signup/", "/accounts/sso/error/",
    "/accounts/sso/cancelled/",
]  # fmt: skip
OWN = [
    "/accounts/password/change/", "/accounts/reauthenticate/", "/accounts/sessions/", "/accounts/2fa/",
    "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/", "/accounts/2fa/webauthn/add/",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES + OWN)
def test_no_english_is_left_on_a_korean_page(client: Client, company: Company, path: str) -> None:
    if path in OWN:
        client.force_login(company.owner)
    page = client.get(path, headers={"accept-language": "ko"}).content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    shown = re.sub(r"<script.*?</script>|<code.*?</code>|<option.*?</option>|<[^>]*>", " ", main, flags=re.DOTALL)
    words = set(re.findall(r"[A-Za-z]{3,}", shown)) - {"HTTPS", "SSO", "PIN", "UTC", "API", "Breachclock"}
    assert words == set()


def test_two_people_may_have_one_address_and_each_gets_a_link(db: None, client: Client) -> None:
    first, second = make_company(), make_company("elsewhere", "other-")
    User.objects.filter(pk__in=[first.owner.pk, second.owner.pk]).update(email="both@example.test")
    OutboxMessage.objects.all().delete()
    client.post("/accounts/password/reset/", {"email": "both@example.test"})
    bodies = [row.body for row in OutboxMessage.objects.all()]
    assert sorted(name for name in ("owner", "other-owner") for body in bodies if f": {name}\n" in body) == [
        "other-owner",
        "owner",
    ]
