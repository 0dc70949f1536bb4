"""How laws count. Each rule of counting is one named function with its source; worked examples are its tests."""

import calendar as months
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from compliance.engine.calendars import SATURDAY, Calendar
from compliance.engine.types import LocalText, TraceStep


@dataclass(frozen=True, slots=True)
class Counted:
    """The end of a period with the steps that led to it."""

    due_at: datetime
    trace: tuple[TraceStep, ...]


CountingRule = Callable[[datetime, int, Calendar], Counted]


def kr_hours(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` elapsed hours from the very moment. Nights, weekends and holidays count; nothing rolls over.

    Source: Civil Act (민법) art. 156; art. 161 speaks of the last day of a period counted in days.
    """
    return _elapsed(start, timedelta(hours=n), LocalText(ko=f"{n}시간", en=f"{n} h"))


def kr_minutes(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` elapsed minutes from the very moment.

    Source: Civil Act (민법) art. 156.
    """
    return _elapsed(start, timedelta(minutes=n), LocalText(ko=f"{n}분", en=f"{n} min"))


def _elapsed(start: datetime, period: timedelta, words: LocalText) -> Counted:
    begun = start.astimezone(UTC)
    due = begun + period  # in UTC: a local clock change must not lengthen or shorten the period
    added = LocalText(
        ko=f"{words.ko}을 더함. 밤ㆍ주말ㆍ공휴일도 셈(민법 제156조)",
        en=f"plus {words.en} elapsed; nights, weekends and holidays count (Civil Act art. 156)",
    )
    return Counted(due, (_begin(begun), TraceStep(added), _end(due)))


def kr_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days: the first day is not counted, the last ends at 24:00; a last day off moves to the next working day.

    Source: Civil Act (민법) arts. 157, 159, 161.
    """
    begun = start.astimezone(ZoneInfo(calendar.zone))
    first = _first_day(begun)
    steps = [_begin(start), first[1]]
    last = first[0] + timedelta(days=n - 1)
    steps.append(_day_step(last, ko=f"{n}일째", en=f"day {n}"))
    return _ending(last, steps, calendar)


def kr_months(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` calendar months: the period ends the day before the same number; a month without that day ends on its last.

    Source: Civil Act (민법) arts. 157, 159, 160, 161.
    """
    begun = start.astimezone(ZoneInfo(calendar.zone))
    first, step = _first_day(begun)
    last = _months_later(first, n)
    steps = [
        _begin(start),
        step,
        _day_step(last, ko=f"{n}개월의 마지막 날(민법 제160조)", en=f"last day of {n} months (art. 160)"),
    ]
    return _ending(last, steps, calendar)


def _first_day(begun: datetime) -> tuple[date, TraceStep]:
    """Day one: the day after the start, unless the period starts at 00:00."""
    if begun.time() == time(0):
        return begun.date(), TraceStep(
            LocalText(
                ko="오전 0시에 시작하므로 첫날을 셈(민법 제157조 단서)",
                en="starts at 00:00: the first day counts (art. 157)",
            )
        )
    return begun.date() + timedelta(days=1), TraceStep(
        LocalText(ko="첫날은 세지 않음(민법 제157조)", en="the first day is not counted (Civil Act art. 157)")
    )


def _months_later(first: date, n: int) -> date:
    year, month = divmod(first.month - 1 + n, 12)
    year, month = first.year + year, month + 1
    length = months.monthrange(year, month)[1]
    if first.day > length:
        return date(year, month, length)
    return date(year, month, first.day) - timedelta(days=1)


def _ending(last: date, steps: list[TraceStep], calendar: Calendar) -> Counted:
    while (reason := _day_off(last, calendar)) is not None:
        steps.append(
            _day_step(
                last, ko=f"{reason}이므로 다음 날로(민법 제161조)", en=f"{reason}: moves to the next day (art. 161)"
            )
        )
        last += timedelta(days=1)
    if not calendar.is_sure(last):
        steps.append(
            _day_step(last, ko="이 해의 공휴일은 확인되지 않았음", en="the holidays of this year were not checked")
        )
    due = datetime.combine(last + timedelta(days=1), time(0), ZoneInfo(calendar.zone)).astimezone(UTC)
    steps.append(_end(due))
    return Counted(due, tuple(steps))


def _day_off(day: date, calendar: Calendar) -> str | None:
    if day.weekday() == SATURDAY:
        return "토요일 (Saturday)"
    if day.weekday() > SATURDAY:
        return "일요일 (Sunday)"
    return calendar.holiday(day)


def _begin(at: datetime) -> TraceStep:
    return TraceStep(LocalText(ko="시작", en="starts"), at.astimezone(UTC))


def _end(at: datetime) -> TraceStep:
    return TraceStep(LocalText(ko="기한", en="due"), at)


def _day_step(day: date, *, ko: str, en: str) -> TraceStep:
    return TraceStep(LocalText(ko=f"{day.isoformat()}: {ko}", en=f"{day.isoformat()}: {en}"))


COUNTING: dict[str, tuple[str, CountingRule]] = {
    "kr.hours": ("hours", kr_hours),
    "kr.minutes": ("minutes", kr_minutes),
    "kr.days": ("days", kr_days),
    "kr.months": ("months", kr_months),
}
