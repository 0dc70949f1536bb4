"""What all counting rules share: the result, the steps a lawyer reads, elapsed time, days, months, rolling over."""

import calendar as months
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from compliance.engine.calendars import SUNDAY, Calendar
from compliance.engine.instants import zone_named
from compliance.engine.types import LaterReading, LocalText, TraceStep

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Counted:
    """The end of a period (UTC) with the steps that led to it, and readings that would end it later."""

    due_at: datetime
    trace: tuple[TraceStep, ...]
    later: tuple[LaterReading, ...] = ()


CountingRule = Callable[[datetime, int, Calendar], Counted]
"""Start instant (aware), number of units, calendar of the authority."""

Off = Callable[[date], LocalText | None]
"""Why a day is off, or None."""


def begin(at: datetime) -> TraceStep:
    """The step that names the start."""
    return TraceStep(LocalText(ko="시작", en="starts"), at.astimezone(UTC))


def end(at: datetime) -> TraceStep:
    """The step that names the deadline."""
    return TraceStep(LocalText(ko="기한", en="due"), at)


def note(*, ko: str, en: str) -> TraceStep:
    """A step in words."""
    return TraceStep(LocalText(ko=ko, en=en))


def day_step(day: date, *, ko: str, en: str) -> TraceStep:
    """A step about ``day``."""
    return note(ko=f"{day.isoformat()}: {ko}", en=f"{day.isoformat()}: {en}")


def zone_of(calendar: Calendar) -> ZoneInfo:
    """The zone in which the days of this calendar are counted."""
    return zone_named(calendar.zone)


def day_of(start: datetime, calendar: Calendar) -> date:
    """The local day of the start event."""
    return start.astimezone(zone_of(calendar)).date()


def moment(day: date, at: time, calendar: Calendar) -> datetime:
    """``at`` on ``day`` in the calendar's zone, in UTC."""
    return datetime.combine(day, at, zone_of(calendar)).astimezone(UTC)


def day_ends(day: date, calendar: Calendar) -> datetime:
    """24:00 of ``day``, which is 00:00 of the next, in UTC."""
    return moment(day + DAY, time(0), calendar)


def elapsed(start: datetime, period: timedelta, words: LocalText, source: LocalText) -> Counted:
    """A period of elapsed time, added in UTC: a local clock change must not lengthen or shorten it."""
    begun = start.astimezone(UTC)
    due = begun + period
    added = note(
        ko=f"{words.ko}을 더함. 밤ㆍ주말ㆍ공휴일도 셈({source.ko})",
        en=f"plus {words.en} elapsed; nights, weekends and holidays count ({source.en})",
    )
    return Counted(due, (begin(begun), added, end(due)))


def elapsed_hours(start: datetime, n: int, source: LocalText) -> Counted:
    """``n`` elapsed hours."""
    return elapsed(start, timedelta(hours=n), LocalText(ko=f"{n}시간", en=f"{n} h"), source)


def months_after(day: date, n: int) -> date:
    """The same day number ``n`` months later; the last day of a month that has no such day."""
    year, month = divmod(day.month - 1 + n, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, months.monthrange(year, month)[1]))


@dataclass(slots=True)
class Days:
    """A period of whole local days while it is being counted."""

    start: datetime
    calendar: Calendar
    last: date
    steps: list[TraceStep]
    source: LocalText

    def ends(self, later: tuple[LaterReading, ...] = (), *, at: datetime | None = None) -> Counted:
        """The period, ending at 24:00 of its last day or at ``at``."""
        due = at if at is not None else day_ends(self.last, self.calendar)
        return Counted(due, (*self.steps, end(due)), later)

    def roll(self, off: Off) -> "Days":
        """Move a last day that is off to the next that is not, naming each day passed over and why."""
        while (reason := off(self.last)) is not None:
            self.steps.append(
                day_step(
                    self.last,
                    ko=f"{reason.ko}이므로 다음 날로({self.source.ko})",
                    en=f"{reason.en}: moves to the next day ({self.source.en})",
                )
            )
            self.last += DAY
        return self.unsure()

    def unsure(self) -> "Days":
        """Say so if the holidays of the last day's year were not checked."""
        if not self.calendar.is_sure(self.last):
            self.steps.append(
                day_step(
                    self.last,
                    ko="이 해의 공휴일은 확인되지 않았음",
                    en="the holidays of this year were not checked",
                )
            )
        return self

    def rolled(self, off: Off, *, ko: str, en: str) -> tuple[LaterReading, ...]:
        """The later reading in which a last day that is off moves on; none where it changes nothing."""
        last = skip(self.last, off)
        if last == self.last:
            return ()
        return (LaterReading(LocalText(ko=ko, en=en), day_ends(last, self.calendar)),)


def skip(day: date, off: Off) -> date:
    """``day``, or the first after it that is not off."""
    while off(day) is not None:
        day += DAY
    return day


def count_days(start: datetime, n: int, calendar: Calendar, source: LocalText, *, first: int = 0) -> Days:
    """``n`` calendar days. The day of the event is not counted; with ``first`` 1 it is the first day."""
    day = day_of(start, calendar)
    last = day + timedelta(days=n - first)
    steps = [
        begin(start),
        _first_counted(day, source) if first else _first_left_out(day, source),
        day_step(last, ko=f"{n}일째, 24:00에 끝남", en=f"day {n}, ends at 24:00"),
    ]
    return Days(start, calendar, last, steps, source)


def count_months(start: datetime, n: int, calendar: Calendar, source: LocalText) -> Days:
    """``n`` months: the same day number, or the last day of a month without it."""
    day = day_of(start, calendar)
    last = months_after(day, n)
    steps = [
        begin(start),
        _first_left_out(day, source),
        day_step(
            last,
            ko=f"{n}개월 뒤 같은 날(없으면 그 달의 마지막 날), 24:00에 끝남",
            en=f"same day number {n} months later (else the month's last day), ends at 24:00",
        ),
    ]
    return Days(start, calendar, last, steps, source)


def count_working_days(
    start: datetime, n: int, calendar: Calendar, source: LocalText, *, from_day: date | None = None
) -> Days:
    """``n`` working days of the calendar; the day of the event (or ``from_day``) is not counted."""
    day = from_day or day_of(start, calendar)
    steps = [begin(start), _first_left_out(day, source)]
    last, counted = day, 0
    while counted < n:
        last += DAY
        reason = calendar.day_off(last)
        if reason is None:
            counted += 1
        elif last.weekday() not in calendar.weekend:  # weekends are named once, at the end
            steps.append(
                day_step(last, ko=f"{reason.ko}, 세지 않음({source.ko})", en=f"{reason.en}: not counted ({source.en})")
            )
    steps.append(
        day_step(
            last,
            ko=f"영업일 {n}일째(주말은 세지 않음), 24:00에 끝남",
            en=f"working day {n} (weekends not counted), ends at 24:00",
        )
    )
    return Days(start, calendar, last, steps, source).unsure()


def later_working_day(start_day: date, n: int, calendar: Calendar) -> tuple[date, list[str]]:
    """The ``n``-th working day if the disputed days are days off, and which of them were passed over."""
    last, counted, passed = start_day, 0, []
    while counted < n:
        last += DAY
        reason = calendar.disputed(last)
        if reason is not None:
            passed.append(f"{last.isoformat()} {reason.en}")
        elif calendar.day_off(last) is None:
            counted += 1
    return last, passed


def disputed_reading(
    days: Days, n: int, start_day: date | None = None, at: time | None = None
) -> tuple[LaterReading, ...]:
    """The later reading in which disputed days are days off; none where it changes nothing."""
    calendar = days.calendar
    last, passed = later_working_day(start_day or day_of(days.start, calendar), n, calendar)
    if last == days.last:
        return ()
    due = day_ends(last, calendar) if at is None else moment(last, at, calendar)
    which = ", ".join(passed)
    return (
        LaterReading(
            LocalText(
                ko=f"확정되지 않은 휴일을 세지 않는 견해({which})",
                en=f"if days off that are not settled are not counted ({which})",
            ),
            due,
        ),
    )


def weekend_or_holiday(calendar: Calendar) -> Off:
    """The weekend of the offices, holidays and yearly closings."""
    return calendar.day_off


def sunday_or_holiday(calendar: Calendar) -> Off:
    """Sundays and holidays; Saturdays are days like others."""

    def off(day: date) -> LocalText | None:
        if day.weekday() == SUNDAY:
            return LocalText(ko="일요일", en="Sunday")
        return calendar.holiday_text(day)

    return off


def _first_left_out(day: date, source: LocalText) -> TraceStep:
    return day_step(
        day, ko=f"사건이 있은 날은 세지 않음({source.ko})", en=f"the day of the event is not counted ({source.en})"
    )


def _first_counted(day: date, source: LocalText) -> TraceStep:
    return day_step(
        day, ko=f"사건이 있은 날이 첫날임({source.ko})", en=f"the day of the event is the first day ({source.en})"
    )
