"""House policy as data: ladders and who they are for, ranks, severity, house targets. Never law.

Roles are named, never people. The first ladder whose conditions all hold is taken; the last one has none.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from compliance.engine.errors import LawError
from compliance.engine.strict import Node, read_file
from compliance.engine.types import VAGUE, LocalText

FILE = "escalation.yaml"
# "deputy": those who stand in for the others whom the step names.
DEPUTY = "deputy"
ROLES = frozenset({"owner", "counsel", "approver", "manager", "ciso", "cpo", "executive"})
OPENED, REMINDER, DUE, ESCALATION, REPEAT = "opened", "reminder", "due", "escalation", "repeat"
START_UNKNOWN, TO_CONFIRM = "start_unknown", "to_confirm"
# Kinds of clock: a duty with a moment in law; one that may apply; one without a number; one of low confidence that a
# lawyer must confirm; evidence to be preserved.
REQUIRED, POSSIBLE, WITHOUT_NUMBER, UNSURE, EVIDENCE = "required", "possible", "vague", "unsure", "evidence"
KINDS = frozenset({REQUIRED, POSSIBLE, WITHOUT_NUMBER, UNSURE, EVIDENCE})


@dataclass(frozen=True, slots=True)
class Step:
    """One rung as policy: where it stands on the clock and who is told."""

    key: str
    name: LocalText
    roles: tuple[str, ...]
    kind: str
    percent_left: int | None = None
    before: timedelta | None = None
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """After the last rung: every so often, so many times (None: until it is done), to these."""

    every: timedelta
    times: int | None
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A step that nobody acknowledges: the next one comes after ``percent`` of the time to it, but not before ``after``."""

    after: timedelta
    percent: int


@dataclass(frozen=True, slots=True)
class Subject:
    """What a ladder is chosen by. ``length``: from the start of the clock to its end; None where that is not known."""

    kind: str
    length: timedelta | None = None
    severity: str = ""
    jurisdiction: str = ""
    authorities: tuple[str, ...] = ()
    audience: str = ""


@dataclass(frozen=True, slots=True)
class When:
    """Conditions, all of which must hold; an empty one holds always. A jurisdiction includes its parts (US: US-CA);
    an authority is named as the duty names it, in either language."""

    kind: frozenset[str] = frozenset()
    severity: frozenset[str] = frozenset()
    jurisdiction: frozenset[str] = frozenset()
    authority: frozenset[str] = frozenset()
    audience: frozenset[str] = frozenset()
    at_most: timedelta | None = None
    over: timedelta | None = None

    def holds(self, subject: Subject) -> bool:
        """Whether ``subject`` is meant. An unknown length fulfils no condition on length."""
        return (
            _among(subject.kind, self.kind)
            and _among(subject.severity, self.severity)
            and _among(subject.audience, self.audience)
            and (not self.authority or not self.authority.isdisjoint(subject.authorities))
            and (not self.jurisdiction or any(_within(subject.jurisdiction, place) for place in self.jurisdiction))
            and (self.at_most is None or (subject.length is not None and subject.length <= self.at_most))
            and (self.over is None or (subject.length is not None and subject.length > self.over))
        )


def _among(word: str, allowed: frozenset[str]) -> bool:
    return not allowed or word in allowed


def _within(place: str, whole: str) -> bool:
    return place == whole or place.startswith(f"{whole}-")


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs of one kind of clock and what follows the last of them. ``gap``: the least time between two reminders."""

    key: str
    when: When
    steps: tuple[Step, ...]
    gap: timedelta
    repeats: tuple[Repeat, ...]
    repeat_name: LocalText
    unanswered: Unanswered | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """What makes an incident of severity ``level``: an adopted level of a method, or a value of a fact."""

    level: str
    method: str = ""
    fact: str = ""
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Policies:
    """House rules: ladders, ranks, severity, how long a link acknowledges, and targets where the law gives no number."""

    ladders: tuple[Ladder, ...]
    targets: Mapping[str, timedelta]
    # From the lowest to the highest.
    ranks: tuple[tuple[str, ...], ...]
    severity: tuple[Sign, ...]
    link_valid: timedelta

    def target(
        self, standard: str, starts_at: datetime | None, opened_at: datetime, *, unsure: bool = False
    ) -> datetime:
        """The house's own aim for a duty without a statutory moment, from its start or, unknown, from its opening.

        ``unsure``: a lawyer has to confirm the rule; the time for that runs from the opening.
        """
        if unsure:
            return opened_at + self.targets[TO_CONFIRM]
        if starts_at is None:
            return opened_at + self.targets[START_UNKNOWN]
        return starts_at + self.targets.get(standard, self.targets[START_UNKNOWN])

    def ladder_for(self, subject: Subject) -> Ladder:
        """The first ladder that is meant for ``subject``."""
        return next(item for item in self.ladders if item.when.holds(subject))

    def ladder_named(self, key: str, subject: Subject) -> Ladder:
        """The ladder ``key`` that a clock climbs already, or, if the house has none of that name any more, the one for it."""
        return next((item for item in self.ladders if item.key == key), None) or self.ladder_for(subject)

    def severity_of(self, levels: Iterable[tuple[str, str]], facts: Iterable[Mapping[str, Any]]) -> str:
        """How severe: the first sign that shows in the adopted ``levels`` (method, level) or ``facts``; "" without one."""
        adopted, sheets = set(levels), list(facts)
        for sign in self.severity:
            if sign.method and any((sign.method, level) in adopted for level in sign.values):
                return sign.level
            if sign.fact and any(_shows(sheet.get(sign.fact), sign.values) for sheet in sheets):
                return sign.level
        return ""

    def check_signs(self, levels: Mapping[str, Collection[str]], facts: Collection[str]) -> None:
        """Refuse signs of severity that could never show: of ``levels`` by method, and ``facts``, there is no such one.

        Raises:
            LawError: the first of them.
        """
        for number, sign in enumerate(self.severity):
            key = f"severity[{number}]"
            if sign.fact and sign.fact not in facts:
                raise LawError(FILE, f"{key}.fact", f"{sign.fact}: unknown fact; expected a fact of the vocabulary")
            if sign.method and sign.method not in levels:
                raise LawError(FILE, f"{key}.method", f"{sign.method}: expected one of {', '.join(sorted(levels))}")
            for value in sign.values if sign.method else ():
                if value not in levels[sign.method]:
                    known = ", ".join(levels[sign.method])
                    raise LawError(FILE, f"{key}.is", f"{value}: no level of {sign.method}; expected one of {known}")


def _shows(value: Any, wanted: tuple[Any, ...]) -> bool:
    # True is not 1 here.
    return any(type(value) is type(item) and value == item for item in wanted)


def load_policies(root: Path) -> Policies:
    """Read ``escalation.yaml`` below ``root``.

    Raises:
        LawError: the first thing that is wrong.
    """
    node = read_file(root / FILE, root=root).mapping(
        required={"house_targets", "ranks", "acknowledgement", "severity", "ladders"}
    )
    link = node.at("acknowledgement").mapping(required={"link_valid_hours"}).at("link_valid_hours")
    signs = node.at("severity").each(_sign)
    return Policies(
        ladders=_ladders(node.at("ladders"), {sign.level for sign in signs}),
        targets=_targets(node.at("house_targets")),
        ranks=_ranks(node.at("ranks")),
        severity=signs,
        link_valid=_hours(link),
    )


def _targets(node: Node) -> Mapping[str, timedelta]:
    targets = {key: _hours(item) for key, item in node.entries()}
    for key in (*VAGUE, START_UNKNOWN, TO_CONFIRM):
        if key not in targets:
            raise node.fail("missing", key)
    return targets


def _ranks(node: Node) -> tuple[tuple[str, ...], ...]:
    ranks = tuple(rank.each(_office, least=1) for rank in node.items(least=1))
    named = [role for rank in ranks for role in rank]
    if sorted(named) != sorted(ROLES):
        raise node.fail(f"expected each role once: {', '.join(sorted(ROLES))}")
    return ranks


def _sign(node: Node) -> Sign:
    node.mapping(required={"level", "is"}, optional={"method", "fact"})
    if node.has("method") == node.has("fact"):
        raise node.fail("expected either method or fact")
    return Sign(
        level=node.at("level").text(),
        method=node.at("method").text() if node.has("method") else "",
        fact=node.at("fact").text() if node.has("fact") else "",
        values=tuple(item.value for item in node.at("is").items(least=1)),
    )


def _ladders(node: Node, severities: set[str]) -> tuple[Ladder, ...]:
    nodes = [_by_key(item, node) for item in node.items(least=1)]
    ladders = tuple(_ladder(item, severities) for item in nodes)
    keys = [item.key for item in ladders]
    for number, item in enumerate(ladders):
        if item.key in keys[:number]:
            raise nodes[number].fail(f"{item.key}: a second ladder of this name", "key")
        if (item.when == When()) != (number == len(ladders) - 1):
            raise nodes[number].fail(
                "expected conditions on every ladder but the last, which takes what is left", "when"
            )
    return ladders


def _by_key(item: Node, node: Node) -> Node:
    """The ladder as messages name it: by its key where it has one."""
    return Node(item.value, file=item.file, key=node.path(item.at("key").text())) if item.has("key") else item


def _ladder(node: Node, severities: set[str]) -> Ladder:
    node.mapping(
        required={"key", "minimum_gap_minutes", "rungs", "repeats", "repeat_name"}, optional={"when", "unanswered"}
    )
    found = Ladder(
        key=node.at("key").text(),
        when=_when(node.at("when"), severities) if node.has("when") else When(),
        steps=node.at("rungs").each(_step, least=1),
        gap=timedelta(minutes=node.at("minimum_gap_minutes").integer(least=1)),
        repeats=node.at("repeats").each(_repeat),
        repeat_name=node.at("repeat_name").local(),
        unanswered=_unanswered(node.at("unanswered")) if node.has("unanswered") else None,
    )
    _check_steps(found, node.at("rungs"))
    _check_repeats(found, node.at("repeats"))
    return found


def _check_steps(found: Ladder, node: Node) -> None:
    for kind in (OPENED, DUE):
        if [step.kind for step in found.steps].count(kind) != 1:
            raise node.fail(f"expected one rung of kind {kind}")
    keys = [step.key for step in found.steps]
    if len(set(keys)) != len(keys):
        raise node.fail("expected each key once")
    afters = sorted(step.after for step in found.steps if step.after is not None)
    if any(late - early < found.gap for early, late in zip([timedelta(), *afters], afters, strict=False)):
        raise node.fail("expected the steps after the due moment to keep the minimum gap")


def _check_repeats(found: Ladder, node: Node) -> None:
    # Evidence that has expired has said what it had to say; everything else is repeated until it is done.
    ends = not found.repeats or found.repeats[-1].times is not None
    if ends and found.when.kind != frozenset({EVIDENCE}):
        raise node.fail("expected a last entry without times: until it is done")
    for low, high in zip(found.repeats, found.repeats[1:], strict=False):
        if low.times is None or not set(low.roles) <= set(high.roles):
            raise node.fail("expected each entry but the last to end, and the next one to tell at least the same roles")


def _when(node: Node, severities: set[str]) -> When:
    words = {"kind", "severity", "jurisdiction", "authority", "audience"}
    lengths = {"at_most_minutes", "at_most_hours", "over_minutes", "over_hours"}
    node.mapping(required=set(), optional=words | lengths)
    for name, allowed in (("kind", set(KINDS)), ("severity", severities)):
        if node.has(name):
            for item in node.at(name).items(least=1):
                item.one_of(allowed)
    return When(
        kind=_words(node, "kind"),
        severity=_words(node, "severity"),
        jurisdiction=_words(node, "jurisdiction"),
        authority=_words(node, "authority"),
        audience=_words(node, "audience"),
        at_most=_span(node, "at_most"),
        over=_span(node, "over"),
    )


def _words(node: Node, key: str) -> frozenset[str]:
    return frozenset(node.at(key).each(Node.text, least=1)) if node.has(key) else frozenset()


def _unanswered(node: Node) -> Unanswered:
    node.mapping(required={"percent_of_wait"}, optional={"after_minutes", "after_hours"})
    percent = node.at("percent_of_wait").integer(least=1)
    if percent >= 100:
        raise node.fail("expected less than 100: the next step comes sooner", "percent_of_wait")
    after = _span(node, "after")
    if after is None:
        raise node.fail("missing", "after_minutes")
    return Unanswered(after, percent)


def _step(node: Node) -> Step:
    places = {"percent_left", "hours_before", "minutes_before", "hours_after", "minutes_after"}
    node.mapping(required={"key", "kind", "name", "to"}, optional=places)
    kind = node.at("kind").one_of({OPENED, REMINDER, DUE, ESCALATION})
    allowed = {
        REMINDER: {"percent_left", "hours_before", "minutes_before"},
        ESCALATION: {"hours_after", "minutes_after"},
    }.get(kind, set())
    given = {place for place in places if node.has(place)}
    if len(given) != min(1, len(allowed)) or not given <= allowed:
        places_said = f"one of {', '.join(sorted(allowed))}" if allowed else "no place on the clock"
        raise node.fail(f"a rung of kind {kind}: expected {places_said}")
    return Step(
        key=node.at("key").text(),
        name=node.at("name").local(),
        roles=node.at("to").each(_role, least=1),
        kind=kind,
        percent_left=node.at("percent_left").integer(least=1) if node.has("percent_left") else None,
        before=_span(node, "", "_before"),
        after=_span(node, "", "_after"),
    )


def _repeat(node: Node) -> Repeat:
    node.mapping(required={"to"}, optional={"times", "every_hours", "every_minutes"})
    every = _span(node, "every")
    if every is None:
        raise node.fail("missing", "every_hours")
    times = node.at("times").integer(least=1) if node.has("times") else None
    return Repeat(every, times, node.at("to").each(_role, least=1))


def _span(node: Node, prefix: str, suffix: str = "") -> timedelta | None:
    """A length of time given as minutes or as hours: ``after_minutes``, ``hours_before``, ..."""
    start = f"{prefix}_" if prefix else ""
    minutes, hours = f"{start}minutes{suffix}", f"{start}hours{suffix}"
    if node.has(minutes) and node.has(hours):
        raise node.fail(f"expected either {minutes} or {hours}")
    if node.has(minutes):
        return timedelta(minutes=node.at(minutes).integer(least=1))
    return _hours(node.at(hours)) if node.has(hours) else None


def _hours(node: Node) -> timedelta:
    return timedelta(hours=node.integer(least=1))


def _office(node: Node) -> str:
    return node.one_of(ROLES)


def _role(node: Node) -> str:
    return node.one_of(ROLES | {DEPUTY})
