"""Send what is pending, without Celery."""

from datetime import datetime

from incidents import clock_check, outbox
from incidents.management.looping import LoopingCommand


class Command(LoopingCommand):
    """Looks every few seconds until it is stopped; ``--once`` looks once."""

    help = __doc__ or ""
    watcher = "outbox"

    def look(self, now: datetime) -> tuple[bool, str]:
        report = outbox.send_reading(clock_check.agreed)
        return bool(report.sent or report.failed), f"sent {report.sent}, failed {report.failed}"
