"""The storm, shorter: everything dies again and again, and the account at the end shows no broken promise."""

import subprocess
import sys
from datetime import timedelta

import pytest

from incidents import outbox, timers
from incidents.channels.models import DeliveryAttempt
from tests import servers
from tests.factories import Company, kst, make_incident

AT = kst("2026-11-02 09:00")


def test_in_a_short_storm_nothing_is_lost_and_nothing_comes_twice() -> None:
    size = ["--seconds", "16", "--incidents", "9", "--workers", "2", "--beats", "1", "--kills", "16"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.storm", *size], cwd=servers.ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.django_db
def test_each_message_is_claimed_at_its_own_moment_however_long_the_run_takes(company: Company) -> None:
    make_incident(company, at=AT, personal_data=False)
    timers.fire_due(now=AT)
    moments = iter(AT + outbox.STALE_CLAIM * number for number in range(100))
    report = outbox.send_reading(lambda: next(moments), limit=3)
    assert report.sent == 3
    begun = DeliveryAttempt.objects.order_by("at").values_list("at", flat=True)
    assert list(begun) == [AT, AT + timedelta(minutes=2), AT + timedelta(minutes=4)]
