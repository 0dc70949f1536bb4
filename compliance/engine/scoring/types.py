"""What the calculators take and give. All of it frozen; numbers are integers or decimals, never floats."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from compliance.engine.errors import EngineError
from compliance.engine.types import LocalText, Truth

FactValue = bool | str
UNKNOWN_TEXT = LocalText(ko="모름", en="unknown")


class ScoreError(EngineError):
    """A choice that cannot be adopted. ``ko`` and ``en`` are what a person is shown."""

    def __init__(self, *, ko: str, en: str) -> None:
        super().__init__(en)
        self.ko = ko
        self.en = en


class ReasonNeeded(ScoreError):
    """A choice that departs from the proposal, without a reason."""


class UnknownLevel(ScoreError):
    """A choice that is no level of the method."""


def written(number: Decimal | int) -> str:
    """An exact number in its shortest form: 2.25, 3, 100000."""
    text = format(Decimal(number), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True)
class Bounds:
    """A number known to lie between ``low`` and ``high``, both included; ``high`` None: no upper end known."""

    low: Decimal
    high: Decimal | None

    @property
    def exact(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high

    def to_json(self) -> str | dict[str, str | None]:
        """One exact number as text, or both ends."""
        if self.exact:
            return written(self.low)
        return {"lowest": written(self.low), "highest": None if self.high is None else written(self.high)}

    def __str__(self) -> str:
        if self.exact:
            return written(self.low)
        return f"{written(self.low)}..{'' if self.high is None else written(self.high)}"


Answer = bool | str | Bounds


@dataclass(frozen=True, slots=True)
class DataSet:
    """One data set of a breach, as far as it is classified; None: not answered yet."""

    name: str = ""
    category: str | None = None
    adjustment: int | None = None
    identification: str | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered. A question that is not here is unknown, which is not "no"."""

    values: Mapping[str, Answer] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    datasets: tuple[DataSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where it stands, to the smallest unit. ``checked_on`` None: from knowledge, not read."""

    provision: LocalText
    url: str
    checked_on: date | None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        checked = self.checked_on.isoformat() if self.checked_on else None
        return {"provision": self.provision.to_json(), "url": self.url, "checked_on": checked}


@dataclass(frozen=True, slots=True)
class Level:
    """One possible result. ``proposes``: the facts that adopting it would record. ``house``: what the house makes of it."""

    key: str
    text: LocalText
    meaning: LocalText
    proposes: Mapping[str, FactValue]
    house: LocalText | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "key": self.key,
            "text": self.text.to_json(),
            "meaning": self.meaning.to_json(),
            "proposes": dict(self.proposes),
            "house": self.house.to_json() if self.house else None,
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the working: what was asked, on which answers, what it gave, and where it stands.

    ``answers`` maps each question to what was answered, None: not answered. ``value`` is what the step contributed:
    a number, a product ("4 x 0.75 = 3"), or true, false, unknown. ``house``: a rule of the house, not of the source.
    """

    key: str
    text: LocalText
    answers: Mapping[str, Any]
    value: str
    detail: tuple[LocalText, ...] = ()
    reasons: tuple[str, ...] = ()
    source: Source | None = None
    confidence: str = "high"
    house: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "key": self.key,
            "text": self.text.to_json(),
            "answers": dict(self.answers),
            "value": self.value,
            "detail": [text.to_json() for text in self.detail],
            "reasons": list(self.reasons),
            "source": self.source.to_json() if self.source else None,
            "confidence": self.confidence,
            "house": self.house,
        }


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question without an answer that can still change the result."""

    key: str
    text: LocalText

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"key": self.key, "text": self.text.to_json()}


@dataclass(frozen=True, slots=True)
class Beside:
    """A factor or flag recorded beside the result and never in it."""

    key: str
    text: LocalText
    value: str
    shown: LocalText
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "key": self.key,
            "text": self.text.to_json(),
            "value": self.value,
            "shown": self.shown.to_json(),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """Another arguable reading of the text, and the levels it leaves possible."""

    key: str
    text: LocalText
    lowest: str
    highest: str

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"key": self.key, "text": self.text.to_json(), "lowest": self.lowest, "highest": self.highest}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a method proposes. Nothing is written: a person adopts (see :func:`adoption`).

    ``level`` is None while the lowest and the highest possible level differ. ``value`` is the score or count, None for a
    method without one. ``proposes`` is empty while undetermined. ``to_record``: what a complete record still lacks.
    """

    method: str
    version: int
    digest: str
    title: LocalText
    value: Bounds | None
    value_text: LocalText | None
    lowest: Level
    highest: Level
    levels: tuple[Level, ...]
    working: tuple[Step, ...]
    open: tuple[OpenQuestion, ...]
    beside: tuple[Beside, ...]
    readings: tuple[Reading, ...]
    to_record: tuple[LocalText, ...]
    until_decided: LocalText
    confidence: str
    doubts: tuple[LocalText, ...]
    sources: tuple[Source, ...]

    @property
    def level(self) -> Level | None:
        """The level, if all that is still possible agrees on it."""
        return self.lowest if self.lowest == self.highest else None

    @property
    def proposes(self) -> Mapping[str, FactValue]:
        """Name and value of each fact proposed."""
        return self.level.proposes if self.level else {}

    def to_json(self) -> dict[str, Any]:
        """The stable form other programs rely on."""
        return {
            "method": self.method,
            "version": self.version,
            "digest": self.digest,
            "title": self.title.to_json(),
            "status": "determined" if self.level else "undetermined",
            "value": self.value.to_json() if self.value else None,
            "value_text": self.value_text.to_json() if self.value_text else None,
            "level": self.level.to_json() if self.level else None,
            "range": {"lowest": self.lowest.key, "highest": self.highest.key},
            "proposes": dict(self.proposes),
            "working": [step.to_json() for step in self.working],
            "open": [question.to_json() for question in self.open],
            "beside": [item.to_json() for item in self.beside],
            "readings": [reading.to_json() for reading in self.readings],
            "to_record": [text.to_json() for text in self.to_record],
            "until_decided": None if self.level else self.until_decided.to_json(),
            "confidence": self.confidence,
            "doubts": [text.to_json() for text in self.doubts],
            "sources": [source.to_json() for source in self.sources],
        }


@dataclass(frozen=True, slots=True)
class Adoption:
    """A person's decision on a proposal, ready to be recorded. ``proposed`` None: it was undetermined."""

    method: str
    version: int
    digest: str
    proposed: str | None
    chosen: str
    departs: bool
    reason: str
    facts: Mapping[str, FactValue]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "method": self.method,
            "version": self.version,
            "digest": self.digest,
            "proposed": self.proposed,
            "chosen": self.chosen,
            "departs": self.departs,
            "reason": self.reason,
            "facts": dict(self.facts),
        }


TRUTH_TEXT = {
    Truth.TRUE: LocalText(ko="예", en="yes"),
    Truth.FALSE: LocalText(ko="아니요", en="no"),
    Truth.UNKNOWN: UNKNOWN_TEXT,
}
