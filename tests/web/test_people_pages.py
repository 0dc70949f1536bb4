"""The pages on people, entities and who sees an incident, in both languages."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from compliance.models import Membership
from incidents.models import Incident, JournalEntry, OutboxMessage
from incidents.services.restriction import incident_name
from tests.factories import PASSWORD, Company, kst, make_incident

AT = kst("2026-11-02 09:00")
REASON = "담당자 모두 연락이 되지 않아 확인이 필요함"


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT, code="2026-777")


@pytest.fixture
def visit(client: Client):
    def get(path: str, user: User, tongue: str = "en", *, status: int = 200, **post: Any) -> str:
        client.force_login(user)
        client.cookies["django_language"] = tongue
        response = client.post(path, post) if post else client.get(path)
        assert response.status_code == status, re.findall("error[^<]*<[^<]*<[^<]*", response.content.decode())
        return response.content.decode()

    return get


PAGES = ["/admin-area/people/", "/admin-area/entities/", "/admin-area/entities/new/", "/admin-area/entities/hanbit/"]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_page_of_an_administrator_opens(visit, company: Company, language: str) -> None:
    for path in (*PAGES, f"/admin-area/people/{company.owner.pk}/"):
        text = visit(path, company.administrator, language)
        assert "</html>" in text
        assert " style=" not in text


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_page_on_who_sees_an_incident_opens(visit, company: Company, incident: Incident, language: str) -> None:
    for path in ("/incidents/2026-777/access/", "/incidents/2026-777/", "/break-glass/", "/entities/hanbit/incidents/"):
        assert "</html>" in visit(path, company.counsel, language)


def test_inviting_leads_to_signing_in_with_a_password_of_ones_own(visit, client: Client, company: Company) -> None:
    fields = {
        "email": "new@example.test",
        "name": "새사람",
        "entity": company.entity.pk,
        "roles": ["ciso"],
        "language": "en",
    }
    visit("/admin-area/people/", company.administrator, status=302, **fields)
    body = OutboxMessage.objects.get(dedupe__startswith="invitation:").body
    path = re.search(r"/invitation/[^/]+/", body)[0]
    client.logout()
    assert "Set the password" in client.get(path, headers={"accept-language": "en"}).content.decode()
    assert client.post(path, {"password": PASSWORD, "again": "other"}).status_code == 422
    assert client.post(path, {"password": PASSWORD, "again": PASSWORD}).status_code == 302
    assert client.get(path).status_code == 410
    assert client.login(username="new@example.test", password=PASSWORD)
    assert client.get("/").status_code == 200


def test_roles_are_given_and_taken_on_the_page(visit, company: Company) -> None:
    path = f"/admin-area/people/{company.owner.pk}/"
    entity = company.entity.pk
    visit(path, company.administrator, status=302, action="grant", entity=entity, role="manager")
    assert Membership.objects.filter(user=company.owner, role="manager").exists()
    visit(path, company.administrator, status=302, action="revoke", entity=entity, role="manager")
    assert not Membership.objects.filter(user=company.owner, role="manager").exists()
    text = visit(path, company.administrator, status=422, action="grant", entity=entity, role="king")
    assert "Role" in text


def test_deactivating_on_the_page_hands_over(visit, company: Company, incident: Incident) -> None:
    path = f"/admin-area/people/{company.owner.pk}/"
    visit(path, company.administrator, status=302, action="deactivate", successor=company.ciso.pk)
    assert Incident.objects.get(pk=incident.pk).owner == company.ciso
    assert "Send an invitation" in visit(path, company.administrator)


def test_a_person_of_another_company_is_not_there(visit, company: Company) -> None:
    visit(f"/admin-area/people/{company.stranger.pk}/", company.administrator, status=404)
    visit("/admin-area/entities/hanbit-other/", company.administrator, status=404)


def test_a_profile_with_an_unknown_word_is_refused_beside_its_field(visit, company: Company) -> None:
    fields = {"name": "한빛", "zone": "Seoul", "roles": ["controller"], "establishments": "KR", "markets": "KR"}
    assert "Seoul is not known here" in visit(
        "/admin-area/entities/hanbit/", company.administrator, status=422, **fields
    )
    visit("/admin-area/entities/hanbit/", company.administrator, status=302, **{**fields, "zone": "Asia/Seoul"})
    assert JournalEntry.objects.filter(action="entity.changed").exists()


def test_restricting_on_the_page_hides_it_from_everybody_else(visit, company: Company, incident: Incident) -> None:
    fields = {"restricted": "on", "people": [company.ciso.pk], "reason": REASON}
    visit("/incidents/2026-777/access/", company.counsel, status=302, **fields)
    visit("/incidents/2026-777/", company.manager, status=404)
    assert "2026-777" not in visit("/", company.manager)
    assert "2026-777" not in visit("/incidents/", company.manager)
    assert "Restricted" in visit("/incidents/2026-777/", company.ciso)


def test_the_glass_opens_and_ends_on_the_page(visit, company: Company, incident: Incident) -> None:
    incident_name(incident=incident, restricted=True, people=[], reason=REASON, at=AT, by=company.counsel)
    for code in ("2026-777", "2026-999"):
        visit("/break-glass/", company.reporter, status=404, code=code, reason=REASON)
    assert "no restricted incident" in visit(
        "/break-glass/", company.manager, status=422, code="2026-999", reason=REASON
    )
    visit("/break-glass/", company.manager, status=302, code="2026-777", reason=REASON)
    assert REASON in visit("/incidents/2026-777/", company.manager)
    row = incident.admissions.get(kind="glass")
    visit("/incidents/2026-777/access/", company.owner, status=302, end=row.pk)
    visit("/incidents/2026-777/", company.manager, status=404)
