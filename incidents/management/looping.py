"""A command that looks every few seconds until it is stopped, or once."""

import time
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from compliance import clock
from incidents import health


class LoopingCommand(BaseCommand):
    """Calls :meth:`look` again and again and leaves a sign of life each time."""

    watcher = ""
    seconds = 5.0

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
            now = clock.now()
            health.beat(self.watcher, at=now)
            busy, words = self.look(now)
            if busy or options["once"]:
                self.stdout.write(words)
            if options["once"]:
                return
            time.sleep(options["every"])
