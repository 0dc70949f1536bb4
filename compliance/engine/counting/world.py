"""Asia-Pacific and the rest of the world: where a last day rolls over, and on which days, differs from law to law."""

from datetime import date, datetime, time, timedelta

from compliance.engine.calendars import SATURDAY, Calendar
from compliance.engine.counting.common import (
    DAY,
    Counted,
    Days,
    Off,
    count_days,
    count_months,
    count_working_days,
    day_ends,
    day_of,
    day_step,
    disputed_reading,
    elapsed_hours,
    moment,
    skip,
    sunday_or_holiday,
    weekend_or_holiday,
)
from compliance.engine.counting.plain import hours_on_working_days
from compliance.engine.types import LaterReading, LocalText

_ANPD = LocalText(ko="브라질 ANPD 결의 1/2021, 15/2024", en="ANPD Res. 1/2021, 15/2024")
_SHORT = 6  # days up to which English-law interpretation acts leave days off out


def jp_appi_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days of the Japanese PPC's final report: the day of knowing is day 1; a last day off (offices are also shut
    at the turn of the year) moves to the next open day. The Civil Code's count, one day longer, is shown.

    Source: PPC guideline 3-5-3-4; Act on Holidays of Administrative Organs (行政機関の休日に関する法律) arts. 1-2.
    """
    off = weekend_or_holiday(calendar)
    days = count_days(
        start,
        n,
        calendar,
        LocalText(
            ko="일본 개인정보보호위원회 지침 3-5-3-4, 행정기관 휴일에 관한 법률 제2조",
            en="PPC guideline 3-5-3-4, 行政機関の休日に関する法律 art. 2",
        ),
        first=1,
    ).roll(off)
    longer = skip(day_of(start, calendar) + timedelta(days=n), off)
    words = LocalText(
        ko="첫날을 세지 않는 견해(일본 민법 제140조)",
        en="if the first day is not counted (Japanese Civil Code art. 140)",
    )
    return days.ends(_if_later(days, longer, words))


def jp_appi_guidance_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days of the Japanese PPC's preliminary report (guidance): the day of knowing is day 1; no roll-over.

    Source: PPC guideline on the preliminary report.
    """
    return count_days(
        start, n, calendar, LocalText(ko="일본 개인정보보호위원회 지침", en="PPC guideline"), first=1
    ).ends()


def jp_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days by the Japanese Civil Code: first day out; a last day on a Sunday or holiday moves to the next day.

    That Saturdays and the turn of the year move it too (office holidays) is shown as the later reading.

    Source: Civil Code (民法) arts. 140-142; Act on Holidays of Administrative Organs arts. 1-2.
    """
    days = count_days(
        start, n, calendar, LocalText(ko="일본 민법 제140조~제142조", en="Civil Code (民法) arts. 140-142")
    ).roll(sunday_or_holiday(calendar))
    return days.ends(_office_days(days))


def jp_months(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` months in Japan: same day number, clamped (the strict reading); rolls over as days do.

    Source: Civil Code (民法) arts. 138-142.
    """
    days = count_months(
        start, n, calendar, LocalText(ko="일본 민법 제138조~제142조", en="Civil Code (民法) arts. 138-142")
    ).roll(sunday_or_holiday(calendar))
    return days.ends(_office_days(days))


def sg_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days in Singapore: first day out; a last day on a Sunday or public holiday moves on, a Saturday does not.

    Source: Interpretation Act 1965 s. 50. Not for the PDPA's "calendar days", which are ``calendar.days``.
    """
    return _english(
        start,
        n,
        calendar,
        LocalText(ko="싱가포르 1965년 해석법 제50조", en="Interpretation Act 1965 s. 50"),
        sunday_or_holiday(calendar),
    )


def hk_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days in Hong Kong: first day out; a last day on a Sunday or general holiday moves on, a Saturday does not.

    Gale and black rainstorm warning days move it too: an administrator adds them to the calendar.

    Source: Interpretation and General Clauses Ordinance, Cap. 1 s. 71; general holidays of Cap. 149.
    """
    return _english(
        start, n, calendar, LocalText(ko="홍콩 법률 제1장 제71조", en="Cap. 1 s. 71"), sunday_or_holiday(calendar)
    )


def my_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days in Malaysia: first day out; a last day on the weekly or a public holiday moves on. Weekends differ by state.

    Source: Interpretation Acts 1948 and 1967 s. 54.
    """
    return _english(
        start,
        n,
        calendar,
        LocalText(ko="말레이시아 해석법 제54조", en="Interpretation Acts s. 54"),
        weekend_or_holiday(calendar),
    )


def tw_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days in Taiwan: first day out; a last day on a Sunday or holiday moves to the next day, one on a Saturday to
    Monday morning (which ends at noon).

    Source: Administrative Procedure Act (行政程序法) art. 48.
    """
    return _taiwan(
        count_days(
            start,
            n,
            calendar,
            LocalText(ko="대만 행정절차법 제48조", en="Administrative Procedure Act (行政程序法) art. 48"),
        )
    )


def tw_months(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` months in Taiwan: same day number, clamped; the last day moves as in a period of days.

    Source: Administrative Procedure Act (行政程序法) art. 48.
    """
    return _taiwan(
        count_months(
            start,
            n,
            calendar,
            LocalText(ko="대만 행정절차법 제48조", en="Administrative Procedure Act (行政程序法) art. 48"),
        )
    )


def cn_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days in mainland China: first day out; a last day on a rest day moves on, a make-up working day is none.

    Source: Civil Code (民法典) arts. 201-203; the State Council's yearly notice says which weekends are worked.
    """
    return _rolling(
        start, n, calendar, LocalText(ko="중국 민법전 제201조~제203조", en="Civil Code (民法典) arts. 201-203")
    )


def in_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days in India: first day out; an act due when the office is closed may be done on the next open day.

    Source: General Clauses Act 1897 ss. 9-10.
    """
    return _rolling(
        start, n, calendar, LocalText(ko="인도 1897년 일반조항법 제9조, 제10조", en="General Clauses Act 1897 ss. 9-10")
    )


def au_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days in Australia: event day out; a last day on a Saturday, Sunday or holiday at the place moves on.

    Source: Acts Interpretation Act 1901 s. 36.
    """
    return _rolling(
        start, n, calendar, LocalText(ko="호주 1901년 법률해석법 제36조", en="Acts Interpretation Act 1901 s. 36")
    )


def th_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days in Thailand: first day out; a last day on a holiday moves to the next working day.

    Source: Civil and Commercial Code ss. 193/3, 193/8.
    """
    return _rolling(
        start,
        n,
        calendar,
        LocalText(ko="태국 민상법전 제193/3조, 제193/8조", en="Civil and Commercial Code ss. 193/3, 193/8"),
    )


def vn_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days in Vietnam: first day out; a last day on a rest day moves to the next working day.

    Source: Civil Code 2015 arts. 147-148.
    """
    return _rolling(
        start, n, calendar, LocalText(ko="베트남 2015년 민법 제147조, 제148조", en="Civil Code 2015 arts. 147-148")
    )


def ph_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` calendar days in the Philippines: first day out, last in; no roll-over.

    Source: Civil Code art. 13; the NPC's days are calendar days.
    """
    return count_days(start, n, calendar, LocalText(ko="필리핀 민법 제13조", en="Civil Code art. 13")).ends()


def tr_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days in Turkey: a last day on a Saturday, Sunday or holiday moves on; half-day eves are working days.

    Source: Code of Obligations arts. 92-93.
    """
    return _rolling(
        start, n, calendar, LocalText(ko="튀르키예 채무법 제92조, 제93조", en="Code of Obligations arts. 92-93")
    )


def il_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days in Israel: a last day on a rest day (Friday, Saturday, holiday) moves on.

    Source: Interpretation Law s. 10.
    """
    return _rolling(start, n, calendar, LocalText(ko="이스라엘 해석법 제10조", en="Interpretation Law s. 10"))


def ca_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days under Canadian federal law: an act due on a holiday (Sundays are holidays, Saturdays not) moves on.

    Source: Interpretation Act (R.S.C. 1985, c. I-21) ss. 26, 35; for Quebec its Interpretation Act s. 52.
    """
    days = count_days(
        start, n, calendar, LocalText(ko="캐나다 해석법 제26조, 제35조", en="Interpretation Act ss. 26, 35")
    )
    return days.roll(sunday_or_holiday(calendar)).ends()


def za_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days in South Africa: first out, last in; a last day on a Sunday or holiday moves on, a Saturday does not.

    Source: Interpretation Act 33 of 1957 s. 4.
    """
    days = count_days(
        start,
        n,
        calendar,
        LocalText(ko="남아프리카공화국 1957년 해석법 제4조", en="Interpretation Act 33 of 1957 s. 4"),
    )
    return days.roll(sunday_or_holiday(calendar)).ends()


def ke_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days in Kenya: a last day on an excluded day (Sunday, public holiday) moves on.

    Source: Interpretation Act (Kenya) s. 57.
    """
    days = count_days(start, n, calendar, LocalText(ko="케냐 해석법 제57조", en="Interpretation Act (Kenya) s. 57"))
    return days.roll(sunday_or_holiday(calendar)).ends()


def ch_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` days in Switzerland: the event day left out, ends at 24:00; the roll-over is only shown.

    Source: VwVG art. 20; that it applies to these notices, and so moves a last day off, is an assumption.
    """
    days = count_days(start, n, calendar, LocalText(ko="스위스 행정절차법(VwVG) 제20조", en="VwVG art. 20"))
    later = days.rolled(
        weekend_or_holiday(calendar),
        ko="주말ㆍ휴일에 끝나면 다음 근무일로 옮기는 견해(VwVG 제20조), 적용은 추정",
        en="if VwVG art. 20 moves a last day off to the next working day (its application is assumed)",
    )
    return days.ends(later)


def ch_finma_hours(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` elapsed hours; that they run on bank working days only, unless the incident is severe, is shown.

    Source: FINMA guidance 05/2020 and 03/2024 on FINMAG art. 29(2).
    """
    counted = elapsed_hours(
        start, n, LocalText(ko="스위스 금융시장감독법(FINMAG) 제29조 제2항", en="FINMAG art. 29(2)")
    )
    due = hours_on_working_days(start, n, calendar)
    words = LocalText(
        ko="심각도가 '중대'가 아니면 은행 영업일에만 흐른다는 견해(FINMA 지침 03/2024)",
        en="if the period runs on bank working days only (FINMA guidance 03/2024; not for severe incidents)",
    )
    later = (LaterReading(words, due),) if due > counted.due_at else ()
    return Counted(counted.due_at, counted.trace, later)


def br_business_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` business days in Brazil: first day out, last in; national holidays left out, optional days are worked.

    That optional days (carnival, Corpus Christi, 24 and 31 December) are left out, or only move a last day that falls on
    them, are the later readings.

    Source: ANPD Resolutions 1/2021 and 15/2024.
    """
    days = count_working_days(start, n, calendar, _ANPD)
    moved = days.rolled(
        lambda day: calendar.day_off(day) or calendar.disputed(day),
        ko="마지막 날이 임시 휴무일(ponto facultativo)이면 옮기는 견해",
        en="if a last day that is an optional day off (ponto facultativo) moves on",
    )
    return days.ends((*moved, *disputed_reading(days, n)))


def cl_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` calendar days in Chile: first day out, no roll-over; the count in administrative business days is shown.

    Source: the decree under Ley 21.663 in its plain reading; Ley 19.880 art. 25 is the later reading.
    """
    days = count_days(start, n, calendar, LocalText(ko="칠레 법률 제21.663호", en="Ley 21.663"))
    working = count_working_days(
        start, n, calendar, LocalText(ko="칠레 법률 제19.880호 제25조", en="Ley 19.880 art. 25")
    ).last
    words = LocalText(
        ko="행정상 기간은 근무일로 센다는 견해(Ley 19.880 제25조)",
        en="if administrative days are business days (Ley 19.880 art. 25)",
    )
    return days.ends(_if_later(days, working, words))


def co_business_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` business days (Monday to Friday without holidays, many of them moved to Monday) in Colombia; first day out.

    Source: Ley 4 de 1913 art. 62; Ley 51 de 1983.
    """
    days = count_working_days(
        start, n, calendar, LocalText(ko="콜롬비아 1913년 법률 제4호 제62조", en="Ley 4/1913 art. 62")
    )
    return days.ends(disputed_reading(days, n))


def eg_working_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` working days (Sunday to Thursday without holidays) in Egypt; first day out.

    Source: Personal Data Protection Law; the working week is Sunday to Thursday.
    """
    days = count_working_days(start, n, calendar, LocalText(ko="이집트 개인정보보호법", en="PDPL"))
    return days.ends(disputed_reading(days, n))


def au_business_days(start: datetime, n: int, calendar: Calendar) -> Counted:
    """``n`` business days of APRA: Saturdays, Sundays and public holidays left out; event day out.

    Source: APRA Prudential Standard CPS 234.
    """
    days = count_working_days(start, n, calendar, LocalText(ko="호주 건전성감독청 기준 CPS 234", en="APRA CPS 234"))
    return days.ends(disputed_reading(days, n))


def _rolling(start: datetime, n: int, calendar: Calendar, source: LocalText) -> Counted:
    """Event day out; a last day on a weekend or holiday moves on."""
    return count_days(start, n, calendar, source).roll(weekend_or_holiday(calendar)).ends()


def _english(start: datetime, n: int, calendar: Calendar, source: LocalText, off: Off) -> Counted:
    """As English-law interpretation acts count. That days off are left out of a short period altogether is shown."""
    days = count_days(start, n, calendar, source).roll(off)
    if n > _SHORT:
        return days.ends()
    last, counted = day_of(start, calendar), 0
    while counted < n:
        last += DAY
        counted += off(last) is None
    words = LocalText(
        ko=f"{_SHORT}일 이하의 기간에서는 휴일을 아예 세지 않는 견해({source.ko})",
        en=f"if days off are left out of a period of up to {_SHORT} days ({source.en})",
    )
    return days.ends(_if_later(days, last, words))


def _taiwan(days: Days) -> Counted:
    off = sunday_or_holiday(days.calendar)
    if days.last.weekday() != SATURDAY or not days.calendar.is_weekend(days.last):
        return days.roll(off).ends()
    last = skip(days.last + 2 * DAY, days.calendar.day_off)
    days.steps.append(
        day_step(days.last, ko=f"토요일이므로 {last.isoformat()} 오전까지", en=f"Saturday: until the morning of {last}")
    )
    days.last = last
    return days.unsure().ends(at=moment(last, time(12), days.calendar))


def _office_days(days: Days) -> tuple[LaterReading, ...]:
    return days.rolled(
        weekend_or_holiday(days.calendar),
        ko="관공서가 쉬는 날(토요일, 12월 29일부터 1월 3일까지)이면 옮기는 견해(行政機関の休日に関する法律)",
        en="if days on which offices are shut (Saturdays, 29 December to 3 January) move the last day",
    )


def _if_later(days: Days, last: date, words: LocalText) -> tuple[LaterReading, ...]:
    """The reading that ends on ``last``, if that is later."""
    return (LaterReading(words, day_ends(last, days.calendar)),) if last > days.last else ()
