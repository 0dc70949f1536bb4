"""The pages of the law: search, a rule, newer law for a running incident, days off."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from compliance import library
from compliance.errors import BadInput
from compliance.models import DayOff
from incidents.models import Incident
from incidents.services import calculator
from incidents.word_diff import words_apart
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


KEY = "kr.network-act.incident-report"


def test_the_library_is_narrowed_by_audience_standing_and_day(client: Client, company: Company) -> None:
    letters = page(client, company.owner, "/law/?place=KR&audience=data_subjects&q=PIPA")
    assert "kr.pipa.subject-notice" in letters
    assert "kr.pipa.regulator-report" not in letters
    mere = page(client, company.owner, "/law/?standing=not_in_force")
    assert "not in force" in mere
    assert KEY not in mere
    then = page(client, company.owner, f"/law/?q={KEY}&on=2023-06-01")
    assert "#v-2022-12-11" in then
    assert "No rule holds these words" in page(client, company.owner, f"/law/?q={KEY}&on=2001-01-01")


def test_a_long_list_has_pages(client: Client, company: Company) -> None:
    first, second = page(client, company.owner, "/law/"), page(client, company.owner, "/law/?page=2")
    assert 'rel="next"' in first
    assert 'rel="prev"' in second
    assert first.count("row-link") == second.count("row-link") == 50


def test_a_search_field_that_holds_nonsense_is_ignored(client: Client, company: Company) -> None:
    assert "278" in page(client, company.owner, "/law/?on=soon&standing=maybe&page=x&confidence=%01")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_rule_shows_versions_differences_and_cases_that_pass(client: Client, company: Company, language: str) -> None:
    shown = page(client, company.owner, f"/law/{KEY}/", language)
    assert '<svg viewBox="0 0 960' in shown
    assert all(f'id="v-{day}"' in shown for day in ("2022-12-11", "2024-08-14", "2026-10-01"))
    assert '<p lang="ko">' in shown
    assert '<p lang="en">' in shown
    assert {"ko": "✓ 통과", "en": "✓ passes"}[language] in shown
    assert "✕" not in shown


def test_two_versions_are_compared_word_by_word(client: Client, company: Company) -> None:
    shown = page(client, company.owner, f"/law/{KEY}/?before=2022-12-11&after=2024-08-14")
    assert re.search(r"<del><span aria-hidden=\"true\">−</span>at once", shown)
    assert re.search(r"<ins><span aria-hidden=\"true\">\+</span>24 hours", shown)


def test_every_rule_has_a_page(client: Client, company: Company) -> None:
    client.force_login(company.owner)
    rules = library.get_library().rules
    several = [key for key, rule in rules.items() if len(rule.versions) > 1 or rule.versions[0].start is None]
    for key in several:
        assert client.get(f"/law/{key}/").status_code == 200


def test_only_incidents_one_may_see_rely_on_a_rule(client: Client, company: Company, incident: Incident) -> None:
    assert "2026-777" in page(client, company.counsel, f"/law/{KEY}/")
    elsewhere = page(client, company.stranger, f"/law/{KEY}/")
    assert "2026-777" not in elsewhere
    assert "No running incident that you may see relies on it." in elsewhere


def test_the_calculator_counts_by_the_text_of_the_day(client: Client, company: Company) -> None:
    asked = f"/law/calculate/?rule={KEY}&stage=initial&start="
    shown = page(client, company.owner, asked + "2025-09-15T14:00")
    assert "2025-09-16 (Tue) 14:00 KST" in shown
    assert "This is not a recorded incident." in shown
    assert "version=2024-08-14&amp;stage=initial&amp;start=2025-09-15T14%3A00%3A00%2B09%3A00" in shown
    assert "The law sets no number" in page(client, company.owner, asked + "2024-08-13T14:00")


def test_the_calculator_asks_which_of_two_hours(client: Client, company: Company) -> None:
    asked = "/law/calculate/?rule=us.sec.8k-1-05&start="
    twice = page(client, company.owner, asked + "2025-11-02T01:30")
    assert "happens twice in America/New_York. Which one?" in twice
    assert 'type="text" name="start"' in twice
    assert 'href="#id_start"' in twice
    assert "never happens in America/New_York" in page(client, company.owner, asked + "2025-03-09T02:30")
    assert "EST" in page(client, company.owner, asked + "2025-11-02T01:30-05:00")


def test_the_calculator_takes_further_starts(client: Client, company: Company) -> None:
    rule, version, stage, names = next(_with_further_starts())
    asked = f"/law/calculate/?rule={rule}&version={version}&stage={stage}&start=2026-11-02T09:00"
    assert f'name="at-{names[0]}"' in page(client, company.owner, asked)
    more = "".join(f"&at-{name}=2026-11-02T10:00" for name in names)
    assert "How it was counted" in page(client, company.owner, asked + more)


def _with_further_starts() -> Iterator[tuple[str, str, str, list[str]]]:
    for rule in library.get_library().rules.values():
        for version in rule.law:
            for stage in version.stages:
                names = calculator.further_starts(rule, version, stage)
                if names and stage.clock.second is not None:
                    yield rule.key, version.key, stage.key, names


def test_what_is_no_law_has_no_deadline(client: Client, company: Company) -> None:
    mere = next(
        rule
        for rule in library.get_library().rules.values()
        if any(item.standing != "in_force" for item in rule.versions)
    )
    text = next(item for item in mere.versions if item.standing != "in_force")
    with pytest.raises(BadInput, match=r"not in force|시행 중인 글이 아닙니다"):
        calculator.period_count(rule=mere.key, stage=text.stages[0].key, start=AT, version=text.key, at=AT)


@pytest.mark.parametrize("query", ["", "?rule=nothing", f"?rule={KEY}&start=soon", f"?rule={KEY}&stage=x&version=y"])
def test_the_calculator_bears_any_question(client: Client, company: Company, query: str) -> None:
    assert "</html>" in page(client, company.owner, f"/law/calculate/{query}")


@pytest.mark.parametrize(("known", "due"), [("2026-11-02 08:00", "13:00"), ("2026-11-01 10:00", "10:00")])
def test_the_earlier_of_two_limits_binds_in_the_calculator(
    client: Client, company: Company, known: str, due: str
) -> None:
    found = calculator.period_count(
        rule="eu.dora.incident", stage="initial", start=kst("2026-11-02 09:00"), at=AT,
        further={"incident.known_at": kst(known)},
    )  # fmt: skip
    assert found.deadline.due_at == kst(f"2026-11-02 {due}")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("report at once", "report within 24 hours", ["same report ", "gone at once", "new within 24 hours"]),
        ("지체 없이 신고", "지체 없이 신고", ["same 지체 없이 신고"]),
        ("", "new", ["new new"]),
        ("old", "", ["gone old"]),
    ],
)
def test_words_are_told_apart(before: str, after: str, expected: list[str]) -> None:
    assert [f"{piece.kind} {piece.text}" for piece in words_apart(before, after)] == expected
