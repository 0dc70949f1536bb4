"""Counting as the Korean Civil Act does: the worked examples of the research, one by one."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.engine.counting import COUNTING, kr_days, kr_hours, kr_minutes, kr_months
from tests.compliance.test_calendars import CALENDARS
from tests.times import KST, kst

CALENDAR = CALENDARS["kr"]


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2025-04-18 23:20", 24, "2025-04-19 23:20"),  # SKT incident: Friday to Saturday
        ("2025-04-19 23:40", 72, "2025-04-22 23:40"),  # SKT leak
        ("2025-09-15 14:00", 24, "2025-09-16 14:00"),  # KT servers
        ("2025-10-03 18:00", 72, "2025-10-06 18:00"),  # known before Chuseok: no roll-over
    ],
)
def test_hours_run_through_nights_weekends_and_holidays(start: str, hours: int, due: str) -> None:
    assert kr_hours(kst(start), hours, CALENDAR).due_at == kst(due)


@pytest.mark.parametrize(
    ("restored", "last_day"),
    [
        ("2026-09-04", "2026-10-06"),  # day 30 is Sunday 10-04, Monday 10-05 a substitute holiday
        ("2027-04-01", "2027-05-04"),  # day 30 is Saturday and Labour Day, then Sunday and a substitute
    ],
)
def test_a_last_day_off_moves_to_the_next_working_day(restored: str, last_day: str) -> None:
    found = kr_days(kst(f"{restored} 10:00"), 30, CALENDAR)
    assert found.due_at.astimezone(KST) - timedelta(seconds=1) >= datetime.fromisoformat(
        f"{last_day}T23:59:59"
    ).replace(tzinfo=KST)
    assert (found.due_at - timedelta(seconds=1)).astimezone(KST).date() == date.fromisoformat(last_day)


def test_the_trace_names_each_day_that_was_passed_over() -> None:
    texts = [step.text.ko for step in kr_days(kst("2026-09-04 10:00"), 30, CALENDAR).trace]
    assert any("2026-10-04" in text and "일요일" in text for text in texts)
    assert any("2026-10-05" in text and "제161조" in text for text in texts)


def test_a_period_that_starts_at_midnight_counts_its_first_day() -> None:
    assert kr_days(kst("2026-11-02 00:00"), 1, CALENDAR).due_at == kst("2026-11-03 00:00")
    assert kr_days(kst("2026-11-02 00:01"), 1, CALENDAR).due_at == kst("2026-11-04 00:00")


def test_a_month_is_a_calendar_month_and_not_720_hours() -> None:
    assert kr_months(kst("2026-10-30 09:00"), 1, CALENDAR).due_at == kst("2026-12-01 00:00")
    # 31 January: February has no such day, so its last day; 28 February 2027 is a Sunday, 1 March a holiday.
    assert kr_months(kst("2027-01-30 09:00"), 1, CALENDAR).due_at == kst("2027-03-03 00:00")


def test_a_year_that_was_not_checked_is_said_to_be_so() -> None:
    texts = [step.text.en for step in kr_days(kst("2031-01-02 09:00"), 30, CALENDAR).trace]
    assert any("not checked" in text for text in texts)


HOLIDAYS = {
    2025: "01-01 01-27 01-28 01-29 01-30 03-01 03-03 05-05 05-06 06-03 06-06 08-15 10-03 10-05 10-06 10-07 10-08 10-09 12-25",
    2026: "01-01 02-16 02-17 02-18 03-01 03-02 05-01 05-05 05-24 05-25 06-03 06-06 07-17 08-15 08-17 09-24 09-25 09-26 10-03 10-05 10-09 12-25",
    2027: "01-01 02-06 02-07 02-08 02-09 03-01 05-01 05-03 05-05 05-13 06-06 07-17 07-19 08-15 08-16 09-14 09-15 09-16 10-03 10-04 10-09 10-11 12-25 12-27",
}


@pytest.mark.parametrize("year", HOLIDAYS)
def test_the_calendar_is_the_table_of_the_decree(year: int) -> None:
    listed = {date.fromisoformat(f"{year}-{day}") for day in HOLIDAYS[year].split()}
    found = {
        day
        for number in range(366)
        if (day := date(year, 1, 1) + timedelta(days=number)).year == year and CALENDAR.holiday(day)
    }
    assert found == listed


@given(
    start=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)),  # noqa: DTZ001  zones are given next
    zone=st.sampled_from(["Asia/Seoul", "Europe/Berlin", "America/New_York", "Australia/Sydney", "America/Sao_Paulo"]),
    hours=st.integers(min_value=1, max_value=2000),
)
def test_hours_are_elapsed_time_across_every_clock_change(start: datetime, zone: str, hours: int) -> None:
    begun = start.replace(tzinfo=ZoneInfo(zone))
    assert kr_hours(begun, hours, CALENDAR).due_at - begun.astimezone(UTC) == timedelta(hours=hours)


@given(start=st.datetimes(min_value=datetime(2025, 1, 1), max_value=datetime(2027, 10, 1)), days=st.integers(1, 90))  # noqa: DTZ001
def test_a_period_of_days_never_ends_on_a_day_off(start: datetime, days: int) -> None:
    last = (kr_days(start.replace(tzinfo=KST), days, CALENDAR).due_at - timedelta(seconds=1)).astimezone(KST).date()
    assert last.weekday() < 5
    assert CALENDAR.holiday(last) is None


def test_minutes_are_elapsed_too() -> None:
    assert kr_minutes(kst("2026-12-31 23:55"), 10, CALENDAR).due_at == kst("2027-01-01 00:05")


@pytest.mark.parametrize(
    ("rule", "start", "n", "due"),
    [
        ("kr.weeks", "2026-11-16 10:00", 1, "2026-11-24 00:00"),  # Tuesday to Monday
        ("kr.weeks", "2026-11-16 00:00", 1, "2026-11-24 00:00"),  # ends on Sunday: the next day
        ("kr.years", "2026-11-16 10:00", 1, "2027-11-17 00:00"),
        ("kr.business_days", "2026-09-22 10:00", 2, "2026-09-29 00:00"),  # 23, then 28 September after Chuseok
        ("kr.business_days", "2026-09-22 00:00", 2, "2026-09-24 00:00"),  # at 00:00 the first day counts
        ("kr.business_days", "2026-11-20 10:00", 1, "2026-11-24 00:00"),
    ],
)
def test_weeks_years_and_working_days_count_their_first_day_as_days_do(rule: str, start: str, n: int, due: str) -> None:
    assert COUNTING[rule][1](kst(start), n, CALENDAR).due_at == kst(due)
