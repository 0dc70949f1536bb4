"""European Union and EEA: Regulation (EEC, Euratom) No 1182/71 art. 3, DORA's own rule, and national law beside them.

The regulation names no time zone: days are counted in the zone of the authority, which is an assumption.
"""

from datetime import UTC, date, datetime, time, timedelta

from compliance.engine.calendars import Calendar, next_working_day
from compliance.engine.counting.common import (
    DAY,
    Counted,
    Days,
    count_days,
    count_months,
    count_working_days,
    day_ends,
    day_of,
    day_step,
    disputed_reading,
    elapsed_hours,
    moment,
    weekend_or_holiday,
    zone_of,
)
from compliance.engine.types import LaterReading, LocalText, TraceStep

_REG = LocalText(ko="규칙 1182/71 제3조", en="Reg. 1182/71 art. 3")
_NATIONAL = LocalText(ko="각국 법의 엄격한 해석", en="national law, strict reading")
_DORA = LocalText(ko="위임규칙 2025/301 제5조 제1항", en="Delegated Reg. (EU) 2025/301 art. 5(1)")
_STRICT = LocalText(ko="규칙 1182/71 제3조의 엄격한 해석", en="strict reading of Reg. 1182/71 art. 3")
_WORKING = LocalText(ko="규칙 1182/71 제2조 제2항", en="Reg. 1182/71 art. 2(2)")
_MDR = LocalText(ko="의료기기 규정 제87조에 관한 MDCG 지침", en="MDCG guidance on MDR art. 87")
_LEAST = 2  # working days that art. 3(5) guarantees, and the days from which it applies


def eu1182_hours(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` elapsed hours, strictly; the count of art. 3(1), which leaves the hour of the event out, is shown as later.

    Where art. 3(5) would move a period of two days or more, that disputed reading is a note for counsel in the trace.

    Source: Regulation 1182/71 art. 3(1), 3(2)(a), 3(4) (no roll-over of hours), 3(5).
    """
    strict = elapsed_hours(start, n, _STRICT)
    first = _next_full_hour(start, calendar)
    latest = first + timedelta(hours=n)
    words = LocalText(
        ko="사건이 있은 시각의 시간을 세지 않는 견해(규칙 1182/71 제3조 제1항)",
        en="if the hour of the event is not counted (Reg. 1182/71 art. 3(1))",
    )
    trace = (*strict.trace[:-1], *_for_counsel(first, latest, n, calendar), strict.trace[-1])
    return Counted(strict.due_at, trace, (LaterReading(words, latest),))


def two_working_days(first: datetime, ends: datetime, calendar: Calendar, *, whole: bool) -> datetime:
    """The end (UTC) of a period of hours if art. 3(5) applies to it: extended until it holds two working days.

    ``whole`` False (reading A): a working day that is only touched counts; True (reading B): it must lie wholly inside.

    Source: Regulation 1182/71 art. 3(5); that it applies to hours at all is disputed (two German authorities reject it).
    """
    found, day = 0, day_of(first, calendar)
    if whole and moment(day, time(0), calendar) < first:
        day += DAY
    while True:
        closes = day_ends(day, calendar)
        if calendar.day_off(day) is None:
            found += 1
        if found >= _LEAST:
            return max(ends, closes) if whole or moment(day, time(0), calendar) >= ends else ends
        day += DAY


def eu1182_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days: event day left out, ends at 24:00; a last day off moves to the next working day; from two days on the
    period holds at least two working days.

    Source: Regulation 1182/71 art. 3(1), 3(2)(b), 3(4), 3(5).
    """
    days = count_days(start, n, calendar, _REG).roll(weekend_or_holiday(calendar))
    if n >= _LEAST:
        _two_working_days(days)
    return days.ends()


def eu1182_weeks(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` weeks: ends at 24:00 of the same weekday; a last day off moves to the next working day.

    Source: Regulation 1182/71 art. 3(1), 3(2)(c), 3(4), 3(5).
    """
    return eu1182_days(start, 7 * n, calendar)


def eu1182_months(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` months: ends at 24:00 of the same day number, or the month's last; a last day off moves on.

    Source: Regulation 1182/71 art. 3(1), 3(2)(c) (CJEU C-171/03 Toeters), 3(4).
    """
    return count_months(start, n, calendar, _REG).roll(weekend_or_holiday(calendar)).ends()


def eu1182_years(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` years, counted as twelve times as many months.

    Source: Regulation 1182/71 art. 3(1), 3(2)(c), 3(4).
    """
    return eu1182_months(start, 12 * n, calendar)


def eu1182_working_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` working days, which are all days but public holidays, Saturdays and Sundays; the event day left out.

    Source: Regulation 1182/71 art. 2(2), 3(1), 3(3).
    """
    return _working_days(start, n, calendar, _WORKING)


def national_hours(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` elapsed hours under the law of a member state, strictly; no roll-over.

    Source: national law that transposes a directive; Regulation 1182/71 is not certain to apply to it.
    """
    return elapsed_hours(start, n, _NATIONAL)


def national_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days under the law of a member state: event day left out, ends at 24:00; the roll-over is only shown.

    Source: national law, strictly; a roll-over such as BGB § 193 or VwVfG § 31(3) is the later reading.
    """
    days = count_days(start, n, calendar, _NATIONAL)
    return days.ends(_national_roll(days))


def national_weeks(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` weeks under the law of a member state: ends with the same weekday; the roll-over is only shown.

    Source: national law, strictly, as for days.
    """
    return national_days(start, 7 * n, calendar)


def national_months(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` months under the law of a member state: same day number, clamped; the roll-over is only shown.

    Source: national law, strictly (BGB § 188(2)-(3)); a roll-over such as BGB § 193 is the later reading.
    """
    days = count_months(start, n, calendar, _NATIONAL)
    return days.ends(_national_roll(days))


def national_years(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` years under the law of a member state, counted as twelve times as many months.

    Source: national law, strictly, as for months.
    """
    return national_months(start, 12 * n, calendar)


def national_working_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` working days of the member state's calendar; the event day left out.

    Source: national law; the holidays are those of the place where the act is to be done.
    """
    return _working_days(start, n, calendar, _NATIONAL)


def mdr_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` calendar days of the Medical Devices Regulation: the day after awareness is day 1; no roll-over.

    Source: MDCG guidance on Regulation (EU) 2017/745 art. 87; the extensions of Regulation 1182/71 art. 3(4) and 3(5)
    are the later reading.
    """
    days = count_days(start, n, calendar, _MDR)
    extended = eu1182_days(start, n, calendar).due_at
    words = LocalText(
        ko="휴일에 끝나면 옮기고 근무일 이틀을 보장하는 견해(규칙 1182/71 제3조 제4항ㆍ제5항)",
        en="if Reg. 1182/71 art. 3(4) and 3(5) move the last day",
    )
    plain = day_ends(days.last, calendar)
    return days.ends((LaterReading(words, extended),) if extended != plain else ())


def dora_hours(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` elapsed hours; where the end falls on a weekend or bank holiday, noon of the next working day is shown.

    That permission is not open to every entity for the initial and intermediate reports (art. 5(5), 5(6)).

    Source: Delegated Regulation (EU) 2025/301 art. 5(1), 5(4), 5(5), 5(6).
    """
    counted = elapsed_hours(start, n, _DORA)
    words = LocalText(
        ko="주말ㆍ은행휴일이면 다음 근무일 정오까지(제5조 제4항). 신용기관, CCP, 거래소 운영자, NIS2 필수ㆍ중요 사업자와 "
        "감독기관이 지정한 자의 최초ㆍ중간 보고에는 적용되지 않음(제5조 제5항ㆍ제6항)",
        en="by noon of the next working day (art. 5(4)); not for initial and intermediate reports of credit institutions, "
        "CCPs, trading venue operators, NIS2 essential or important entities, or those the authority names (art. 5(5), (6))",
    )
    day = day_of(counted.due_at, calendar)
    return Counted(counted.due_at, counted.trace, _noon(day, calendar, words))


def dora_months(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` months: same day number, clamped, 24:00; on a weekend or bank holiday noon of the next working day is shown.

    Source: Delegated Regulation (EU) 2025/301 art. 5(1), 5(4): for the final report open to every entity.
    """
    days = count_months(start, n, calendar, _DORA)
    words = LocalText(
        ko="주말ㆍ은행휴일이면 다음 근무일 정오까지(제5조 제4항)", en="by noon of the next working day (art. 5(4))"
    )
    return days.ends(_noon(days.last, calendar, words))


def dora_noon(day: date, calendar: Calendar) -> datetime | None:
    """Noon (UTC) of the next working day if ``day``, the local day of the limit, is a weekend day or bank holiday.

    Source: Delegated Regulation (EU) 2025/301 art. 5(4).
    """
    if calendar.day_off(day) is None:
        return None
    return moment(next_working_day(day, calendar), time(12), calendar)


def _next_full_hour(start: datetime, calendar: Calendar) -> datetime:
    """The beginning of the first hour that counts, in UTC: an event on the hour is in that hour."""
    local = start.astimezone(zone_of(calendar))
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return local.astimezone(UTC) - into + timedelta(hours=1)


def _for_counsel(first: datetime, latest: datetime, n: int, calendar: Calendar) -> list[TraceStep]:
    """The two disputed readings of art. 3(5), where they would move the end."""
    if timedelta(hours=n) < timedelta(days=_LEAST):
        return []
    steps = []
    for name, whole in (("A", False), ("B", True)):
        ends = two_working_days(first, latest, calendar, whole=whole)
        if ends > latest:
            words = LocalText(
                ko=f"변호사 참고: 제3조 제5항(근무일 이틀 보장)을 시간 기간에 적용하는 다툼 있는 견해 {name}. 기대지 말 것",
                en=f"note for counsel: disputed reading {name} of art. 3(5) (two working days); two German authorities "
                "reject it, not to be relied on",
            )
            steps.append(TraceStep(words, ends))
    return steps


def _two_working_days(days: Days) -> None:
    """Extend ``days`` until two working days lie after the event day."""
    calendar, first = days.calendar, day_of(days.start, days.calendar) + DAY
    span = (first + timedelta(days=number) for number in range((days.last - first).days + 1))
    found = sum(calendar.day_off(day) is None for day in span)
    while found < _LEAST:
        days.last = next_working_day(days.last, calendar)
        found += 1
        days.steps.append(
            day_step(
                days.last,
                ko="근무일 이틀을 채우려고 늘림(규칙 1182/71 제3조 제5항)",
                en="extended to hold two working days (Reg. 1182/71 art. 3(5))",
            )
        )


def _working_days(start: datetime, n: int, calendar: Calendar, source: LocalText) -> Counted:
    days = count_working_days(start, n, calendar, source)
    return days.ends(disputed_reading(days, n))


def _national_roll(days: Days) -> tuple[LaterReading, ...]:
    return days.rolled(
        weekend_or_holiday(days.calendar),
        ko="주말ㆍ휴일에 끝나면 다음 근무일로 옮기는 각국 법의 견해",
        en="if national law moves a last day off to the next working day",
    )


def _noon(day: date, calendar: Calendar, words: LocalText) -> tuple[LaterReading, ...]:
    found = dora_noon(day, calendar)
    return (LaterReading(words, found),) if found is not None else ()
