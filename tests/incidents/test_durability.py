"""Workers, beat and Redis die in the middle of a busy hour: nothing is lost, nothing happens twice."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from incidents.models import Escalation, Incident, OutboxMessage, Timer
from tests import servers
from tests.conftest import SmtpSink
from tests.factories import kst, later, make_company, make_incident

START = kst("2025-09-16 13:30")
END = later(START, hours=1)
SPEED = 150
PATIENCE = 90


def wait_until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s in vain for {what}"
        time.sleep(0.2)


def due_within_the_hour() -> set[tuple[str, int, str]]:
    rows = Timer.objects.filter(due_at__lte=END).exclude(state="obsolete")
    return set(rows.values_list("kind", "subject_id", "key"))


@pytest.mark.django_db(transaction=True)
def test_killing_worker_beat_and_redis_loses_no_escalation_and_doubles_none(
    start_celery: Callable[..., list[servers.Server]], redis_server: servers.Redis, smtp_sink: SmtpSink
) -> None:
    company = make_company()
    known = kst("2025-09-15 14:00")  # the KT servers: due at 14:00, in the middle of the replayed hour
    incidents = [
        make_incident(
            company,
            at=later(known, minutes=10),
            known_at=later(known, minutes=number),
            kind=Incident.Kind.DRILL,
            personal_data=False,
        )
        for number in range(8)
    ]
    expected = due_within_the_hour()
    assert len(expected) >= 40

    wall = datetime.now(UTC).timestamp()  # noqa: TID251  the processes share a clock that starts now
    env = {
        "REDIS_URL": redis_server.url,
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(smtp_sink.port),
        "BREACHCLOCK_NUDGE_SECONDS": "0.3",
        "BREACHCLOCK_SIMULATED_CLOCK": f"{START.isoformat()};{wall};{SPEED}",
    }
    running = start_celery(**env)
    wait_until(lambda: Escalation.objects.filter(key_is("half")).count() >= 4, "the first escalations")
    for server in running:
        server.kill()
    redis_server.kill()
    time.sleep(3)  # seven simulated minutes in which nobody watches
    redis_server.start()
    running = start_celery(**env)
    wait_until(lambda: Escalation.objects.filter(key_is("due")).count() >= 3, "the due rungs")
    running[0].kill()
    running += start_celery(**env)[:1]
    wait_until(lambda: not Timer.objects.filter(due_at__lte=END, state="pending").exists(), "every timer of the hour")
    wait_until(
        lambda: not OutboxMessage.objects.filter(state="pending", escalation__at__lte=END).exists(), "every message"
    )

    rows = Escalation.objects.filter(at__lte=END).values_list("timer__kind", "timer__subject_id", "rung")
    counted = Counter(rows)
    assert set(counted) >= expected
    assert set(counted.values()) == {1}
    for incident in incidents:
        assert incident.obligations.get(rule="kr.network-act.incident-report").overdue_at is not None
    ids = Counter(message["Message-ID"] for message in smtp_sink.messages)
    sent = OutboxMessage.objects.filter(state="sent").values_list("message_id", flat=True)
    assert set(sent) <= set(ids)


def key_is(rung: str):
    from django.db.models import Q

    return Q(rung=rung)
