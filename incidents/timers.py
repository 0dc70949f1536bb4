"""Timers that can't be lost: the due instant is a column, the dispatcher looks, everything else is a nudge.

Re-timing raises the generation of the subject and inserts; nothing is cancelled, the dispatcher finds stale ones obsolete.
One timer, one transaction: the row is claimed by a guarded UPDATE, the incident is locked first (as every service
does, so the two can't deadlock), the subject is read again, and only then something happens.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from compliance import clock as house_clock
from compliance.engine import Rung, ladder
from compliance.library import get_policies
from incidents.models import WALL_CLOCK, Evidence, Incident, Obligation, Timer

logger = logging.getLogger("breachclock.timers")

OBLIGATION_RUNG = "obligation.rung"
EVIDENCE_RUNG = "evidence.rung"
DUTY_LADDER, EVIDENCE_LADDER = "duty", "evidence"

# After a failure a timer is tried again later and later, never given up; from this many on it is shouted about.
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=10), timedelta(hours=1)
SHOUT_AFTER = 3

# A handler does its work inside the claim's transaction; False means that the timer no longer stands.
Handler = Callable[[Timer, Incident, datetime], bool]
FailureHandler = Callable[[Timer, datetime], None]
_handlers: dict[str, Handler] = {}
_on_failure: list[FailureHandler] = []


def register(kind: str, handler: Handler) -> None:
    """Let ``handler`` fire the timers of ``kind``."""
    _handlers[kind] = handler


def on_repeated_failure(handler: FailureHandler) -> None:
    """Call ``handler``, in a transaction of its own, each time a timer has failed too often."""
    if handler not in _on_failure:
        _on_failure.append(handler)


def schedule_obligation(*, obligation: Obligation, at: datetime) -> None:
    """Insert the rungs of the obligation's present generation. Repeating inserts nothing."""
    end = obligation.due_at or obligation.target_at
    if end is None:
        return
    rungs = ladder(opened_at=at, starts_at=obligation.starts_at, due_at=end, policy=get_policies().ladders[DUTY_LADDER])
    _insert(OBLIGATION_RUNG, obligation, obligation.incident, rungs, at=at)


def schedule_evidence(*, evidence: Evidence, at: datetime) -> None:
    """Insert the rungs of "preserve before". Repeating inserts nothing."""
    if evidence.expires_at is None:
        return
    policy = get_policies().ladders[EVIDENCE_LADDER]
    rungs = ladder(opened_at=at, starts_at=at, due_at=evidence.expires_at, policy=policy)
    _insert(EVIDENCE_RUNG, evidence, evidence.incident, rungs, at=at)


def _insert(
    kind: str, subject: Obligation | Evidence, incident: Incident, rungs: Iterable[Rung], *, at: datetime
) -> None:
    rows = [timer_for(kind, subject, incident, rung, at=at) for rung in rungs]
    Timer.objects.bulk_create(rows, ignore_conflicts=True)


def timer_for(kind: str, subject: Obligation | Evidence, incident: Incident, rung: Rung, *, at: datetime) -> Timer:
    """An unsaved timer for one rung of the subject's present generation."""
    return Timer(
        incident=incident,
        clock=incident.timer_clock,
        kind=kind,
        subject_id=subject.pk,
        key=rung.key,
        generation=subject.generation,
        payload={"roles": list(rung.roles), "rung": rung.kind, "name": rung.name.to_json(), "number": 0},
        due_at=rung.at,
        attempt_at=rung.at,
        created_at=at,
    )


def next_due(clock: str = WALL_CLOCK) -> datetime | None:
    """When the next pending timer of ``clock`` wants to be looked at; None when there is none."""
    pending = Timer.objects.filter(clock=clock, state=Timer.State.PENDING).order_by("attempt_at")
    return pending.values_list("attempt_at", flat=True).first()


@dataclass(slots=True)
class FireReport:
    """What one run of the dispatcher did."""

    fired: int = 0
    obsolete: int = 0
    failed: int = 0
    passed: list[int] = field(default_factory=list)

    @property
    def looked_at(self) -> int:
        """How many timers were settled or put off."""
        return self.fired + self.obsolete + self.failed


def fire_due(*, now: datetime, clock: str = WALL_CLOCK, limit: int = 1000) -> FireReport:
    """Fire the timers of ``clock`` that are due at ``now`` (aware), the earliest first, at most ``limit``.

    Safe to run in any number of processes at once: a timer another one has in hand is passed over.
    """
    house_clock.require_aware(now)
    report = FireReport()
    while report.looked_at + len(report.passed) < limit:
        timer = _candidate(now, clock, skip=report.passed)
        if timer is None:
            break
        try:
            outcome = _fire(timer, now=now)
        except Exception as error:  # noqa: BLE001  one bad row must not stop the others
            _put_off(timer, error, now=now)
            report.failed += 1
            continue
        if outcome is None:
            report.passed.append(timer.pk)
        elif outcome:
            report.fired += 1
        else:
            report.obsolete += 1
    return report


def _candidate(now: datetime, clock: str, *, skip: list[int]) -> Timer | None:
    due = Timer.objects.filter(clock=clock, state=Timer.State.PENDING, attempt_at__lte=now)
    return due.exclude(pk__in=skip).order_by("attempt_at", "due_at", "pk").first()


def _fire(timer: Timer, *, now: datetime) -> bool | None:
    """Fire one timer. True: fired; False: it no longer stood; None: somebody else has it."""
    with transaction.atomic():
        incident = Incident.objects.select_for_update().get(pk=timer.incident_id)
        held = Timer.objects.select_for_update(skip_locked=True).filter(pk=timer.pk, state=Timer.State.PENDING).first()
        if held is None:
            return None
        done = _handlers[held.kind](held, incident, now)
        state = Timer.State.FIRED if done else Timer.State.OBSOLETE
        # The guard that keeps us right on databases without row locks: only one UPDATE finds the row pending.
        claimed = Timer.objects.filter(pk=held.pk, state=Timer.State.PENDING).update(
            state=state, fired_at=now, attempts=F("attempts") + 1
        )
        if not claimed:
            raise AlreadyFired(held.pk)
        return done


class AlreadyFired(RuntimeError):
    """Another process settled this timer between our look and our claim: everything done here is rolled back."""


def _put_off(timer: Timer, error: Exception, *, now: datetime) -> None:
    """Push a failing timer ahead, count it, and shout once it fails again and again. It is never dropped."""
    attempts = timer.attempts + 1
    delay = min(FIRST_DELAY * 2 ** min(attempts - 1, 16), LONGEST_DELAY)
    # The class alone: a message may hold what must not be in a log.
    name = type(error).__name__
    logger.error("timer %s failed for the %s. time: %s", timer.pk, attempts, name, exc_info=error)
    with transaction.atomic():
        # The incident first, as everywhere: the other order could deadlock with a firing timer.
        Incident.objects.select_for_update().get(pk=timer.incident_id)
        Timer.objects.filter(pk=timer.pk, state=Timer.State.PENDING).update(
            attempts=attempts, attempt_at=now + delay, last_error=name
        )
        if attempts >= SHOUT_AFTER:
            for shout in _on_failure:
                shout(timer, now)
