"""A rule of law as a value: its versions in time, their stages, conditions and clocks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from compliance.engine.conditions import Condition
from compliance.engine.types import (
    VAGUE,
    Addressee,
    Citation,
    LocalText,
    Standard,
    Standing,
)


@dataclass(frozen=True, slots=True)
class Start:
    """What starts a clock.

    ``kind``: ``fact`` (an instant, contested instant or event of the vocabulary), ``submitted`` (a stage was in fact done),
    ``due`` (the end of another stage's period, done or not), ``earliest`` or ``latest`` (of ``parts``).
    """

    kind: str
    name: str = ""
    rule: str = ""
    parts: tuple["Start", ...] = ()
    # Of a stage that repeats: the first or the latest submission.
    first: bool = True

    def all(self) -> Iterator["Start"]:
        """Itself and all of its parts."""
        yield self
        for part in self.parts:
            yield from part.all()


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of units from a start, counted by a named rule."""

    start: Start
    n: int
    counting: str


@dataclass(frozen=True, slots=True)
class GuidanceText:
    """A soft number beside the law, with the authority it comes from. ``limit`` None: words only."""

    text: LocalText
    limit: Limit | None


@dataclass(frozen=True, slots=True)
class Clock:
    """What starts a stage's clock and how long it runs.

    ``n`` None: a vague standard. ``ceiling_of``: a vague word beside the number. ``second``: another limit; ``binding`` says
    which of the two counts. ``opens``: the act may not be done before. ``set_by``: the fact that holds a due moment set in an
    order or request.
    """

    start: Start
    standard: Standard
    n: int | None = None
    counting: str | None = None
    ceiling_of: Standard | None = None
    second: Limit | None = None
    binding: str = "earliest"
    guidance: GuidanceText | None = None
    opens: Limit | None = None
    set_by: str | None = None

    def starts(self) -> Iterator[Start]:
        """Everything the clock and the limits beside it start from."""
        beside = [self.second, self.opens, self.guidance.limit if self.guidance else None]
        for start in (self.start, *(limit.start for limit in beside if limit is not None)):
            yield from start.all()

    @property
    def limit(self) -> LocalText:
        """The limit in words."""
        if self.standard in VAGUE:
            return WORDS[self.standard]
        unit = _UNITS[self.standard]
        number = LocalText(
            ko=f"{self.n}{unit.ko}", en=f"{self.n} {unit.en.removesuffix('s') if self.n == 1 else unit.en}"
        )
        if self.ceiling_of is None:
            return number
        word = WORDS[self.ceiling_of]
        return LocalText(ko=f"{word.ko}, 늦어도 {number.ko}", en=f"{word.en}, at the latest {number.en}")


WORDS = {
    Standard.IMMEDIATELY: LocalText(ko="즉시", en="at once"),
    Standard.WITHOUT_UNDUE_DELAY: LocalText(ko="지체 없이", en="without delay"),
    Standard.AS_SET: LocalText(ko="정해진 때(법에 기간 없음)", en="as set (no period in the law)"),
}
_UNITS = {
    Standard.MINUTES: LocalText(ko="분", en="minutes"),
    Standard.HOURS: LocalText(ko="시간", en="hours"),
    Standard.DAYS: LocalText(ko="일", en="days"),
    Standard.BUSINESS_DAYS: LocalText(ko="영업일", en="business days"),
    Standard.WEEKS: LocalText(ko="주", en="weeks"),
    Standard.MONTHS: LocalText(ko="개월", en="months"),
    Standard.YEARS: LocalText(ko="년", en="years"),
}


@dataclass(frozen=True, slots=True)
class Order:
    """An order of acts. ``kind``: ``after`` (not before that stage is done), ``with`` (together), ``before``."""

    kind: str
    stage: str
    rule: str
    text: LocalText


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing to be done.

    ``per_event``: each such happening opens one (with ``after``: each one later than that stage's submission).
    ``recurs_until``: every submission of the stage opens the next, until the stage of that name is done.
    """

    key: str
    title: LocalText
    audience: str
    applies: Condition
    clock: Clock
    per_event: str | None = None
    after: str | None = None
    recurs_until: str | None = None
    orders: tuple[Order, ...] = ()
    note: LocalText | None = None
    addressees: tuple[LocalText, ...] = ()
    contents: tuple[LocalText, ...] | None = None
    citations: tuple[Citation, ...] = ()
    confidence: str | None = None


@dataclass(frozen=True, slots=True)
class Exemption:
    """A lawful exception. It must be shown to apply: unknown leaves the duty as it is. No ``stages``: of every stage."""

    text: LocalText
    provision: str
    applies: Condition | None
    stages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LaterStart:
    """A class of obliged persons for whom the version starts on a later day."""

    who: Condition
    start: date
    text: LocalText


@dataclass(frozen=True)
class Version:
    """A rule between two dates, in our reading of revision ``revision``.

    ``until`` is exclusive; None: still in force. ``start`` None: no date is known (never of a text in force).
    """

    start: date | None
    until: date | None
    standing: Standing
    revision: int
    connects_by: Start
    confidence: str
    doubts: LocalText | None
    carries_out: LocalText
    citations: tuple[Citation, ...]
    exemptions: tuple[Exemption, ...]
    stages: tuple[Stage, ...]
    contents: tuple[LocalText, ...]
    penalties: LocalText
    records: LocalText
    channel: LocalText
    transition: LocalText | None
    later_starts: tuple[LaterStart, ...]
    digest: str
    source: Any = field(hash=False, compare=False)

    @cached_property
    def key(self) -> str:
        """The version's name: the first day it is in force."""
        return self.start.isoformat() if self.start else "undated"

    def in_force_on(self, day: date) -> bool:
        """Whether the text is in force on ``day``, a civil date of the rule's zone."""
        return (
            self.standing == Standing.IN_FORCE
            and self.start is not None
            and self.start <= day
            and (self.until is None or day < self.until)
        )

    def stage(self, key: str) -> Stage | None:
        """The stage ``key``, or None."""
        return next((stage for stage in self.stages if stage.key == key), None)

    def to_json(self) -> Any:
        """The version as it was written down."""
        return self.source


@dataclass(frozen=True, slots=True)
class Office:
    """One row of a table of authorities: whose days are counted, and how it is reached."""

    place: str
    addressee: Addressee
    zone: str
    calendar: str
    note: str = ""


@dataclass(frozen=True)
class Rule:
    """One duty of one instrument through time."""

    key: str
    jurisdiction: str
    zone: str
    calendar: str
    kind: str
    instrument: LocalText
    title: LocalText
    addressees: tuple[LocalText, ...]
    # A table of authorities, by place: the main establishment's, else those of the places where people are affected.
    offices: Mapping[str, Office]
    who: Condition
    who_text: LocalText
    sources: tuple[dict[str, Any], ...]
    versions: tuple[Version, ...]
    facts: frozenset[str]
    file: str

    @cached_property
    def leans_on(self) -> frozenset[str]:
        """The other rules whose stages its own are counted from or bound to."""
        stages = [stage for version in self.versions for stage in version.stages]
        starts = [start for stage in stages for start in stage.clock.starts()]
        named = {start.rule for start in starts} | {order.rule for stage in stages for order in stage.orders}
        return frozenset(named - {"", self.key})

    @cached_property
    def law(self) -> tuple[Version, ...]:
        """The versions that are, were or will be in force, newest first."""
        return tuple(version for version in reversed(self.versions) if version.standing is Standing.IN_FORCE)

    def version_on(self, day: date) -> Version | None:
        """The version in force on ``day``, or None before the first."""
        for version in self.law:
            if version.in_force_on(day):
                return version
        return None

    def version(self, key: str) -> Version:
        """The version that starts on ``key``.

        Raises:
            KeyError: there is none.
        """
        for version in self.versions:
            if version.key == key:
                return version
        raise KeyError(f"{self.key}: no version from {key}")
