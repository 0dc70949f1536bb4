"""Counting in Asia, the Pacific and the rest of the world: the cases of the research, one by one."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from compliance.engine.counting import COUNTING, Counted
from tests.compliance.test_calendars import CALENDARS


def count(rule: str, n: int, key: str, start: str) -> Counted:
    begun = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(CALENDARS[key].zone))
    return COUNTING[rule][1](begun, n, CALENDARS[key])


def ends(day: str, key: str) -> datetime:
    """24:00 of ``day``."""
    return datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(CALENDARS[key].zone)) + timedelta(days=1)


# case, rule, n, calendar, start (local), last day, last days of the later readings
CASES = """
JP APPI final 30|jp.appi.days|30|jp|2026-12-01T10:00|2027-01-04|
JP APPI final 60|jp.appi.days|60|jp|2026-11-22T10:00|2027-01-20|2027-01-21
JP APPI guidance 5|jp.appi.guidance_days|5|jp|2026-11-18T10:00|2026-11-22|
JP Civil Code, Saturday|jp.days|30|jp|2026-10-22T10:00|2026-11-21|2026-11-24
JP Civil Code, holiday|jp.days|30|jp|2026-10-24T10:00|2026-11-24|
JP Civil Code, turn of the year|jp.days|30|jp|2026-11-30T10:00|2026-12-30|2027-01-04
JP month|jp.months|1|jp|2026-10-22T10:00|2026-11-24|
SG PDPA|calendar.days|3|sg|2026-12-24T10:00|2026-12-27|
MAS 14|sg.days|14|sg|2026-10-25T10:00|2026-11-10|
SG Saturday stays|sg.days|14|sg|2026-11-14T10:00|2026-11-28|
HK general holiday|hk.days|14|hk|2026-12-12T10:00|2026-12-28|
HK Saturday stays|hk.days|14|hk|2026-11-14T10:00|2026-11-28|
HK short period|hk.days|3|hk|2026-02-14T10:00|2026-02-20|2026-02-21
CN make-up working day|cn.days|30|cn|2026-09-10T10:00|2026-10-10|
CN golden week|cn.days|30|cn|2026-09-03T10:00|2026-10-08|
BR carnival|br.business_days|3|br|2026-02-13T10:00|2026-02-18|2026-02-19 2026-02-23
BR without optional days|br.business_days|3|br|2026-11-17T10:00|2026-11-23|
CO|co.business_days|15|co|2026-10-09T10:00|2026-11-03|
EG|eg.working_days|3|eg|2026-11-04T10:00|2026-11-09|
APRA|au.business_days|10|au-nsw|2026-12-18T10:00|2027-01-06|
AU NDB|au.days|30|au-act|2026-11-26T10:00|2026-12-29|
IN Sunday|in.days|21|in|2026-11-01T10:00|2026-11-23|
MY weekend|my.days|7|my|2026-11-14T10:00|2026-11-23|
MY Kedah|my.days|7|my-02|2026-11-13T10:00|2026-11-22|
TH|th.days|15|th|2026-11-06T10:00|2026-11-23|
VN|vn.days|5|vn|2026-11-16T10:00|2026-11-23|
PH does not roll|ph.days|5|ph|2026-11-16T10:00|2026-11-21|
PH annual report|calendar.months_after_year_end|3|ph|2026-05-05T10:00|2027-03-31|
TR|tr.days|5|tr|2026-11-16T10:00|2026-11-23|
IL|il.days|4|il|2026-11-16T10:00|2026-11-22|
CA Sunday|ca.days|6|ca|2026-11-16T10:00|2026-11-23|
CA Saturday stays|ca.days|5|ca|2026-11-16T10:00|2026-11-21|
CA Easter Monday|ca.days|5|ca|2026-04-01T10:00|2026-04-07|
CA Boxing Day is none|ca.days|5|ca|2026-12-23T10:00|2026-12-28|
ZA Saturday stays|za.days|5|za|2026-11-16T10:00|2026-11-21|
ZA Sunday|za.days|6|za|2026-11-16T10:00|2026-11-23|
KE Sunday|ke.days|6|ke|2026-11-16T10:00|2026-11-23|
CH assumed roll-over|ch.days|14|ch|2026-11-14T10:00|2026-11-28|2026-11-30
CL plain days|cl.days|7|cl|2026-11-16T10:00|2026-11-23|2026-11-25
NO as the Union|eu1182.months|1|no|2026-10-28T10:00|2026-11-30|
JP quarterly report|calendar.months_after_quarter_end|2|jp|2026-05-05T10:00|2026-08-30|2026-08-31
"""


@pytest.mark.parametrize("row", CASES.split("\n")[1:-1], ids=lambda row: row.split("|")[0])
def test_a_period_ends_on_the_day_of_the_case(row: str) -> None:
    _, rule, n, key, start, last, later = row.split("|")
    found = count(rule, int(n), key, start)
    assert found.due_at == ends(last, key)
    assert [reading.due_at for reading in found.later] == [ends(day, key) for day in later.split()]


@pytest.mark.parametrize(
    ("case", "key", "n", "start", "due"),
    [
        ("CN other operator", "cn", 4, "2026-10-03T23:30", "2026-10-04T03:30+08:00"),
        ("AU ransomware over the clock change", "au-nsw", 72, "2026-10-03T20:00", "2026-10-06T21:00+11:00"),
        ("ID 3 x 24 h", "id", 72, "2026-11-20T10:00", "2026-11-23T10:00+07:00"),
    ],
)
def test_hours_run_without_a_pause(case: str, key: str, n: int, start: str, due: str) -> None:
    assert count("strict.hours", n, key, start).due_at == datetime.fromisoformat(due)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-11-16T10:00", "2026-11-23T12:00+08:00"),  # day 5 is Saturday: Monday morning
        ("2026-11-17T10:00", "2026-11-24T00:00+08:00"),  # day 5 is Sunday: the next day
        ("2026-11-18T10:00", "2026-11-24T00:00+08:00"),
    ],
)
def test_a_saturday_moves_to_monday_morning_in_taiwan(start: str, due: str) -> None:
    assert count("tw.days", 5, "tw", start).due_at == datetime.fromisoformat(due)


def test_a_month_in_taiwan_moves_as_days_do() -> None:
    assert count("tw.months", 1, "tw", "2026-10-21T10:00").due_at == datetime.fromisoformat("2026-11-23T12:00+08:00")


def test_a_typhoon_day_an_administrator_added_moves_the_last_day_in_hong_kong() -> None:
    monday = ends("2026-11-22", "hk").date()
    stormy = CALENDARS["hk"].with_days({monday: "black rainstorm warning"})
    start = datetime(2026, 11, 9, 10, tzinfo=ZoneInfo("Asia/Hong_Kong"))
    assert COUNTING["hk.days"][1](start, 14, CALENDARS["hk"]).due_at == ends("2026-11-23", "hk")
    assert COUNTING["hk.days"][1](start, 14, stormy).due_at == ends("2026-11-24", "hk")


def test_finmas_hours_are_elapsed_and_the_bank_working_days_are_shown() -> None:
    found = count("ch.finma_hours", 24, "ch-be", "2026-11-20T15:00")  # a Friday
    assert found.due_at == datetime.fromisoformat("2026-11-21T15:00+01:00")
    assert [reading.due_at for reading in found.later] == [datetime.fromisoformat("2026-11-23T15:00+01:00")]
    assert count("ch.finma_hours", 24, "ch-be", "2026-11-18T15:00").later == ()


def test_business_hours_stand_still_at_the_weekend() -> None:
    assert count("business.hours", 10, "sg", "2026-11-21T15:00").due_at == datetime.fromisoformat(
        "2026-11-23T10:00+08:00"
    )


def test_a_week_a_month_and_a_year_by_the_plain_calendar() -> None:
    assert count("calendar.weeks", 1, "nz", "2026-11-19T10:00").due_at == ends("2026-11-26", "nz")
    assert count("calendar.months", 1, "rs", "2026-10-31T10:00").due_at == ends("2026-11-30", "rs")
    assert count("calendar.years", 1, "jp", "2028-02-29T10:00").due_at == ends("2029-02-28", "jp")


def test_the_chinese_trace_says_that_2027_was_not_checked() -> None:
    texts = [step.text.ko for step in count("cn.days", 30, "cn", "2027-01-05T10:00").trace]
    assert any("확인되지 않았음" in text for text in texts)
