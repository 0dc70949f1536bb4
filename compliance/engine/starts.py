"""What starts a clock, in one case: facts, submissions, the end of another stage's period."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from compliance.engine.instants import zone_named
from compliance.engine.rules import Start
from compliance.engine.types import Candidate, Event, FactDef, FactSheet, LocalText, TraceStep


@dataclass(frozen=True, slots=True)
class Begun:
    """The instant a clock started (None: not recorded) and, if contested, all candidates.

    ``stand_in``: the fact whose moment stands in for one that is not recorded. ``missing``: the fact to ask for.
    ``notes``: what has to be said about the start.
    """

    at: datetime | None
    candidates: tuple[Candidate, ...] = ()
    driving: str | None = None
    stand_in: str | None = None
    missing: tuple[str, ...] = ()
    notes: tuple[TraceStep, ...] = ()


NOT_BEGUN = Begun(None)


def start_of(name: str, sheet: FactSheet) -> Begun:
    """The instant of a fact; of a contested one the adopted candidate, else the earliest arguable one."""
    value = sheet.facts.get(name)
    if isinstance(value, datetime):
        return Begun(value)
    if not isinstance(value, tuple) or not value:
        return NOT_BEGUN
    if isinstance(value[0], Event):
        return Begun(min(event.at for event in value))
    candidates = tuple(
        sorted((item for item in value if isinstance(item, Candidate)), key=lambda item: (item.at, item.key))
    )
    adopted = [candidate for candidate in candidates if candidate.adopted]
    arguable = [candidate for candidate in candidates if candidate.arguable]
    driving = next(iter(adopted or arguable), None)
    if driving is None:
        return Begun(None, candidates)
    return Begun(driving.at, candidates, driving.key)


class Starts:
    """The starts of one case, each worked out once.

    ``due_of`` answers when the period of a stage of a rule ends (None: unknown), ``title_of`` what that stage is called.
    """

    def __init__(
        self,
        sheet: FactSheet,
        facts: dict[str, FactDef],
        due_of: Callable[[str, str], datetime | None],
        title_of: Callable[[str, str], LocalText],
    ) -> None:
        self._sheet = sheet
        self._facts = facts
        self._due_of = due_of
        self._title_of = title_of
        self._known: dict[str, Begun] = {}
        self._days: dict[tuple[datetime, str], date] = {}

    def day(self, at: datetime, zone: str) -> date:
        """The civil date of ``at`` in ``zone``."""
        key = (at, zone)
        if key not in self._days:
            self._days[key] = at.astimezone(zone_named(zone)).date()
        return self._days[key]

    def resolve(self, start: Start, rule: str) -> Begun:
        """When ``start`` happened, for a stage of ``rule``."""
        if start.kind == "fact":
            return self._fact(start.name)
        if start.kind == "submitted":
            return self._submitted(start, start.rule or rule)
        if start.kind == "due":
            return self._due(start, start.rule or rule)
        return self._of_several(start, [self.resolve(part, rule) for part in start.parts])

    def resolve_fact(self, name: str) -> Begun:
        """When the fact ``name`` was so, without anything that stands in."""
        return start_of(name, self._sheet)

    def _fact(self, name: str) -> Begun:
        if name not in self._known:
            self._known[name] = self._recorded(name)
        return self._known[name]

    def _recorded(self, name: str) -> Begun:
        own = start_of(name, self._sheet)
        if own.at is not None:
            return own
        for earlier in self._facts[name].until_known:
            found = start_of(earlier, self._sheet)
            if found.at is not None:
                note = self._standing_in(name, earlier)
                return Begun(found.at, stand_in=earlier, missing=(name,), notes=(note,))
        return Begun(None, own.candidates, missing=(name,))

    def _standing_in(self, name: str, earlier: str) -> TraceStep:
        wanted, used = self._facts[name].label, self._facts[earlier].label
        return TraceStep(
            LocalText(
                ko=f"임시: '{wanted.ko}'이(가) 기록되지 않아 '{used.ko}'부터 셈. 기록되면 다시 계산됨",
                en=f"provisional: '{wanted.en}' is not recorded, counted from '{used.en}' until it is",
            )
        )

    def _submitted(self, start: Start, rule: str) -> Begun:
        done = [item.at for item in self._sheet.submissions if item.rule == rule and item.stage == start.name]
        if done:
            return Begun(min(done) if start.first else max(done))
        title = self._title_of(rule, start.name)
        text = LocalText(
            ko=f"'{title.ko}'을(를) 하기 전에는 시작하지 않음", en=f"does not start before '{title.en}' is done"
        )
        return Begun(None, notes=(TraceStep(text),))

    def _due(self, start: Start, rule: str) -> Begun:
        at = self._due_of(rule, start.name)
        title = self._title_of(rule, start.name)
        text = LocalText(ko=f"'{title.ko}' 기한의 끝부터 셈", en=f"counted from the end of the period of '{title.en}'")
        return Begun(at, notes=(TraceStep(text),))

    def _of_several(self, start: Start, parts: list[Begun]) -> Begun:
        """Of the earliest, what is recorded counts before what merely stands in; the latest needs every part."""
        recorded = [part for part in parts if part.at is not None and part.stand_in is None]
        known = [part for part in parts if part.at is not None]
        missing = tuple(name for part in parts for name in part.missing)
        if start.kind == "earliest" and recorded:
            known, missing = recorded, ()
        if not known or (start.kind == "latest" and len(known) < len(parts)):
            return Begun(None, missing=missing)
        chosen = (min if start.kind == "earliest" else max)(known, key=_moment)
        words = TraceStep(_OF_SEVERAL[start.kind])
        return Begun(chosen.at, chosen.candidates, chosen.driving, chosen.stand_in, missing, (words, *chosen.notes))


def _moment(begun: Begun) -> float:
    return begun.at.timestamp() if begun.at is not None else 0.0


_OF_SEVERAL = {
    "earliest": LocalText(ko="여러 시점 중 가장 이른 것", en="the earliest of several moments"),
    "latest": LocalText(ko="여러 시점 중 가장 늦은 것", en="the latest of several moments"),
}
