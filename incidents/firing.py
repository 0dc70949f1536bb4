"""The dispatcher: finds the timers that are due and fires them, many in one transaction.

A transaction locks the incidents of its timers first, as every service does, so that the two can't deadlock; those that
somebody else has in hand are passed over. What the timers are about is read again under the lock, and only then something
happens. The rows are claimed by a guarded UPDATE. All of it commits together or not at all.

When a transaction of many fails, it is tried again in halves, down to a single timer, which is put off and shouted about:
one bad row stops no other.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import F

from compliance.clock import require_aware
from incidents.desk import Desk
from incidents.models import WALL_CLOCK, Incident, Timer

logger = logging.getLogger("breachclock.timers")

# How many timers are fired in one transaction: enough that the queries of one count for little, few enough that a person
# who works on one of their incidents does not notice the lock.
BATCH = 500

# After a failure a timer is tried again later and later, never given up; from this many on it is shouted about.
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=10), timedelta(hours=1)
SHOUT_AFTER = 3

# Both do their work inside the claim's transaction; False means that the timer no longer stands.
Handler = Callable[[Timer, Incident, datetime], bool]
DeskHandler = Callable[[Desk, Timer, datetime], bool]
FailureHandler = Callable[[Timer, datetime], None]
_handlers: dict[str, Handler] = {}
_desk_handlers: dict[str, DeskHandler] = {}
_on_failure: list[FailureHandler] = []


def register(kind: str, handler: Handler) -> None:
    """Let ``handler`` fire the timers of ``kind``, each in a transaction of its own."""
    _handlers[kind] = handler


def register_many(kind: str, handler: DeskHandler) -> None:
    """Let ``handler`` fire the timers of ``kind``, many in one transaction: it reads and writes by the desk alone."""
    _desk_handlers[kind] = handler
    _handlers[kind] = partial(_alone, handler)


def _alone(handler: DeskHandler, timer: Timer, incident: Incident, now: datetime) -> bool:
    desk = Desk([timer], {incident.pk: incident}, at=now)
    done = handler(desk, timer, now)
    desk.put_down()
    return done


def on_repeated_failure(handler: FailureHandler) -> None:
    """Call ``handler``, in a transaction of its own, each time a timer has failed too often."""
    if handler not in _on_failure:
        _on_failure.append(handler)


def next_due(clock: str = WALL_CLOCK) -> datetime | None:
    """When the next pending timer of ``clock`` wants to be looked at; None when there is none."""
    pending = Timer.objects.filter(clock=clock, state=Timer.State.PENDING).order_by("attempt_at")
    return pending.values_list("attempt_at", flat=True).first()


@dataclass(slots=True)
class FireReport:
    """What one run of the dispatcher did. ``passed``: timers (by primary key) that somebody else had in hand."""

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
    return fire_reading(lambda: now, clock=clock, limit=limit)


def fire_reading(read: Callable[[], datetime], *, clock: str = WALL_CLOCK, limit: int = 10_000) -> FireReport:
    """:func:`fire_due` for a real run, which may take a while: the clock is read (aware) for each transaction.

    Steps dated with the moment at which the run began would be on record as told earlier than they were. A run ends at
    last, so that a sign of life is left before the next.
    """
    run = _Run(read, clock, limit)
    run.go()
    return run.report


class _Run:
    """One run of the dispatcher: what it did, and what it left to others for the moment."""

    def __init__(self, read: Callable[[], datetime], clock: str, limit: int) -> None:
        self.read, self.clock, self.limit = read, clock, limit
        self.report = FireReport()
        self.passed: list[Timer] = []
        self.busy: set[int] = set()

    def go(self) -> None:
        while room := max(0, self.limit - self.report.looked_at - len(self.passed)):
            now = require_aware(self.read())
            found = self._candidates(now, min(BATCH, room))
            if not found:
                break
            self._round(found, now)
        self._once_more()

    def _candidates(self, now: datetime, number: int) -> list[Timer]:
        due = Timer.objects.filter(clock=self.clock, state=Timer.State.PENDING, attempt_at__lte=now)
        # In the order of the index of pending timers, so that none is sorted.
        found = due.exclude(pk__in=[timer.pk for timer in self.passed]).order_by("attempt_at", "pk")
        return list(found.only("incident", "kind", "attempts")[:number])

    def _round(self, found: Sequence[Timer], now: datetime) -> None:
        """Fire ``found``: the incidents one of whose timers needs a transaction of its own one by one, the others together."""
        alone = {timer.incident_id for timer in found if timer.kind not in _desk_handlers}
        for timer in found:
            if timer.incident_id in alone:
                self._one(timer, now)
        self._many([timer for timer in found if timer.incident_id not in alone], now)

    def _many(self, found: Sequence[Timer], now: datetime) -> None:
        if len(found) < 2:
            for timer in found:
                self._one(timer, now)
        elif not self._together(found, now):
            self._many(found[: len(found) // 2], now)
            self._many(found[len(found) // 2 :], now)

    def _together(self, found: Sequence[Timer], now: datetime) -> bool:
        """Fire ``found`` in one transaction. False: that failed, and nothing happened."""
        free = [timer for timer in found if timer.incident_id not in self.busy]
        try:
            fired, obsolete, busy = _fire_many(free, now=now)
        except Exception as error:  # noqa: BLE001  whose fault it was shows when they are fired in smaller numbers
            logger.warning("%s timers could not be fired together: %s", len(free), type(error).__name__)
            return False
        self.busy |= busy
        self.passed += [timer for timer in found if timer.incident_id in self.busy]
        self.report.fired += fired
        self.report.obsolete += obsolete
        return True

    def _one(self, timer: Timer, now: datetime) -> None:
        if timer.incident_id in self.busy or self._settle(timer, now, wait=False) is None:
            self.busy.add(timer.incident_id)
            self.passed.append(timer)

    def _once_more(self) -> None:
        """Those that somebody else had in hand, one by one and waiting for each. Most have been settled meanwhile."""
        waiting = [timer.pk for timer in self.passed]
        while waiting:
            now = self.read()
            due = Timer.objects.filter(pk__in=waiting, state=Timer.State.PENDING, attempt_at__lte=now)
            held = {timer.pk: timer for timer in due}
            waiting = [pk for pk in waiting if pk in held]
            if waiting and self._settle(held[waiting[0]], now, wait=True) is None:
                self.report.passed.append(waiting[0])
            waiting = waiting[1:]

    def _settle(self, timer: Timer, now: datetime, *, wait: bool) -> bool | None:
        """Fire one timer, or put it off when that fails, and count what happened. None: somebody else has it."""
        try:
            outcome = _fire(timer, now=now, wait=wait)
        except Exception as error:  # noqa: BLE001  one bad row must not stop the others
            _put_off(timer, error, now=now)
            self.report.failed += 1
            return False
        if outcome:
            self.report.fired += 1
        elif outcome is False:
            self.report.obsolete += 1
        return outcome


def _fire_many(found: Sequence[Timer], *, now: datetime) -> tuple[int, int, set[int]]:
    """Fire ``found`` in one transaction: how many fired, how many no longer stood, and which incidents others have in hand.

    One that was settled since it was found is left out of all three.
    """
    wanted = {timer.incident_id for timer in found}
    with transaction.atomic():
        free = Incident.objects.select_for_update(skip_locked=True).filter(pk__in=wanted).order_by("pk")
        incidents = {row.pk: row for row in free}
        held = _held(timer.pk for timer in found if timer.incident_id in incidents)
        for timer in found:
            if timer.pk not in held:
                incidents.pop(timer.incident_id, None)
        rows = [held[timer.pk] for timer in found if timer.incident_id in incidents]
        due = [timer for timer in rows if timer.state == Timer.State.PENDING and timer.attempt_at <= now]
        desk = Desk(due, incidents, at=now)
        for timer in due:
            done = _desk_handlers[timer.kind](desk, timer, now)
            timer.state = Timer.State.FIRED if done else Timer.State.OBSOLETE
        desk.put_down()
        counts = [_claim(due, state, now=now) for state in (Timer.State.FIRED, Timer.State.OBSOLETE)]
    return counts[0], counts[1], wanted - incidents.keys()


def _held(pks: Iterable[int]) -> dict[int, Timer]:
    """The timers as they are now, locked. One that is missing is locked by a stranger: nobody else locks a timer first."""
    rows = Timer.objects.select_for_update(skip_locked=True).filter(pk__in=list(pks)).order_by("pk")
    return {row.pk: row for row in rows}


def _claim(timers: Iterable[Timer], state: Timer.State, *, now: datetime) -> int:
    """Settle those of ``timers`` that came out as ``state``.

    The guard that keeps us right on databases without row locks: only one UPDATE finds a row pending.
    """
    pks = [timer.pk for timer in timers if timer.state == state]
    if not pks:
        return 0
    pending = Timer.objects.filter(pk__in=pks, state=Timer.State.PENDING)
    if pending.update(state=state, fired_at=now, attempts=F("attempts") + 1) != len(pks):
        raise AlreadyFired(pks)
    return len(pks)


def _fire(timer: Timer, *, now: datetime, wait: bool) -> bool | None:
    """Fire one timer. True: fired; False: it no longer stood; None: somebody else has it (or, with ``wait``, had it)."""
    with transaction.atomic():
        incidents = Incident.objects.select_for_update(skip_locked=not wait)
        incident = incidents.filter(pk=timer.incident_id).first()
        if incident is None:
            return None
        held = _held([timer.pk]).get(timer.pk)
        if held is None or held.state != Timer.State.PENDING or held.attempt_at > now:
            return None
        done = _handlers[held.kind](held, incident, now)
        held.state = Timer.State.FIRED if done else Timer.State.OBSOLETE
        _claim([held], held.state, now=now)
        return done


class AlreadyFired(RuntimeError):
    """Another process settled a timer between our look and our claim: everything done here is rolled back."""


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
