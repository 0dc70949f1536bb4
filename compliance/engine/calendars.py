"""Public holidays: a well-kept library's answers, corrected by dated, cited data of our own.

A calendar knows the years it is sure of; beyond them it still answers and the trace says that it is not sure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import holidays

from compliance.engine.strict import Node

SATURDAY = 5


@dataclass(frozen=True)
class Calendar:
    """The days off of one place."""

    key: str
    country: str
    zone: str
    sure_from: int
    sure_until: int
    added: Mapping[date, str] = field(default_factory=dict)
    removed: frozenset[date] = frozenset()

    @cached_property
    def _library(self) -> holidays.HolidayBase:
        return holidays.country_holidays(self.country)

    def holiday(self, day: date) -> str | None:
        """The name of the public holiday on ``day``, Sundays not counted, or None."""
        if day in self.added:
            return self.added[day]
        if day in self.removed:
            return None
        name: str | None = self._library.get(day)
        return name

    def is_sure(self, day: date) -> bool:
        """Whether ``day`` lies in the years this calendar was checked for."""
        return self.sure_from <= day.year <= self.sure_until


def read_calendar(node: Node) -> Calendar:
    """The calendar a YAML file describes.

    Raises:
        LawError: an unknown key or a wrong value.
    """
    node.mapping(required={"key", "country", "zone", "sure", "sources"}, optional={"add", "remove"})
    sure = node.at("sure").mapping(required={"from", "until"})
    node.at("sources").each(lambda item: item.text(), least=1)
    return Calendar(
        key=node.at("key").text(),
        country=node.at("country").text(),
        zone=node.at("zone").text(),
        sure_from=sure.at("from").integer(),
        sure_until=sure.at("until").integer(),
        added=dict(_day(item) for item in node.at("add").items()) if node.has("add") else {},
        removed=frozenset(_day(item)[0] for item in node.at("remove").items()) if node.has("remove") else frozenset(),
    )


def _day(node: Node) -> tuple[date, str]:
    node.mapping(required={"on", "name", "source"})
    node.at("source").text()
    return node.at("on").day(), node.at("name").text()
