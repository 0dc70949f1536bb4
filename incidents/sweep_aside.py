"""The timers beside the ladders that should exist, derived from the steps that were reached: "nobody has acknowledged it" and
"quiet hours are over". What a step set is worked out once more by the rules it was set by.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from incidents import handlers, timers
from incidents.handlers import Clock
from incidents.models import Escalation, Timer
from incidents.sweep_records import Records

ASIDE_KINDS = (*handlers.UNANSWERED.values(), *handlers.AWAKE.values())


def differences(records: Records, *, at: datetime) -> Iterator[tuple[Timer, Timer | None]]:
    """The timers as they should be (unsaved) that differ, each with the one there is, if there is one."""
    held = {_name(row): row for row in records.timers if row.kind in ASIDE_KINDS}
    for wanted in expected(records):
        row = held.get(_name(wanted))
        if row is None or _differs(row, wanted, at=at):
            yield wanted, row


def mended(records: Records, *, at: datetime) -> Iterator[tuple[Timer, bool]]:
    """Set right what differs, and name it: the timer as it should be, and whether it was missing (or else wrong)."""
    for wanted, row in list(differences(records, at=at)):
        if row is None:
            wanted.save(force_insert=True)
        else:
            _restore(row, wanted)
        yield wanted, row is None


def _name(row: Timer) -> tuple[str, int, int, str]:
    """Of which there is one."""
    return (row.kind, row.subject_id, row.generation, row.key)


def _differs(row: Timer, wanted: Timer, *, at: datetime) -> bool:
    """Whether ``row`` has another moment, was given up unasked, or would be looked at too early or never, or for another step."""
    if row.state != Timer.State.PENDING:
        return row.due_at != wanted.due_at or row.fired_at is None
    early, never = row.attempt_at < row.due_at, row.attempt_at > max(row.due_at, at) + timers.LONGEST_DELAY
    return row.due_at != wanted.due_at or early or never or row.payload.get("next") != wanted.payload.get("next")


def _restore(row: Timer, wanted: Timer) -> None:
    """In its place: a second one of its name cannot be. One that has fired does not fire again."""
    waiting = row.state == Timer.State.PENDING or row.fired_at is None
    changed = {"state": Timer.State.PENDING, "attempt_at": wanted.due_at, "payload": wanted.payload} if waiting else {}
    Timer.objects.filter(pk=row.pk).update(due_at=wanted.due_at, **changed)


def expected(records: Records) -> Iterator[Timer]:
    """The unsaved timers that the steps of the open clocks, each of its present generation, left beside them."""
    by_pk = {row.pk: row for row in records.timers}
    for clock in records.clocks:
        of_clock = [
            step for step in records.steps if step.timer_id in by_pk and _is_of(step, by_pk[step.timer_id], clock)
        ]
        rungs = [row for row in records.timers if (row.kind, row.subject_id) == (clock.kind, clock.row.pk)]
        for step in of_clock:
            timer = by_pk[step.timer_id]
            yield from _awake(step, timer, clock)
            if timer.kind == clock.kind:
                following = _following(step, timer, rungs, of_clock)
                yield from _unanswered(step, timer, clock, following, told=step.pk in records.told)


def _is_of(step: Escalation, timer: Timer, clock: Clock) -> bool:
    subject = step.obligation_id if clock.kind == timers.OBLIGATION_RUNG else step.evidence_id
    return subject == clock.row.pk and timer.generation == clock.row.generation


def _asleep(step: Escalation) -> dict[int, tuple[int, datetime]]:
    """Whom the step left asleep, by number of the person: the entity, and when the quiet hours end."""
    return {
        int(key.removeprefix("user-")): (entity, datetime.fromisoformat(ends))
        for key, (entity, ends) in step.detail.get("asleep", {}).items()
    }


def _awake(step: Escalation, timer: Timer, clock: Clock) -> Iterator[Timer]:
    for user, (entity, ends) in _asleep(step).items():
        yield handlers.awake_timer(step, timer, clock, entity=entity, user=user, at=ends)


def _following(step: Escalation, timer: Timer, rungs: Sequence[Timer], steps: Sequence[Escalation]) -> Timer | None:
    """The step that was still to come when ``step`` was reached: planned by then, and reached after it or not yet."""
    earlier = {item.timer_id for item in steps if item.pk <= step.pk}
    waiting = [
        row
        for row in rungs
        if row.generation == timer.generation and row.created_at <= step.fired_at and row.pk not in earlier
    ]
    return min(waiting, key=lambda row: (row.due_at, row.pk), default=None)


def _unanswered(
    step: Escalation, timer: Timer, clock: Clock, following: Timer | None, *, told: bool
) -> Iterator[Timer]:
    if following is None:
        return
    asleep = [ends for _entity, ends in _asleep(step).values()]
    told_at = min(asleep) if asleep and not told else step.fired_at
    policy = timers.ladder_of(clock.row, named=timer.payload.get("ladder", ""))
    row = handlers.answer_timer(step, timer, clock, policy, following, told_at=told_at)
    if row is not None:
        yield row
