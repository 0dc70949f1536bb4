"""A rule of law as a value: its versions in time, their stages, conditions and clocks."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from compliance.engine.conditions import Condition
from compliance.engine.types import VAGUE, Citation, LocalText, Standard


@dataclass(frozen=True, slots=True)
class Clock:
    """What starts a stage's clock and how long it runs. ``n`` is None for a vague standard."""

    start: str
    standard: Standard
    n: int | None = None
    counting: str | None = None

    @property
    def limit(self) -> LocalText:
        """The limit in words."""
        if self.standard in VAGUE:
            return _WORDS[self.standard]
        unit = _UNITS[self.standard]
        return LocalText(ko=f"{self.n}{unit.ko}", en=f"{self.n} {unit.en}")


_WORDS = {
    Standard.IMMEDIATELY: LocalText(ko="즉시", en="at once"),
    Standard.WITHOUT_UNDUE_DELAY: LocalText(ko="지체 없이", en="without delay"),
}
_UNITS = {
    Standard.MINUTES: LocalText(ko="분", en="minutes"),
    Standard.HOURS: LocalText(ko="시간", en="hours"),
    Standard.DAYS: LocalText(ko="일", en="days"),
    Standard.MONTHS: LocalText(ko="개월", en="months"),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing to be done. With ``per_event`` each such happening after the stage ``after`` was done opens one."""

    key: str
    title: LocalText
    audience: str
    applies: Condition
    clock: Clock
    per_event: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Exemption:
    """A lawful exception. It must be shown to apply: unknown leaves the duty as it is."""

    text: LocalText
    provision: str
    applies: Condition | None


@dataclass(frozen=True, slots=True)
class Version:
    """A rule between two dates, in our reading of revision ``revision``. ``until`` is exclusive; None: still in force."""

    start: date
    until: date | None
    revision: int
    connects_by: str
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
    digest: str
    source: Any = field(hash=False, compare=False)

    @property
    def key(self) -> str:
        """The version's name: the first day it is in force."""
        return self.start.isoformat()

    def in_force_on(self, day: date) -> bool:
        """Whether the text is in force on ``day``, a civil date of the rule's zone."""
        return self.start <= day and (self.until is None or day < self.until)

    def to_json(self) -> Any:
        """The version as it was written down."""
        return self.source


@dataclass(frozen=True, slots=True)
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
    who: Condition
    who_text: LocalText
    sources: tuple[dict[str, Any], ...]
    versions: tuple[Version, ...]
    facts: frozenset[str]
    file: str

    def version_on(self, day: date) -> Version | None:
        """The version in force on ``day``, or None before the first."""
        return next((version for version in self.versions if version.in_force_on(day)), None)

    def version(self, key: str) -> Version:
        """The version that starts on ``key``.

        Raises:
            KeyError: there is none.
        """
        for version in self.versions:
            if version.key == key:
                return version
        raise KeyError(f"{self.key}: no version from {key}")
