"""Walk the journal and name every entry that does not fit."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from compliance import clock
from incidents import anchors, verification, watch
from incidents.models import JournalEntry, JournalHead


class Command(BaseCommand):
    """Exit status 1 when anything is wrong. All chains and anchors, or one chain held against the anchors."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--incident", metavar="CODE", help="an incident's number, or “system”; default: all")
        parser.add_argument("--signatures", action="store_true", help="verify the signatures of time stamps too")

    def handle(self, *args: Any, incident: str | None = None, signatures: bool = False, **options: Any) -> None:
        if incident is None:
            faults = watch.verify(at=clock.now(), signatures=signatures)
        elif JournalHead.objects.filter(chain=incident).exists() or incident in anchors.anchored():
            faults = list(verification.verify(incident, anchored=anchors.anchored()))
        else:
            raise CommandError(f"{incident}: no such chain")
        for fault in faults:
            self.stdout.write(f"{fault.chain} entry {fault.sequence}: {fault.what}")
        if faults:
            raise SystemExit(1)
        chains = JournalHead.objects.filter(**({"chain": incident} if incident else {}))
        entries = JournalEntry.objects.filter(chain__in=chains.values("chain"))
        self.stdout.write(f"{chains.count()} chains, {entries.count()} entries: all valid")
