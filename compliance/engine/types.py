"""The values the engine takes and gives. All of them frozen; instants are aware and in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from compliance.engine.instants import in_zone


@dataclass(frozen=True, slots=True)
class LocalText:
    """A text in Korean and English."""

    ko: str
    en: str

    def get(self, language: str) -> str:
        """The text in ``language`` ("ko", "ko-kr", ...); English for every other."""
        return self.ko if language.startswith("ko") else self.en

    def to_json(self) -> dict[str, str]:
        """Both languages."""
        return {"ko": self.ko, "en": self.en}


class Truth(StrEnum):
    """Kleene's three values."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


class Status(StrEnum):
    """What the law asks, as far as is known."""

    REQUIRED = "required"
    POSSIBLE = "possible"
    NOT_REQUIRED = "not_required"


class Standard(StrEnum):
    """How the law words the limit: a number of units, or words without a number."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    MONTHS = "months"
    IMMEDIATELY = "immediately"
    WITHOUT_UNDUE_DELAY = "without_undue_delay"


VAGUE = frozenset({Standard.IMMEDIATELY, Standard.WITHOUT_UNDUE_DELAY})


@dataclass(frozen=True, slots=True)
class Candidate:
    """One arguable moment of awareness. ``key`` names the recorded fact."""

    key: str
    at: datetime
    label: str = ""
    arguable: bool = True
    adopted: bool = False
    documented: bool = True


@dataclass(frozen=True, slots=True)
class Event:
    """One occurrence of a repeatable happening. ``key`` names the recorded fact."""

    key: str
    at: datetime
    label: str = ""


@dataclass(frozen=True, slots=True)
class PeopleCount:
    """People affected in one place of residence ("KR", "US-CA"); ``count`` None: not known yet."""

    residence: str
    count: int | None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """A stage that was in fact done."""

    rule: str
    stage: str
    occurrence: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EntityProfile:
    """The legal entity that may owe a duty."""

    key: str
    name: str
    roles: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    establishments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FactSheet:
    """Everything known. A fact that is not here is unknown."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    people: tuple[PeopleCount, ...] = ()
    submissions: tuple[Submission, ...] = ()


@dataclass(frozen=True, slots=True)
class FactDef:
    """One word of the vocabulary."""

    name: str
    type: str
    label: LocalText
    question: LocalText
    group: str
    choices: Mapping[str, LocalText] = field(default_factory=dict)
    who: tuple[str, ...] = ()
    legal: bool = True


@dataclass(frozen=True, slots=True)
class Citation:
    """Where it stands, to the smallest unit, and when we looked."""

    provision: LocalText
    url: str
    checked_on: date

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"provision": self.provision.to_json(), "url": self.url, "checked_on": self.checked_on.isoformat()}


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One step of a computed deadline."""

    text: LocalText
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition, how it came out, and on which facts."""

    text: LocalText
    outcome: Truth
    facts: tuple[str, ...] = ()
    citation: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "text": self.text.to_json(),
            "outcome": self.outcome.value,
            "facts": list(self.facts),
            "citation": self.citation,
        }


@dataclass(frozen=True, slots=True)
class Alternative:
    """What another start would change."""

    key: str
    label: str
    starts_at: datetime
    due_at: datetime | None
    adopted: bool
    arguable: bool
    driving: bool


@dataclass(frozen=True, slots=True)
class Deadline:
    """A computed deadline: the moment, or None for a vague standard or an unknown start."""

    starts_at: datetime | None
    due_at: datetime | None
    zone: str
    standard: Standard
    trace: tuple[TraceStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty of one entity, with everything a lawyer would ask about it."""

    rule: str
    stage: str
    occurrence: str
    jurisdiction: str
    instrument: LocalText
    title: LocalText
    audience: str
    addressees: tuple[LocalText, ...]
    status: Status
    version: str
    revision: int
    digest: str
    standard: Standard
    starts_at: datetime | None
    due_at: datetime | None
    due_zone: str
    alternatives: tuple[Alternative, ...]
    trace: tuple[TraceStep, ...]
    because: tuple[Reason, ...]
    questions: tuple[str, ...]
    citations: tuple[Citation, ...]
    confidence: str
    doubts: LocalText | None
    contents: tuple[LocalText, ...]
    exemptions: tuple[LocalText, ...]
    penalties: LocalText
    limit: LocalText

    @property
    def identity(self) -> tuple[str, str, str]:
        """Rule, stage and occurrence: the duty's name within an incident and an entity."""
        return (self.rule, self.stage, self.occurrence)

    def to_json(self) -> dict[str, Any]:
        """The stable form other programs rely on. Instants carry the offset of ``due_zone``."""
        return {
            "rule": self.rule,
            "stage": self.stage,
            "occurrence": self.occurrence,
            "jurisdiction": self.jurisdiction,
            "instrument": self.instrument.to_json(),
            "title": self.title.to_json(),
            "audience": self.audience,
            "addressees": [name.to_json() for name in self.addressees],
            "status": self.status.value,
            "version": self.version,
            "revision": self.revision,
            "digest": self.digest,
            "standard": self.standard.value,
            "limit": self.limit.to_json(),
            "starts_at": self._local(self.starts_at),
            "due_at": self._local(self.due_at),
            "due_zone": self.due_zone,
            "alternatives": [self._alternative(item) for item in self.alternatives],
            "trace": [{"text": step.text.to_json(), "at": self._local(step.at)} for step in self.trace],
            "because": [reason.to_json() for reason in self.because],
            "questions": list(self.questions),
            "citations": [citation.to_json() for citation in self.citations],
            "confidence": self.confidence,
            "doubts": self.doubts.to_json() if self.doubts else None,
            "contents": [text.to_json() for text in self.contents],
            "exemptions": [text.to_json() for text in self.exemptions],
            "penalties": self.penalties.to_json(),
        }

    def _local(self, at: datetime | None) -> str | None:
        return in_zone(at, self.due_zone) if at is not None else None

    def _alternative(self, item: Alternative) -> dict[str, Any]:
        return {
            "key": item.key,
            "label": item.label,
            "starts_at": self._local(item.starts_at),
            "due_at": self._local(item.due_at),
            "adopted": item.adopted,
            "arguable": item.arguable,
            "driving": item.driving,
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """Every duty and non-duty of one entity, as known at ``as_of``."""

    library_digest: str
    as_of: datetime
    duties: tuple[Duty, ...]
    questions: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The stable form other programs rely on."""
        return {
            "library": {"digest": self.library_digest},
            "as_of": self.as_of.isoformat(),
            "duties": [duty.to_json() for duty in self.duties],
            "questions": list(self.questions),
        }
