"""When to remind and escalate: instants computed from house policy (:mod:`compliance.engine.policies`). Never law.

Nothing is lost for want of room: a reminder that has no place of its own is merged into the step before it, with everybody
it would have told. The due step and what follows it are never moved and never merged.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from compliance.engine.policies import DUE, ESCALATION, OPENED, REMINDER, REPEAT, Ladder, Step, Unanswered
from compliance.engine.types import LocalText


@dataclass(frozen=True, slots=True)
class Rung:
    """One step at its instant (aware). ``merged``: the steps it stands for as well, by key and name."""

    key: str
    at: datetime
    roles: tuple[str, ...]
    kind: str
    name: LocalText
    merged: tuple[tuple[str, LocalText], ...] = ()
    # The clock was past its end already when it was put on the board.
    found_overdue: bool = False

    def with_merged(self, others: Iterable["Rung"]) -> "Rung":
        """This rung, standing for ``others`` too and telling those they would have told."""
        held = list(others)
        roles = dict.fromkeys((*self.roles, *(role for other in held for role in other.roles)))
        names = (pair for other in held for pair in ((other.key, other.name), *other.merged))
        return replace(self, roles=tuple(roles), merged=(*self.merged, *names))


def ladder(*, opened_at: datetime, starts_at: datetime | None, due_at: datetime, policy: Ladder) -> tuple[Rung, ...]:
    """The rungs of a clock that ends at ``due_at`` and was put on the board at ``opened_at`` (all aware), by instant.

    Fractions are of the time from ``starts_at`` (or the opening, when it is not known) to the end. A clock found already
    past its end begins with its due rung at once, which says so, and climbs from that moment: nobody was told before.
    """
    overdue = due_at <= opened_at
    base = max(due_at, opened_at)
    period = due_at - min(starts_at or opened_at, due_at)
    rungs = [_rung(step, _instant(step, opened_at, base, due_at, period)) for step in policy.steps]
    before = sorted((rung for rung in rungs if rung.kind in (OPENED, REMINDER)), key=_order)
    after = sorted((rung for rung in rungs if rung.kind in (DUE, ESCALATION)), key=_order)
    if overdue:
        return (replace(after[0].with_merged(before), found_overdue=True), *after[1:])
    return (*_spaced(before, due_at, policy.gap), *after)


def _instant(step: Step, opened_at: datetime, base: datetime, due_at: datetime, period: timedelta) -> datetime:
    if step.kind == OPENED:
        return opened_at
    if step.percent_left is not None:
        return due_at - period * step.percent_left / 100
    if step.before is not None:
        return due_at - step.before
    return base + (step.after or timedelta())


def _order(rung: Rung) -> tuple[bool, datetime]:
    return (rung.kind not in (OPENED, DUE), rung.at)


def _spaced(rungs: list[Rung], due_at: datetime, gap: timedelta) -> Iterable[Rung]:
    """The opening and the reminders that have room; the others are merged into the one before them."""
    held = rungs[0]
    for rung in rungs[1:]:
        if rung.at <= held.at or rung.at - held.at < gap or due_at - rung.at < gap:
            held = held.with_merged([rung])
        else:
            yield held
            held = rung
    yield held


def _rung(step: Step, at: datetime) -> Rung:
    return Rung(step.key, at, step.roles, step.kind, step.name)


def next_repeat(*, policy: Ladder, last_at: datetime, number: int) -> Rung | None:
    """The repeat ``number`` (from 1) after the rung or repeat that stood at ``last_at``; None when the policy ends."""
    left = number
    for repeat in policy.repeats:
        if repeat.times is None or left <= repeat.times:
            return Rung(f"repeat-{number}", last_at + repeat.every, repeat.roles, REPEAT, policy.repeat_name)
        left -= repeat.times
    return None


def due_repeat(*, policy: Ladder, last_at: datetime, number: int, now: datetime) -> tuple[Rung, int] | None:
    """The next repeat and its number. Those missed while nobody watched are merged into the last of them, which is late."""
    rung = next_repeat(policy=policy, last_at=last_at, number=number)
    if rung is None:
        return None
    while (later := next_repeat(policy=policy, last_at=rung.at, number=number + 1)) is not None and later.at <= now:
        rung, number = later.with_merged([rung]), number + 1
    return rung, number


def sooner(*, told_at: datetime, next_at: datetime, policy: Unanswered | None) -> datetime | None:
    """When the step planned at ``next_at`` comes instead if nobody has acknowledged the one told at ``told_at`` (aware).

    None: at its planned time all the same.
    """
    if policy is None:
        return None
    at = told_at + max(policy.after, (next_at - told_at) * policy.percent / 100)
    return at if at < next_at else None
