"""The timers beside the ladders are derived as well: a lost "nobody acknowledged it" or "quiet hours are over" is found."""

from datetime import time, timedelta
from typing import Any

import pytest

from incidents import handlers, services, sweep, timers
from incidents.models import Escalation, Incident, JournalEntry, OutboxMessage, Timer
from incidents.services import absence
from tests.factories import Company, kst, later, make_incident

pytestmark = pytest.mark.both_databases

# In the evening, so that a reminder comes in the night.
AT = kst("2026-11-02 20:00")
NIGHT = kst("2026-11-03 03:00")
KINDS = {"unanswered": handlers.UNANSWERED, "awake": handlers.AWAKE}


@pytest.fixture
def incident(company: Company) -> Incident:
    absence.preference_set(
        entity=company.entity,
        person=None,
        quiet_from=time(20),
        quiet_until=time(7),
        deputy=None,
        at=AT,
        by=company.manager,
    )
    incident = make_incident(company, at=AT, personal_data=False)
    timers.fire_due(now=AT)
    timers.fire_due(now=NIGHT)
    return incident


def aside(incident: Incident, which: str) -> Timer:
    """One of the timers beside ladders that still waits."""
    kinds = KINDS[which].values()
    found = Timer.objects.filter(incident=incident, kind__in=kinds, state=Timer.State.PENDING).order_by("pk").first()
    assert found is not None
    return found


def plain(row: Timer) -> dict[str, Any]:
    names = ("kind", "subject_id", "generation", "key", "due_at", "attempt_at", "state", "payload", "created_at")
    return {name: getattr(row, name) for name in names}


@pytest.mark.parametrize("hours", [0, 7, 13, 30, 100])
def test_at_no_time_of_an_untouched_ladder_anything_differs(incident: Incident, hours: int) -> None:
    timers.fire_due(now=later(NIGHT, hours=hours))
    assert sweep.sweep(at=later(NIGHT, hours=hours)) == []


def test_nor_after_steps_were_acknowledged_and_one_caught_up_with_several(incident: Incident, company: Company) -> None:
    for step in incident.escalations.filter(acknowledged_at=None):
        services.escalation_acknowledge(escalation=step, at=NIGHT, by=company.owner)
    services.fact_record(
        incident=incident, name="incident.known_at", value=later(AT, hours=-2), label="log", at=NIGHT, by=company.owner
    )
    timers.fire_due(now=later(NIGHT, days=2))
    assert sweep.sweep(at=later(NIGHT, days=2)) == []


@pytest.mark.parametrize("which", KINDS)
def test_a_lost_one_is_found_set_again_as_it_was_journaled_and_told(incident: Incident, which: str) -> None:
    lost = aside(incident, which)
    before = plain(lost)
    lost.delete()
    (item,) = sweep.sweep(at=NIGHT)
    assert (item.kind, item.missing, item.wrong) == (lost.kind, (lost.key,), ())
    assert plain(aside_named(lost)) == before
    entry = JournalEntry.objects.get(action="timer.missing")
    assert (entry.subject, entry.detail["missing"]) == (f"{lost.kind} {lost.payload['row']}", [lost.key])
    assert OutboxMessage.objects.filter(dedupe__startswith=f"alarm:timers:{incident.code}:").exists()
    assert sweep.sweep(at=NIGHT) == []


def aside_named(row: Timer) -> Timer:
    return Timer.objects.get(kind=row.kind, subject_id=row.subject_id, generation=row.generation, key=row.key)


CHANGES: dict[str, dict[str, Any]] = {
    "another moment": {"due_at": later(AT, days=90)},
    "given up": {"state": Timer.State.OBSOLETE},
    "looked at too early": {"attempt_at": AT},
    "never looked at": {"attempt_at": later(AT, days=900)},
}


@pytest.mark.parametrize("which", KINDS)
@pytest.mark.parametrize("change", CHANGES)
def test_one_that_was_tampered_with_is_set_right(incident: Incident, which: str, change: str) -> None:
    row = aside(incident, which)
    before = plain(row)
    Timer.objects.filter(pk=row.pk).update(**CHANGES[change])
    (item,) = sweep.sweep(at=NIGHT)
    assert (item.kind, item.missing, item.wrong) == (row.kind, (), (row.key,))
    assert plain(aside_named(row)) == before
    assert sweep.sweep(at=NIGHT) == []


def test_a_step_brought_back_is_again_the_one_that_comes_sooner(incident: Incident) -> None:
    row = aside(incident, "unanswered")
    Timer.objects.filter(pk=row.payload["next"]).delete()
    found = {(item.kind, item.missing, item.wrong) for item in sweep.sweep(at=NIGHT)}
    assert (row.kind, (), (row.key,)) in found
    following = Timer.objects.get(pk=aside_named(row).payload["next"])
    timers.fire_due(now=row.due_at + timedelta(seconds=1))
    assert Escalation.objects.filter(timer__incident=incident, fired_at__gte=row.due_at).exists()
    assert following.state == Timer.State.PENDING


def test_a_step_of_a_ladder_that_is_put_off_for_ever_is_found(incident: Incident) -> None:
    row = Timer.objects.filter(incident=incident, kind=timers.OBLIGATION_RUNG, state=Timer.State.PENDING).first()
    assert row is not None
    Timer.objects.filter(pk=row.pk).update(attempt_at=later(AT, days=900))
    assert any(row.key in item.wrong for item in sweep.sweep(at=NIGHT))
    assert sweep.sweep(at=NIGHT) == []
