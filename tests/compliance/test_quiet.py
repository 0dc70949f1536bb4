"""Quiet hours on a local clock, over midnight and over the changes of the clock."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.engine import Quiet, quiet_until

NIGHT = Quiet(time(22), time(7), "Asia/Seoul")
NEW_YORK = "America/New_York"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-02T21:59+09:00", None),
        ("2026-11-02T22:00+09:00", "2026-11-03T07:00+09:00"),
        ("2026-11-03T06:59+09:00", "2026-11-03T07:00+09:00"),
        ("2026-11-03T07:00+09:00", None),
        ("2026-11-02T14:00+01:00", "2026-11-03T07:00+09:00"),
    ],
)
def test_a_night_over_midnight(at: str, until: str | None) -> None:
    assert quiet_until(utc(at), NIGHT) == (utc(until) if until else None)


def test_hours_within_one_day() -> None:
    lunch = Quiet(time(12), time(13), "Asia/Seoul")
    assert quiet_until(utc("2026-11-02T12:30+09:00"), lunch) == utc("2026-11-02T13:00+09:00")
    assert quiet_until(utc("2026-11-02T13:00+09:00"), lunch) is None


def test_the_same_begin_and_end_is_never_quiet() -> None:
    assert quiet_until(utc("2026-11-02T07:00+09:00"), Quiet(time(7), time(7), "Asia/Seoul")) is None


@pytest.mark.parametrize(
    ("at", "until"),
    [
        # 2026-11-01: the hour from 01:00 comes twice.
        ("2026-11-01T00:50-04:00", "2026-11-01T01:30-04:00"),
        ("2026-11-01T01:10-04:00", "2026-11-01T01:30-04:00"),
        ("2026-11-01T01:40-04:00", None),
        ("2026-11-01T01:10-05:00", "2026-11-01T01:30-05:00"),
        ("2026-11-01T01:40-05:00", None),
    ],
)
def test_in_the_repeated_hour_the_end_is_the_next_one_to_come(at: str, until: str | None) -> None:
    assert quiet_until(utc(at), Quiet(time(22), time(1, 30), NEW_YORK)) == (utc(until) if until else None)


def test_an_end_in_the_hour_that_is_left_out_comes_when_the_clock_has_passed_it() -> None:
    assert quiet_until(utc("2026-03-08T01:50-05:00"), Quiet(time(22), time(2, 30), NEW_YORK)) == utc(
        "2026-03-08T03:30-04:00"
    )


@given(
    minute=st.integers(0, 366 * 24 * 60),
    begins=st.times().map(lambda at: at.replace(microsecond=0)),
    ends=st.times().map(lambda at: at.replace(microsecond=0)),
    zone=st.sampled_from(["Asia/Seoul", NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"]),
)
def test_quiet_hours_always_end_within_a_day_and_after_now(minute: int, begins: time, ends: time, zone: str) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    until = quiet_until(at, Quiet(begins, ends, zone))
    assert until is None or at < until <= at + timedelta(hours=25)
