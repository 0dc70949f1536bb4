"""What the record says against a filing stops it, in the reader's language, until one of the two is put right."""

from datetime import datetime

import pytest
from django.test import Client
from django.utils import translation

from compliance.errors import Refused
from incidents import services
from incidents.models import Incident
from reports import services as reports
from reports import statement
from reports.models import Filing
from tests.factories import Company, kst, later, make_incident

pytestmark = pytest.mark.both_databases
AT = kst("2026-11-02 09:00")
NOT_POSSIBLE = "유출등이 확정되었으므로 가능성이라고 쓸 수 없습니다."
NOT_POSSIBLE_EN = "The leak is confirmed: it must not be called possible."


def record(incident: Incident, company: Company, at: datetime = AT, **facts: object) -> None:
    rows = [{"name": f"leak.{name}", "value": value, "label": "포렌식"} for name, value in facts.items()]
    services.facts_record(incident=incident, facts=rows, at=at, by=company.cpo)


@pytest.fixture
def incident(company: Company, settings, tmp_path) -> Incident:
    settings.FILES_ROOT = tmp_path / "files"
    made = make_incident(company, at=AT, code="2026-777")
    record(
        made, company, illegal_access=True, signs=True, possible_known_at=AT, items="이름",
        self_protection="차단 설정", relief="보상", claims_contact="080-000-0000",
    )  # fmt: skip
    return made


def draft(incident: Incident, company: Company, rule: str, stage: str) -> Filing:
    duty = incident.obligations.get(rule=rule, stage=stage)
    return reports.filing_start(incident=incident, obligations=[duty], at=AT, by=company.cpo)


@pytest.fixture
def possible(incident: Incident, company: Company) -> Filing:
    return draft(incident, company, "kr.pipa.possible-leak", "possible")


def review(filing: Filing, company: Company) -> Filing:
    return reports.filing_send_to_review(filing=filing, at=later(AT, hours=2), by=company.cpo)


def approve(filing: Filing, company: Company) -> Filing:
    return reports.filing_approve(filing=filing, at=later(AT, hours=3), by=company.counsel)


def freeze(filing: Filing, company: Company) -> Filing:
    return reports.filing_freeze(filing=filing, at=later(AT, hours=4), by=company.cpo)


@pytest.mark.parametrize("step", [review, approve, freeze])
def test_a_confirmed_leak_is_not_called_possible_at_any_step(
    incident: Incident, possible: Filing, company: Company, step
) -> None:
    steps = [review, approve, freeze]
    for done in steps[: steps.index(step)]:
        done(possible, company)
    record(incident, company, at=later(AT, hours=1), confirmed=True)
    with pytest.raises(Refused) as refused, translation.override("ko"):
        step(possible, company)
    assert refused.value.code == "contradiction"
    with translation.override("ko"):
        assert str(refused.value).startswith(f"기록과 맞지 않는 문서입니다: {NOT_POSSIBLE}")
    with translation.override("en"):
        assert str(refused.value).startswith(f"The record contradicts this filing: {NOT_POSSIBLE_EN}")


def test_a_possible_leak_of_others_may_be_told_beside_a_confirmed_one(
    incident: Incident, possible: Filing, company: Company
) -> None:
    record(incident, company, at=later(AT, hours=1), confirmed=True, others_possible=True)
    assert review(possible, company).state == "in_review"


def test_what_is_unknown_contradicts_nothing(possible: Filing, company: Company) -> None:
    assert statement.contradictions(possible, at=later(AT, hours=1)) == []
    assert freeze(approve(review(possible, company), company), company).state == "frozen"


def test_what_was_recorded_later_contradicts_nothing_before(
    incident: Incident, possible: Filing, company: Company
) -> None:
    record(incident, company, at=later(AT, hours=1), confirmed=True)
    assert statement.contradictions(possible, at=AT) == []


@pytest.mark.parametrize(
    ("stage", "facts", "keys"),
    [
        ("subjects", {"confirmed": False}, ["leak_not_confirmed"]),
        ("supplement", {"confirmed": False}, []),
        ("all_clear", {"confirmed": True}, ["leak_confirmed_of_all"]),
        ("all_clear", {"confirmed": True, "others_possible": False}, []),
        ("all_clear", {"confirmed": False}, []),
        ("possible", {"confirmed": True, "others_possible": False}, ["leak_confirmed"]),
    ],
)
def test_each_stage_has_its_own_contradictions(
    incident: Incident, possible: Filing, company: Company, stage: str, facts: dict, keys: list[str]
) -> None:
    record(incident, company, at=later(AT, hours=1), **facts)
    Filing.objects.filter(pk=possible.pk).update(stage=stage)
    held = Filing.objects.get(pk=possible.pk)
    assert [item.key for item in statement.contradictions(held, at=later(AT, hours=1))] == keys


def test_the_page_says_which_characters_the_document_cannot_show(
    client: Client, incident: Incident, possible: Filing, company: Company
) -> None:
    client.force_login(company.cpo)
    url = f"/incidents/2026-777/filings/{possible.number}/"
    assert "[U+0E01]" not in client.get(url).content.decode()
    reports.filing_edit(filing=possible, values={"relief": "담당 \u0e01"}, edition=1, at=AT, by=company.cpo)
    assert "[U+0E01]" in client.get(url).content.decode()


@pytest.mark.parametrize(("language", "words"), [("ko", NOT_POSSIBLE), ("en", NOT_POSSIBLE_EN)])
def test_the_page_says_it_before_and_after_the_attempt(
    client: Client, incident: Incident, possible: Filing, company: Company, language: str, words: str
) -> None:
    record(incident, company, at=later(AT, hours=1), confirmed=True)
    client.force_login(company.cpo)
    client.cookies["django_language"] = language
    url = f"/incidents/2026-777/filings/{possible.number}/"
    assert words in client.get(url).content.decode()
    response = client.post(url, {"action": "review"})
    assert response.status_code == 422
    assert response.content.decode().count(words) == 2
    assert Filing.objects.get(pk=possible.pk).state == "draft"
