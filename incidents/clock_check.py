"""The clock of this process held against the database's, which all processes share: nothing fires early by a stepped clock.

A process whose clock differs by more than a few seconds takes the database's for what it does (for firing the earlier of
the two, so that not even a database's wrong clock makes anything fire early), leaves a heartbeat that turns /health red,
and has people told. On SQLite there is one machine and one clock, so there is nothing to hold it against.
"""

import logging
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from compliance import clock
from incidents import alarms, health
from incidents.models import Heartbeat

logger = logging.getLogger("breachclock.clock")

# More than machines that ask a time server differ by, and less than anybody would call early.
TOLERANCE = timedelta(seconds=5)
FORGET = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reading:
    """Two clocks at one moment, both as the house counts (simulated where it is). ``ahead``: by how much this process's is
    ahead of the database's, in the machines' own seconds; negative when it is behind."""

    own: datetime
    database: datetime
    ahead: timedelta

    @property
    def differs(self) -> bool:
        """Whether by more than :data:`TOLERANCE`."""
        return abs(self.ahead) > TOLERANCE

    @property
    def shared(self) -> datetime:
        """The clock by which all processes agree: this one's, as long as it fits."""
        return self.database if self.differs else self.own

    @property
    def earliest(self) -> datetime:
        """By which nothing can fire early, whichever of the two is wrong."""
        return min(self.own, self.database) if self.differs else self.own


def read() -> Reading:
    """Both clocks now. How long the database took to answer counts for nothing.

    Raises:
        DatabaseError: it does not answer.
    """
    before = clock.machine()
    told = _of_database()
    after = clock.machine()
    if told is None:
        return Reading(own=clock.now_by(after), database=clock.now_by(after), ahead=timedelta(0))
    ahead = before - told if before > told else min(after - told, timedelta(0))
    return Reading(own=clock.now_by(after), database=clock.now_by(told), ahead=ahead)


def check() -> Reading:
    """:func:`read`, and say so where the clocks differ: heartbeat, log, and once a day an alarm."""
    found = read()
    name = _name()
    if found.differs:
        logger.error("the clock of this process differs from the database's by %s seconds", found.ahead.total_seconds())
        detail = {"ahead_seconds": round(found.ahead.total_seconds(), 1)}
        health.beat_found(name, at=found.shared, wrong=True, detail=detail)
        Heartbeat.objects.filter(name__startswith=health.CLOCK, at__lt=found.shared - FORGET).delete()
        with transaction.atomic():
            alarms.raise_alarm("clock", _words, at=found.shared)
        _said.add(name)
    elif name in _said:
        _said.discard(name)
        Heartbeat.objects.filter(name=name).delete()
    return found


def agreed() -> datetime:
    """The moment by the clock that all processes agree on: of a claim that another process must not take for stale.

    While the database does not answer it is this process's own: the outside watcher has to be told all the same.
    """
    try:
        return read().shared
    except DatabaseError:
        return clock.now()


# Under which names this process has said that its clock differs: a fork has another name.
_said: set[str] = set()


def _of_database() -> datetime | None:
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        told: datetime = cursor.fetchone()[0]
    return told.astimezone(UTC)


def _name() -> str:
    return f"{health.CLOCK}{socket.gethostname()[:30]}:{os.getpid()}"


def _words() -> tuple[str, str]:
    return (
        _("The clock of a process differs from the database's by more than a few seconds"),
        _("Set the clocks of the machines right (time servers). Until then the process goes by the database's clock."),
    )
