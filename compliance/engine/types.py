"""The values the engine takes and gives. All of them frozen; instants are aware.

A recorded instant carries the offset of the place where it was so (some laws ask for the date there); what is computed is UTC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
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
    BUSINESS_DAYS = "business_days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"
    IMMEDIATELY = "immediately"
    WITHOUT_UNDUE_DELAY = "without_undue_delay"
    # No period in the law: the day stands in an order or a request, or an order of acts is all that is asked.
    AS_SET = "as_set"


VAGUE = frozenset({Standard.IMMEDIATELY, Standard.WITHOUT_UNDUE_DELAY, Standard.AS_SET})


class Standing(StrEnum):
    """Whether a text is law. Only one in force can give a duty."""

    IN_FORCE = "in_force"
    PROPOSED = "proposed"
    NOT_IN_FORCE = "not_in_force"
    NOT_CONFIRMED = "not_confirmed"


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
    """People affected in one place of residence ("KR", "US-CA").

    ``count`` None: not known yet. No ``categories``: the kinds of data are not known yet. ``encrypted``: all of their data
    was unreadable; ``key_taken``: the key went with it. None: not known.
    """

    residence: str
    count: int | None
    categories: tuple[str, ...] = ()
    encrypted: bool | None = None
    key_taken: bool | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A stage that was in fact done."""

    rule: str
    stage: str
    occurrence: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EntityProfile:
    """The legal entity that may owe a duty. A list that is given is complete; None: not known.

    ``establishments``: places where it is established, ``markets``: places where people live whose data it holds ("KR",
    "US-CA"). ``main_establishment`` chooses the lead authority where a law has one.
    """

    key: str
    name: str
    roles: tuple[str, ...] | None = ()
    sectors: tuple[str, ...] | None = ()
    establishments: tuple[str, ...] | None = ()
    markets: tuple[str, ...] | None = None
    main_establishment: str | None = None


@dataclass(frozen=True, slots=True)
class FactSheet:
    """Everything known. A fact that is not here is unknown.

    ``turned_on``: rules of low confidence that a person decided to follow as hard law.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    people: tuple[PeopleCount, ...] = ()
    submissions: tuple[Submission, ...] = ()
    turned_on: frozenset[str] = frozenset()


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
    unit: str = ""
    # Earlier moments, nearest first: while this one is not recorded, the first recorded of them stands in, in words.
    until_known: tuple[str, ...] = ()


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
class LaterReading:
    """A reading under which a period would end later. It is shown; the deadline stays the earlier one."""

    text: LocalText
    due_at: datetime


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
    """A computed deadline: the moment, or None for a vague standard or an unknown start.

    ``later``: readings that would end later; shown, never the deadline.
    """

    starts_at: datetime | None
    due_at: datetime | None
    trace: tuple[TraceStep, ...] = ()
    later: tuple[LaterReading, ...] = ()


@dataclass(frozen=True, slots=True)
class Guidance:
    """A soft moment: an authority's expectation, an aim, or the number of a rule we are not sure of. Never a deadline."""

    text: LocalText
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who receives it, and how it is reached as far as is known."""

    name: LocalText
    portal: str = ""
    checked: bool = False


@dataclass(frozen=True, slots=True)
class StageLaw:
    """What the law says of one stage in one version of a rule, whatever the case."""

    rule: str
    stage: str
    jurisdiction: str
    instrument: LocalText
    title: LocalText
    audience: str
    version: str
    revision: int
    digest: str
    standard: Standard
    # A vague word that stands beside the number: then the number is a ceiling.
    ceiling_of: Standard | None
    limit: LocalText
    citations: tuple[Citation, ...]
    confidence: str
    doubts: LocalText | None
    note: LocalText | None
    contents: tuple[LocalText, ...]
    exemptions: tuple[LocalText, ...]
    penalties: LocalText
    order: tuple[LocalText, ...]


@dataclass(frozen=True, slots=True)
class Working:
    """How to work out what costs time and is often not read."""

    because: Callable[[], tuple[Reason, ...]]
    trace: Callable[[], tuple[TraceStep, ...]]
    alternatives: Callable[[], tuple[Alternative, ...]]
    addressees: Callable[[], tuple[Addressee, ...]]


@dataclass(frozen=True)
class Duty:
    """One duty of one entity, with everything a lawyer would ask about it."""

    law: StageLaw
    occurrence: str
    entity: str
    status: Status
    starts_at: datetime | None
    due_at: datetime | None
    due_zone: str
    questions: tuple[str, ...]
    working: Working = field(repr=False, compare=False)
    # The start is not recorded: the nearest recorded moment stands in, and the trace says so.
    provisional: bool = False
    # It may not be done before this moment.
    opens_at: datetime | None = None
    guidance: Guidance | None = None
    later: tuple[LaterReading, ...] = ()
    # False: the rule speaks to others only (role, sector, place).
    concerns_entity: bool = True

    rule = property(lambda self: self.law.rule, doc="The rule's key.")
    stage = property(lambda self: self.law.stage, doc="The stage's key.")
    title = property(lambda self: self.law.title, doc="What is to be done.")
    instrument = property(lambda self: self.law.instrument, doc="The act.")
    jurisdiction = property(lambda self: self.law.jurisdiction, doc="Whose law it is.")
    audience = property(lambda self: self.law.audience, doc="Who is told: regulator, data_subjects, ...")
    version = property(lambda self: self.law.version, doc="The first day of the version that speaks.")
    revision = property(lambda self: self.law.revision, doc="Which reading of that text.")
    digest = property(lambda self: self.law.digest, doc="The digest of the version as written down.")
    standard = property(lambda self: self.law.standard, doc="A unit, or the words of a vague standard.")
    limit = property(lambda self: self.law.limit, doc="The limit in words.")
    citations = property(lambda self: self.law.citations, doc="Where it stands.")
    confidence = property(lambda self: self.law.confidence, doc="high, medium or low.")
    doubts = property(lambda self: self.law.doubts, doc="What a lawyer should settle.")
    contents = property(lambda self: self.law.contents, doc="What the notice must hold.")
    exemptions = property(lambda self: self.law.exemptions, doc="Lawful exceptions.")
    penalties = property(lambda self: self.law.penalties, doc="What threatens.")

    @property
    def identity(self) -> tuple[str, str, str]:
        """Rule, stage and occurrence: the duty's name within an incident and an entity."""
        return (self.rule, self.stage, self.occurrence)

    @cached_property
    def because(self) -> tuple[Reason, ...]:
        """The conditions that decided."""
        return self.working.because()

    @cached_property
    def trace(self) -> tuple[TraceStep, ...]:
        """How the deadline was counted."""
        return self.working.trace()

    @cached_property
    def alternatives(self) -> tuple[Alternative, ...]:
        """What each candidate of a contested start would mean."""
        return self.working.alternatives()

    @cached_property
    def authorities(self) -> tuple[Addressee, ...]:
        """Who receives it."""
        return self.working.addressees()

    @property
    def addressees(self) -> tuple[LocalText, ...]:
        """The names of who receives it."""
        return tuple(item.name for item in self.authorities)

    def to_json(self) -> dict[str, Any]:
        """The stable form other programs rely on. Instants carry the offset of ``due_zone``."""
        return {
            "rule": self.rule,
            "stage": self.stage,
            "occurrence": self.occurrence,
            "entity": self.entity,
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
            "ceiling_of": self.law.ceiling_of.value if self.law.ceiling_of else None,
            "limit": self.limit.to_json(),
            "starts_at": self._local(self.starts_at),
            "due_at": self._local(self.due_at),
            "due_zone": self.due_zone,
            "provisional": self.provisional,
            "concerns_entity": self.concerns_entity,
            "opens_at": self._local(self.opens_at),
            "guidance": {"text": self.guidance.text.to_json(), "at": self._local(self.guidance.at)}
            if self.guidance
            else None,
            "order": [text.to_json() for text in self.law.order],
            "later_readings": [
                {"text": item.text.to_json(), "due_at": self._local(item.due_at)} for item in self.later
            ],
            "alternatives": [self._alternative(item) for item in self.alternatives],
            "trace": [{"text": step.text.to_json(), "at": self._local(step.at)} for step in self.trace],
            "because": [reason.to_json() for reason in self.because],
            "questions": list(self.questions),
            "citations": [citation.to_json() for citation in self.citations],
            "confidence": self.confidence,
            "doubts": self.doubts.to_json() if self.doubts else None,
            "note": self.law.note.to_json() if self.law.note else None,
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
class Notice:
    """Law that is not in force, or not known to be, and would speak to this entity. Information, never a duty."""

    rule: str
    version: str
    standing: Standing
    title: LocalText
    says: LocalText

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "rule": self.rule,
            "version": self.version,
            "standing": self.standing.value,
            "title": self.title.to_json(),
            "says": self.says.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """Every duty and non-duty of one entity, as known at ``as_of``."""

    library_digest: str
    as_of: datetime
    duties: tuple[Duty, ...]
    questions: tuple[str, ...]
    notices: tuple[Notice, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The stable form other programs rely on."""
        return {
            "library": {"digest": self.library_digest},
            "as_of": self.as_of.isoformat(),
            "duties": [duty.to_json() for duty in self.duties],
            "questions": list(self.questions),
            "not_in_force": [notice.to_json() for notice in self.notices],
        }
