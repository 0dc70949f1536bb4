"""Fire what is due, without Celery."""

from datetime import datetime

from incidents import timers
from incidents.management.looping import LoopingCommand


class Command(LoopingCommand):
    """Looks every few seconds until it is stopped; ``--once`` looks once."""

    help = __doc__ or ""
    watcher = "timers"
    fires = True

    def look(self, now: datetime) -> tuple[bool, str]:
        report = timers.fire_due(now=now)
        words = f"fired {report.fired}, obsolete {report.obsolete}, failed {report.failed}"
        return bool(report.looked_at), words
