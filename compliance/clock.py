"""The only reader of the system clock.

Edges (views, commands, tasks) call :func:`now` once and hand the instant down as ``at=``.
A replay or a test puts a simulated clock in its place with :func:`simulated`; a whole group of
processes (workers, beat, web) shares one simulated clock through the environment variable
``BREACHCLOCK_SIMULATED_CLOCK="<start, ISO 8601>;<wall epoch seconds at start>;<speed>"``.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from compliance.errors import ClockError

ENVIRONMENT = "BREACHCLOCK_SIMULATED_CLOCK"


@dataclass(slots=True)
class SimulatedClock:
    """A clock that stands still until it is moved; it never goes back."""

    at: datetime

    def move_to(self, at: datetime) -> None:
        """Move forward to ``at`` (aware).

        Raises:
            ClockError: ``at`` is naive or earlier than the present simulated instant.
        """
        require_aware(at)
        if at < self.at:
            raise ClockError(f"simulated clock: {at.isoformat()}: expected an instant not before {self.at.isoformat()}")
        self.at = at.astimezone(UTC)


_simulated: ContextVar[SimulatedClock | None] = ContextVar("simulated_clock", default=None)


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return now_by(machine())


def machine() -> datetime:
    """What the machine's own clock says, simulated or not: to hold it against another machine's, and for nothing else."""
    return datetime.fromtimestamp(time.time(), UTC)


def now_by(machine: datetime) -> datetime:
    """What :func:`now` would say if the machine's own clock stood at ``machine`` (aware)."""
    held = _simulated.get()
    if held is not None:
        return held.at
    shared = os.environ.get(ENVIRONMENT)
    return _shared_instant(shared, machine) if shared else machine


def is_simulated() -> bool:
    """Whether this call context runs under a replay's own clock."""
    return _simulated.get() is not None


@contextlib.contextmanager
def simulated(at: datetime) -> Iterator[SimulatedClock]:
    """Within the block, :func:`now` answers the returned clock, which starts at ``at`` (aware)."""
    require_aware(at)
    held = SimulatedClock(at.astimezone(UTC))
    token = _simulated.set(held)
    try:
        yield held
    finally:
        _simulated.reset(token)


def require_aware(at: datetime) -> datetime:
    """Return ``at``.

    Raises:
        ClockError: ``at`` carries no time zone.
    """
    if at.tzinfo is None or at.utcoffset() is None:
        raise ClockError(f"instant {at.isoformat()}: expected a time zone or offset, for example +09:00")
    return at


def _shared_instant(setting: str, machine: datetime) -> datetime:
    try:
        start, epoch, speed = setting.split(";")
        begun = require_aware(datetime.fromisoformat(start))
        passed = (machine.timestamp() - float(epoch)) * float(speed)
    except ValueError as error:
        raise ClockError(f"{ENVIRONMENT}: {setting!r}: expected '<ISO instant>;<epoch seconds>;<speed>'") from error
    return (begun + timedelta(seconds=passed)).astimezone(UTC)
