"""Facts are only added; the duties follow them."""

from datetime import datetime

import pytest

from compliance.errors import BadInput, Refused
from incidents import services
from incidents.models import Fact, Incident, Obligation
from incidents.services import sheets
from tests.factories import Company, kst, later, make_incident

pytestmark = pytest.mark.both_databases

AT = kst("2025-09-19 09:00")
INITIAL = {"rule": "kr.network-act.incident-report", "stage": "initial"}


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT, known_at=kst("2025-09-15 14:00"), known_label="외부 점검")


def duty(incident: Incident, **which: str) -> Obligation:
    return Obligation.objects.get(incident=incident, **which)


def record(incident: Incident, company: Company, name: str, value: object, **given: object) -> Fact:
    return services.fact_record(incident=incident, name=name, value=value, at=AT, by=company.owner, **given)  # type: ignore[arg-type]


def test_the_servers_of_2025_were_due_a_day_after_they_were_known(incident: Incident) -> None:
    assert duty(incident, **INITIAL).due_at == kst("2025-09-16 14:00")


def test_an_earlier_awareness_moves_the_deadline_forward_and_says_so(incident: Incident, company: Company) -> None:
    record(incident, company, "incident.known_at", kst("2025-09-14 10:00"), label="경찰 연락")
    row = duty(incident, **INITIAL)
    assert row.due_at == kst("2025-09-15 10:00")
    assert row.generation == 2
    assert "obligation.retimed" in [entry.action for entry in journal_of(incident)]


def test_a_later_awareness_is_kept_but_moves_nothing(incident: Incident, company: Company) -> None:
    record(incident, company, "incident.known_at", kst("2025-09-18 10:00"), label="의사결정권자 보고")
    row = duty(incident, **INITIAL)
    assert row.due_at == kst("2025-09-16 14:00")
    assert len(row.duty["alternatives"]) == 2


def test_adopting_a_candidate_needs_a_reason_and_then_drives_the_clock(incident: Incident, company: Company) -> None:
    candidate = record(incident, company, "incident.known_at", kst("2025-09-18 10:00"), label="의사결정권자 보고")
    with pytest.raises(BadInput):
        services.candidate_adopt(candidate=candidate, reason="", at=AT, by=company.owner)
    services.candidate_adopt(candidate=candidate, reason="법무 검토 결과 채택", at=AT, by=company.owner)
    assert duty(incident, **INITIAL).due_at == kst("2025-09-19 10:00")


def test_a_candidate_that_is_not_arguable_drives_nothing(incident: Incident, company: Company) -> None:
    record(incident, company, "incident.known_at", kst("2025-09-10 10:00"), label="이상 징후", arguable=False)
    assert duty(incident, **INITIAL).due_at == kst("2025-09-16 14:00")


def test_a_retracted_fact_is_unknown_again(incident: Incident, company: Company) -> None:
    fact = record(incident, company, "leak.confirmed", False)
    assert not incident.obligations.filter(rule__startswith="kr.pipa", state="possible").exists()
    services.fact_retract(fact=fact, reason="근거가 없었음", at=AT, by=company.owner)
    assert incident.obligations.filter(rule="kr.pipa.regulator-report", state="possible").exists()


def test_a_fact_is_taken_back_once(incident: Incident, company: Company) -> None:
    fact = record(incident, company, "leak.confirmed", False)
    services.fact_retract(fact=fact, reason="근거가 없었음", at=AT, by=company.owner)
    with pytest.raises(Refused):
        services.fact_retract(fact=fact, reason="근거가 없었음", at=AT, by=company.owner)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("incident.is_cybr", True, "unknown_fact"),
        ("incident.is_cyber", "yes", "wrong_value"),
        ("incident.occurred_at", "last week", "wrong_value"),
        ("incident.occurred_at", datetime(2025, 9, 15, 14, 0), "naive_instant"),  # noqa: DTZ001  the point of the test
        ("incident.occurred_at", "2025-09-15T14:00", "naive_instant"),
        ("incident.occurred_at", kst("2025-09-20 00:00"), "in_the_future"),
        ("leak.kinds", ["leak", "evaporation"], "wrong_value"),
        ("incident.cause", "   ", "wrong_value"),
    ],
)
def test_a_wrong_value_is_refused_and_nothing_is_written(
    incident: Incident, company: Company, name: str, value: object, code: str
) -> None:
    before = Fact.objects.count()
    with pytest.raises(BadInput) as refused:
        record(incident, company, name, value)
    assert refused.value.code == code
    assert Fact.objects.count() == before


def people(incident: Incident, company: Company, count: int, at: datetime) -> None:
    services.people_record(
        incident=incident,
        entity=company.entity,
        residence="KR",
        count=count,
        categories=["phone", "imsi"],
        confirmed_at=at,
        at=at,
        by=company.owner,
    )


def test_each_growth_of_the_figure_raises_a_supplement(incident: Incident, company: Company) -> None:
    record(incident, company, "leak.confirmed", True)
    record(incident, company, "leak.illegal_access", True)
    record(incident, company, "leak.known_at", kst("2025-09-19 08:00"), label="유출 확인")
    people(incident, company, 5561, AT)
    report = duty(incident, rule="kr.pipa.regulator-report", stage="initial")
    services.obligation_meet(
        obligation=report, done_at=later(AT, hours=1), at=later(AT, hours=1), by=company.owner, reference="F1"
    )
    people(incident, company, 20030, later(AT, days=7))
    people(incident, company, 22227, later(AT, days=36))
    supplements = incident.obligations.filter(rule="kr.pipa.regulator-report", stage="supplement")
    assert [row.state for row in supplements] == ["running", "running"]
    assert {row.due_at for row in supplements} == {None}  # at once: no number of hours


def test_assessing_again_changes_nothing(incident: Incident, company: Company) -> None:
    def state() -> list[tuple[object, ...]]:
        rows = incident.obligations.order_by("pk").values_list("pk", "state", "due_at", "generation", "duty")
        return [*rows, *incident.timers.order_by("pk").values_list("pk", "state")]

    before, entries = state(), len(journal_of(incident))
    services.reassess(incident=incident, at=AT, by=None)
    assert state() == before
    assert len(journal_of(incident)) == entries


def test_what_was_known_then_can_be_asked_for_later(incident: Incident, company: Company) -> None:
    services.fact_record(incident=incident, name="leak.confirmed", value=True, at=later(AT, days=2), by=company.owner)
    then = sheets.fact_sheet(incident, company.entity, as_of=later(AT, days=1))
    assert "leak.confirmed" not in then.facts
    assert sheets.fact_sheet(incident, company.entity, as_of=later(AT, days=2)).facts["leak.confirmed"] is True


def test_systems_are_added_all_or_none(incident: Incident, company: Company) -> None:
    good = {"name": "server-01", "found_by": "외부 점검"}
    with pytest.raises(BadInput, match="server-01"):
        services.systems_add(incident=incident, systems=[good, good], at=AT, by=company.owner)
    assert not incident.systems.exists()
    assert services.systems_add(incident=incident, systems=[good], at=AT, by=company.owner) == 1


def journal_of(incident: Incident) -> list:
    from incidents.models import JournalEntry

    return list(JournalEntry.objects.filter(chain=incident.code))
