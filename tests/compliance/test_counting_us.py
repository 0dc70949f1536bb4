"""Counting in the United States: the worked examples T1 to T40 of the research, by their names."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from compliance.engine.counting import COUNTING
from tests.compliance.test_calendars import CALENDARS

EASTERN = "America/New_York"


def local(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


# id, rule, n, calendar, trigger (local), zone of the trigger, due (with offset)
INSTANTS = """
T1|us.edgar|4|us-edgar|2026-03-05T16:10|America/New_York|2026-03-11T17:30-04:00
T2|us.edgar|4|us-edgar|2026-01-17T11:00|America/New_York|2026-01-23T17:30-05:00
T3|us.edgar|4|us-edgar|2026-01-16T18:00|America/New_York|2026-01-23T17:30-05:00
T4|us.edgar|4|us-edgar|2025-12-23T10:00|America/New_York|2025-12-30T17:30-05:00
T5|us.edgar|4|us-edgar|2026-03-05T09:00|Asia/Seoul|2026-03-10T17:30-04:00
T6|us.edgar|4|us-edgar|2026-06-29T10:00|America/New_York|2026-07-06T17:30-04:00
T7|us.edgar|4|us-edgar|2026-11-09T09:00|America/New_York|2026-11-16T17:30-05:00
T8|us.edgar|4|us-edgar|2026-04-22T14:00|America/New_York|2026-04-28T17:30-04:00
T9|us.edgar|4|us-edgar|2027-12-29T10:00|America/New_York|2028-01-05T17:30-05:00
T10|us.edgar|4|us-edgar|2026-04-10T23:59|America/New_York|2026-04-16T17:30-04:00
T11|us.hours|36|us-fed|2026-10-31T20:00|America/New_York|2026-11-02T07:00-05:00
T12|us.hours|72|us-ny|2026-03-06T15:00|America/New_York|2026-03-09T16:00-04:00
T13|us.hours|24|us-ny|2026-03-07T22:30|America/New_York|2026-03-08T23:30-04:00
T14|us.hours|48|us-mn|2026-03-07T12:00|America/Chicago|2026-03-09T13:00-05:00
T15|us.hours|24|us-fed|2026-11-26T05:00|America/Chicago|2026-11-27T05:00-06:00
T16|us.hours|72|us-fed|2026-07-14T10:00|Asia/Seoul|2026-07-17T10:00+09:00
T17|us.hours|72|us-fed|2026-05-15T22:15|America/Los_Angeles|2026-05-18T22:15-07:00
T18|us.hours|1|us-fed|2026-05-15T22:15|America/New_York|2026-05-15T23:15-04:00
"""


@pytest.mark.parametrize("row", INSTANTS.split("\n")[1:-1], ids=lambda row: row.split("|")[0])
def test_a_period_ends_at_the_moment_of_the_example(row: str) -> None:
    _, rule, n, calendar, trigger, zone, due = row.split("|")
    assert COUNTING[rule][1](local(trigger, zone), int(n), CALENDARS[calendar]).due_at == datetime.fromisoformat(due)


# id, rule, n, calendar, trigger (local of the calendar), last day
DAYS = """
T10|us.days|30|us-edgar|2026-03-11T17:30|2026-04-10
T19|us.days|1|us-il|2026-05-10T23:30|2026-05-11
T20|us.days|60|us-il|2026-01-15T09:00|2026-03-16
T21|us.days_after_year_end|60|us-fed|2026-01-01T00:00|2027-03-01
T21|us.days_after_year_end|60|us-fed|2026-12-31T23:59|2027-03-01
T22|us.days_after_year_end|60|us-fed|2027-06-15T12:00|2028-02-29
T23|us.days|30|us-fed|2026-04-30T12:00|2026-05-30
T24|us.days|30|us-fed|2026-06-10T12:00|2026-07-10
T25|us.days|30|us-ca|2026-02-03T12:00|2026-03-05
T26|us.days|15|us-ca|2026-03-05T12:00|2026-03-20
T27|us.days|30|us-ny|2025-01-10T12:00|2025-02-09
T28|us.business_days|14|us-vt|2026-03-16T12:00|2026-04-03
T29|us.business_days|5|us-ia|2026-09-01T12:00|2026-09-09
T30|us.business_days|3|us-al|2026-07-10T12:00|2026-07-15
T31|us.business_days|5|us-il|2026-03-16T12:00|2026-03-23
T31|us.business_days|5|us-ny|2026-03-16T12:00|2026-03-23
T32|us.business_days|15|us-ca|2026-04-06T12:00|2026-04-27
T33|us.days|10|us-la|2026-05-01T12:00|2026-05-11
T34|us.days|10|us-pr|2026-08-20T14:00|2026-08-30
T35|us.days|30|us-tx|2026-03-01T12:00|2026-03-31
T35|us.days|60|us-tx|2026-03-01T12:00|2026-04-30
T36|us.days|45|us-md|2026-09-01T12:00|2026-10-16
T37|us.days|30|us-fl|2026-01-20T12:00|2026-02-19
T37|us.days|45|us-fl|2026-01-20T12:00|2026-03-06
T38|us.fcc_business_days|7|us-fed|2026-11-18T12:00|2026-11-30
T39|us.full_business_days|7|us-fed|2026-11-30T12:00|2026-12-09
T40|us.fcc_business_days|7|us-fed|2026-11-18T12:00|2026-11-30
T40|us.days|30|us-fed|2026-11-18T12:00|2026-12-18
"""


@pytest.mark.parametrize("row", DAYS.split("\n")[1:-1], ids=lambda row: row.split("|")[0])
def test_a_period_of_days_ends_with_the_local_day_of_the_example(row: str) -> None:
    _, rule, n, key, trigger, last = row.split("|")
    calendar = CALENDARS[key]
    due = COUNTING[rule][1](local(trigger, calendar.zone), int(n), calendar).due_at
    assert due == local(last, calendar.zone) + timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "calendar", "rule", "n", "trigger", "utc"),
    [  # the UTC moment is the last second of the day
        ("T19", "us-il", "us.days", 1, "2026-05-10T23:30", "2026-05-12T04:59:59+00:00"),
        ("T20", "us-il", "us.days", 60, "2026-01-15T09:00", "2026-03-17T04:59:59+00:00"),
        ("T25", "us-ca", "us.days", 30, "2026-02-03T12:00", "2026-03-06T07:59:59+00:00"),
        ("T26", "us-ca", "us.days", 15, "2026-03-05T12:00", "2026-03-21T06:59:59+00:00"),
        ("T27", "us-ny", "us.days", 30, "2025-01-10T12:00", "2025-02-10T04:59:59+00:00"),
        ("T28", "us-vt", "us.business_days", 14, "2026-03-16T12:00", "2026-04-04T03:59:59+00:00"),
        ("T34", "us-pr", "us.days", 10, "2026-08-20T14:00", "2026-08-31T03:59:59+00:00"),
    ],
)
def test_the_day_ends_in_the_zone_of_the_authority(
    name: str, calendar: str, rule: str, n: int, trigger: str, utc: str
) -> None:
    found = COUNTING[rule][1](local(trigger, CALENDARS[calendar].zone), n, CALENDARS[calendar])
    assert found.due_at - timedelta(seconds=1) == datetime.fromisoformat(utc)


def test_t4_a_closing_nobody_confirmed_is_worked_and_the_later_date_is_shown() -> None:
    found = COUNTING["us.edgar"][1](local("2025-12-23T10:00", EASTERN), 4, CALENDARS["us-edgar"])
    assert [reading.due_at for reading in found.later] == [datetime.fromisoformat("2026-01-02T17:30-05:00")]
    assert "2025-12-24" in found.later[0].text.ko


def test_t5_the_earlier_of_the_local_and_the_eastern_date_is_day_0() -> None:
    hawaii = local("2026-03-04T23:00", "Pacific/Honolulu")  # 5 March in New York
    found = COUNTING["us.edgar"][1](hawaii, 4, CALENDARS["us-edgar"])
    assert found.due_at == datetime.fromisoformat("2026-03-10T17:30-04:00")


def test_a_closing_an_administrator_added_moves_the_filing() -> None:
    start = local("2026-03-05T16:10", EASTERN)
    closed = CALENDARS["us-edgar"].with_days({start.date() + timedelta(days=1): "closed"})
    assert COUNTING["us.edgar"][1](start, 4, closed).due_at == datetime.fromisoformat("2026-03-12T17:30-04:00")


@pytest.mark.parametrize(
    ("key", "trigger", "last"),
    [
        ("us-ny", "2025-01-10", "2025-02-10"),  # T27: Sunday, Gen. Constr. Law 25-a
        ("us-ny", "2025-01-09", "2025-02-10"),  # Saturday
        ("us-oh", "2025-01-09", None),  # Saturday does not move in Ohio
        ("us-oh", "2025-01-10", "2025-02-10"),  # Sunday does
        ("us-ia", "2026-04-25", None),  # a holiday does not move in Iowa
        ("us-or", "2026-10-15", "2026-11-15"),  # a Saturday moves in Oregon; Sundays the statute does not name
        ("us-fl", "2025-01-10", None),  # no general statute found
        ("us-ca", "2026-10-12", "2026-11-12"),  # Veterans Day
    ],
)
def test_a_states_construction_law_is_shown_and_never_the_deadline(key: str, trigger: str, last: str | None) -> None:
    calendar = CALENDARS[key]
    start = local(f"{trigger}T12:00", calendar.zone)
    found = COUNTING["us.days"][1](start, 30, calendar)
    assert found.due_at == local(f"{(start + timedelta(days=31)).date()}", calendar.zone)
    shown = [reading.due_at for reading in found.later]
    assert shown == ([local(last, calendar.zone) + timedelta(days=1)] if last else [])


def test_a_state_holiday_that_is_not_settled_is_worked_and_the_later_date_is_shown() -> None:
    calendar = CALENDARS["us-ny"]
    found = COUNTING["us.business_days"][1](local("2026-06-18T12:00", calendar.zone), 1, calendar)
    assert found.due_at == local("2026-06-20", calendar.zone)
    assert [reading.due_at for reading in found.later] == [local("2026-06-23", calendar.zone)]


def test_thirty_days_after_a_quarter_count_from_its_last_day() -> None:
    found = COUNTING["us.days_after_quarter_end"][1](local("2026-05-05T12:00", EASTERN), 30, CALENDARS["us-fed"])
    assert found.due_at == local("2026-07-31", EASTERN)


def test_a_month_ends_with_the_same_number_or_the_last_day() -> None:
    found = COUNTING["us.months"][1](local("2026-01-31T12:00", EASTERN), 1, CALENDARS["us-fed"])
    assert found.due_at == local("2026-03-01", EASTERN)
