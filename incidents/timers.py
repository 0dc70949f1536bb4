"""Timers that can't be lost: the due instant is a column, the dispatcher looks, everything else is a nudge.

Re-timing raises the generation of the subject and inserts; nothing is cancelled, the dispatcher finds stale ones obsolete.
One timer, one transaction: the row is claimed by a guarded UPDATE, the incident is locked first (as every service
does, so the two can't deadlock), the subject is read again, and only then something happens.

``due_at`` never changes. ``attempt_at``, when the dispatcher looks, is later after a failure and earlier when a step is
brought forward because nobody acknowledged the one before.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from compliance import clock as house_clock
from compliance.engine import Ladder, Rung, Subject, ladder
from compliance.engine.policies import EVIDENCE, POSSIBLE, REQUIRED, UNSURE, WITHOUT_NUMBER
from compliance.library import get_policies
from incidents.models import WALL_CLOCK, Evidence, Incident, Obligation, Timer
from incidents.states import OPEN_OBLIGATION, ObligationState

logger = logging.getLogger("breachclock.timers")

OBLIGATION_RUNG = "obligation.rung"
EVIDENCE_RUNG = "evidence.rung"

# How many due timers are looked up at once.
BATCH = 100

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
    policy = ladder_of(obligation)
    if obligation.ladder != policy.key:
        obligation.ladder = policy.key
        Obligation.objects.filter(pk=obligation.pk).update(ladder=policy.key)
    rungs = ladder(opened_at=at, starts_at=_begins(obligation), due_at=end, policy=policy)
    _insert(OBLIGATION_RUNG, obligation, rungs, policy, at=at)


def schedule_evidence(*, evidence: Evidence, at: datetime) -> None:
    """Insert the rungs of "preserve before". Repeating inserts nothing."""
    if evidence.expires_at is None:
        return
    policy = ladder_of(evidence)
    rungs = ladder(opened_at=at, starts_at=at, due_at=evidence.expires_at, policy=policy)
    _insert(EVIDENCE_RUNG, evidence, rungs, policy, at=at)


def climb_again(incident: Incident, *, at: datetime) -> None:
    """Put the open duties of ``incident`` (locked) on another ladder where its severity asks for one now."""
    for row in incident.obligations.filter(state__in=OPEN_OBLIGATION).order_by("pk"):
        if row.ladder and row.ladder != ladder_of(row).key:
            row.generation += 1
            row.save()
            schedule_obligation(obligation=row, at=at)


def ladder_of(subject: Obligation | Evidence, *, named: str = "") -> Ladder:
    """The ladder ``subject`` has to climb; the one ``named``, as long as the house still has it."""
    policies = get_policies()
    matched = _subject(subject)
    return policies.ladder_named(named, matched) if named else policies.ladder_for(matched)


def _subject(row: Obligation | Evidence) -> Subject:
    if isinstance(row, Evidence):
        length = row.expires_at - row.recorded_at if row.expires_at else None
        return Subject(kind=EVIDENCE, length=length, severity=row.incident.severity)
    end = row.due_at or row.target_at
    return Subject(
        kind=kind_of(row),
        length=end - min(_begins(row) or row.opened_at, end) if end else None,
        severity=row.incident.severity,
        jurisdiction=row.jurisdiction,
        authorities=tuple(name for item in row.duty["addressees"] for name in item.values()),
        audience=row.audience,
    )


def _begins(row: Obligation) -> datetime | None:
    """Whence the time of its ladder runs. That for confirming a rule runs from the opening, whatever its clock."""
    return None if kind_of(row) == UNSURE else row.starts_at


def kind_of(row: Obligation) -> str:
    """Which kind of clock a duty is, in the words of the policies."""
    if row.state == ObligationState.POSSIBLE:
        unsure = row.due_at is None and row.duty.get("confidence") == "low"
        return UNSURE if unsure else POSSIBLE
    return REQUIRED if row.due_at is not None else WITHOUT_NUMBER


def _insert(kind: str, subject: Obligation | Evidence, rungs: Iterable[Rung], policy: Ladder, *, at: datetime) -> None:
    rows = [timer_for(kind, subject, rung, policy, at=at) for rung in rungs]
    Timer.objects.bulk_create(rows, ignore_conflicts=True)


def timer_for(
    kind: str, subject: Obligation | Evidence, rung: Rung, policy: Ladder, *, at: datetime, number: int = 0
) -> Timer:
    """An unsaved timer for one rung of the subject's present generation; ``number``: which repeat it is."""
    return Timer(
        incident=subject.incident,
        clock=subject.incident.timer_clock,
        kind=kind,
        subject_id=subject.pk,
        key=rung.key,
        generation=subject.generation,
        payload=_payload(rung, policy, number),
        due_at=rung.at,
        attempt_at=rung.at,
        created_at=at,
    )


def _payload(rung: Rung, policy: Ladder, number: int) -> dict[str, Any]:
    """What a timer remembers of its rung. The words are copied: a changed policy does not rename what is planned."""
    return {
        "ladder": policy.key,
        "roles": list(rung.roles),
        "rung": rung.kind,
        "name": rung.name.to_json(),
        "number": number,
        "merged": [[key, name.to_json()] for key, name in rung.merged],
        "found_overdue": rung.found_overdue,
    }


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

    Safe to run in any number of processes at once: an incident another one has in hand is passed over with all its
    timers, so that they keep their order, and looked at once more at the end.
    """
    house_clock.require_aware(now)
    report = FireReport()
    passed: list[Timer] = []
    busy: set[int] = set()
    while report.looked_at + len(passed) < limit:
        batch = _candidates(now, clock, skip=passed, limit=limit - report.looked_at - len(passed))
        if not batch:
            break
        for timer in batch:
            if timer.incident_id in busy or _settle(timer, report, now=now, wait=False) is None:
                busy.add(timer.incident_id)
                passed.append(timer)
    report.passed = [timer.pk for timer in passed if _settle(timer, report, now=now, wait=True) is None]
    return report


def _candidates(now: datetime, clock: str, *, skip: list[Timer], limit: int) -> list[Timer]:
    due = Timer.objects.filter(clock=clock, state=Timer.State.PENDING, attempt_at__lte=now)
    # In the order of the index of pending timers, so that none is sorted.
    return list(due.exclude(pk__in=[timer.pk for timer in skip]).order_by("attempt_at", "pk")[: min(BATCH, limit)])


def _settle(timer: Timer, report: FireReport, *, now: datetime, wait: bool) -> bool | None:
    """Fire one timer, or put it off when that fails, and count what happened. None: somebody else has it."""
    try:
        outcome = _fire(timer, now=now, wait=wait)
    except Exception as error:  # noqa: BLE001  one bad row must not stop the others
        _put_off(timer, error, now=now)
        report.failed += 1
        return False
    if outcome:
        report.fired += 1
    elif outcome is False:
        report.obsolete += 1
    return outcome


def _fire(timer: Timer, *, now: datetime, wait: bool) -> bool | None:
    """Fire one timer. True: fired; False: it no longer stood; None: somebody else has it (or, with ``wait``, had it)."""
    with transaction.atomic():
        incidents = Incident.objects.select_for_update(skip_locked=not wait)
        incident = incidents.filter(pk=timer.incident_id).first()
        if incident is None:
            return None
        held = Timer.objects.select_for_update(skip_locked=True).filter(pk=timer.pk, state=Timer.State.PENDING).first()
        if held is None or held.attempt_at > now:
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
