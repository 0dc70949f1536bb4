"""Rules that no one country owns: elapsed time, and periods by the calendar without any roll-over."""

from datetime import UTC, date, datetime, time, timedelta

from compliance.engine.calendars import Calendar
from compliance.engine.counting.common import (
    DAY,
    Counted,
    Days,
    begin,
    count_days,
    count_months,
    count_working_days,
    day_of,
    day_step,
    disputed_reading,
    elapsed,
    elapsed_hours,
    end,
    moment,
    months_after,
    note,
)
from compliance.engine.types import LaterReading, LocalText

_STRICT = LocalText(ko="엄격한 해석", en="strict reading")
_PLAIN = LocalText(ko="달력에 따른 통상의 계산", en="plain calendar count")


def strict_hours(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` elapsed hours from the very moment, added in UTC; no roll-over. Never later than any law's own count.

    Source: the strict reading, used wherever a law gives hours and says no more.
    """
    return elapsed_hours(start, n, _STRICT)


def strict_minutes(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` elapsed minutes from the very moment.

    Source: the strict reading, as for hours.
    """
    return elapsed(start, timedelta(minutes=n), LocalText(ko=f"{n}분", en=f"{n} min"), _STRICT)


def calendar_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days: the day of the event is day 0, the last day ends at 24:00 local; no roll-over.

    Source: plain meaning of "calendar days" (Singapore PDPA, Philippine NPC, most laws without a counting rule).
    """
    return count_days(start, n, calendar, _PLAIN).ends()


def calendar_weeks(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` weeks: ends with the same weekday as the event, at 24:00 local; no roll-over.

    Source: plain meaning of "weeks".
    """
    return count_days(start, 7 * n, calendar, _PLAIN).ends()


def calendar_months(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` months: same day number, or the month's last day, at 24:00 local; no roll-over.

    Source: plain meaning of "months".
    """
    return count_months(start, n, calendar, _PLAIN).ends()


def calendar_years(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` years: same date, 29 February falling on the 28th in a common year, at 24:00 local; no roll-over.

    Source: plain meaning of "years".
    """
    return count_months(start, 12 * n, calendar, _PLAIN).ends()


def business_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` working days of the calendar: the day of the event is day 0, day ``n`` ends at 24:00 local.

    A start on a day off makes the next working day day 1. Disputed days off are worked days for the deadline; the
    reading that leaves them out is shown.

    Source: plain meaning of "business days"; the calendar says whose.
    """
    days = count_working_days(start, n, calendar, _PLAIN)
    return days.ends(disputed_reading(days, n))


def bank_business_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` business days of banks: as ``business_days``, with a bank calendar such as EU-TARGET.

    Source: plain meaning of "bank business days"; TARGET closes on 1 January, Good Friday, Easter Monday, 1 May, 25 and
    26 December and at weekends.
    """
    return business_days(start, n, calendar)


def business_hours(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` hours that run on working days of the calendar only, by night too; they stand still on days off.

    Source: plain meaning of a period in hours that leaves days off out.
    """
    due = hours_on_working_days(start, n, calendar)
    words = note(
        ko=f"근무일에만 흐르는 {n}시간을 더함. 주말ㆍ휴일에는 멈춤",
        en=f"plus {n} h that run on working days only; they stand still at weekends and on holidays",
    )
    return Counted(due, (begin(start), words, end(due)))


def hours_on_working_days(start: datetime, n: int, calendar: Calendar) -> datetime:
    """The instant (UTC) at which ``n`` hours have run on working days."""
    left, at, day = timedelta(hours=n), start.astimezone(UTC), day_of(start, calendar)
    while True:
        midnight = moment(day + DAY, time(0), calendar)
        if calendar.day_off(day) is None:
            if left <= midnight - at:
                return at + left
            left -= midnight - at
        at, day = midnight, day + DAY


def days_after_year_end(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` calendar days after the end of the calendar year of the start; 31 December is day 0; no roll-over.

    Source: such as 45 CFR 164.408 and 16 CFR 318, "after the end of the calendar year" of discovery.
    """
    return _after(start, _year_end(start, calendar), calendar, days=n)


def months_after_year_end(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` months after the end of the calendar year of the start: ends on a month's last day; no roll-over.

    Source: such as the Philippine NPC's annual security incident report, due with the end of the third month.
    """
    return _after(start, _year_end(start, calendar), calendar, months=n)


def days_after_quarter_end(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` calendar days after the end of the calendar quarter of the start; its last day is day 0; no roll-over.

    Source: such as Regulation SCI (17 CFR 242.1000 ff.), after the end of the quarter.
    """
    return _after(start, _quarter_end(start, calendar), calendar, days=n)


def months_after_quarter_end(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` months after the end of the calendar quarter of the start: same day number; no roll-over.

    The quarter's last day is day 0, so 30 June and two months give 30 August; that whole months follow a quarter and
    the period ends with the month is shown as the later reading.

    Source: such as the Japanese Telecommunications Business Act's quarterly reports.
    """
    ended = _quarter_end(start, calendar)
    counted = _after(start, ended, calendar, months=n)
    whole = _whole_months(ended, n)
    due = moment(whole + DAY, time(0), calendar)
    if due == counted.due_at:
        return counted
    words = LocalText(
        ko="분기 다음 날부터 온전한 달로 세어 그 달의 마지막 날에 끝난다는 견해",
        en="if whole months follow the quarter and the period ends with the last of them",
    )
    return Counted(counted.due_at, counted.trace, (LaterReading(words, due),))


def _year_end(start: datetime, calendar: Calendar) -> date:
    return date(day_of(start, calendar).year, 12, 31)


def _quarter_end(start: datetime, calendar: Calendar) -> date:
    day = day_of(start, calendar)
    return _month_end(date(day.year, (day.month + 2) // 3 * 3, 1))


def _whole_months(ended: date, n: int) -> date:
    return _month_end(months_after(ended, n))


def _month_end(day: date) -> date:
    return months_after(day.replace(day=1), 1) - DAY


def _after(start: datetime, ended: date, calendar: Calendar, *, days: int = 0, months: int = 0) -> Counted:
    """A period that starts with the end of a year or quarter."""
    last = months_after(ended, months) + timedelta(days=days)
    length_ko, length_en = (f"{days}일", f"{days} days") if days else (f"{months}개월", f"{months} months")
    steps = [
        begin(start),
        day_step(ended, ko="기산일(연도 또는 분기의 마지막 날), 세지 않음", en="end of the year or quarter, day 0"),
        day_step(last, ko=f"{length_ko} 뒤, 24:00에 끝남", en=f"{length_en} later, ends at 24:00"),
    ]
    return Days(start, calendar, last, steps, _PLAIN).ends()
