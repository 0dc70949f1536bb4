"""Which duties exist, may exist or do not, why, and by when. Pure: facts and law in, answers out."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from compliance.engine.conditions import Outcome, Situation
from compliance.engine.counting import COUNTING
from compliance.engine.library import Library
from compliance.engine.rules import Clock, Rule, Stage, Version
from compliance.engine.types import (
    Alternative,
    Assessment,
    Candidate,
    Deadline,
    Duty,
    EntityProfile,
    Event,
    FactSheet,
    LocalText,
    Reason,
    Status,
    TraceStep,
    Truth,
)


@dataclass(frozen=True, slots=True)
class Start:
    """What starts a clock: the instant (None: not recorded) and, if contested, all candidates."""

    at: datetime | None
    candidates: tuple[Candidate, ...] = ()
    driving: str | None = None


def assess(library: Library, sheet: FactSheet, entity: EntityProfile, as_of: datetime) -> Assessment:
    """Every duty of ``entity`` under every rule, on what ``sheet`` knows.

    ``as_of`` (aware) chooses the version of a rule only where the fact that should choose it is not recorded.
    """
    duties = tuple(duty for rule in library.rules.values() for duty in _duties(library, rule, sheet, entity, as_of))
    return Assessment(library.digest, as_of, tuple(sorted(duties, key=_urgency)), _most_decisive(duties))


def _urgency(duty: Duty) -> tuple[bool, bool, float, str, str]:
    order = {Status.REQUIRED: 0, Status.POSSIBLE: 0, Status.NOT_REQUIRED: 1}
    due = duty.due_at.timestamp() if duty.due_at else 0.0
    return (bool(order[duty.status]), duty.due_at is None, due, duty.rule, duty.stage + duty.occurrence)


def _most_decisive(duties: tuple[Duty, ...]) -> tuple[str, ...]:
    """Open questions, the one that settles most duties first."""
    votes = Counter(name for duty in duties if duty.status != Status.NOT_REQUIRED for name in duty.questions)
    return tuple(sorted(votes, key=lambda name: (-votes[name], name)))


def _duties(library: Library, rule: Rule, sheet: FactSheet, entity: EntityProfile, as_of: datetime) -> Iterator[Duty]:
    situation = Situation(sheet, entity, rule.key)
    chosen = choose_version(rule, sheet, as_of)
    if chosen.version is None:
        return
    who = rule.who(situation)
    for stage in chosen.version.stages:
        for occurrence, start in _occurrences(stage, rule, sheet):
            yield _duty(library, rule, chosen, stage, occurrence, start, who, situation)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The version of a rule that speaks, and what has to be said about the choice."""

    version: Version | None
    notes: tuple[TraceStep, ...] = ()
    # The fact that should have chosen it but is not recorded.
    missing: str | None = None


def choose_version(rule: Rule, sheet: FactSheet, as_of: datetime) -> Chosen:
    """The version in force on the date of the fact that the version itself names (``connects_by``).

    Where that fact is not recorded, the text in force at ``as_of`` is read, and the trace says so.
    """
    known = False
    for version in reversed(rule.versions):
        start = start_of(version.connects_by, sheet)
        known = known or start.at is not None
        if start.at is not None and version.in_force_on(_day(start.at, rule)):
            return Chosen(version, _straddling(rule, version, start))
    if known:
        return Chosen(None)
    day = _day(as_of, rule)
    text = LocalText(
        ko=f"적용 법령을 정하는 시점이 기록되지 않아 {day} 현재의 법령으로 봄",
        en=f"the moment that chooses the version is not recorded: read under the text of {day}",
    )
    held = rule.version_on(day)
    return Chosen(held, (TraceStep(text),), held.connects_by if held else None)


def _day(at: datetime, rule: Rule) -> date:
    return at.astimezone(ZoneInfo(rule.zone)).date()


def _straddling(rule: Rule, version: Version, start: Start) -> tuple[TraceStep, ...]:
    """What to say when arguable candidates fall under different texts."""
    dates = [_day(candidate.at, rule) for candidate in start.candidates if candidate.arguable]
    keys = {other.key for day in dates if (other := rule.version_on(day)) is not None}
    if not keys - {version.key}:
        return ()
    listed = ", ".join(sorted(keys))
    text = LocalText(
        ko=f"인지 시점에 따라 적용 법령이 다름({listed}). 법무 검토 필요",
        en=f"the candidates fall under different texts ({listed}): a lawyer must decide",
    )
    return (TraceStep(text),)


def start_of(name: str, sheet: FactSheet) -> Start:
    """The instant of a fact; of a contested one the adopted candidate, else the earliest arguable one."""
    value = sheet.facts.get(name)
    if isinstance(value, datetime):
        return Start(value)
    if not isinstance(value, tuple) or not value:
        return Start(None)
    candidates = tuple(
        sorted((item for item in value if isinstance(item, Candidate)), key=lambda item: (item.at, item.key))
    )
    adopted = [candidate for candidate in candidates if candidate.adopted]
    arguable = [candidate for candidate in candidates if candidate.arguable]
    driving = next(iter(adopted or arguable), None)
    if driving is None:
        return Start(None, candidates)
    return Start(driving.at, candidates, driving.key)


def _occurrences(stage: Stage, rule: Rule, sheet: FactSheet) -> Iterator[tuple[str, Start]]:
    """One for a stage that is done once; one for each happening after the earlier stage was done."""
    if stage.per_event is None:
        yield "", start_of(stage.clock.start, sheet)
        return
    done = [item.at for item in sheet.submissions if item.rule == rule.key and item.stage == stage.after]
    if not done:
        return
    for event in sheet.facts.get(stage.per_event, ()):
        if isinstance(event, Event) and event.at > min(done):
            yield event.key, Start(event.at)


def deadline(clock: Clock, start: Start, library: Library, *, calendar: str, zone: str) -> Deadline:
    """When a clock that began at ``start`` ends. Without a number, or without a start, there is no moment."""
    if start.at is None:
        text = LocalText(
            ko="시작 시점이 기록되지 않음: 기한을 셀 수 없음",
            en="the start is not recorded: no deadline can be counted",
        )
        return Deadline(None, None, zone, clock.standard, (TraceStep(text),))
    if clock.counting is None or clock.n is None:
        words = clock.limit
        text = LocalText(ko=f"법에 정해진 시간이 없음({words.ko})", en=f"the law sets no number ({words.en})")
        begun = TraceStep(LocalText(ko="시작", en="starts"), start.at)
        return Deadline(start.at, None, zone, clock.standard, (begun, TraceStep(text)))
    counted = COUNTING[clock.counting][1](start.at, clock.n, library.calendars[calendar])
    return Deadline(start.at, counted.due_at, zone, clock.standard, counted.trace)


def _duty(
    library: Library,
    rule: Rule,
    chosen: Chosen,
    stage: Stage,
    occurrence: str,
    start: Start,
    who: Outcome,
    situation: Situation,
) -> Duty:
    version = chosen.version
    if version is None:
        raise ValueError("expected a version that speaks")
    status, because, questions = _status(version, stage, who, situation)
    if status != Status.NOT_REQUIRED:
        missing = (chosen.missing, stage.clock.start if start.at is None else None)
        questions = tuple(dict.fromkeys((*questions, *(name for name in missing if name))))
    found = deadline(stage.clock, start, library, calendar=rule.calendar, zone=rule.zone)
    due = found.due_at
    if version.confidence == "low" and status == Status.REQUIRED:
        status, due = Status.POSSIBLE, None
    return Duty(
        rule=rule.key,
        stage=stage.key,
        occurrence=occurrence,
        jurisdiction=rule.jurisdiction,
        instrument=rule.instrument,
        title=stage.title,
        audience=stage.audience,
        addressees=rule.addressees,
        status=status,
        version=version.key,
        revision=version.revision,
        digest=version.digest,
        standard=stage.clock.standard,
        starts_at=found.starts_at,
        due_at=due,
        due_zone=rule.zone,
        alternatives=_alternatives(library, rule, stage, start),
        trace=chosen.notes + found.trace,
        because=because,
        questions=questions,
        citations=version.citations,
        confidence=version.confidence,
        doubts=version.doubts,
        contents=version.contents,
        exemptions=tuple(exemption.text for exemption in version.exemptions),
        penalties=version.penalties,
        limit=stage.clock.limit,
    )


def _status(
    version: Version, stage: Stage, who: Outcome, situation: Situation
) -> tuple[Status, tuple[Reason, ...], tuple[str, ...]]:
    if who.truth == Truth.FALSE:
        return Status.NOT_REQUIRED, who.reasons, ()
    provision = version.citations[0].provision.ko
    for exemption in version.exemptions:
        outcome = exemption.applies(situation) if exemption.applies else None
        if outcome is not None and outcome.truth == Truth.TRUE:
            reason = Reason(exemption.text, Truth.TRUE, citation=exemption.provision)
            return Status.NOT_REQUIRED, (reason, *outcome.reasons), ()
    outcome = stage.applies(situation)
    reasons = tuple(Reason(item.text, item.outcome, item.facts, item.citation or provision) for item in outcome.reasons)
    if outcome.truth == Truth.FALSE:
        return Status.NOT_REQUIRED, reasons, ()
    questions = tuple(dict.fromkeys((*who.questions, *outcome.questions)))
    if outcome.truth == Truth.UNKNOWN or who.truth == Truth.UNKNOWN:
        return Status.POSSIBLE, (*who.reasons, *reasons), questions
    return Status.REQUIRED, (*who.reasons, *reasons), ()


def _alternatives(library: Library, rule: Rule, stage: Stage, start: Start) -> tuple[Alternative, ...]:
    return tuple(_alternative(library, rule, stage, candidate, start) for candidate in start.candidates)


def _alternative(library: Library, rule: Rule, stage: Stage, candidate: Candidate, start: Start) -> Alternative:
    """What the clock would say if this candidate drove it, under the text of its own date."""
    day = candidate.at.astimezone(ZoneInfo(rule.zone)).date()
    version = rule.version_on(day)
    twin = next((item for item in version.stages if item.key == stage.key), None) if version else None
    clock = (twin or stage).clock
    found = deadline(clock, Start(candidate.at), library, calendar=rule.calendar, zone=rule.zone)
    return Alternative(
        key=candidate.key,
        label=candidate.label,
        starts_at=candidate.at,
        due_at=found.due_at if version else None,
        adopted=candidate.adopted,
        arguable=candidate.arguable,
        driving=candidate.key == start.driving,
    )
