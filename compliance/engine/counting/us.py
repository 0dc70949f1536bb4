"""United States: calendar days never roll over; business days follow the calendar of the authority; EDGAR closes early."""

from datetime import date, datetime, time

from compliance.engine.calendars import Calendar
from compliance.engine.counting.common import (
    Counted,
    Days,
    count_days,
    count_months,
    count_working_days,
    day_of,
    day_step,
    disputed_reading,
    elapsed_hours,
    moment,
    note,
)
from compliance.engine.types import LaterReading, LocalText

_HOURS = LocalText(ko="미국 규정의 시간: 실제 경과 시간", en="US rules in hours: clock hours")
_DAYS = LocalText(ko="미국 규정의 일: 휴일이라도 옮기지 않음", en="US rules in days: no roll-over")
_BUSINESS_DAYS = LocalText(ko="미국의 영업일", en="US business days")
_FCC = LocalText(ko="47 CFR 1.4(e)", en="47 CFR 1.4(e)")
_FCC_WAIT = LocalText(ko="47 CFR 64.2011", en="47 CFR 64.2011")
_EDGAR = LocalText(ko="Form 8-K 일반지침 B.1", en="Form 8-K General Instruction B.1")
_EDGAR_CLOSES = time(17, 30)  # 17 CFR 232.13(a)(2)


def us_hours(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` clock hours through nights, weekends and holidays; no roll-over.

    Source: such as the bank incident rule, 12 CFR 748.1(c), NYDFS 500.17, DFARS 252.204-7012: no pause is written.
    """
    return elapsed_hours(start, n, _HOURS)


def us_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` calendar days: day of the trigger is day 0, ends at 24:00 local, no roll-over (a ceiling, not a target).

    A state's general construction law that would move the last day is shown as the later reading: whether it extends
    the ceiling of a breach law is untested.

    Source: such as 45 CFR 164.404-410, 16 CFR 318, 16 CFR 314.4(j), state breach laws; Fed. R. Civ. P. 6 is for courts.
    """
    days = count_days(start, n, calendar, _DAYS)
    return days.ends(_construction_law(days))


def us_weeks(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` weeks as seven times as many days.

    Source: as for days.
    """
    return us_days(start, 7 * n, calendar)


def us_months(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` calendar months: same day number, or the last day of a month without it; no roll-over.

    Source: state construction laws take "month" for a calendar month; as for days otherwise.
    """
    days = count_months(start, n, calendar, _DAYS)
    return days.ends(_construction_law(days))


def us_years(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` years, counted as twelve times as many months.

    Source: as for months.
    """
    return us_months(start, 12 * n, calendar)


def us_business_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` business days of the authority's calendar: day of the trigger is day 0, ends at 24:00 local.

    A state's holidays that not every state keeps, and closings nobody confirmed, are business days for the deadline;
    the later date without them is shown.

    Source: the act at hand with the state's legal holidays, or 5 U.S.C. 6103 for federal bodies.
    """
    days = count_working_days(start, n, calendar, _BUSINESS_DAYS)
    return days.ends(disputed_reading(days, n))


def us_fcc_business_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` business days of the FCC: not Saturdays, Sundays, federal holidays; the day of the event left out.

    Source: 47 CFR 1.4(e), for 47 CFR 64.2011. Days on which headquarters was closed without confirmation are business
    days here; the later date without them is shown.
    """
    days = count_working_days(start, n, calendar, _FCC)
    return days.ends(disputed_reading(days, n))


def us_full_business_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """The end of ``n`` FULL business days after the day of the event: an act may be done from that moment, not before.

    Source: 47 CFR 64.2011 (text of 2007): customers are told after 7 full business days have passed.
    """
    days = count_working_days(start, n, calendar, _FCC_WAIT)
    days.steps.append(
        note(
            ko=f"온전한 영업일 {n}일이 지난 뒤부터 할 수 있음",
            en=f"not before {n} full business days have passed",
        )
    )
    return days.ends(disputed_reading(days, n))


def us_edgar(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` business days of the SEC, ending at 17:30 Eastern of the last: later transmissions get the next day's date.

    A determination on a weekend or holiday makes the first business day after it day 1. Made abroad, the earlier of the
    local date of ``start`` (in the zone it carries) and the Eastern date is day 0.

    Source: Form 8-K General Instruction B.1; 17 CFR 232.13(a)(2). Closings that the SEC did not confirm are business days
    for the deadline, and the later date without them is shown.
    """
    first = min(start.date(), day_of(start, calendar))
    days = count_working_days(start, n, calendar, _EDGAR, from_day=first)
    days.steps[-1:] = [
        day_step(
            days.last,
            ko=f"영업일 {n}일째(주말은 세지 않음), EDGAR 접수는 동부시각 17:30까지(17 CFR 232.13(a)(2))",
            en=f"business day {n} (weekends not counted); EDGAR gives later transmissions the next day's date from 17:30 Eastern "
            "(17 CFR 232.13(a)(2))",
        )
    ]
    later = disputed_reading(days, n, start_day=first, at=_EDGAR_CLOSES)
    return days.ends(later, at=moment(days.last, _EDGAR_CLOSES, calendar))


def _construction_law(days: Days) -> tuple[LaterReading, ...]:
    """The later reading of the state's general construction law, if its calendar knows one that would move the day."""
    extension = days.calendar.extension
    if extension is None:
        return ()

    def off(day: date) -> LocalText | None:
        named = days.calendar.holiday_text(day) or days.calendar.disputed(day) if extension.holidays else None
        if day.weekday() in extension.weekdays:
            return named or LocalText(ko="주말", en="weekend")
        return named

    return days.rolled(
        off,
        ko=f"주의 일반 기간계산법으로 마지막 날이 옮겨진다는 견해({extension.source}), 검증되지 않음",
        en=f"if the state's general construction law moves the last day ({extension.source}); untested",
    )
