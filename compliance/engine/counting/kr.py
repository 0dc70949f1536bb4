"""Republic of Korea: periods as the Civil Act (민법) arts. 155-161 counts them."""

from datetime import date, datetime, time, timedelta

from compliance.engine.calendars import Calendar
from compliance.engine.counting.common import (
    DAY,
    Counted,
    Days,
    begin,
    count_working_days,
    day_step,
    elapsed,
    elapsed_hours,
    months_after,
    note,
    weekend_or_holiday,
    zone_of,
)
from compliance.engine.types import LocalText, TraceStep

_ART_156 = LocalText(ko="민법 제156조", en="Civil Act art. 156")
_ART_161 = LocalText(ko="민법 제161조", en="Civil Act art. 161")


def kr_hours(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` elapsed hours from the very moment. Nights, weekends and holidays count; nothing rolls over.

    Source: Civil Act (민법) art. 156; art. 161 speaks of the last day of a period counted in days.
    """
    return elapsed_hours(start, n, _ART_156)


def kr_minutes(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` elapsed minutes from the very moment.

    Source: Civil Act (민법) art. 156.
    """
    return elapsed(start, timedelta(minutes=n), LocalText(ko=f"{n}분", en=f"{n} min"), _ART_156)


def kr_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days: the first day is not counted, the last ends at 24:00; a last day off moves to the next working day.

    Source: Civil Act (민법) arts. 157, 159, 161.
    """
    first, step = _first_day(start, calendar)
    last = first + timedelta(days=n - 1)
    return _ending(start, last, [step, day_step(last, ko=f"{n}일째", en=f"day {n}")], calendar)


def kr_weeks(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` weeks, which end the day before the same weekday as the first day; rolls over as days do.

    Source: Civil Act (민법) arts. 157, 160, 161.
    """
    first, step = _first_day(start, calendar)
    last = first + timedelta(weeks=n) - DAY
    words = day_step(last, ko=f"{n}주의 마지막 날(민법 제160조)", en=f"last day of {n} weeks (art. 160)")
    return _ending(start, last, [step, words], calendar)


def kr_months(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` calendar months: the period ends the day before the same number; a month without that day ends on its last.

    Source: Civil Act (민법) arts. 157, 159, 160, 161.
    """
    first, step = _first_day(start, calendar)
    last = _before_same_number(first, n)
    words = day_step(last, ko=f"{n}개월의 마지막 날(민법 제160조)", en=f"last day of {n} months (art. 160)")
    return _ending(start, last, [step, words], calendar)


def kr_years(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` years, counted as twelve times as many months.

    Source: Civil Act (민법) arts. 157, 159, 160, 161.
    """
    return kr_months(start, 12 * n, calendar)


def kr_business_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` working days (Saturdays, Sundays and public holidays left out); the first day as in a period of days.

    Source: Civil Act (민법) arts. 157, 159, for the first day and the end; the days left out are those of art. 161.
    """
    first, step = _first_day(start, calendar)
    days = count_working_days(start, n, calendar, _ART_161, from_day=first - DAY)
    days.steps[1] = step
    return days.ends()


def _first_day(start: datetime, calendar: Calendar) -> tuple[date, TraceStep]:
    """Day one: the day after the start, unless the period starts at 00:00."""
    begun = start.astimezone(zone_of(calendar))
    if begun.time() == time(0):
        return begun.date(), note(
            ko="오전 0시에 시작하므로 첫날을 셈(민법 제157조 단서)",
            en="starts at 00:00: the first day counts (art. 157)",
        )
    return begun.date() + DAY, note(
        ko="첫날은 세지 않음(민법 제157조)", en="the first day is not counted (Civil Act art. 157)"
    )


def _before_same_number(first: date, n: int) -> date:
    found = months_after(first, n)
    return found if found.day < first.day else found - DAY


def _ending(start: datetime, last: date, steps: list[TraceStep], calendar: Calendar) -> Counted:
    days = Days(start, calendar, last, [begin(start), *steps], _ART_161)
    return days.roll(weekend_or_holiday(calendar)).ends()
