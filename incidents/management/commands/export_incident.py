"""Write the evidence bundle of one incident: everything recorded, the law relied on, and a verifier."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from compliance import clock
from incidents.export.bundle import export_incident
from incidents.models import Incident


class Command(BaseCommand):
    """The digest that it prints is in the system's chain too: whoever gets the bundle can be told it another way."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="the incident's number")
        parser.add_argument("--out", required=True, metavar="FILE.zip", help="where to; never overwritten")

    def handle(self, *args: Any, code: str, out: str, **options: Any) -> None:
        incident = Incident.objects.filter(code=code).first()
        if incident is None:
            raise CommandError(f"{code}: no such incident")
        path = Path(out)
        if path.exists():
            raise CommandError(f"{out}: exists already")
        bundle = export_incident(incident, at=clock.now(), by=None)
        path.write_bytes(bundle.content)
        self.stdout.write(f"{out}: {len(bundle.content)} bytes, digest {bundle.digest}")
