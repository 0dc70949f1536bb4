"""Turning what people write into one instant, or an error that says why it cannot be done."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from compliance.engine.errors import NaiveInstant, RepeatedLocalTime, SkippedLocalTime, UnreadableTime


@cache
def zone_named(name: str) -> ZoneInfo:
    """The zone ``name`` (IANA), read once: zoneinfo itself keeps only the last eight.

    Raises:
        ZoneInfoNotFoundError, ValueError: there is none.
    """
    return ZoneInfo(name)


def parse_instant(text: str, zone: str | None = None) -> datetime:
    """The instant that ``text`` (ISO 8601) names, in UTC.

    A text with an offset needs no ``zone``. A local time is read in ``zone`` (IANA name); without one it is refused.

    Raises:
        UnreadableTime: not a date and time.
        NaiveInstant: neither offset nor zone.
        RepeatedLocalTime: the local time happens twice in ``zone``.
        SkippedLocalTime: the local time never happens in ``zone``.
    """
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UnreadableTime(
            ko=f"“{text}”은(는) 날짜와 시각이 아닙니다. 예: 2025-09-15T14:00+09:00",
            en=f"“{text}” is not a date and time. Expected for example 2025-09-15T14:00+09:00",
        ) from None
    if given.tzinfo is not None:
        return given.astimezone(UTC)
    if zone is None:
        raise NaiveInstant(
            ko=f"{text}: 시간대가 없습니다. 예: {text}+09:00",
            en=f"{text}: has no time zone. Expected for example {text}+09:00",
        )
    return _local(given, text=text, zone=zone)


def _local(given: datetime, *, text: str, zone: str) -> datetime:
    place = zone_named(zone)
    first, second = given.replace(tzinfo=place, fold=0), given.replace(tzinfo=place, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    if first.astimezone(UTC).astimezone(place).replace(tzinfo=None) != given:
        raise SkippedLocalTime(
            ko=f"{text}: {zone}에는 이 시각이 없습니다(시계를 앞당긴 시간). 시차를 붙여 주십시오.",
            en=f"{text} never happens in {zone}: clocks skip it. Give the time with its offset.",
        )
    offsets = " / ".join(f"{text}{moment.isoformat()[-6:]}" for moment in (first, second))
    raise RepeatedLocalTime(
        ko=f"{text}: {zone}에서 두 번 있습니다. 어느 쪽입니까? {offsets}",
        en=f"{text} happens twice in {zone}. Which one? {offsets}",
    )


def in_zone(at: datetime, zone: str) -> str:
    """``at`` as ISO 8601 with the offset of ``zone``."""
    return at.astimezone(zone_named(zone)).isoformat()
