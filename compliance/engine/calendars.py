"""Days off: a well-kept library's answers, corrected by dated, cited data of our own.

A calendar knows the years it was checked for; beyond them it still answers and the trace says that it is not sure.
A day off that is not settled (a closure nobody confirmed, an optional holiday) is *disputed*: it counts as a working
day for the deadline, which so falls earlier, and as a day off in the later reading that is shown beside it.

Loading a calendar computes nothing: the library is imported and asked on the first question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from compliance.engine.strict import Node
from compliance.engine.types import LocalText

if TYPE_CHECKING:
    import holidays

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SATURDAY, SUNDAY = 5, 6
_WEEKDAYS_KO = ("월요일", "화요일", "수요일", "목요일", "금요일", "토요일", "일요일")
_OBSERVED = " (observed)"


@dataclass(frozen=True, slots=True)
class Source:
    """Which of the library's calendars is meant: a country (with subdivision), or a financial market."""

    country: str = ""
    subdivision: str = ""
    market: str = ""
    categories: tuple[str, ...] = ("public",)


@dataclass(frozen=True, slots=True)
class Extension:
    """A general statute that would move the last day of a period: shown, never the deadline."""

    weekdays: frozenset[int]
    holidays: bool
    source: str


@dataclass(frozen=True)
class Calendar:
    """The days off of one place.

    ``weekend`` holds weekdays (Monday is 0); ``workdays`` are weekend days that are worked. ``yearly`` are holidays and
    ``closed`` days on which offices are shut without a holiday, both by (month, day). ``unconfirmed`` days are disputed
    whatever the library says, as are the library's ``disputed_categories``. ``certain``, where given, are the names of
    those library holidays that are settled; all others are disputed.
    """

    key: str
    zone: str
    country: str = ""
    subdivision: str = ""
    market: str = ""
    categories: tuple[str, ...] = ("public",)
    weekend: frozenset[int] = frozenset({SATURDAY, SUNDAY})
    sure_from: int = 1
    sure_until: int = 0
    added: Mapping[date, str] = field(default_factory=dict)
    removed: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    yearly: Mapping[tuple[int, int], str] = field(default_factory=dict)
    closed: Mapping[tuple[int, int], str] = field(default_factory=dict)
    unconfirmed: Mapping[date, str] = field(default_factory=dict)
    disputed_categories: tuple[str, ...] = ()
    certain: frozenset[str] = frozenset()
    extension: Extension | None = None

    def holiday(self, day: date) -> str | None:
        """The name of the public holiday on ``day`` as its country writes it, Sundays not counted, or None."""
        return self._name(day, "")

    def is_sure(self, day: date) -> bool:
        """Whether ``day`` lies in the years this calendar was checked for."""
        return self.sure_from <= day.year <= self.sure_until

    def is_weekend(self, day: date) -> bool:
        """Whether ``day`` belongs to the weekend of the offices and is not a make-up working day."""
        return day.weekday() in self.weekend and day not in self.workdays and not self._is_made_up(day)

    def holiday_text(self, day: date) -> LocalText | None:
        """The name of the public holiday on ``day`` for people to read, or None."""
        native = self.holiday(day)
        if native is None:
            return None
        english = self._name(day, "en_US") or native
        return LocalText(ko=native if self.country == "KR" else english, en=english)

    def day_off(self, day: date) -> LocalText | None:
        """Why the offices are shut on ``day`` (weekend, holiday, yearly closing), or None on a working day."""
        if self.is_weekend(day):
            return LocalText(ko=_WEEKDAYS_KO[day.weekday()], en=WEEKDAYS[day.weekday()].capitalize())
        named = self.holiday_text(day)
        if named is not None:
            return named
        closed = self.closed.get((day.month, day.day))
        return LocalText(ko=closed, en=closed) if closed else None

    def disputed(self, day: date) -> LocalText | None:
        """Why some would take ``day``, a working day here, for a day off; None if nobody does."""
        if day in self.removed or self.day_off(day) is not None:
            return None
        found = self.unconfirmed.get(day) or self._unsettled(day)
        return LocalText(ko=found, en=found) if found else None

    def with_days(self, added: Mapping[date, str]) -> Calendar:
        """This calendar with further days off, by name: what an administrator adds when a government declares one."""
        return replace(self, added={**self.added, **added}) if added else self

    def _name(self, day: date, language: str) -> str | None:
        if day in self.added:
            return self.added[day]
        if day in self.removed or day in self.unconfirmed:
            return None
        if (day.month, day.day) in self.yearly:
            return self.yearly[day.month, day.day]
        found = _holidays(self._source(), language)
        name = found.get(day) if found is not None else None
        return str(name) if name and self._is_certain(str(name)) else None

    def _source(self) -> Source:
        return Source(self.country, self.subdivision, self.market, self.categories)

    def _is_certain(self, name: str) -> bool:
        return not self.certain or any(part.removesuffix(_OBSERVED) in self.certain for part in name.split("; "))

    def _is_made_up(self, day: date) -> bool:
        found = _holidays(self._source(), "")
        if found is None or found.get(day) is not None:  # asking fills in the year
            return False
        return day in found.weekend_workdays

    def _unsettled(self, day: date) -> str | None:
        categories = self.disputed_categories or (self.categories if self.certain else ())
        found = _holidays(replace(self._source(), categories=categories), "en_US") if categories else None
        name = found.get(day) if found is not None else None
        return str(name) if name else None


@lru_cache(maxsize=1024)
def _holidays(source: Source, language: str) -> holidays.HolidayBase | None:
    """The library's calendar; None where all days are our own. ``language`` "": the country's own."""
    if not (source.country or source.market):
        return None
    import holidays

    if source.market:
        return holidays.financial_holidays(source.market)
    found = _of_country(source, None)
    return _of_country(source, language) if language in (found.supported_languages or ()) else found


def _of_country(source: Source, language: str | None) -> holidays.HolidayBase:
    import holidays

    return holidays.country_holidays(
        source.country, subdiv=source.subdivision or None, categories=source.categories, language=language
    )


_OPTIONAL = {
    "country", "subdivision", "market", "categories", "weekend", "sure", "add", "remove", "workdays", "yearly",
    "closed", "unconfirmed", "disputed_categories", "certain", "extension",
}  # fmt: skip


def read_calendar(node: Node) -> Calendar:
    """The calendar a YAML file describes.

    Raises:
        LawError: an unknown key or a wrong value.
    """
    node.mapping(required={"key", "zone", "sources"}, optional=_OPTIONAL)
    node.at("sources").each(lambda item: item.text(), least=1)
    sure = node.at("sure").mapping(required={"from", "until"}) if node.has("sure") else None
    return Calendar(
        key=node.at("key").text(),
        zone=_zone(node.at("zone")),
        country=_text(node, "country"),
        subdivision=_text(node, "subdivision"),
        market=_text(node, "market"),
        categories=_texts(node, "categories") or ("public",),
        weekend=_weekdays(node.at("weekend")) if node.has("weekend") else frozenset({SATURDAY, SUNDAY}),
        sure_from=sure.at("from").integer() if sure else 1,
        sure_until=sure.at("until").integer() if sure else 0,
        added=_days(node, "add"),
        removed=frozenset(_days(node, "remove")),
        workdays=frozenset(_days(node, "workdays")),
        yearly=_yearly(node, "yearly"),
        closed=_yearly(node, "closed"),
        unconfirmed=_days(node, "unconfirmed"),
        disputed_categories=_texts(node, "disputed_categories"),
        certain=frozenset(_texts(node, "certain")),
        extension=_extension(node.at("extension")) if node.has("extension") else None,
    )


def _zone(node: Node) -> str:
    name = node.text()
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise node.fail(f"{name!r}: expected a zone of the IANA database such as Europe/Berlin") from None
    return name


def _text(node: Node, key: str) -> str:
    return node.at(key).text() if node.has(key) else ""


def _texts(node: Node, key: str) -> tuple[str, ...]:
    return node.at(key).each(lambda item: item.text(), least=1) if node.has(key) else ()


def _weekdays(node: Node) -> frozenset[int]:
    return frozenset(WEEKDAYS.index(item.one_of(WEEKDAYS)) for item in node.items())


def _days(node: Node, key: str) -> dict[date, str]:
    return dict(_day(item) for item in node.at(key).items()) if node.has(key) else {}


def _day(node: Node) -> tuple[date, str]:
    node.mapping(required={"on", "name", "source"})
    node.at("source").text()
    return node.at("on").day(), node.at("name").text()


def _yearly(node: Node, key: str) -> dict[tuple[int, int], str]:
    return dict(_month_day(item) for item in node.at(key).items()) if node.has(key) else {}


def _month_day(node: Node) -> tuple[tuple[int, int], str]:
    node.mapping(required={"on", "name", "source"})
    node.at("source").text()
    on = node.at("on")
    try:
        day = date.fromisoformat(f"2000-{on.value}")  # a leap year: 02-29 is a day too
    except ValueError:
        raise on.fail(f"{on.value!r}: expected a month and day such as 12-29") from None
    return (day.month, day.day), node.at("name").text()


def _extension(node: Node) -> Extension:
    node.mapping(required={"weekdays", "holidays", "source"})
    return Extension(_weekdays(node.at("weekdays")), node.at("holidays").boolean(), node.at("source").text())


def next_working_day(day: date, calendar: Calendar) -> date:
    """The first working day after ``day``."""
    day += timedelta(days=1)
    while calendar.day_off(day) is not None:
        day += timedelta(days=1)
    return day
