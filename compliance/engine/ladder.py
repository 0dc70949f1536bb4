"""When to remind and escalate: house policy as data, instants as the result. Never law."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from compliance.engine.strict import Node, read_file
from compliance.engine.types import VAGUE, LocalText

ROLES = frozenset({"owner", "counsel", "approver", "manager", "ciso", "cpo", "executive"})
OPENED, REMINDER, DUE, ESCALATION, REPEAT = "opened", "reminder", "due", "escalation", "repeat"
START_UNKNOWN = "start_unknown"


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
    """After the last rung: every so often, so many times (None: until it is done)."""

    every: timedelta
    times: int | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs of one kind of clock and what follows the last of them."""

    key: str
    steps: tuple[Step, ...]
    repeats: tuple[Repeat, ...]
    repeat_roles: tuple[str, ...]
    repeat_name: LocalText


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung at its instant."""

    key: str
    at: datetime
    roles: tuple[str, ...]
    kind: str
    name: LocalText


@dataclass(frozen=True, slots=True)
class Policies:
    """House rules: ladders, and targets where the law gives no number."""

    ladders: Mapping[str, Ladder]
    targets: Mapping[str, timedelta]

    def target(self, standard: str, starts_at: datetime | None, opened_at: datetime) -> datetime:
        """The house's own aim for a duty without a statutory moment, from its start or, unknown, from its opening."""
        if starts_at is None:
            return opened_at + self.targets[START_UNKNOWN]
        return starts_at + self.targets.get(standard, self.targets[START_UNKNOWN])


def ladder(*, opened_at: datetime, starts_at: datetime | None, due_at: datetime, policy: Ladder) -> tuple[Rung, ...]:
    """The rungs of a clock that ends at ``due_at`` and was put on the board at ``opened_at`` (all aware).

    Rungs before ``opened_at`` are left out. A clock found already past its end begins with its due rung at once, and
    climbs from that moment: nobody was told before.
    """
    base = max(due_at, opened_at)
    period = due_at - min(starts_at or opened_at, due_at)
    rungs = [_rung(step, _instant(step, opened_at, base, due_at, period)) for step in policy.steps]
    kept = [rung for rung in rungs if _stands(rung, opened_at, overdue=due_at <= opened_at)]
    return tuple(sorted(kept, key=lambda rung: rung.at))


def _instant(step: Step, opened_at: datetime, base: datetime, due_at: datetime, period: timedelta) -> datetime:
    if step.kind == OPENED:
        return opened_at
    if step.percent_left is not None:
        return due_at - period * step.percent_left / 100
    if step.before is not None:
        return due_at - step.before
    return base + (step.after or timedelta())


def _stands(rung: Rung, opened_at: datetime, *, overdue: bool) -> bool:
    if overdue:
        return rung.kind in (DUE, ESCALATION)
    return rung.kind == OPENED or rung.at > opened_at


def _rung(step: Step, at: datetime) -> Rung:
    return Rung(step.key, at, step.roles, step.kind, step.name)


def next_repeat(*, policy: Ladder, last_at: datetime, number: int) -> Rung | None:
    """The repeat ``number`` (from 1) after the rung or repeat that stood at ``last_at``; None when the policy ends."""
    left = number
    for repeat in policy.repeats:
        if repeat.times is None or left <= repeat.times:
            return Rung(f"repeat-{number}", last_at + repeat.every, policy.repeat_roles, REPEAT, policy.repeat_name)
        left -= repeat.times
    return None


def load_policies(root: Path) -> Policies:
    """Read ``escalation.yaml`` below ``root``.

    Raises:
        LawError: the first thing that is wrong.
    """
    node = read_file(root / "escalation.yaml", root=root).mapping(required={"house_targets", "ladders"})
    targets = {key: _hours(item) for key, item in node.at("house_targets").entries()}
    for key in (*VAGUE, START_UNKNOWN):
        if key not in targets:
            raise node.fail("missing", f"house_targets.{key}")
    ladders = {key: _ladder(key, item) for key, item in node.at("ladders").entries()}
    return Policies(ladders, targets)


def _ladder(key: str, node: Node) -> Ladder:
    node.mapping(required={"rungs", "repeats", "repeat_to", "repeat_name"})
    steps = node.at("rungs").each(_step, least=1)
    if not any(step.kind == DUE for step in steps):
        raise node.fail("expected a rung of kind due", "rungs")
    return Ladder(
        key,
        steps,
        node.at("repeats").each(_repeat),
        node.at("repeat_to").each(_role, least=1),
        node.at("repeat_name").local(),
    )


def _step(node: Node) -> Step:
    places = {"percent_left", "hours_before", "hours_after", "minutes_after"}
    node.mapping(required={"key", "kind", "name", "to"}, optional=places)
    kind = node.at("kind").one_of({OPENED, REMINDER, DUE, ESCALATION})
    given = [place for place in places if node.has(place)]
    if len(given) != (0 if kind in (OPENED, DUE) else 1):
        raise node.fail(
            f"a rung of kind {kind}: expected {'no' if kind in (OPENED, DUE) else 'one'} place on the clock"
        )
    return Step(
        key=node.at("key").text(),
        name=node.at("name").local(),
        roles=node.at("to").each(_role, least=1),
        kind=kind,
        percent_left=node.at("percent_left").integer(least=1) if node.has("percent_left") else None,
        before=_hours(node.at("hours_before")) if node.has("hours_before") else None,
        after=_after(node),
    )


def _after(node: Node) -> timedelta | None:
    if node.has("minutes_after"):
        return timedelta(minutes=node.at("minutes_after").integer(least=1))
    return _hours(node.at("hours_after")) if node.has("hours_after") else None


def _repeat(node: Node) -> Repeat:
    node.mapping(required={"every_hours"}, optional={"times"})
    times = node.at("times").integer(least=1) if node.has("times") else None
    return Repeat(_hours(node.at("every_hours")), times)


def _hours(node: Node) -> timedelta:
    return timedelta(hours=node.integer(least=1))


def _role(node: Node) -> str:
    return node.one_of(ROLES)
