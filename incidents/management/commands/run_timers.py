"""Fire what is due, without Celery."""

from datetime import datetime

from incidents import clock_check, timers
from incidents.management.looping import LoopingCommand


class Command(LoopingCommand):
    """Looks every few seconds until it is stopped; ``--once`` looks once."""

    help = __doc__ or ""
    watcher = "timers"
    fires = True

    def look(self, now: datetime) -> tuple[bool, str]:
        report = timers.fire_reading(lambda: clock_check.read().earliest)
        words = f"fired {report.fired}, obsolete {report.obsolete}, failed {report.failed}"
        return bool(report.looked_at), words
