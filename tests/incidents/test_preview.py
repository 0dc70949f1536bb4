"""What an answer would change, before it is saved: exactly what happens when it is, and nothing is written."""

import pytest

from compliance.errors import BadInput
from incidents import services
from incidents.models import Fact, Incident, JournalEntry, Obligation
from incidents.states import ObligationState
from tests.factories import Company, kst, later, make_incident

AT = kst("2026-11-02 09:00")
NOW = later(AT, hours=1)


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT, leak_suspected_at=AT)


def states(incident: Incident) -> dict[tuple[str, str, str], tuple[str, object]]:
    return {row.identity: (row.state, row.due_at) for row in Obligation.objects.filter(incident=incident)}


@pytest.mark.parametrize("value", [True, False])
def test_what_is_foreseen_is_what_happens(company: Company, incident: Incident, value: bool) -> None:
    foreseen = services.facts_preview(incident=incident, name="leak.confirmed", value=value, at=NOW)
    services.fact_record(incident=incident, name="leak.confirmed", value=value, at=NOW, by=company.owner)
    after = states(incident)
    for item in foreseen.certain:
        assert after[item.duty.identity] == (ObligationState.RUNNING, item.duty.due_at)
    for item in foreseen.lapsed:
        assert after.get(item.duty.identity, (ObligationState.NOT_REQUIRED,))[0] == ObligationState.NOT_REQUIRED
    assert foreseen.certain if value else foreseen.lapsed


def test_yes_names_the_first_due_moment(incident: Incident) -> None:
    yes, no, unknown = services.answers_preview(incident=incident, name="leak.confirmed", at=NOW)
    assert yes.first is not None
    assert yes.first.due_at == min(item.duty.due_at for item in (*yes.certain, *yes.retimed) if item.duty.due_at)
    assert no.first is None
    assert unknown.effects == ()


def test_nothing_is_written(incident: Incident) -> None:
    before = (Fact.objects.count(), JournalEntry.objects.count(), states(incident))
    services.answers_preview(incident=incident, name="leak.confirmed", at=NOW)
    assert before == (Fact.objects.count(), JournalEntry.objects.count(), states(incident))


def test_another_awareness_time_moves_the_deadlines(company: Company, incident: Incident) -> None:
    earlier = later(AT, hours=-5)
    foreseen = services.facts_preview(incident=incident, name="incident.known_at", value=earlier, at=NOW)
    services.fact_record(
        incident=incident, name="incident.known_at", value=earlier, label="더 일찍", at=NOW, by=company.owner
    )
    assert foreseen.retimed
    for item in foreseen.retimed:
        assert states(incident)[item.duty.identity][1] == item.duty.due_at


def test_taking_an_answer_back_is_foreseen_too(company: Company, incident: Incident) -> None:
    services.fact_record(incident=incident, name="leak.confirmed", value=True, at=NOW, by=company.owner)
    back = services.facts_preview(incident=incident, name="leak.confirmed", value=None, at=NOW)
    assert {item.kind for item in back.effects} == {"soften"}


def test_figures_are_foreseen_too(company: Company, incident: Incident) -> None:
    services.fact_record(incident=incident, name="leak.confirmed", value=True, at=NOW, by=company.owner)
    few = {"residence": "KR", "count": 20_000, "categories": ["phone"]}
    foreseen = services.people_preview(incident=incident, entity=company.entity, people=[few], confirmed_at=NOW, at=NOW)
    services.people_record(incident=incident, entity=company.entity, confirmed_at=NOW, at=NOW, by=company.owner, **few)
    after = states(incident)
    assert foreseen.certain
    assert all(after[item.duty.identity][0] == ObligationState.RUNNING for item in foreseen.certain)


@pytest.mark.parametrize(("name", "value"), [("no.such", True), ("people.count", 3), ("leak.confirmed", "maybe")])
def test_what_cannot_be_recorded_cannot_be_tried(incident: Incident, name: str, value: object) -> None:
    with pytest.raises(BadInput):
        services.facts_preview(incident=incident, name=name, value=value, at=NOW)
