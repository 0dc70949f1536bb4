"""Walk the journal and name every entry that does not fit."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from incidents import journal
from incidents.models import JournalEntry, JournalHead


class Command(BaseCommand):
    """Exit status 1 when anything is wrong."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("chain", nargs="?", help="an incident's number, or “system”; default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        faults = list(journal.verify(options["chain"]))
        for fault in faults:
            self.stdout.write(f"{fault.chain} entry {fault.sequence}: {fault.what}")
        if faults:
            raise SystemExit(1)
        self.stdout.write(f"{JournalHead.objects.count()} chains, {JournalEntry.objects.count()} entries: all valid")
