"""Many timers in one transaction: they see what the ones before them did, one bad row stops no other, and a process that
dies in the middle leaves nothing half done."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from incidents import desk, firing, services, timers, verification
from incidents.admissions import Admission
from incidents.models import Escalation, Incident, JournalEntry, Obligation, OutboxMessage, Timer
from tests import servers
from tests.bench_clocks_house import fill
from tests.factories import Company, kst, later, make_company, make_incident

AT = kst("2026-11-02 09:00")
DUE = later(AT, hours=24)
PATIENCE = 60


def wait_until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s in vain for {what}"
        time.sleep(0.05)


def happened(incident: Incident) -> list[list[tuple[Any, ...]]]:
    """What the timers of an incident did, without what differs between two incidents."""
    steps = incident.escalations.values_list("obligation__rule", "evidence__number", "rung", "kind", "at", "fired_at")
    told = [
        (row.escalation.rung if row.escalation else "", row.recipient_id, " ".join(row.subject.split()[1:]))
        for row in incident.messages.select_related("escalation")
    ]
    entries = [
        (entry.action, entry.subject.replace(incident.code, ""), entry.at, entry.detail)
        for entry in JournalEntry.objects.filter(chain=incident.code)
    ]
    planned = incident.timers.values_list("kind", "key", "generation", "due_at", "state", "fired_at")
    marks = incident.obligations.values_list("rule", "stage", "state", "overdue_at")
    return [sorted(rows, key=repr) for rows in (steps, told, entries, planned, marks)]


@pytest.mark.both_databases
def test_together_or_one_by_one_the_same_happens(company: Company) -> None:
    together, alone = (make_incident(company, at=AT, leak_suspected_at=AT) for _ in range(2))
    for incident in (together, alone):
        services.evidence_add(incident=incident, title="log", expires_at=DUE, at=AT, by=company.owner)
    Timer.objects.filter(incident=alone).update(clock="other")
    while (moment := timers.next_due()) is not None and moment <= later(DUE, hours=30):
        timers.fire_due(now=moment)
        while timers.fire_due(now=moment, clock="other", limit=1).looked_at:
            Timer.objects.filter(incident=alone).update(clock="other")
    Timer.objects.filter(incident=alone).update(clock="wall")
    assert len(happened(together)[0]) > 20
    assert happened(together) == happened(alone)
    assert list(verification.verify()) == []


def test_many_messages_are_written_in_portions_and_none_is_left(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_incident(company, at=AT, personal_data=False)
    timers.fire_due(now=DUE)
    whole = OutboxMessage.objects.count()
    monkeypatch.setattr(desk, "CROWD", 2)
    make_incident(company, at=AT, personal_data=False)
    timers.fire_due(now=DUE)
    assert OutboxMessage.objects.count() == 2 * whole > 10


@pytest.mark.both_databases
def test_one_bad_row_of_many_is_put_off_and_every_other_fires(company: Company) -> None:
    incidents = [make_incident(company, at=AT, personal_data=False) for _ in range(5)]
    due = Timer.objects.filter(attempt_at__lte=DUE).count()
    broken = Timer.objects.get(incident=incidents[3], subject_id=duty(incidents[3]).pk, key="due")
    Timer.objects.filter(pk=broken.pk).update(payload={key: broken.payload[key] for key in ("name", "rung")})
    report = timers.fire_due(now=DUE)
    broken.refresh_from_db()
    assert (broken.state, broken.attempts, broken.last_error) == ("pending", 1, "KeyError")
    assert (report.fired, report.failed, report.passed) == (due - 1, 1, [])
    assert Escalation.objects.count() == due - 1
    assert [duty(item).state for item in incidents] == ["overdue"] * 3 + ["running"] + ["overdue"]
    assert list(verification.verify()) == []


def duty(incident: Incident) -> Obligation:
    return incident.obligations.get(rule="kr.network-act.incident-report", stage="initial")


def test_each_transaction_is_dated_at_its_own_moment(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "BATCH", 2)
    for _ in range(3):
        make_incident(company, at=AT, personal_data=False)
    moments = [DUE + timedelta(seconds=number) for number in range(100)]
    coming = iter(moments)
    report = timers.fire_reading(lambda: next(coming), limit=6)
    assert report.fired == 6
    counted = Counter(Escalation.objects.values_list("fired_at", flat=True))
    assert counted == dict.fromkeys(moments[:3], 2)


@pytest.mark.django_db
def test_a_thousand_duties_in_one_minute_cost_less_than_fifty_queries() -> None:
    fill(1000)
    spent = {}
    for count, now in ((200, DUE), (1000, DUE)):
        with transaction.atomic():
            with CaptureQueriesContext(connection) as captured:
                assert timers.fire_due(now=now, limit=count).fired == count
            spent[count] = len(captured)
            transaction.set_rollback(True)
    assert spent[1000] < 50
    # The same for each transaction, however many timers are fired in it.
    assert spent[1000] == spent[200] * 1000 // firing.BATCH


@pytest.mark.both_databases
@pytest.mark.django_db
def test_restricted_incidents_cost_no_more_queries_the_more_there_are() -> None:
    fill(40)
    owner = Incident.objects.filter(code="B-0").values_list("owner", flat=True).get()
    Incident.objects.update(restricted=True)
    named = {"person_id": owner, "kind": Admission.Kind.NAMED, "given_at": AT}
    Admission.objects.bulk_create([Admission(incident=row, **named) for row in Incident.objects.all()])
    spent = {}
    for count in (4, 40):
        with transaction.atomic():
            with CaptureQueriesContext(connection) as captured:
                assert timers.fire_due(now=DUE, limit=count).fired == count
            spent[count] = len(captured)
            assert set(OutboxMessage.objects.exclude(escalation=None).values_list("recipient", flat=True)) == {owner}
            transaction.set_rollback(True)
    assert spent[40] == spent[4]


@pytest.mark.django_db(transaction=True)
def test_a_process_killed_in_the_middle_of_many_leaves_nothing_half_done(
    start_process: Callable[..., servers.Server],
) -> None:
    company = make_company()
    incidents = [make_incident(company, at=AT, personal_data=False) for _ in range(4)]
    due = Timer.objects.filter(attempt_at__lte=DUE).count()
    before = JournalEntry.objects.count(), OutboxMessage.objects.count()
    with transaction.atomic():
        with connection.cursor() as cursor:
            # It can write duties, steps and journal, and then waits for us.
            cursor.execute("LOCK TABLE incidents_outboxmessage IN SHARE MODE")
        process = start_process("timers", "django", "run_timers", "--once", **clock_at_due())
        wait_until(somebody_waits, "the process to reach its messages")
        process.kill()
    wait_until(lambda: not somebody_else_is_there(), "the database to notice")
    assert (Escalation.objects.count(), Timer.objects.exclude(state="pending").count()) == (0, 0)
    assert (JournalEntry.objects.count(), OutboxMessage.objects.count()) == before
    assert {duty(incident).state for incident in incidents} == {"running"}
    assert timers.fire_due(now=DUE).fired == due
    assert list(verification.verify()) == []


def clock_at_due() -> dict[str, str]:
    """A clock for other processes that stands still at the moment everything is due."""
    return {"BREACHCLOCK_SIMULATED_CLOCK": f"{DUE.isoformat()};{9e12};0"}


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def somebody_else_is_there() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_two_processes_at_once_double_nothing_and_lose_nothing(start_process: Callable[..., servers.Server]) -> None:
    company = make_company()
    for _ in range(12):
        make_incident(company, at=AT, personal_data=False)
    due = Timer.objects.filter(attempt_at__lte=DUE).count()
    both = [start_process(f"timers-{number}", "django", "run_timers", "--once", **clock_at_due()) for number in (1, 2)]
    for server in both:
        assert server.process is not None
        assert server.process.wait(timeout=PATIENCE) == 0
    assert Timer.objects.filter(attempt_at__lte=DUE, state="pending").count() == 0
    assert Escalation.objects.count() == due
    assert JournalEntry.objects.filter(action="escalation.reached").count() == due
    told = Counter(OutboxMessage.objects.values_list("escalation", "recipient"))
    assert set(told.values()) == {1}
    assert list(verification.verify()) == []


@pytest.mark.django_db(transaction=True)
def test_an_incident_in_other_hands_is_passed_over_and_comes_at_the_end() -> None:
    company = make_company()
    held, free = (make_incident(company, at=AT, personal_data=False) for _ in range(2))
    locked, seen = threading.Event(), []

    def hold() -> None:
        try:
            with transaction.atomic():
                Incident.objects.select_for_update().get(pk=held.pk)
                locked.set()
                wait_until(lambda: free.escalations.exists(), "the other incident's steps")
                seen.append(held.escalations.exists())
        finally:
            locked.set()
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait(PATIENCE)
    report = timers.fire_due(now=DUE)
    thread.join()
    assert seen == [False]
    assert (report.failed, report.passed) == (0, [])
    assert held.escalations.count() == free.escalations.count() > 0
