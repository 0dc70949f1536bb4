"""Find running clocks that nothing watches, and watch them again."""

from typing import Any

from django.core.management.base import BaseCommand

from compliance import clock
from incidents.sweep import sweep


class Command(BaseCommand):
    """Exit status 1 when something was missing."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        found = sweep(at=clock.now())
        for item in found:
            self.stdout.write(f"{item.subject.incident.code} {item}: set again")
        if found:
            raise SystemExit(1)
        self.stdout.write("every running clock is watched")
