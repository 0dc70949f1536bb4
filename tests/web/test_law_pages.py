"""The pages of the law: search, a rule, newer law for a running incident, days off."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from compliance import library
from compliance.models import DayOff
from incidents.models import Incident
from tests.factories import Company, kst, make_incident

AT = kst("2026-11-02 09:00")
REPORT = "kr/network-act/incident-report.yaml"


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT, code="2026-777")


@pytest.fixture
def newer_law(incident: Incident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After the incident began, the same law with 12 hours in place of 24 was deployed."""
    shutil.copytree(library.LAW, tmp_path / "law")
    path = tmp_path / "law" / REPORT
    path.write_text(path.read_text(encoding="utf-8").replace("within: 24", "within: 12"), encoding="utf-8")
    monkeypatch.setattr(library, "LAW", tmp_path / "law")
    monkeypatch.setattr(library, "CACHE", tmp_path / "law.json")
    library.get_library.cache_clear()
    yield
    monkeypatch.undo()
    library.get_library.cache_clear()


def page(client: Client, user, path: str, language: str = "en", status: int = 200) -> str:
    client.force_login(user)
    client.cookies["django_language"] = language
    response = client.get(path)
    assert response.status_code == status
    return response.content.decode()


def test_the_library_is_searched_by_words_and_place(client: Client, company: Company) -> None:
    assert "kr.pipa.possible-leak" in page(client, company.owner, "/law/?q=가능성&place=KR", "ko")
    found = page(client, company.owner, "/law/?q=PIPA+possible")
    assert "kr.pipa.possible-leak" in found
    assert "kr.network-act" not in found
    assert "No rule holds these words" in page(client, company.owner, "/law/?q=zzzz")


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("role", ["owner", "counsel", "auditor", "manager"])
def test_newer_law_is_shown_before_anybody_accepts_it(
    client: Client, company: Company, newer_law: None, role: str, language: str
) -> None:
    user = getattr(company, role)
    assert "/incidents/2026-777/law/" in page(client, user, "/incidents/2026-777/", language)
    assert "/incidents/2026-777/law/" in page(client, user, "/law/", language)
    shown = page(client, user, "/incidents/2026-777/law/", language)
    assert {"ko": "기한 변경", "en": "other due moment"}[language] in shown
    assert ("<textarea" in shown) == (role == "counsel")


def test_a_stranger_sees_no_incident_behind_the_law(client: Client, company: Company, newer_law: None) -> None:
    page(client, company.stranger, "/incidents/2026-777/law/", status=404)
    assert "2026-777" not in page(client, company.stranger, "/law/")


def test_counsel_accepts_newer_law_with_a_reason(client: Client, company: Company, newer_law: None) -> None:
    client.force_login(company.counsel)
    refused = client.post("/incidents/2026-777/law/", {"reason": "x"})
    assert refused.status_code == 422
    assert "5자" in refused.content.decode() or "at least 5 characters" in refused.content.decode()
    done = client.post("/incidents/2026-777/law/", {"reason": "The decree was amended."})
    assert (done.status_code, done.url) == (302, "/incidents/2026-777/")
    assert Incident.objects.get(code="2026-777").law_digest == library.get_library().digest
    assert "The incident is under the law in use already." in page(client, company.counsel, "/incidents/2026-777/law/")


def test_who_may_not_decide_is_refused_and_told_why(client: Client, company: Company, newer_law: None) -> None:
    client.force_login(company.owner)
    client.cookies["django_language"] = "en"
    response = client.post("/incidents/2026-777/law/", {"reason": "I would like it."})
    assert response.status_code == 422
    assert "Only counsel or an approver" in response.content.decode()


def test_a_day_off_is_added_from_the_page(client: Client, company: Company, incident: Incident) -> None:
    client.force_login(company.manager)
    given = {"calendar": "KR", "on": "2026-11-23", "name": "임시공휴일", "source": "국무회의 의결"}
    assert client.post("/law/days-off/", given).status_code == 302
    shown = page(client, company.manager, "/law/days-off/", "ko")
    assert "임시공휴일" in shown
    assert "/incidents/2026-777/law/" in shown
    again = client.post("/law/days-off/", given)
    assert (again.status_code, DayOff.objects.count()) == (422, 1)
    assert "이미 휴일로 등록되어 있습니다" in again.content.decode()


def test_days_off_are_kept_by_counsel_and_managers(client: Client, company: Company) -> None:
    page(client, company.owner, "/law/days-off/", status=403)
    assert "None was added." in page(client, company.counsel, "/law/days-off/")


def test_people_are_recorded_with_kinds_of_data_and_encryption(
    client: Client, company: Company, incident: Incident
) -> None:
    client.force_login(company.owner)
    given = {
        "action": "people", "residence": "us-ca", "count": "12", "kinds": ["ssn", "medical"], "categories": "shoe size",
        "encrypted": "yes", "key_taken": "no", "confirmed_at": "2026-11-02T10:00", "source": "log",
    }  # fmt: skip
    assert client.post("/incidents/2026-777/", given).status_code == 302
    row = incident.people_counts.get()
    assert (row.residence, row.categories) == ("US-CA", ["ssn", "medical", "shoe size"])
    assert (row.encrypted, row.key_taken) == (True, False)
    wrong = client.post("/incidents/2026-777/", {**given, "residence": "California"})
    assert wrong.status_code == 422
