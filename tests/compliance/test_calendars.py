"""Days off: the tables and findings of the research, country by country, and what a calendar file may say."""

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from compliance.engine import calendars as module
from compliance.engine.calendars import Calendar, next_working_day, read_calendar
from compliance.engine.errors import LawError
from compliance.engine.strict import Node, read_file, read_yaml

LAW = Path(module.__file__).parent.parent / "law"
FILES = {path.stem: read_file(path, root=LAW) for path in sorted((LAW / "calendars").glob("*.yaml"))}
CALENDARS = {stem: read_calendar(node) for stem, node in FILES.items()}
EU = [
    "at",
    "be",
    "bg",
    "hr",
    "cy",
    "cz",
    "dk",
    "ee",
    "fi",
    "fr",
    "de",
    "gr",
    "hu",
    "ie",
    "it",
    "lv",
    "lt",
    "lu",
    "mt",
    "nl",
    "pl",
    "pt",
    "ro",
    "sk",
    "si",
    "es",
    "se",
]
STATES = [key for key in CALENDARS if key.startswith("us-") and key not in ("us-fed", "us-edgar")]


def days(year: int) -> list[date]:
    return [day for n in range(366) if (day := date(year, 1, 1) + timedelta(days=n)).year == year]


def read(text: str) -> Calendar:
    return read_calendar(Node(read_yaml(text, file="x.yaml"), file="x.yaml", key=""))


@pytest.mark.parametrize("stem", CALENDARS)
def test_a_file_is_named_for_its_key_and_its_zone_exists(stem: str) -> None:
    assert CALENDARS[stem].key == stem.upper()
    assert ZoneInfo(CALENDARS[stem].zone).key == CALENDARS[stem].zone


@pytest.mark.parametrize("stem", CALENDARS)
def test_every_day_off_has_a_name_to_read_in_every_year(stem: str) -> None:
    calendar = CALENDARS[stem]
    for day in [*days(2023), *days(2026), *days(2028)]:
        for named in (calendar.day_off(day), calendar.disputed(day), calendar.holiday_text(day)):
            assert named is None or (named.ko and named.en)


def test_there_is_a_calendar_for_every_place_the_law_speaks_of() -> None:
    world = [
        "kr",
        "eu",
        "no",
        "is",
        "li",
        "gb",
        "gb-eng",
        "gb-sct",
        "gb-nir",
        "ch",
        "jp",
        "sg",
        "au",
        "au-act",
        "au-nsw",
        "in",
        "hk",
        "cn",
        "tw",
        "th",
        "ph",
        "id",
        "vn",
        "lk",
        "bd",
        "my",
        "nz",
        "br",
        "ca",
        "ca-qc",
        "ca-ab",
        "mx",
        "ar",
        "cl",
        "co",
        "pe",
        "uy",
        "tr",
        "il",
        "ae",
        "sa",
        "qa",
        "om",
        "bh",
        "kw",
        "jo",
        "eg",
        "za",
        "ke",
        "ng",
        "gh",
        "rs",
        "ua",
        "ru",
        "de-he",
        "de-nw",
        "us-fed",
        "us-edgar",
    ]
    assert set(EU) | set(world) <= CALENDARS.keys()
    assert len(STATES) == 56


def test_loading_all_calendars_computes_no_holiday() -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from compliance.engine.calendars import read_calendar\n"
        "from compliance.engine.strict import read_file\n"
        "root = Path(sys.argv[1])\n"
        "[read_calendar(read_file(path, root=root)) for path in (root / 'calendars').glob('*.yaml')]\n"
        "assert 'holidays' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(LAW)], check=True, cwd=LAW.parent.parent)


FEDERAL = {
    2025: "01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25",
    2026: "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25",
    2027: "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31",
}


@pytest.mark.parametrize("year", FEDERAL)
def test_the_federal_calendar_is_the_table_of_5_usc_6103_as_observed(year: int) -> None:
    found = [day.isoformat()[5:] for day in days(year) if day.weekday() < 5 and CALENDARS["us-fed"].day_off(day)]
    assert found == FEDERAL[year].split()


def test_edgar_was_closed_on_the_day_of_mourning_and_two_closings_are_not_confirmed() -> None:
    edgar, federal = CALENDARS["us-edgar"], CALENDARS["us-fed"]
    assert edgar.day_off(date(2025, 1, 9))
    assert not federal.day_off(date(2025, 1, 9))
    assert federal.disputed(date(2025, 1, 9))
    for day in (date(2025, 12, 24), date(2025, 12, 26)):
        assert edgar.day_off(day) is None
        assert edgar.disputed(day)


@pytest.mark.parametrize("day", ["2026-11-27", "2026-04-03", "2026-11-03", "2026-12-24", "2026-12-31"])
def test_days_that_are_no_federal_holidays_are_worked(day: str) -> None:
    assert CALENDARS["us-edgar"].day_off(date.fromisoformat(day)) is None


@pytest.mark.parametrize("stem", STATES)
def test_a_state_keeps_the_eight_common_holidays_and_the_rest_is_disputed(stem: str) -> None:
    common = [
        "01-01",
        "01-19",
        "05-25",
        "09-07",
        "11-11",
        "11-26",
        "12-25",
    ]  # 4 July 2026 is a Saturday, observed or not
    for day in common:
        assert CALENDARS[stem].day_off(date.fromisoformat(f"2026-{day}"))
    off = {day.isoformat()[5:] for day in days(2026) if day.weekday() < 5 and CALENDARS[stem].day_off(day)}
    assert off <= {*common, "07-03", "07-06"}


def test_juneteenth_and_columbus_day_are_disputed_in_a_state_that_lists_them() -> None:
    assert CALENDARS["us-ny"].disputed(date(2026, 6, 19))
    assert CALENDARS["us-ma"].disputed(date(2026, 10, 12))


FOUND = [  # calendar, days off (weekdays), worked days: the findings of the comparison, row by row
    ("jp", "2026-09-22 2027-03-22 2026-12-29 2026-12-30 2026-12-31 2027-01-01", "2026-12-28 2027-01-04"),
    ("sg", "2025-05-03 2026-11-09 2027-05-17 2027-10-28", "2027-10-29"),
    ("hk", "2026-04-03 2026-04-06 2026-04-07 2027-02-08 2027-02-09 2027-12-27", "2026-04-08"),
    ("cn", "2026-10-01 2026-10-07", "2026-01-04 2026-02-14 2026-02-28 2026-05-09 2026-09-20 2026-10-10"),
    ("cn", "2025-10-08", "2025-01-26 2025-02-08 2025-04-27 2025-09-28 2025-10-11"),
    ("tw", "2026-09-28 2026-05-01", "2025-02-08"),
    ("au-nsw", "2025-01-27 2026-04-27 2027-04-26", "2026-06-09"),
    ("ca", "2026-04-06 2026-04-03 2026-05-18 2026-09-30", "2025-12-26 2026-12-28 2026-08-03"),
    ("br", "2026-04-03 2026-11-20", "2026-02-16 2026-02-17 2026-06-04 2026-12-24 2026-12-31"),
    ("sa", "", "2025-02-23 2025-06-10 2026-03-24 2026-05-31 2027-03-14"),
    ("ae", "2026-05-25", "2026-06-15 2026-08-28"),
    ("my-02", "2026-11-20", "2026-11-22"),  # Friday off, Sunday worked
    ("za", "2026-11-04", "2026-11-05"),
    ("vn", "2026-08-31", "2026-08-22 2026-11-24"),
    ("tr", "2026-10-29", "2026-10-28"),
    ("ua", "", "2026-01-01 2026-08-24"),
    ("gb", "2026-04-06 2026-08-31", "2026-11-30"),
    ("gb-sct", "2026-06-15", "2026-04-06"),
    ("de", "2026-10-03 2026-05-01", "2026-06-04"),
    ("de-nw", "2026-06-04", "2026-10-30"),
    ("fr", "2026-04-06", "2026-04-03 2025-12-26"),
    ("eu-target", "2026-01-01 2026-04-03 2026-04-06 2026-05-01 2026-12-25", "2026-12-28 2027-12-27"),
    ("eg", "2026-11-06", "2026-11-05 2026-11-08"),
    ("il", "2026-11-20", "2026-11-22"),
    ("co", "2026-10-12 2026-11-02", "2026-10-09"),
]


@pytest.mark.parametrize(("stem", "off", "worked"), FOUND)
def test_a_calendar_agrees_with_what_the_research_found(stem: str, off: str, worked: str) -> None:
    calendar = CALENDARS[stem]
    assert [day for day in off.split() if calendar.day_off(date.fromisoformat(day)) is None] == []
    assert [day for day in worked.split() if calendar.day_off(date.fromisoformat(day)) is not None] == []


def test_the_union_knows_only_the_days_all_member_states_share() -> None:
    for year in (2025, 2026, 2027):
        shared = {day for day in days(year) if all(CALENDARS[stem].holiday(day) for stem in EU)}
        assert {day for day in days(year) if CALENDARS["eu"].holiday(day)} == shared


@pytest.mark.parametrize(
    ("stem", "sure", "unsure"),
    [("cn", 2026, 2027), ("kr", 2027, 2028), ("nz", 2026, 2027), ("ae", 2025, 2026), ("sa", 2025, 2026)],
)
def test_a_calendar_says_which_years_it_was_checked_for(stem: str, sure: int, unsure: int) -> None:
    assert CALENDARS[stem].is_sure(date(sure, 7, 1))
    assert not CALENDARS[stem].is_sure(date(unsure, 7, 1))


def test_a_calendar_that_was_never_compared_is_sure_of_no_year() -> None:
    assert not CALENDARS["lk"].is_sure(date(2026, 7, 1))


def test_an_administrator_adds_a_day_off_and_the_calendar_itself_stays_as_it_was() -> None:
    day, korea = date(2026, 11, 20), CALENDARS["kr"]
    added = korea.with_days({day: "임시공휴일"})
    assert added.holiday(day) == "임시공휴일"
    assert korea.holiday(day) is None
    assert korea.with_days({}) is korea


def test_a_day_added_by_hand_settles_an_unconfirmed_closing_and_undoes_a_removal() -> None:
    edgar = CALENDARS["us-edgar"].with_days({date(2025, 12, 24): "closed by the SEC"})
    assert edgar.day_off(date(2025, 12, 24))
    assert edgar.disputed(date(2025, 12, 24)) is None
    assert CALENDARS["ca"].with_days({date(2025, 12, 26): "closed"}).day_off(date(2025, 12, 26))


def test_names_are_read_in_english_and_korean_ones_in_korean_too() -> None:
    assert CALENDARS["kr"].holiday_text(date(2026, 10, 5)).ko.startswith("개천절")
    assert CALENDARS["kr"].holiday_text(date(2026, 10, 5)).en.isascii()
    assert CALENDARS["de"].day_off(date(2026, 12, 25)).en == "Christmas Day"
    assert CALENDARS["kr"].day_off(date(2026, 11, 21)).ko == "토요일"


def test_the_next_working_day_passes_over_weekend_and_holidays() -> None:
    assert next_working_day(date(2026, 4, 2), CALENDARS["de"]) == date(2026, 4, 7)


BASE = "key: X\nzone: Europe/Berlin\nsources: [a source]\n"


def test_a_calendar_without_a_country_has_the_days_it_is_given_and_no_others() -> None:
    found = read(BASE + "weekend: [friday]\nyearly:\n  - {on: 02-29, name: leap, source: s}\n")
    assert found.day_off(date(2028, 2, 29)).en == "leap"
    assert found.day_off(date(2026, 11, 20)).en == "Friday"
    assert found.day_off(date(2026, 11, 21)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("key: X\nzone: Europe/Nowhere\nsources: [s]\n", "zone: 'Europe/Nowhere': expected a zone"),
        (BASE + "weekend: [caturday]\n", "weekend[0]: 'caturday': expected one of"),
        (BASE + "closed:\n  - {on: 13-40, name: n, source: s}\n", "closed[0].on: '13-40': expected a month and day"),
        (BASE + "add:\n  - {on: 2026-01-05, name: n}\n", "add[0].source: missing"),
        (BASE + "holydays: []\n", "holydays: unknown key"),
        (BASE + "sure: {from: 2025}\n", "sure.until: missing"),
        ("key: X\nzone: Europe/Berlin\nsources: []\n", "sources: expected a list of at least 1"),
        (BASE + "extension: {weekdays: [sunday], holidays: 1, source: s}\n", "extension.holidays: 1: expected true"),
    ],
)
def test_a_calendar_file_that_is_wrong_is_refused_with_file_key_and_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(LawError) as caught:
        read(text)
    assert "x.yaml" in str(caught.value)
    assert expected in str(caught.value)
