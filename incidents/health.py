"""Whether the watchers are watching: the age of the oldest due timer and message, and of their last sign of life."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min

from incidents.models import WALL_CLOCK, Heartbeat, OutboxMessage, Timer

# House limits of what is still well.
TIMER_LATE = timedelta(minutes=2)
MESSAGE_LATE = timedelta(minutes=10)
SILENT = timedelta(minutes=2)
WATCHERS = ("timers", "outbox")


def beat(name: str, *, at: datetime) -> None:
    """Record that the watcher ``name`` is alive."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": at})


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong, by name; empty when all is well."""

    problems: tuple[str, ...]
    timer_late_seconds: int
    message_late_seconds: int

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "healthy": self.healthy,
            "problems": list(self.problems),
            "timer_late_seconds": self.timer_late_seconds,
            "message_late_seconds": self.message_late_seconds,
        }


def report(*, now: datetime) -> Report:
    """How things stand at ``now``."""
    timer = _late(Timer.objects.filter(clock=WALL_CLOCK, state=Timer.State.PENDING, due_at__lte=now), "due_at", now)
    unsent = (OutboxMessage.State.PENDING, OutboxMessage.State.CLAIMED)
    message = _late(OutboxMessage.objects.filter(state__in=unsent), "created_at", now)
    problems = []
    if timer > TIMER_LATE:
        problems.append("timers_late")
    if message > MESSAGE_LATE:
        problems.append("outbox_stuck")
    alive = dict(Heartbeat.objects.values_list("name", "at"))
    problems += [f"{name}_silent" for name in WATCHERS if name not in alive or now - alive[name] > SILENT]
    return Report(tuple(problems), int(timer.total_seconds()), int(message.total_seconds()))


def _late(rows: Any, column: str, now: datetime) -> timedelta:
    oldest = rows.aggregate(oldest=Min(column))["oldest"]
    return max(now - oldest, timedelta()) if oldest else timedelta()
