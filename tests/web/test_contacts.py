"""How authorities are reached, the page of administration, and the ladders as they apply."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from compliance import clock
from compliance.contact_policy import check_again_after
from compliance.errors import BadInput, NotPermitted
from compliance.library import get_policies
from compliance.models import AuthorityContact
from incidents.models import Incident, JournalEntry
from incidents.services import contacts
from reports import services as reports
from tests.factories import Company, kst, later, make_incident
from tests.reports.conftest import KNOWN, make_case

AT = kst("2026-11-02 09:00")
KISA = "Korea Internet & Security Agency (KISA)"
GIVEN = {
    "portal": "https://boho.or.kr", "email": "report@example.test", "phone": "118", "address": "전라남도 나주시",
    "source": "누리집 안내", "checked_on": date(2026, 11, 2),
}  # fmt: skip


def keep(company: Company, **changes: Any) -> AuthorityContact:
    given = {"entity": company.entity, "authority": KISA, "at": AT, "by": company.counsel, **GIVEN, **changes}
    return contacts.contact_save(**given)


def page(
    client: Client, user: Any, path: str, *, tongue: str = "en", status: int = 200, at: Any = AT, **post: Any
) -> str:
    client.force_login(user)
    client.cookies["django_language"] = tongue
    with clock.simulated(at):
        response = client.post(path, post) if post else client.get(path)
    assert response.status_code == status, response.content.decode()[:2000]
    return response.content.decode()


@pytest.mark.parametrize("role", ["counsel", "manager", "administrator"])
def test_contact_data_is_kept_with_its_source_and_journaled(client: Client, company: Company, role: str) -> None:
    fields = {**GIVEN, "checked_on": "2026-11-02", "entity": company.entity.pk, "authority": KISA, "action": "save"}
    page(client, getattr(company, role), "/admin-area/contacts/new/", status=302, **fields)
    row = AuthorityContact.objects.get()
    assert (row.checked_by, row.phone, row.checked_on) == (getattr(company, role), "118", date(2026, 11, 2))
    entry = JournalEntry.objects.get(action="contact.saved")
    assert entry.detail["entity"] == "hanbit"
    assert "118" not in str(entry.detail)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"authority": "The Ministry of Silly Walks"}, "authority"),
        ({"portal": "", "email": "", "phone": "", "address": ""}, "portal"),
        ({"portal": "http://boho.or.kr"}, "portal"),
        ({"portal": "javascript:alert(1)"}, "portal"),
        ({"email": "nobody"}, "email"),
        ({"source": ""}, "source"),
        ({"checked_on": date(2026, 11, 3)}, "checked_on"),
        ({"checked_on": None}, "checked_on"),
    ],
)
def test_contact_data_that_cannot_be_right_is_refused(company: Company, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        keep(company, **changes)
    assert refused.value.field == field
    assert not AuthorityContact.objects.exists()


@pytest.mark.parametrize("role", ["owner", "approver", "auditor", "reporter", "stranger"])
def test_others_do_not_keep_contact_data(client: Client, company: Company, role: str) -> None:
    with pytest.raises(NotPermitted):
        keep(company, by=getattr(company, role))
    page(client, getattr(company, role), "/admin-area/contacts/new/", status=403)


def test_an_authority_has_one_row_for_each_entity(company: Company) -> None:
    keep(company)
    with pytest.raises(BadInput, match=r"already|이미"):
        keep(company)
    assert keep(company, contact=AuthorityContact.objects.get(), phone="119").phone == "119"


def test_a_mistake_is_shown_on_top_with_a_link_to_its_field(client: Client, company: Company) -> None:
    fields = {**GIVEN, "email": "nobody", "checked_on": "2026-11-02", "entity": company.entity.pk, "authority": KISA}
    text = page(client, company.counsel, "/admin-area/contacts/new/", status=422, action="save", **fields)
    assert '<a href="#id_email">E-mail</a>: nobody is not an e-mail address.' in text
    assert 'value="118"' in text


def test_what_was_checked_long_ago_is_to_be_checked_again(client: Client, company: Company) -> None:
    row, term = keep(company), check_again_after()
    assert not contacts.is_stale(row, at=AT + term)
    stale_at = later(AT + term, days=1)
    assert contacts.is_stale(row, at=stale_at)
    text = page(client, company.counsel, "/admin-area/contacts/", at=stale_at)
    assert "To be checked again" in text
    assert "To be checked again" not in page(client, company.counsel, "/admin-area/contacts/")
    assert "1 of 1 to be checked again." in page(client, company.counsel, "/admin-area/", at=stale_at)


def test_contact_data_is_removed_after_a_confirmation(client: Client, company: Company) -> None:
    row = keep(company)
    path = f"/admin-area/contacts/{row.pk}/"
    assert "Yes, remove it" in page(client, company.counsel, path)
    page(client, company.counsel, path, status=302, action="remove")
    assert not AuthorityContact.objects.exists()
    assert JournalEntry.objects.filter(action="contact.removed").count() == 1


def test_another_company_sees_nothing_of_it(client: Client, company: Company) -> None:
    row = keep(company)
    assert "118" not in page(client, company.stranger, "/admin-area/contacts/")
    page(client, company.stranger, f"/admin-area/contacts/{row.pk}/", status=403)


def test_a_filing_by_hand_shows_how_its_authority_is_reached(
    client: Client, company: Company, settings: Any, tmp_path: Any
) -> None:
    at = later(KNOWN, hours=2)
    case = make_case(company, settings, tmp_path, at=at)
    filing = reports.filing_send_to_review(filing=case.draft(), at=at, by=company.owner)
    reports.filing_approve(filing=filing, at=at, by=company.counsel)
    reports.filing_freeze(filing=filing, at=at, by=company.owner)
    path = "/incidents/2025-014/filings/1/"
    empty = page(client, company.counsel, path + "by-hand/", at=at)
    assert "No contact data is kept of this authority." in empty
    assert "/admin-area/contacts/new/?entity=hanbit&amp;authority=Korea%20Internet" in empty
    keep(company, at=at, checked_on=date(2025, 9, 1))
    shown = page(client, company.owner, path + "by-hand/", at=at)
    for words in ("https://boho.or.kr", "118", "누리집 안내", "2025-09-01", "전라남도 나주시"):
        assert words in shown
    assert 'value="report@example.test"' in page(client, company.owner, path, at=at)


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("path", ["/admin-area/", "/admin-area/contacts/", "/admin-area/ladders/"])
def test_the_pages_of_administration_open_for_everybody(
    client: Client, company: Company, path: str, language: str
) -> None:
    for role in ("administrator", "counsel", "owner", "reporter", "auditor"):
        text = page(client, getattr(company, role), path, tongue=language)
        assert "</html>" in text
        assert " style=" not in text


def test_administration_offers_what_the_person_may_do(client: Client, company: Company) -> None:
    administrator = page(client, company.administrator, "/admin-area/")
    assert "/admin-area/people/" in administrator
    assert "/law/days-off/" not in administrator.split("<main")[1]
    counsel = page(client, company.counsel, "/admin-area/")
    assert "/admin-area/people/" not in counsel
    assert "/law/days-off/" in counsel
    assert "None is kept yet." in counsel


def test_every_ladder_shows_its_steps_and_who_climbs_it(client: Client, company: Company) -> None:
    incident: Incident = make_incident(company, at=AT, code="2026-777", known_at=AT, known_label="점검")
    duty = incident.obligations.get(rule="kr.network-act.incident-report", stage="initial")
    text = page(client, company.counsel, "/admin-area/ladders/")
    for ladder in get_policies().ladders:
        section = text.split(f'id="ladder-{ladder.key}"')[1].split("</section>")[0]
        assert all(step.name.en in section for step in ladder.steps)
        assert ("2026-777" in section) == incident.obligations.filter(ladder=ladder.key).exists()
    assert f"#duty-{duty.pk}" in text
    assert "2026-777" not in page(client, company.stranger, "/admin-area/ladders/")
