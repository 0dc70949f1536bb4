"""Send what is pending, without Celery."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from compliance import clock
from incidents import health, outbox


class Command(BaseCommand):
    """Looks every few seconds until it is stopped; ``--once`` looks once."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true")
        parser.add_argument("--every", type=float, default=5.0, help="seconds between looks")

    def handle(self, *args: Any, **options: Any) -> None:
        while True:
            now = clock.now()
            health.beat("outbox", at=now)
            report = outbox.send_due(now=now)
            if report.sent or report.failed or options["once"]:
                self.stdout.write(f"sent {report.sent}, failed {report.failed}")
            if options["once"]:
                return
            time.sleep(options["every"])
