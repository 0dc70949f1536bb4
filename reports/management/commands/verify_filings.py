"""Check every frozen filing: stored statement, stored bytes, and that the one still gives the other."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from compliance import clock
from incidents.models import Incident
from reports import tasks, verification


class Command(BaseCommand):
    """``verify_filings [--incident CODE]``: one line for each finding; exit status 1 if one of them is a fault."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--incident", metavar="CODE", help="only the filings of this incident")

    def handle(self, *args: Any, **options: Any) -> None:
        code = options["incident"]
        if code and not Incident.objects.filter(code=code).exists():
            raise CommandError(f"--incident: {code}: expected the number of an incident", returncode=2)
        rows = list(verification.frozen_filings(code))
        found = [fault for filing in rows for fault in verification.examine(filing)]
        faults = [fault for fault in found if fault.grave]
        for fault in found:
            self.stdout.write(str(fault))
        self.stderr.write(f"{len(rows)} frozen filings, {len(faults)} faults, {len(found) - len(faults)} remarks")
        if code is None:
            tasks.note(rows, faults, at=clock.now())
        if faults:
            raise SystemExit(1)
