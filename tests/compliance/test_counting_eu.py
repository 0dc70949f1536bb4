"""Counting under Regulation 1182/71, DORA and national law: the worked examples of the research, by their names."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from compliance.engine.calendars import Calendar
from compliance.engine.counting import COUNTING
from compliance.engine.types import LaterReading
from tests.compliance.test_calendars import CALENDARS


def place(zone: str, holidays: str = "") -> Calendar:
    """A calendar with these holidays and no others."""
    return Calendar(key="TEST", zone=zone, added={date.fromisoformat(day): "holiday" for day in holidays.split()})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def last_day(due: datetime, zone: str) -> str:
    """The local day a period that ends at 24:00 ends on."""
    local = due.astimezone(ZoneInfo(zone))
    assert local.time().isoformat() == "00:00:00"
    return (local - timedelta(seconds=1)).date().isoformat()


# id, start, zone, hours, holidays, strict, legal, A, B ("-": the file gives none)
HOURS = """
H01|2026-11-18T10:20:00+01:00|Europe/Berlin|72||2026-11-21T10:20:00+01:00|2026-11-21T11:00:00+01:00|2026-11-21T11:00:00+01:00|2026-11-21T11:00:00+01:00
H02|2026-11-18T10:00:00+01:00|Europe/Berlin|72||2026-11-21T10:00:00+01:00|2026-11-21T11:00:00+01:00|2026-11-21T11:00:00+01:00|2026-11-21T11:00:00+01:00
H03|2020-12-22T12:17:00+01:00|Europe/Berlin|72|2020-12-25 2020-12-26|2020-12-25T12:17:00+01:00|2020-12-25T13:00:00+01:00|2020-12-25T13:00:00+01:00|2020-12-25T13:00:00+01:00
H04|2026-11-20T15:45:00+01:00|Europe/Paris|72||2026-11-23T15:45:00+01:00|2026-11-23T16:00:00+01:00|2026-11-23T16:00:00+01:00|2026-11-25T00:00:00+01:00
H05|2026-12-24T10:15:00+01:00|Europe/Paris|72|2026-12-25|2026-12-27T10:15:00+01:00|2026-12-27T11:00:00+01:00|2026-12-29T00:00:00+01:00|2026-12-30T00:00:00+01:00
H06|2026-04-02T17:05:00+02:00|Europe/Berlin|72|2026-04-03 2026-04-06|2026-04-05T17:05:00+02:00|2026-04-05T18:00:00+02:00|2026-04-08T00:00:00+02:00|2026-04-09T00:00:00+02:00
H07|2026-03-27T22:30:00+01:00|Europe/Berlin|72||2026-03-30T23:30:00+02:00|2026-03-31T00:00:00+02:00|2026-03-31T00:00:00+02:00|2026-04-01T00:00:00+02:00
H08|2026-10-23T18:20:00+02:00|Europe/Madrid|72||2026-10-26T17:20:00+01:00|2026-10-26T18:00:00+01:00|2026-10-26T18:00:00+01:00|2026-10-28T00:00:00+01:00
H09|2026-11-21T23:40:00+01:00|Europe/Rome|24||2026-11-22T23:40:00+01:00|2026-11-23T00:00:00+01:00|-|-
H10|2026-05-13T14:25:00+02:00|Europe/Vienna|24|2026-05-14|2026-05-14T14:25:00+02:00|2026-05-14T15:00:00+02:00|-|-
H11|2026-08-14T09:59:59+03:00|Europe/Athens|72|2026-08-15|2026-08-17T09:59:59+03:00|2026-08-17T10:00:00+03:00|2026-08-17T10:00:00+03:00|2026-08-19T00:00:00+03:00
H12|2026-12-25T11:30:00+00:00|Europe/London|72|2026-12-25 2026-12-28|2026-12-28T11:30:00+00:00|2026-12-28T12:00:00+00:00|2026-12-31T00:00:00+00:00|2026-12-31T00:00:00+00:00
"""


@pytest.mark.parametrize("row", HOURS.split("\n")[1:-1], ids=lambda row: row[:3])
def test_hours_are_due_strictly_and_the_later_readings_are_only_shown(row: str) -> None:
    _, start, zone, n, holidays, strict, legal, *readings = row.split("|")
    found = COUNTING["eu1182.hours"][1](at(start), int(n), place(zone, holidays))
    assert found.due_at == at(strict)
    assert [reading.due_at for reading in found.later] == [at(legal)]
    notes = [step.at for step in found.trace if "note for counsel" in step.text.en]
    assert notes == [at(reading) for reading in readings if reading != "-" and at(reading) != at(legal)]


# id, start, zone, n, holidays, day without extension, day with it
DAYS = """
D01|2026-05-14T13:00:00+02:00|Europe/Vienna|3|2026-05-14|2026-05-17|2026-05-18
D02|2027-12-03T16:00:00+01:00|Europe/Paris|2||2027-12-05|2027-12-07
D03|2027-12-10T09:00:00+01:00|Europe/Paris|15|2027-12-25|2027-12-25|2027-12-27
D04|2026-10-04T12:00:00+02:00|Europe/Madrid|14|2026-10-12|2026-10-18|2026-10-19
D05|2026-10-01T08:00:00+02:00|Europe/Berlin|14||2026-10-15|2026-10-15
D06|2027-12-23T10:00:00+01:00|Europe/Berlin|2|2027-12-25 2027-12-26|2027-12-25|2027-12-27
D07|2027-12-22T18:00:00+01:00|Europe/Berlin|10|2027-12-25 2027-12-26 2028-01-01|2028-01-01|2028-01-03
"""
MONTHS = """
M01|2026-01-30T09:00:00+01:00|Europe/Brussels|1||2026-02-28|2026-03-02
M02|2026-03-10T11:00:00+01:00|Europe/Brussels|1|2026-04-06|2026-04-10|2026-04-10
M03|2026-10-31T16:00:00+01:00|Europe/Amsterdam|1||2026-11-30|2026-11-30
M04|2028-01-31T12:00:00+01:00|Europe/Berlin|1||2028-02-29|2028-02-29
M05|2026-11-25T10:00:00+01:00|Europe/Paris|1|2026-12-25|2026-12-25|2026-12-28
"""
PERIODS = [(unit, row) for unit, rows in (("days", DAYS), ("months", MONTHS)) for row in rows.split("\n")[1:-1]]


@pytest.mark.parametrize(("unit", "row"), PERIODS, ids=[row[:3] for _, row in PERIODS])
def test_days_and_months_of_a_regulation_roll_over_and_of_national_law_only_for_show(unit: str, row: str) -> None:
    _, start, zone, n, holidays, nominal, legal = row.split("|")
    calendar = place(zone, holidays)
    regulation = COUNTING[f"eu1182.{unit}"][1](at(start), int(n), calendar)
    assert last_day(regulation.due_at, zone) == legal
    assert regulation.later == ()
    national = COUNTING[f"eu.national.{unit}"][1](at(start), int(n), calendar)
    assert last_day(national.due_at, zone) == nominal
    assert bool(national.later) == (nominal != legal)


def test_the_trace_names_the_extension_to_two_working_days() -> None:
    found = COUNTING["eu1182.days"][1](at("2027-12-03T16:00:00+01:00"), 2, place("Europe/Paris"))
    texts = [step.text.en for step in found.trace]
    assert any("2027-12-05: Sunday: moves to the next day" in text for text in texts)
    assert any("2027-12-07: extended to hold two working days" in text for text in texts)


def test_medical_devices_keep_the_unmoved_day_and_show_the_extension() -> None:
    found = COUNTING["eu.mdr.days"][1](at("2027-12-03T16:00:00+01:00"), 2, place("Europe/Paris"))
    assert last_day(found.due_at, "Europe/Paris") == "2027-12-05"
    assert [last_day(reading.due_at, "Europe/Paris") for reading in found.later] == ["2027-12-07"]


def shown(later: tuple[LaterReading, ...]) -> list[datetime]:
    return [reading.due_at for reading in later]


# id, rule, n, start, zone, holidays, due, extended
DORA_LATER = """
R01|dora.hours|4|2026-11-20T22:30:00+01:00|Europe/Berlin||2026-11-21T02:30:00+01:00|2026-11-23T12:00:00+01:00
R05|dora.hours|4|2026-12-25T09:00:00+01:00|Europe/Luxembourg|2026-12-25 2026-12-26|2026-12-25T13:00:00+01:00|2026-12-28T12:00:00+01:00
R06|dora.hours|72|2026-11-19T11:00:00+01:00|Europe/Luxembourg||2026-11-22T11:00:00+01:00|2026-11-23T12:00:00+01:00
R07|dora.hours|72|2026-12-22T15:30:00+01:00|Europe/Paris|2026-12-25|2026-12-25T15:30:00+01:00|2026-12-28T12:00:00+01:00
R08|dora.months|1|2026-11-19T17:00:00+01:00|Europe/Paris||2026-12-20T00:00:00+01:00|2026-12-21T12:00:00+01:00
R09|dora.months|1|2026-10-31T16:00:00+01:00|Europe/Amsterdam||2026-12-01T00:00:00+01:00|-
"""


@pytest.mark.parametrize("row", DORA_LATER.split("\n")[1:-1], ids=lambda row: row[:3])
def test_doras_later_reports_run_from_the_submission_before(row: str) -> None:
    _, rule, n, start, zone, holidays, due, extended = row.split("|")
    found = COUNTING[rule][1](at(start), int(n), place(zone, holidays))
    assert found.due_at == at(due)
    assert shown(found.later) == ([] if extended == "-" else [at(extended)])


@pytest.mark.parametrize(
    ("stem", "start", "n", "last"),
    [
        ("pt", "2026-11-20T10:00:00+00:00", 30, "2027-01-07"),  # 1, 8, 25 December and 1 January left out
        ("gb", "2026-12-23T10:00:00+00:00", 3, "2026-12-30"),  # 24, 29, 30: Boxing Day is kept on Monday 28
        ("de", "2026-04-02T10:00:00+02:00", 2, "2026-04-08"),
    ],
)
def test_working_days_of_a_member_state_leave_its_holidays_out(stem: str, start: str, n: int, last: str) -> None:
    calendar = CALENDARS[stem]
    for rule in ("eu.national.working_days", "eu1182.working_days", "business.days"):
        assert last_day(COUNTING[rule][1](at(start), n, calendar).due_at, calendar.zone) == last


def test_bank_business_days_follow_target() -> None:
    found = COUNTING["bank.business_days"][1](at("2026-04-02T10:00:00+02:00"), 1, CALENDARS["eu-target"])
    assert last_day(found.due_at, "Europe/Brussels") == "2026-04-07"


def test_two_weeks_end_with_the_same_weekday() -> None:
    start = at("2026-11-19T10:00:00+00:00")
    for rule in ("calendar.weeks", "eu1182.weeks", "eu.national.weeks"):
        assert last_day(COUNTING[rule][1](start, 2, CALENDARS["gb"]).due_at, "Europe/London") == "2026-12-03"


def test_national_hours_are_strict_and_have_no_later_reading() -> None:
    found = COUNTING["eu.national.hours"][1](at("2026-11-18T10:20:00+01:00"), 24, CALENDARS["de"])
    assert found.due_at == at("2026-11-19T10:20:00+01:00")
    assert found.later == ()
