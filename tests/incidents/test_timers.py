"""Timers fire once, late if need be, and one that fails stops no other."""

import threading
from datetime import datetime

import pytest
from django.db import connections

from incidents import health, services, sweep, timers
from incidents.channels.models import Endpoint
from incidents.models import Escalation, Incident, JournalEntry, Obligation, OutboxMessage, Timer
from tests.factories import Company, kst, later, make_company, make_incident

AT = kst("2026-11-02 09:00")
DUE = later(AT, hours=24)
DUTY = {"rule": "kr.network-act.incident-report", "stage": "initial"}


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT, personal_data=False)


def duty(incident: Incident) -> Obligation:
    return incident.obligations.get(**DUTY)


def rungs(incident: Incident) -> list[str]:
    return list(
        Escalation.objects.filter(obligation=duty(incident)).order_by("at", "pk").values_list("rung", flat=True)
    )


def run_until(now: datetime) -> None:
    while (moment := timers.next_due()) is not None and moment <= now:
        timers.fire_due(now=moment)


@pytest.mark.both_databases
def test_the_ladder_is_climbed_rung_by_rung(incident: Incident) -> None:
    run_until(later(DUE, hours=12))
    # Nobody acknowledged anything, so that those of the due step hear before it that nobody answers.
    before = ["opened", "half", "quarter", "tenth", "unanswered-tenth"]
    assert rungs(incident) == [*before, "due", "plus-1h", "plus-4h", "plus-12h"]


def test_after_the_last_rung_it_repeats_until_it_is_done(incident: Incident, company: Company) -> None:
    run_until(later(DUE, hours=12 + 24 * 3))
    assert rungs(incident)[-3:] == ["repeat-1", "repeat-2", "repeat-3"]
    now = later(DUE, days=4)
    services.obligation_meet(obligation=duty(incident), done_at=now, at=now, by=company.owner, reference="F1")
    before = len(rungs(incident))
    run_until(later(now, days=30))
    assert len(rungs(incident)) == before


def test_the_legal_moment_is_written_and_not_the_one_we_noticed(incident: Incident) -> None:
    timers.fire_due(now=later(DUE, hours=3))
    row = duty(incident)
    assert (row.state, row.overdue_at) == ("overdue", DUE)


def test_one_missed_run_still_fires_once_late_and_says_so(incident: Incident) -> None:
    timers.fire_due(now=later(AT, hours=13))
    half = Escalation.objects.get(obligation=duty(incident), rung="half")
    assert half.late_seconds == 3600
    entry = JournalEntry.objects.filter(action="escalation.reached", detail__rung="half", detail__late_seconds=3600)
    assert entry.exists()
    assert "60" in half.messages.get().body


@pytest.mark.both_databases
def test_two_runs_in_the_same_minute_fire_once(incident: Incident) -> None:
    first, second = timers.fire_due(now=DUE), timers.fire_due(now=DUE)
    assert first.fired > 0
    assert second.looked_at == 0


def test_a_retimed_duty_leaves_no_live_timer_of_the_old_deadline(incident: Incident, company: Company) -> None:
    services.fact_record(
        incident=incident,
        name="incident.known_at",
        value=later(AT, hours=-10),
        label="경찰",
        at=later(AT, hours=1),
        by=company.owner,
    )
    run_until(later(AT, hours=14))
    fired = Timer.objects.filter(subject_id=duty(incident).pk, kind=timers.OBLIGATION_RUNG, state=Timer.State.FIRED)
    assert set(fired.filter(key="due").values_list("generation", flat=True)) == {2}
    assert not Timer.objects.filter(
        subject_id=duty(incident).pk, generation=1, state="pending", due_at__lte=later(AT, hours=14)
    ).exists()


def test_a_duty_found_when_overdue_goes_straight_to_its_due_rung(company: Company) -> None:
    found = make_incident(company, at=AT, known_at=later(AT, days=-3), personal_data=False)
    timers.fire_due(now=AT)
    assert rungs(found) == ["due"]
    assert duty(found).state == "overdue"


def test_a_rung_tells_those_who_hold_its_roles_each_once(incident: Incident, company: Company) -> None:
    timers.fire_due(now=DUE)
    told = Escalation.objects.get(obligation=duty(incident), rung="due").messages.values_list(
        "recipient__username", flat=True
    )
    assert sorted(told) == ["counsel", "manager", "owner"]


def test_with_nobody_in_a_role_somebody_else_is_told_and_why(incident: Incident, company: Company) -> None:
    company.entity.memberships.filter(role="manager").delete()
    run_until(later(DUE, hours=1))
    messages = Escalation.objects.get(obligation=duty(incident), rung="due").messages
    told = set(messages.values_list("recipient__username", flat=True))
    assert told == {"owner", "counsel", "ciso", "cpo"}
    assert "담당한 사람과 연락할 수 없어(관리자)" in messages.get(recipient=company.ciso).body
    assert "관리자" not in messages.get(recipient=company.counsel).body


def test_with_nobody_above_everybody_of_rank_is_told(incident: Incident, company: Company) -> None:
    company.entity.memberships.filter(role="executive").delete()
    run_until(later(DUE, hours=12))
    told = Escalation.objects.get(obligation=duty(incident), rung="plus-12h").messages
    names = set(told.values_list("recipient__username", flat=True))
    assert names == {"owner", "counsel", "approver", "manager", "ciso", "cpo"}


def test_with_no_roles_at_all_everybody_is_told_and_with_nobody_it_is_journaled(
    incident: Incident, company: Company
) -> None:
    company.entity.memberships.exclude(role__in=("auditor", "reporter")).delete()
    timers.fire_due(now=AT)
    told = Escalation.objects.get(obligation=duty(incident), rung="opened").messages.values_list(
        "recipient__username", flat=True
    )
    assert sorted(told) == ["auditor", "reporter"]
    company.entity.memberships.all().delete()
    timers.fire_due(now=DUE)
    assert JournalEntry.objects.filter(action="escalation.nobody").exists()


def test_a_failing_timer_is_put_off_and_shouted_about_and_stops_no_other(incident: Incident) -> None:
    broken = Timer.objects.get(subject_id=duty(incident).pk, key="opened")
    whole = broken.payload
    Timer.objects.filter(pk=broken.pk).update(payload={"name": whole["name"], "secret 010-1234-5678": ""})
    now = AT
    for _ in range(timers.SHOUT_AFTER):
        timers.fire_due(now=now)
        now = later(now, minutes=5)
    broken.refresh_from_db()
    assert (broken.state, broken.attempts, broken.last_error) == ("pending", 3, "KeyError")
    assert Timer.objects.filter(incident=incident, key="opened", state="fired").exists()
    assert JournalEntry.objects.filter(action="timer.failed").exists()
    assert OutboxMessage.objects.filter(dedupe__startswith="timer-failed").exists()
    Timer.objects.filter(pk=broken.pk).update(payload=whole)
    timers.fire_due(now=later(now, hours=1))
    assert "opened" in rungs(incident)


def test_a_failing_timer_is_shouted_about_at_addresses_for_other_roles_too(
    incident: Incident, company: Company
) -> None:
    endpoint = Endpoint.objects.create(
        entity=company.entity, role="auditor", kind="webhook", label="room", target="https://example.test/",
        created_by=company.manager, created_at=AT,
    )  # fmt: skip
    broken = Timer.objects.get(subject_id=duty(incident).pk, key="opened")
    Timer.objects.filter(pk=broken.pk).update(payload={"name": broken.payload["name"]})
    for number in range(timers.SHOUT_AFTER):
        timers.fire_due(now=later(AT, minutes=5 * number))
    told = OutboxMessage.objects.filter(endpoint=endpoint)
    assert told.exists()
    assert {row.dedupe.split(":")[0] for row in told} == {"timer-failed"}


def test_evidence_that_will_be_overwritten_has_a_clock_of_its_own(incident: Incident, company: Company) -> None:
    item = services.evidence_add(
        incident=incident, title="방화벽 로그", expires_at=later(AT, days=30), at=AT, by=company.owner
    )
    run_until(later(AT, days=31))
    found = Escalation.objects.filter(evidence=item).order_by("at").values_list("rung", flat=True)
    assert list(found) == ["opened", "days-7", "days-3", "days-1", "unanswered-days-1", "due", "repeat-1"]


def test_a_timer_that_vanished_is_found_set_again_and_journaled(incident: Incident) -> None:
    Timer.objects.filter(subject_id=duty(incident).pk).delete()
    assert [item.subject.pk for item in sweep.sweep(at=AT)] == [duty(incident).pk]
    assert JournalEntry.objects.filter(action="timer.missing").exists()
    assert sweep.sweep(at=AT) == []
    timers.fire_due(now=DUE)
    assert "due" in rungs(incident)


def test_health_turns_red_when_nobody_watches(incident: Incident) -> None:
    assert "timers_silent" in health.report(now=AT).problems
    for name in health.WATCHERS:
        health.beat(name, at=DUE)
    assert "timers_late" in health.report(now=DUE).problems
    timers.fire_due(now=DUE)
    OutboxMessage.objects.update(state="sent")
    assert health.report(now=DUE).problems == {}


@pytest.mark.django_db(transaction=True)
def test_four_dispatchers_at_once_fire_every_timer_once() -> None:
    company = make_company()
    for _ in range(6):
        make_incident(company, at=AT, personal_data=False)
    expected = Timer.objects.filter(due_at__lte=DUE).count()
    barrier, failures = threading.Barrier(4), []

    def dispatch() -> None:
        try:
            barrier.wait()
            for _ in range(8):
                timers.fire_due(now=DUE)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=dispatch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Escalation.objects.count() == expected
    assert Timer.objects.filter(due_at__lte=DUE, state="pending").count() == 0


@pytest.mark.django_db(transaction=True)
def test_facts_come_in_while_timers_fire_and_nothing_deadlocks() -> None:
    company = make_company()
    incident = make_incident(company, at=AT, personal_data=False)
    barrier, failures = threading.Barrier(2), []

    def guarded(work) -> threading.Thread:
        def run() -> None:
            try:
                barrier.wait()
                work()
            except BaseException as error:
                failures.append(error)
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def record() -> None:
        for number in range(10):
            services.fact_record(
                incident=incident,
                name="incident.known_at",
                value=later(AT, minutes=-number - 1),
                label=f"c{number}",
                at=later(AT, hours=1),
                by=company.owner,
            )

    def dispatch() -> None:
        for _ in range(20):
            timers.fire_due(now=later(AT, hours=20))

    for thread in [guarded(record), guarded(dispatch)]:
        thread.join()
    assert failures == []
    timers.fire_due(now=later(DUE, days=1))
    due = Timer.objects.filter(subject_id=duty(incident).pk, key="due", state="fired")
    assert due.count() == 1


@pytest.mark.both_databases
def test_without_celery_the_commands_do_the_same(
    incident: Incident, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from django.core.management import call_command

    monkeypatch.setenv("BREACHCLOCK_SIMULATED_CLOCK", f"{DUE.isoformat()};{9e12};0")
    call_command("run_timers", "--once")
    call_command("send_outbox", "--once")
    call_command("verify_journal")
    call_command("sweep_timers")
    said = capsys.readouterr().out
    assert "fired" in said
    assert "failed 0" in said
    assert "all valid" in said
    assert "every running clock is watched" in said
    assert duty(incident).state == "overdue"
    assert not OutboxMessage.objects.exclude(state="sent").exists()
