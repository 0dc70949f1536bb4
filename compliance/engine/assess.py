"""Which duties exist, may exist or do not, why, and by when. Pure: facts and law in, answers out."""

from collections import Counter as Votes
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from compliance.engine.conditions import Condition, Situation
from compliance.engine.deadlines import Counter
from compliance.engine.library import Library
from compliance.engine.people import by_country
from compliance.engine.rules import Exemption, Office, Order, Rule, Stage, Version
from compliance.engine.starts import Begun, Starts
from compliance.engine.types import (
    Addressee,
    Alternative,
    Assessment,
    Deadline,
    Duty,
    EntityProfile,
    Event,
    FactSheet,
    Guidance,
    LocalText,
    Notice,
    Reason,
    StageLaw,
    Standing,
    Status,
    TraceStep,
    Truth,
    Working,
)

LOW = "low"


def assess(
    library: Library,
    sheet: FactSheet,
    entity: EntityProfile,
    as_of: datetime,
    *,
    law_on: date | None = None,
    only: Collection[str] | None = None,
) -> Assessment:
    """Every duty of ``entity`` under every rule, on what ``sheet`` knows.

    ``as_of`` (aware) chooses the version of a rule only where the fact that should choose it is not recorded. ``law_on`` reads
    every rule as in force on that civil date instead: what if this happened then? ``only`` these rules; None: all.
    """
    case = Case(library, sheet, entity, as_of, law_on)
    rules = library.rules.values() if only is None else (library.rules[key] for key in only if key in library.rules)
    duties = tuple(duty for rule in rules for duty in case.duties(rule))
    return Assessment(
        library.digest, as_of, tuple(sorted(duties, key=_urgency)), most_decisive(duties), tuple(case.notices())
    )


def together(found: Sequence[Assessment]) -> Assessment:
    """The assessments of several entities as one list, soonest first."""
    duties = tuple(sorted((duty for item in found for duty in item.duties), key=_urgency))
    notices = tuple(dict.fromkeys(notice for item in found for notice in item.notices))
    return Assessment(found[0].library_digest, found[0].as_of, duties, most_decisive(duties), notices)


def _urgency(duty: Duty) -> tuple[bool, bool, float, str, str]:
    due = duty.due_at.timestamp() if duty.due_at else 0.0
    settled = duty.status is Status.NOT_REQUIRED
    return (settled, duty.due_at is None, due, duty.law.rule, duty.law.stage + duty.occurrence)


def most_decisive(duties: tuple[Duty, ...]) -> tuple[str, ...]:
    """Open questions: first the one that bears on most duties, then the one that alone would settle most."""
    votes: Votes[str] = Votes()
    alone: Votes[str] = Votes()
    for duty in duties:
        votes.update(duty.questions)
        if len(duty.questions) == 1:
            alone.update(duty.questions)
    return tuple(sorted(votes, key=lambda name: (-votes[name], -alone[name], name)))


@dataclass(frozen=True, slots=True)
class Chosen:
    """The version of a rule that speaks, and what has to be said about the choice."""

    version: Version | None
    day: date | None = None
    notes: tuple[TraceStep, ...] = ()
    # The facts that should have chosen it but are not recorded.
    missing: tuple[str, ...] = ()


class Case:
    """One entity's case under one library: what is worked out once is kept."""

    def __init__(
        self, library: Library, sheet: FactSheet, entity: EntityProfile, as_of: datetime, law_on: date | None = None
    ) -> None:
        self.library = library
        self.sheet = sheet
        self.entity = entity
        self.as_of = as_of
        self.law_on = law_on
        self.starts = Starts(sheet, library.facts, self._due_of, self._title_of)
        self._asking: set[tuple[str, str]] = set()
        self._people = by_country(sheet.people)

    def situation(self, rule: Rule) -> Situation:
        """What the conditions of ``rule`` are asked about."""
        return Situation(self.sheet, self.entity, rule.key, self._people)

    def duties(self, rule: Rule) -> Iterator[Duty]:
        """The duties and non-duties under ``rule``; none when no version of it speaks."""
        chosen = self.choose(rule)
        version = chosen.version
        if version is None:
            return
        situation = self.situation(rule)
        who = rule.who.truth(situation)
        if who is Truth.FALSE:
            yield from _View(self, rule, version, chosen, situation, who, ()).for_others()
            return
        offices = _offices(rule, self.entity, self.sheet) if rule.offices else ()
        view = _View(self, rule, version, chosen, situation, who, offices)
        for stage in version.stages:
            for occurrence, begun in self._occurrences(stage, rule):
                yield view.duty(stage, occurrence, begun)

    def notices(self) -> Iterator[Notice]:
        """Texts that are not in force, or not known to be, and would speak to this entity."""
        for rule in self.library.rules.values():
            if len(rule.law) == len(rule.versions):
                continue
            if rule.who.truth(self.situation(rule)) is Truth.FALSE:
                continue
            for version in rule.versions:
                if version.standing is not Standing.IN_FORCE:
                    yield Notice(rule.key, version.key, version.standing, rule.title, version.carries_out)

    def choose(self, rule: Rule) -> Chosen:
        """The version in force on the date of the fact that the version itself names (``connects_by``).

        Where that fact is not recorded, the text in force at ``as_of`` is read, and the trace says so.
        """
        if self.law_on is not None:
            text = LocalText(ko=f"가정: {self.law_on} 현재의 법령", en=f"what if: read under the text of {self.law_on}")
            return Chosen(rule.version_on(self.law_on), self.law_on, (TraceStep(text),))
        stand_in: Chosen | None = None
        known = False
        for version in rule.law:
            begun = self.starts.resolve(version.connects_by, rule.key)
            if begun.at is None:
                continue
            day = self.starts.day(begun.at, rule.zone)
            if begun.stand_in is None:
                known = True
                if version.in_force_on(day):
                    return Chosen(version, day, self._straddling(rule, version, begun))
            elif stand_in is None and version.in_force_on(day):
                stand_in = Chosen(version, day, begun.notes, begun.missing)
        if stand_in is not None:
            return stand_in
        held = self._by_as_of(rule)
        # A recorded moment under which no text was in force means no duty, unless the text of today asks for another.
        return Chosen(None) if known and not held.missing else held

    def _by_as_of(self, rule: Rule) -> Chosen:
        day = self.starts.day(self.as_of, rule.zone)
        text = LocalText(
            ko=f"적용 법령을 정하는 시점이 기록되지 않아 {day} 현재의 법령으로 봄",
            en=f"the moment that chooses the version is not recorded: read under the text of {day}",
        )
        held = rule.version_on(day)
        missing = self.starts.resolve(held.connects_by, rule.key).missing if held else ()
        return Chosen(held, day, (TraceStep(text),), missing)

    def _straddling(self, rule: Rule, version: Version, begun: Begun) -> tuple[TraceStep, ...]:
        """What to say when arguable candidates fall under different texts."""
        if len(begun.candidates) < 2 or len(rule.law) < 2:
            return ()
        dates = [self.starts.day(item.at, rule.zone) for item in begun.candidates if item.arguable]
        keys = {other.key for day in dates if (other := rule.version_on(day)) is not None}
        if not keys - {version.key}:
            return ()
        listed = ", ".join(sorted(keys))
        text = LocalText(
            ko=f"인지 시점에 따라 적용 법령이 다름({listed}). 법무 검토 필요",
            en=f"the candidates fall under different texts ({listed}): a lawyer must decide",
        )
        return (TraceStep(text),)

    def _occurrences(self, stage: Stage, rule: Rule) -> Iterator[tuple[str, Begun]]:
        """One for a stage that is done once; one for each happening, or for each time it was done before."""
        if stage.per_event is not None:
            yield from self._per_event(stage, stage.per_event, rule)
            return
        yield "", self.starts.resolve(stage.clock.start, rule.key)
        if stage.recurs_until is None or self._done(rule, stage.recurs_until):
            return
        for number, at in enumerate(self._done(rule, stage.key), start=2):
            yield f"#{number}", Begun(at)

    def _per_event(self, stage: Stage, name: str, rule: Rule) -> Iterator[tuple[str, Begun]]:
        done = self._done(rule, stage.after) if stage.after else ()
        if stage.after and not done:
            return
        for event in self.sheet.facts.get(name) or ():
            if isinstance(event, Event) and (not done or event.at > done[0]):
                yield event.key, Begun(event.at)

    def _done(self, rule: Rule, stage: str) -> tuple[datetime, ...]:
        """When ``stage`` was done, earliest first."""
        return tuple(
            sorted(item.at for item in self.sheet.submissions if item.rule == rule.key and item.stage == stage)
        )

    def _title_of(self, rule_key: str, stage_key: str) -> LocalText:
        """What a stage is called, in the newest version that has it."""
        rule = self.library.rules.get(rule_key)
        stages = [version.stage(stage_key) for version in reversed(rule.versions)] if rule else []
        return next((stage.title for stage in stages if stage), LocalText(ko=stage_key, en=stage_key))

    def _due_of(self, rule_key: str, stage_key: str) -> datetime | None:
        """When the period of that stage ends, whether it was done or not. Stages that wait for each other have no end."""
        rule = self.library.rules.get(rule_key)
        version = self.choose(rule).version if rule else None
        stage = version.stage(stage_key) if version else None
        if rule is None or stage is None or (rule_key, stage_key) in self._asking:
            return None
        self._asking.add((rule_key, stage_key))
        try:
            begun = self.starts.resolve(stage.clock.start, rule_key)
            offices = _offices(rule, self.entity, self.sheet) if rule.offices else ()
            return self.counter(rule, offices).deadline(stage.clock, begun).due_at
        finally:
            self._asking.discard((rule_key, stage_key))

    def counter(self, rule: Rule, offices: tuple[Office, ...]) -> Counter:
        """Who counts the days: the authority that receives it, else the rule's own place."""
        zone, calendar = (offices[0].zone, offices[0].calendar) if offices else (rule.zone, rule.calendar)
        return Counter(self.starts, rule.key, self.library.calendars[calendar], zone)

    def bound_by(self, order: Order, rule: Rule) -> tuple[datetime, TraceStep] | None:
        """The moment another act sets for this one (together with it, or before it), with the words; None: none yet."""
        other = order.rule or rule.key
        done = [item.at for item in self.sheet.submissions if item.rule == other and item.stage == order.stage]
        title = self._title_of(other, order.stage)
        if order.kind == "after":
            return None
        if done:
            text = LocalText(
                ko=f"{order.text.ko} ('{title.ko}'을(를) 한 때)", en=f"{order.text.en} ('{title.en}' was done)"
            )
            return min(done), TraceStep(text, min(done))
        due = self._due_of(other, order.stage)
        text = LocalText(ko=f"{order.text.ko} ('{title.ko}'의 기한)", en=f"{order.text.en} ('{title.en}' is due)")
        return (due, TraceStep(text, due)) if due is not None else None


def _offices(rule: Rule, entity: EntityProfile, sheet: FactSheet) -> tuple[Office, ...]:
    """The authority of the main establishment, else of the establishments, else those where people are affected."""
    homes = [entity.main_establishment] if entity.main_establishment else list(entity.establishments or ())
    for places in (homes[:1] if entity.main_establishment else homes, _where_people_are(sheet)):
        found = [rule.offices.get(place) or rule.offices.get(place[:2]) for place in places]
        unique = tuple(dict.fromkeys(office.place for office in found if office is not None))
        if unique:
            return tuple(rule.offices[place] for place in unique)
    return ()


def _where_people_are(sheet: FactSheet) -> list[str]:
    return [row.residence for row in sheet.people if row.count != 0]


@dataclass(frozen=True, slots=True)
class _View:
    """One version of one rule in one case."""

    case: Case
    rule: Rule
    version: Version
    chosen: Chosen
    situation: Situation
    who: Truth
    offices: tuple[Office, ...]

    def for_others(self) -> Iterator[Duty]:
        """What the rule asks of others: told once for each stage, whatever happened."""
        for stage in self.version.stages:
            yield self._not_required(_law(self.rule, self.version, stage), stage, "")

    def _not_required(self, law: StageLaw, stage: Stage, occurrence: str) -> Duty:
        return Duty(
            law,
            occurrence,
            self.case.entity.key,
            Status.NOT_REQUIRED,
            None,
            None,
            self._zone(),
            (),
            Working(lambda: self._because(stage), tuple, tuple, lambda: self._addressees(stage)),
            concerns_entity=self.who is not Truth.FALSE,
        )

    def duty(self, stage: Stage, occurrence: str, begun: Begun) -> Duty:
        """One occurrence of ``stage``."""
        law = _law(self.rule, self.version, stage)
        applies = self._applies(stage)
        if applies is Truth.FALSE:
            return self._not_required(law, stage, occurrence)
        return self._standing(law, stage, occurrence, begun, applies)

    def _standing(self, law: StageLaw, stage: Stage, occurrence: str, begun: Begun, applies: Truth) -> Duty:
        status = Status.REQUIRED if applies is Truth.TRUE else Status.POSSIBLE
        counter = self.case.counter(self.rule, self.offices)
        found = self._ordered(stage, counter.deadline(stage.clock, begun))
        guidance = counter.guidance(stage.clock, begun)
        due, later = found.due_at, found.later
        if begun.stand_in is not None and status is Status.REQUIRED:
            # A duty that stands has a true start that must be found out: what stands in for it is guidance only.
            guidance, due, later = _stood_in(found, guidance), None, ()
        if law.confidence == LOW and self.rule.key not in self.case.sheet.turned_on:
            guidance, due, later, status = _not_sure(found, guidance), None, (), Status.POSSIBLE
        working = Working(
            lambda: self._because(stage),
            lambda: tuple(dict.fromkeys(self.chosen.notes + found.trace)),
            lambda: tuple(self._alternative(stage, begun, number) for number in range(len(begun.candidates))),
            lambda: self._addressees(stage),
        )
        return Duty(
            law=law,
            occurrence=occurrence,
            entity=self.case.entity.key,
            status=status,
            starts_at=found.starts_at if begun.stand_in is None or due is not None else None,
            due_at=due,
            due_zone=self._zone(),
            questions=self._questions(stage, begun, applies),
            working=working,
            provisional=begun.stand_in is not None and due is not None,
            opens_at=self._opens(stage, counter, begun),
            guidance=guidance,
            later=later,
        )

    def _zone(self) -> str:
        return self.offices[0].zone if self.offices else self.rule.zone

    def _applies(self, stage: Stage) -> Truth:
        """Whether the stage is owed: by this entity, now, without an exception, under its condition."""
        if self._not_yet() is not None or self._exempted(stage) is not None:
            return Truth.FALSE
        applies = stage.applies.truth(self.situation)
        return Truth.UNKNOWN if applies is Truth.TRUE and self.who is Truth.UNKNOWN else applies

    def _not_yet(self) -> LocalText | None:
        """Why the version does not bind this entity yet: its class starts later."""
        for later in self.version.later_starts:
            early = self.chosen.day is not None and self.chosen.day < later.start
            if early and later.who.truth(self.situation) is Truth.TRUE:
                return later.text
        return None

    def _exempted(self, stage: Stage) -> tuple[Exemption, Condition] | None:
        """The exception that is shown to apply, with its condition."""
        for exemption in self.version.exemptions:
            if exemption.applies is None or (exemption.stages and stage.key not in exemption.stages):
                continue
            if exemption.applies.truth(self.situation) is Truth.TRUE:
                return exemption, exemption.applies
        return None

    def _because(self, stage: Stage) -> tuple[Reason, ...]:
        """The conditions that decided, each of the stage's with its provision."""
        who = self.rule.who.explain(self.situation)
        provision = (stage.citations or self.version.citations)[0].provision.ko
        if who.truth is Truth.FALSE:
            return who.reasons
        if (text := self._not_yet()) is not None:
            return (Reason(text, Truth.FALSE, citation=provision),)
        if (exempted := self._exempted(stage)) is not None:
            exemption, condition = exempted
            shown = Reason(exemption.text, Truth.TRUE, citation=exemption.provision)
            return (shown, *condition.explain(self.situation).reasons)
        applies = stage.applies.explain(self.situation)
        cited_reasons = tuple(replace(item, citation=item.citation or provision) for item in applies.reasons)
        if applies.truth is Truth.FALSE:
            return cited_reasons
        said = {reason.text for reason in cited_reasons}
        beside = (reason for reason in who.reasons if reason.text not in said)
        return tuple(dict.fromkeys((*beside, *cited_reasons, *self._about_confidence(stage))))

    def _about_confidence(self, stage: Stage) -> tuple[Reason, ...]:
        if (stage.confidence or self.version.confidence) != LOW:
            return ()
        if self.rule.key in self.case.sheet.turned_on:
            return (Reason(_TURNED_ON, Truth.TRUE),)
        return (Reason(_LAWYER_FIRST, Truth.UNKNOWN),)

    def _questions(self, stage: Stage, begun: Begun, applies: Truth) -> tuple[str, ...]:
        asked: list[str] = []
        if applies is Truth.UNKNOWN:
            asked += self.rule.who.explain(self.situation).questions if self.who is Truth.UNKNOWN else ()
            asked += stage.applies.explain(self.situation).questions
        return tuple(dict.fromkeys((*asked, *self.chosen.missing, *begun.missing)))

    def _ordered(self, stage: Stage, found: Deadline) -> Deadline:
        """The deadline with what other acts ask of this one: together with one, or before one."""
        for order in stage.orders:
            bound = self.case.bound_by(order, self.rule)
            if bound is None:
                continue
            at, step = bound
            due = at if found.due_at is None else min(at, found.due_at)
            found = replace(found, due_at=due, trace=(*found.trace, step))
        return found

    def _opens(self, stage: Stage, counter: Counter, begun: Begun) -> datetime | None:
        moments = [counter.beside(stage.clock.opens, stage.clock, begun)] if stage.clock.opens else []
        for order in stage.orders:
            if order.kind == "after":
                other = order.rule or self.rule.key
                done = [
                    item.at for item in self.case.sheet.submissions if item.rule == other and item.stage == order.stage
                ]
                moments.append(min(done, default=None))
        known = [at for at in moments if at is not None]
        return max(known, default=None)

    def _alternative(self, stage: Stage, begun: Begun, number: int) -> Alternative:
        """What the clock would say if this candidate drove it, under the text of its own date."""
        candidate = begun.candidates[number]
        day = self.case.starts.day(candidate.at, self.rule.zone)
        version = self.rule.version_on(day)
        twin = version.stage(stage.key) if version else None
        counter = self.case.counter(self.rule, self.offices)
        found = counter.deadline((twin or stage).clock, Begun(candidate.at))
        return Alternative(
            key=candidate.key,
            label=candidate.label,
            starts_at=candidate.at,
            due_at=found.due_at if version else None,
            adopted=candidate.adopted,
            arguable=candidate.arguable,
            driving=candidate.key == begun.driving,
        )

    def _addressees(self, stage: Stage) -> tuple[Addressee, ...]:
        if stage.addressees:
            return tuple(Addressee(name) for name in stage.addressees)
        if self.offices:
            return tuple(office.addressee for office in self.offices)
        return tuple(Addressee(name) for name in self.rule.addressees)


def _law(rule: Rule, version: Version, stage: Stage) -> StageLaw:
    """What the law says of a stage whatever the case; worked out once."""
    kept: dict[str, StageLaw] = version.__dict__.setdefault("_laws", {})
    if stage.key not in kept:
        kept[stage.key] = StageLaw(
            rule=rule.key,
            stage=stage.key,
            jurisdiction=rule.jurisdiction,
            instrument=rule.instrument,
            title=stage.title,
            audience=stage.audience,
            version=version.key,
            revision=version.revision,
            digest=version.digest,
            standard=stage.clock.standard,
            ceiling_of=stage.clock.ceiling_of,
            limit=stage.clock.limit,
            citations=stage.citations or version.citations,
            confidence=stage.confidence or version.confidence,
            doubts=version.doubts,
            note=stage.note,
            contents=version.contents if stage.contents is None else stage.contents,
            exemptions=tuple(item.text for item in version.exemptions if not item.stages or stage.key in item.stages),
            penalties=version.penalties,
            order=tuple(order.text for order in stage.orders),
        )
    return kept[stage.key]


def _stood_in(found: Deadline, guidance: Guidance | None) -> Guidance | None:
    """Of a duty whose true start is not recorded, what the moment that stands in would give."""
    return Guidance(_FROM_STAND_IN, found.due_at) if found.due_at is not None else guidance


_FROM_STAND_IN = LocalText(
    ko="시작 시점이 기록되지 않아 앞선 시점부터 센 값. 시작 시점을 기록하십시오(기한이 아님)",
    en="counted from an earlier moment, because the start is not recorded: record it (no deadline)",
)


def _not_sure(found: Deadline, guidance: Guidance | None) -> Guidance | None:
    """Of a rule we are not sure of, its number as guidance."""
    if found.due_at is None:
        return guidance
    return Guidance(_IF_IT_HOLDS, found.due_at)


_IF_IT_HOLDS = LocalText(
    ko="확실하지 않은 규정에 따른 시점(법무 확인 전에는 기한이 아님)",
    en="what a rule we are not sure of would give; no deadline before a lawyer confirms it",
)
_LAWYER_FIRST = LocalText(
    ko="이 규정은 확신도가 낮습니다. 법무 담당자가 확인해야 합니다.",
    en="our reading of this rule is of low confidence: a lawyer must confirm it",
)
_TURNED_ON = LocalText(
    ko="확신도가 낮은 규정이나 담당자가 따르기로 정했습니다.",
    en="of low confidence, but a person decided to follow it",
)
