"""Encrypt everything at rest under the newest key, in batches; a run that was killed is simply repeated."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from compliance import clock, rekey, vault
from reports import resealing


class Command(BaseCommand):
    """``--new`` makes a key first. Without it: what is left from before, such as files from before encryption."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--new", action="store_true", help="make a new key first (only with a key file)")
        parser.add_argument("--batch", type=int, default=rekey.BATCH, help="rows in one transaction")
        parser.add_argument("--retire", action="store_true", help="afterwards take unused keys out of the key file")

    def handle(self, *args: Any, new: bool, batch: int, retire: bool, **options: Any) -> None:
        if (new or retire) and settings.KEY_COMMAND:
            raise CommandError("BREACHCLOCK_KEY_COMMAND: keys are made and retired where the command gets them")
        if batch < 1:
            raise CommandError(f"--batch: {batch}: expected at least 1")
        if new:
            self.stdout.write(f"key {resealing.add_key(at=clock.now())} seals from now on")
        total = 0
        for place, changed in resealing.reseal(at=clock.now(), batch=batch):
            total += changed
            if changed:
                self.stdout.write(f"{place}: {changed}")
                self.stdout.flush()
        self.stdout.write(f"{total} rows and files encrypted under key {vault.ring().current}")
        if retire:
            try:
                gone = resealing.retire(at=clock.now())
            except resealing.StillUsed as error:
                raise CommandError(str(error)) from None
            self.stdout.write(f"retired: {', '.join(gone) or 'none'}")
