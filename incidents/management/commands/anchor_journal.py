"""Write down outside the database what all chains of the journal end with."""

from typing import Any

from django.core.management.base import BaseCommand

from compliance import clock
from incidents import anchors


class Command(BaseCommand):
    """Appends one line to this month's file under JOURNAL_ANCHORS; time-stamped if TSA_URL is set."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        anchor = anchors.anchor_journal(at=clock.now())
        stamped = "time-stamped" if anchor.stamp else "not time-stamped"
        self.stdout.write(f"anchor {anchor.number} {anchor.digest}: {len(anchor.heads)} heads, {stamped}")
