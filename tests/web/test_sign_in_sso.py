"""Single sign-on in a browser, with a real OpenID provider and a real SAML identity provider on this machine."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import User

from compliance import clock
from compliance.engine import LawError
from compliance.models import Membership
from config.sso import read_providers
from incidents import journal
from incidents.models import JournalEntry
from incidents.services.sso import roles_follow
from tests import servers
from tests.conftest import Starter
from tests.factories import Company, make_company

Site = Callable[..., str]
BROWSER = pytest.mark.django_db(transaction=True)
GROUPS = {
    "Handlers": [{"entity": "hanbit", "role": "owner"}],
    "Auditors": [{"entity": "hanbit", "role": "auditor"}],
}


@pytest.fixture
def company(db: None) -> Company:
    return make_company()


def written(folder: Path, **provider: Any) -> Path:
    """The file of one provider."""
    (folder / "client-secret").write_text("a-secret-of-the-test-3f9a")
    common = {"name": {"ko": "우리 회사", "en": "Our house"}, "groups_from": "groups", "groups": GROUPS}
    path = folder / "sso.yaml"
    path.write_text(yaml.safe_dump({"providers": [common | provider]}, allow_unicode=True), encoding="utf-8")
    return path


def openid(folder: Path, port: int, **more: Any) -> Path:
    return written(
        folder,
        id="house",
        kind="openid_connect",
        server=f"http://localhost:{port}",
        client_id="breachclock",
        client_secret_file="client-secret",
        **more,
    )


def roles(person: User) -> set[tuple[str, str]]:
    return set(Membership.objects.filter(user=person).values_list("role", "source"))


class OpenId:
    """The provider, and a browser that comes from it."""

    def __init__(self, page: Any, live_site: Site, start: Starter, folder: Path, **more: Any) -> None:
        self.port = servers.free_port()
        process = start("openid", "oidc_provider_mock", "-p", str(self.port))
        servers.wait_for_port(self.port, process.process, process.log)  # type: ignore[arg-type]
        path = openid(folder, self.port, **more)
        site = live_site(BREACHCLOCK_SSO=str(path), BREACHCLOCK_SECOND_FACTOR="policy")
        self.page, self.site = page, site.replace("127.0.0.1", "localhost")

    def knows(self, sub: str, **claims: Any) -> None:
        requests.put(f"http://localhost:{self.port}/users/{sub}", json=claims, timeout=10).raise_for_status()

    def sign_in(self, sub: str) -> None:
        self.page.context.clear_cookies()
        self.page.goto(f"{self.site}/accounts/login/?next=/incidents/")
        self.page.click("form[action^='/accounts/oidc/house/'] button")
        self.page.wait_for_url(f"http://localhost:{self.port}/**")
        self.page.fill("input[name=sub]", sub)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(f"{self.site}/**")


@BROWSER
def test_groups_of_the_openid_provider_give_roles_and_take_them_back(
    browser_page: Any, live_site: Site, start_process: Starter, tmp_path: Path, company: Company
) -> None:
    house = OpenId(browser_page, live_site, start_process, tmp_path, second_factor="provider")
    told = {"email": "new@example.test", "email_verified": True, "name": "한새로"}
    house.knows("u-1", **told, groups=["Handlers", "Auditors", "Other"])
    house.sign_in("u-1")
    # The provider asks for a second factor itself, says its entry: no enrolment here.
    assert house.page.url == f"{house.site}/incidents/"
    person = User.objects.get(email="new@example.test")
    assert person.first_name == "한새로"
    assert not person.has_usable_password()
    assert roles(person) == {("owner", "house"), ("auditor", "house")}
    Membership.objects.create(user=person, entity=company.entity, role="ciso")
    house.knows("u-1", **told, groups=["Auditors"])
    house.sign_in("u-1")
    assert roles(person) == {("auditor", "house"), ("ciso", "")}
    followed = list(JournalEntry.objects.filter(action="person.roles_followed").order_by("sequence"))
    assert [entry.detail["given"] for entry in followed] == [["hanbit:auditor", "hanbit:owner"], []]
    assert followed[1].detail["taken"] == ["hanbit:owner"]
    # Nothing of what the provider told is kept.
    assert person.socialaccount_set.get().extra_data == {}


@BROWSER
def test_who_no_group_knows_gets_no_account_and_an_unverified_address_takes_over_none(
    browser_page: Any, live_site: Site, start_process: Starter, tmp_path: Path, company: Company
) -> None:
    User.objects.filter(pk=company.owner.pk).update(email="owner@example.test")
    house = OpenId(browser_page, live_site, start_process, tmp_path)
    house.knows("u-2", email="other@example.test", email_verified=True, groups=["Strangers"])
    house.sign_in("u-2")
    assert not User.objects.filter(email="other@example.test").exists()
    house.knows("u-3", email="owner@example.test", email_verified=False, groups=["Handlers"])
    house.sign_in("u-3")
    assert not company.owner.socialaccount_set.exists()
    assert User.objects.filter(email="owner@example.test").count() == 1
    # The right one: the address is verified, the account is found, and the policy still wants a second factor here.
    house.knows("u-4", email="owner@example.test", email_verified=True, groups=["Handlers"])
    house.sign_in("u-4")
    assert company.owner.socialaccount_set.count() == 1
    assert house.page.url == f"{house.site}/accounts/2fa/"
    # Deactivated: the provider opens nothing.
    User.objects.filter(pk=company.owner.pk).update(is_active=False)
    house.sign_in("u-4")
    assert house.page.url == f"{house.site}/accounts/inactive/"


def _certificate(folder: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp.test")])
    now = clock.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(pem, kind, serialization.NoEncryption()))
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))


@BROWSER
def test_saml_gives_roles_by_group_and_believes_only_what_is_signed(
    browser_page: Any, live_site: Site, start_process: Starter, tmp_path: Path, company: Company
) -> None:
    _certificate(tmp_path)
    port = servers.free_port()
    path = written(
        tmp_path,
        id="house-saml",
        kind="saml",
        entity_id=f"http://localhost:{port}/idp",
        sso_address=f"http://localhost:{port}/sso",
        certificate_file="cert.pem",
        email_from="urn:oid:0.9.2342.19200300.100.1.3",
        name_from="urn:oid:2.16.840.1.113730.3.1.241",
        groups_from="urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
        email_domains=["example.test"],
        second_factor="provider",
    )
    site = live_site(BREACHCLOCK_SSO=str(path), BREACHCLOCK_SECOND_FACTOR="policy").replace("127.0.0.1", "localhost")
    process = start_process("saml", "tests.saml_idp", str(port), site, str(tmp_path))
    servers.wait_for_port(port, process.process, process.log)  # type: ignore[arg-type]
    page = browser_page

    def sign_in(groups: list[str], **more: Any) -> None:
        attributes = {"mail": "saml@example.test", "displayName": "서마루", "isMemberOf": groups}
        (tmp_path / "state.json").write_text(json.dumps({"id": "s-1", "attributes": attributes, **more}))
        page.context.clear_cookies()
        page.goto(f"{site}/accounts/login/?next=/incidents/")
        page.click("form[action^='/accounts/saml/house-saml/'] button")
        page.wait_for_url(f"{site}/**")
        page.wait_for_load_state()

    sign_in(["Handlers"], signed=False)
    assert "/acs/finish/" in page.url
    sign_in(["Auditors"], spoil={"Auditors": "Handlers"})
    assert "/acs/finish/" in page.url
    assert not User.objects.filter(email="saml@example.test").exists()
    sign_in(["Handlers"])
    assert page.url == f"{site}/incidents/"
    person = User.objects.get(email="saml@example.test")
    assert (person.first_name, roles(person)) == ("서마루", {("owner", "house-saml")})
    sign_in(["Auditors"])
    assert roles(person) == {("auditor", "house-saml")}


def follow(person: User, *wanted: tuple[str, str]) -> None:
    roles_follow(person=person, provider="house", wanted=wanted, at=clock.now())


def test_roles_that_must_stay_apart_are_refused_and_written_down(company: Company) -> None:
    person = User.objects.create(username="p")
    follow(person, ("hanbit", "administrator"), ("hanbit", "approver"), ("nowhere", "owner"))
    assert roles(person) == {("administrator", "house")}
    entry = JournalEntry.objects.get(action="person.roles_followed")
    assert entry.detail["refused"] == ["hanbit:approver", "nowhere:owner"]
    follow(person, ("hanbit", "approver"))
    assert roles(person) == {("approver", "house")}


def test_the_last_administrator_stays_whatever_the_groups_say(company: Company) -> None:
    person = User.objects.create(username="p")
    follow(person, ("hanbit", "administrator"))
    company.administrator.memberships.all().delete()
    follow(person)
    assert roles(person) == {("administrator", "house")}


def test_what_did_not_change_is_not_written_down_again_and_the_journal_stays_valid(company: Company) -> None:
    person = User.objects.create(username="p")
    for _time in range(3):
        follow(person, ("hanbit", "owner"))
    assert JournalEntry.objects.filter(action="person.roles_followed").count() == 1
    from incidents.verification import verify

    assert list(verify()) == []
    assert journal.ACTIONS["person.roles_followed"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"server": "http://idp.example.test"}, "expected an address that begins with https://"),
        ({"client_secret_file": "nowhere"}, "expected a readable file"),
        ({"groups": {"A": [{"entity": "hanbit"}]}}, "role: missing"),
        ({"kind": "ldap"}, "expected one of openid_connect, saml"),
        ({"id": "a b"}, "expected at most 30 letters"),
        ({"second_factor": "never"}, "expected one of here, provider"),
        ({"clientid": "x"}, "unknown key"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_by_name(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    path = openid(tmp_path, 1)
    held = yaml.safe_load(path.read_text(encoding="utf-8"))
    held["providers"][0] |= change
    path.write_text(yaml.safe_dump(held), encoding="utf-8")
    with pytest.raises(LawError, match="providers") as refused:
        read_providers(path)
    assert words in str(refused.value)


@pytest.mark.parametrize("weak", ["changeme", "short", "password"])
def test_a_weak_secret_is_refused(tmp_path: Path, weak: str) -> None:
    path = openid(tmp_path, 1)
    (tmp_path / "client-secret").write_text(weak)
    with pytest.raises(LawError, match="at least 16"):
        read_providers(path)
