"""A local time becomes one instant, or an error a person understands. Never a guess."""

from datetime import UTC, datetime

import pytest

from compliance.engine import (
    NaiveInstant,
    RepeatedLocalTime,
    SkippedLocalTime,
    TimeError,
    UnreadableTime,
    parse_instant,
)


def test_an_offset_says_it_all() -> None:
    assert parse_instant("2025-09-15T14:00+09:00") == datetime(2025, 9, 15, 5, tzinfo=UTC)


def test_a_local_time_is_read_in_its_zone() -> None:
    assert parse_instant("2025-09-15T14:00", "Asia/Seoul") == datetime(2025, 9, 15, 5, tzinfo=UTC)


def test_a_time_without_zone_is_refused_with_an_example() -> None:
    with pytest.raises(
        NaiveInstant, match=r"2025-09-15T14:00: has no time zone. Expected for example 2025-09-15T14:00\+09:00"
    ):
        parse_instant("2025-09-15T14:00")


def test_a_repeated_local_time_asks_which_one() -> None:
    with pytest.raises(RepeatedLocalTime) as refused:
        parse_instant("2026-10-25T02:30", "Europe/Berlin")
    assert str(refused.value) == (
        "2026-10-25T02:30 happens twice in Europe/Berlin. Which one? 2026-10-25T02:30+02:00 / 2026-10-25T02:30+01:00"
    )
    assert "두 번" in refused.value.ko


def test_a_skipped_local_time_is_refused() -> None:
    with pytest.raises(SkippedLocalTime, match="never happens in Europe/Berlin"):
        parse_instant("2026-03-29T02:30", "Europe/Berlin")


@pytest.mark.parametrize("text", ["", "yesterday", "2025-13-01T00:00+09:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UnreadableTime):
        parse_instant(text)


def test_a_time_that_cannot_be_read_is_told_in_korean_too() -> None:
    told = []
    for text, zone in (
        ("noon", None),
        ("2025-09-15T14:00", None),
        ("2026-03-29T02:30", "Europe/Berlin"),
        ("2026-10-25T02:30", "Europe/Berlin"),
    ):
        with pytest.raises(TimeError) as refused:
            parse_instant(text, zone)
        told.append(refused.value.ko)
    assert told == [
        "“noon”은(는) 날짜와 시각이 아닙니다. 예: 2025-09-15T14:00+09:00",
        "2025-09-15T14:00: 시간대가 없습니다. 예: 2025-09-15T14:00+09:00",
        "2026-03-29T02:30: Europe/Berlin에는 이 시각이 없습니다(시계를 앞당긴 시간). 시차를 붙여 주십시오.",
        "2026-10-25T02:30: Europe/Berlin에서 두 번 있습니다. 어느 쪽입니까? 2026-10-25T02:30+02:00 / 2026-10-25T02:30+01:00",
    ]


@pytest.mark.parametrize("text", ["2025-09-15T14:00+09:00", "2025-09-15T14:00", " 2025-09-15T14:00 "])
def test_an_instant_is_given_in_utc(text: str) -> None:
    found = parse_instant(text, "Asia/Seoul")
    assert (found.isoformat(), found.tzinfo) == ("2025-09-15T05:00:00+00:00", UTC)
