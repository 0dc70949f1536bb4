"""Watch the watchers, without Celery: nightly sweep, verification and anchors, and the outside ping each minute."""

from datetime import datetime

from incidents import watch
from incidents.management.looping import LoopingCommand


class Command(LoopingCommand):
    """Looks once a minute until it is stopped; ``--once`` looks once."""

    help = __doc__ or ""
    watcher = "watch"
    seconds = 60.0

    def look(self, now: datetime) -> tuple[bool, str]:
        report = watch.tick(now=now)
        problems = sorted(report.problems) if report is not None else ["database_gone"]
        return bool(problems), ", ".join(problems) or "all is well"
