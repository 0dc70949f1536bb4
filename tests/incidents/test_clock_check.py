"""A process whose clock was stepped fires nothing early, sends nothing twice for it, and is noticed."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from compliance import clock
from incidents import clock_check, health, tasks
from incidents.models import Escalation, Heartbeat, Incident, OutboxMessage, Timer
from tests import servers
from tests.factories import Company, later, make_incident

HOUR = timedelta(hours=1)
Step = Callable[[timedelta], None]


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch, db: None) -> Step:
    """Set this process's clock ahead or back; the database's stays."""
    real = time.time

    def stepped(by: timedelta) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + by.total_seconds())

    return stepped


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=clock.now(), personal_data=False)


def near(at: datetime, expected: datetime) -> bool:
    return abs(at - expected) < timedelta(minutes=1)


def test_a_clock_that_fits_is_taken_as_it_is(db: None) -> None:
    found = clock_check.check()
    assert not found.differs
    assert found.shared == found.earliest == found.own
    assert not Heartbeat.objects.exists()


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_the_difference_is_measured_in_both_directions(step: Step, by: timedelta) -> None:
    honest = clock.now()
    step(by)
    found = clock_check.check()
    assert found.differs
    assert near(honest + found.ahead, honest + by)
    assert near(found.shared, honest)
    assert near(found.earliest, min(honest, honest + by))


def test_a_clock_that_is_ahead_fires_nothing_early(step: Step, incident: Incident) -> None:
    tasks.fire_due()
    fired = set(Escalation.objects.values_list("pk", flat=True))
    soon = Timer.objects.filter(state="pending").order_by("due_at").values_list("due_at", flat=True)[0]
    step(soon - clock.now() + HOUR)
    tasks.fire_due()
    assert set(Escalation.objects.values_list("pk", flat=True)) == fired


def test_a_message_claimed_under_a_stepped_clock_bears_the_shared_moment(step: Step, incident: Incident) -> None:
    honest = clock.now()
    tasks.fire_due()
    step(-HOUR)
    tasks.send_outbox()
    moments = OutboxMessage.objects.exclude(claimed_at=None).values_list("claimed_at", flat=True)
    assert moments
    assert all(near(at, honest) for at in moments)


def test_it_turns_health_red_is_told_and_ends_when_the_clock_is_right_again(
    step: Step, company: Company, client: Client
) -> None:
    step(HOUR)
    clock_check.check()
    clock_check.check()
    assert "clock_differs" in client.get("/health").json()["problems"]
    told = OutboxMessage.objects.filter(dedupe__startswith="alarm:clock:")
    assert {row.recipient for row in told} == {company.manager, company.ciso}
    step(timedelta(0))
    clock_check.check()
    assert "clock_differs" not in client.get("/health").json()["problems"]


def test_the_word_of_a_process_that_is_gone_is_forgotten(db: None) -> None:
    now = clock.now()
    health.beat_found(f"{health.CLOCK}elsewhere:1", at=now, wrong=True, detail={})
    assert "clock_differs" in health.report(now=now).problems
    assert "clock_differs" not in health.report(now=later(now, minutes=6)).problems


def test_a_sign_of_life_that_lies_ahead_is_no_sign_of_health(db: None) -> None:
    now = clock.now()
    health.beat("timers", at=later(now, hours=1))
    assert "clock_differs" in health.report(now=now).problems


@pytest.mark.django_db(transaction=True)
def test_a_whole_process_with_a_stepped_clock_fires_nothing_early(company: Company, tmp_path: Path) -> None:
    incident = make_incident(company, at=clock.now(), personal_data=False)
    (tmp_path / "step").write_text("86400")
    server = servers.Server(
        "stepped",
        [sys.executable, "-m", "tests.storm.stepped", str(tmp_path / "step"), "django", "run_timers", "--once"],
        env=servers.subprocess_env(), folder=tmp_path,
    ).start()  # fmt: skip
    assert server.process is not None
    assert server.process.wait(timeout=60) == 0, server.log.read_text()
    honest = datetime.now(UTC)  # noqa: TID251  the test's own clock
    assert incident.escalations.exists()
    assert not incident.escalations.filter(at__gt=honest).exists()
    assert Heartbeat.objects.filter(name__startswith=health.CLOCK).exists()
