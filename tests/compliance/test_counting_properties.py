"""What holds of every counting rule, for any start and any number."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.engine.counting import COUNTING
from compliance.engine.counting.common import months_after
from tests.compliance.test_calendars import CALENDARS

UNITS = {"minutes", "hours", "days", "business_days", "weeks", "months", "years"}
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Sydney", "America/Santiago", "Africa/Cairo"]
HOURS = [name for name, (unit, _) in COUNTING.items() if unit == "hours" and name != "business.hours"]
DAYS = [name for name, (unit, _) in COUNTING.items() if unit == "days"]
BUSINESS = [name for name, (unit, _) in COUNTING.items() if unit == "business_days"]
LONG = {"weeks": 60, "months": 24, "years": 5, "hours": 2000, "minutes": 90000}
starts = st.datetimes(min_value=datetime(2023, 1, 1), max_value=datetime(2028, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001
keys = st.sampled_from(["kr", "de-he", "eu", "us-ny", "us-edgar", "jp", "hk", "cn", "tw", "br", "eg", "ua", "au-sa"])


def test_every_rule_has_a_unit_the_engine_knows_and_says_its_source() -> None:
    for name, (unit, rule) in COUNTING.items():
        assert unit in UNITS, name
        assert "Source:" in (rule.__doc__ or ""), name


@pytest.mark.parametrize("name", COUNTING)
def test_the_trace_begins_with_the_start_and_ends_with_the_deadline(name: str) -> None:
    start = datetime(2026, 2, 13, 1, 30, tzinfo=UTC)
    found = COUNTING[name][1](start, 3, CALENDARS["kr"])
    assert found.trace[0].at == start
    assert found.trace[-1].at == found.due_at > start
    assert len(found.trace) >= 3
    assert found.due_at.tzinfo is UTC
    assert all(step.text.ko and step.text.en for step in found.trace)


@given(start=starts, zone=st.sampled_from(ZONES), n=st.integers(1, 9000), name=st.sampled_from(HOURS))
def test_hours_are_elapsed_time_across_every_clock_change(start: datetime, zone: str, n: int, name: str) -> None:
    begun = start.astimezone(ZoneInfo(zone))
    assert COUNTING[name][1](begun, n, CALENDARS["de"]).due_at - start == timedelta(hours=n)


@given(start=starts, key=keys, n=st.integers(1, 60), name=st.sampled_from(BUSINESS))
def test_a_period_of_business_days_ends_on_a_business_day(start: datetime, key: str, n: int, name: str) -> None:
    calendar = CALENDARS[key]
    found = COUNTING[name][1](start, n, calendar)
    last = (found.due_at - timedelta(microseconds=1)).astimezone(ZoneInfo(calendar.zone)).date()
    assert calendar.day_off(last) is None


@given(start=starts, key=keys, name=st.sampled_from(list(COUNTING)), data=st.data())
def test_a_longer_period_never_ends_earlier_and_a_later_reading_is_later(
    start: datetime, key: str, name: str, data: st.DataObject
) -> None:
    unit, rule = COUNTING[name]
    n = data.draw(st.integers(1, LONG.get(unit, 90)))
    shorter, longer = rule(start, n, CALENDARS[key]), rule(start, n + 1, CALENDARS[key])
    assert shorter.due_at <= longer.due_at
    assert all(reading.due_at > shorter.due_at for reading in shorter.later)


@given(start=starts, key=keys, n=st.integers(1, 90), name=st.sampled_from(DAYS))
def test_a_period_of_days_ends_at_a_local_midnight_or_at_noon(start: datetime, key: str, n: int, name: str) -> None:
    zone = ZoneInfo(CALENDARS[key].zone)
    due = COUNTING[name][1](start, n, CALENDARS[key]).due_at.astimezone(zone)
    noon = name == "tw.days" and due.time() == time(12)
    # Where the clock changes at midnight, the day begins at one.
    assert noon or due == datetime.combine(due.date(), time(0), zone).astimezone(UTC)


@given(day=st.dates(min_value=date(2023, 1, 1), max_value=date(2030, 1, 1)), n=st.integers(0, 240))
def test_months_keep_the_day_number_or_end_with_the_month(day: date, n: int) -> None:
    found = months_after(day, n)
    assert (found.year - day.year) * 12 + found.month - day.month == n
    assert found.day == day.day or (found + timedelta(days=1)).day == 1


@given(start=starts, key=keys, n=st.integers(1, 90))
def test_strict_days_are_never_later_than_a_rule_that_rolls_over(start: datetime, key: str, n: int) -> None:
    strict = COUNTING["calendar.days"][1](start, n, CALENDARS[key]).due_at
    for name in ("eu1182.days", "au.days", "cn.days", "sg.days", "tw.days", "in.days", "ca.days"):
        assert COUNTING[name][1](start, n, CALENDARS[key]).due_at >= strict, name
