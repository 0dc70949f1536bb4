"""Severity and classification: the method proposes, a person adopts, with a reason when departing from the result."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import translation

from compliance.engine.scoring import read_answers
from compliance.engine.strict import Node
from compliance.errors import BadInput, NotPermitted, Refused
from compliance.library import get_methods
from incidents import journal, services
from incidents.models import Classification, Fact, Incident, JournalEntry
from incidents.services import sheets
from tests.factories import Company, kst, later, make_entity, make_incident

pytestmark = pytest.mark.both_databases

AT = kst("2026-11-02 09:00")
LATER = later(AT, hours=1)
HIGH = {"answers": {"personal_data_breach": True, "special_categories": True, "recipient": "criminal"}}
HIGH["answers"] |= {"unintelligible": False, "nobody_affected": False, "lawfully_public": False}
OPEN: dict[str, Any] = {"answers": {"personal_data_breach": True}}


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT, leak_suspected_at=AT)


def adopt(incident: Incident, company: Company, **given: Any) -> Classification:
    fields = {
        "incident": incident, "entity": company.entity, "method": "edpb", "answers": HIGH, "chosen": "high",
        "reason": "", "at": LATER, "by": company.cpo,
    }  # fmt: skip
    return services.classification_adopt(**{**fields, **given})


def known(incident: Incident, company: Company, name: str) -> object:
    return sheets.fact_sheet(incident, company.entity, as_of=LATER).facts.get(name)


def test_adopting_what_is_proposed_needs_no_reason_and_keeps_the_whole_working(
    incident: Incident, company: Company
) -> None:
    row = adopt(incident, company)
    assert (row.departs, row.reason, row.level["key"]) == (False, "", "high")
    assert row.digest == get_methods()["edpb"].digest
    assert row.answers["answers"] == HIGH["answers"]
    assert row.proposal["working"][0]["key"] == "secured"
    assert (row.adopted_by, row.adopted_at) == (company.cpo, LATER)


def test_the_facts_are_recorded_with_method_and_person_as_their_source(incident: Incident, company: Company) -> None:
    with translation.override("en"):
        adopt(incident, company)
    fact = incident.facts.get(name="risk.level")
    assert (fact.value, fact.entity, fact.recorded_by) == ("high", None, company.cpo)
    assert fact.source == "GDPR risk test (EDPB factors), adopted by cpo"
    assert known(incident, company, "risk.level") == "high"


def test_adopting_is_written_in_the_journal_before_its_facts(incident: Incident, company: Company) -> None:
    adopt(incident, company)
    actions = list(JournalEntry.objects.filter(chain=incident.code, at=LATER).values_list("action", flat=True))
    assert actions[:2] == ["classification.adopted", "fact.recorded"]
    entry = JournalEntry.objects.get(chain=incident.code, action="classification.adopted")
    assert {key: entry.detail[key] for key in ("entity", "proposed", "chosen", "departs")} == {
        "entity": "hanbit", "proposed": "high", "chosen": "high", "departs": False,
    }  # fmt: skip
    assert list(journal.verify(incident.code)) == []


@pytest.mark.parametrize("reason", ["", "   ", "ok"])
@pytest.mark.parametrize(
    ("language", "words"), [("en", "Your choice departs from the proposal."), ("ko", "제안과 다른 선택입니다.")]
)
def test_departing_without_a_reason_is_refused_in_both_languages(
    incident: Incident, company: Company, reason: str, language: str, words: str
) -> None:
    with translation.override(language), pytest.raises(BadInput, match=words) as refused:
        adopt(incident, company, chosen="risk", reason=reason)
    assert (refused.value.code, refused.value.field) == ("reason_needed", "reason")
    assert not Classification.objects.exists()


def test_departing_with_a_reason_records_what_was_chosen(incident: Incident, company: Company) -> None:
    row = adopt(incident, company, chosen="risk", reason="The recipient was caught and held nothing.")
    assert row.departs
    fact = incident.facts.get(name="risk.level")
    assert (fact.value, fact.note) == ("risk", "The recipient was caught and held nothing.")


@pytest.mark.parametrize(
    ("chosen", "reason", "code"),
    [("", "", "level_required"), ("", "A long reason.", "level_required"), ("high", "", "reason_needed")],
)
def test_an_open_result_needs_a_level_and_a_reason(
    incident: Incident, company: Company, chosen: str, reason: str, code: str
) -> None:
    with pytest.raises(BadInput) as refused:
        adopt(incident, company, answers=OPEN, chosen=chosen, reason=reason)
    assert refused.value.code == code
    assert not incident.facts.filter(name="risk.level").exists()


def test_an_open_result_can_be_settled_by_a_person(incident: Incident, company: Company) -> None:
    row = adopt(incident, company, answers=OPEN, chosen="high", reason="Treated as high until more is known.")
    assert (row.departs, row.proposal["status"], row.proposal["level"]) == (True, "undetermined", None)
    assert known(incident, company, "risk.level") == "high"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"method": "guess"}, "unknown_method"),
        ({"chosen": "grave", "reason": "A long reason."}, "unknown_level"),
        ({"answers": {"answers": {"childen": True}}}, "wrong_answers"),
        ({"answers": {}}, "wrong_answers"),
    ],
)
def test_what_does_not_belong_to_the_method_is_refused(
    incident: Incident, company: Company, given: dict[str, Any], code: str
) -> None:
    with pytest.raises(BadInput) as refused:
        adopt(incident, company, **given)
    assert refused.value.code == code


@pytest.mark.parametrize("role", ["auditor", "reporter", "stranger"])
def test_who_may_not_handle_the_incident_cannot_adopt(incident: Incident, company: Company, role: str) -> None:
    with pytest.raises(NotPermitted):
        adopt(incident, company, by=getattr(company, role))
    assert not Classification.objects.exists()


def test_an_entity_of_another_incident_is_refused(incident: Incident, company: Company) -> None:
    with pytest.raises(Refused) as refused:
        adopt(incident, company, entity=make_entity("elsewhere", name="다른회사"))
    assert refused.value.code == "not_of_incident"


def test_of_several_entities_only_the_one_that_adopts_knows_it(company: Company) -> None:
    other = make_entity("sister", name="자매회사")
    other.memberships.create(user=company.owner, role="owner")
    incident = make_incident(company, at=AT, entities=[company.entity, other], leak_suspected_at=AT)
    adopt(incident, company)
    assert incident.facts.get(name="risk.level").entity == company.entity
    assert "risk.level" not in sheets.fact_sheet(incident, other, as_of=LATER).facts


def test_a_later_word_counts_and_the_earlier_one_stays(incident: Incident, company: Company) -> None:
    adopt(incident, company)
    adopt(incident, company, chosen="risk", reason="The data were deleted unread.", at=later(LATER, minutes=1))
    assert [row.chosen for row in incident.classifications.all()] == ["high", "risk"]
    assert sheets.fact_sheet(incident, company.entity, as_of=later(AT, hours=2)).facts["risk.level"] == "risk"


def test_recorded_facts_answer_and_are_kept_with_the_answers(incident: Incident, company: Company) -> None:
    services.people_record(
        incident=incident, entity=company.entity, residence="KR", count=2_000, categories=[], confirmed_at=AT, at=AT,
        by=company.owner,
    )  # fmt: skip
    row = adopt(incident, company, method="enisa", answers={"answers": {}}, chosen="high", reason="Judged by hand.")
    assert row.answers["facts"] == {"people.count": 2_000}
    flags = {item["key"]: item["value"] for item in row.proposal["beside"]}
    assert flags["individuals_over_100"] == "true"
    assert incident.facts.get(name="enisa.level").value == "high"


def test_a_level_without_facts_records_none(incident: Incident, company: Company) -> None:
    before = Fact.objects.count()
    adopt(incident, company, answers={"answers": {"personal_data_breach": False}}, chosen="no_breach")
    assert Fact.objects.count() == before


def test_a_kept_row_can_be_worked_out_again(incident: Incident, company: Company) -> None:
    row, method = Classification.objects.get(pk=adopt(incident, company).pk), get_methods()["edpb"]
    again = {key: row.answers[key] for key in ("answers", "reasons") if key in row.answers}
    assert read_answers(Node(again, file="row", key=""), method).values == HIGH["answers"]
    found = services.classification_propose(
        incident=incident, entity=company.entity, method="edpb", answers=again, at=LATER
    )
    assert found.to_json() == {key: value for key, value in row.proposal.items() if key != "levels"}


def break_facts() -> None:
    """From now on, within this test, the database refuses a fact named risk.level."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE incidents_fact ADD CONSTRAINT broken CHECK (name <> 'risk.level')")
        else:
            cursor.execute(
                "CREATE TRIGGER broken BEFORE INSERT ON incidents_fact WHEN NEW.name = 'risk.level' "
                "BEGIN SELECT RAISE(ABORT, 'broken'); END"
            )


def test_without_its_facts_nothing_is_adopted(incident: Incident, company: Company) -> None:
    before = JournalEntry.objects.count()
    break_facts()
    with pytest.raises(DatabaseError, match="broken"), transaction.atomic():
        adopt(incident, company)
    assert (Classification.objects.count(), JournalEntry.objects.count()) == (0, before)


def gdpr(incident: Incident, stage: str) -> str:
    return incident.obligations.get(rule="eu.gdpr.breach", stage=stage).state


def test_the_duties_follow_what_was_adopted(company: Company) -> None:
    type(company.entity).objects.update(establishments=["DE"], zone="Europe/Berlin")
    incident = make_incident(company, at=AT)
    for name, value in (("leak.confirmed", True), ("leak.known_at", AT)):
        services.fact_record(incident=incident, name=name, value=value, at=AT, by=company.owner)
    assert (gdpr(incident, "initial"), gdpr(incident, "data_subjects")) == ("running", "possible")
    adopt(incident, company)
    assert (gdpr(incident, "initial"), gdpr(incident, "data_subjects")) == ("running", "running")
    adopt(incident, company, chosen="unlikely", reason="Every copy was recovered unread.", at=later(LATER, hours=1))
    assert (gdpr(incident, "initial"), gdpr(incident, "data_subjects")) == ("not_required", "not_required")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE incidents_classification SET chosen = 'unlikely'", "DELETE FROM incidents_classification"],
)
def test_the_database_refuses_to_change_what_was_adopted(incident: Incident, company: Company, statement: str) -> None:
    adopt(incident, company)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Classification.objects.get().chosen == "high"
