"""A command that looks every few seconds until it is stopped, or once."""

import time
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from incidents import clock_check, health


class LoopingCommand(BaseCommand):
    """Calls :meth:`look` again and again and leaves a sign of life each time."""

    watcher = ""
    seconds = 5.0
    # Whether something fires: then by the earlier of two clocks that differ.
    fires = False

    def add_arguments(self, parser: CommandParser) -> None:
        """``--once`` and ``--every``."""
        parser.add_argument("--once", action="store_true")
        parser.add_argument("--every", type=float, default=self.seconds, help="seconds between looks")

    def look(self, now: datetime) -> tuple[bool, str]:
        """Do what is due at ``now``; whether anything was, and what to print."""
        raise TypeError("expected a command of its own")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look until stopped."""
        while True:
            clocks = clock_check.check()
            health.beat(self.watcher, at=clocks.shared)
            busy, words = self.look(clocks.earliest if self.fires else clocks.shared)
            if busy or options["once"]:
                self.stdout.write(words)
            if options["once"]:
                return
            time.sleep(options["every"])
