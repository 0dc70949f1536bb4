"""What the house's rule of retention says may go; with --do it goes."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from compliance import clock
from compliance.errors import NotPermitted
from incidents.models import Incident
from incidents.services import retention


class Command(BaseCommand):
    """A dry run without ``--do``. Deletion is in the name of a person whom the table of roles lets redact."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--do", action="store_true", help="delete, in the name of --by")
        parser.add_argument("--by", metavar="USER", help="counsel, an approver or a manager")

    def handle(self, *args: Any, do: bool, by: str | None, **options: Any) -> None:
        person = User.objects.filter(username=by, is_active=True).first() if by else None
        if do and person is None:
            raise CommandError(f"--by: {by}: expected the user name of somebody who may redact")
        now, gone, left = clock.now(), 0, 0
        for item in list(retention.due(Incident.objects.all(), at=now)):
            line = f"{item.incident.code} {item.kind}: {item.many}, since {item.since.date().isoformat()}"
            if item.held:
                self.stdout.write(f"{line} (legal hold)")
                continue
            self.stdout.write(line)
            if do and person is not None:
                try:
                    gone += retention.delete(item, at=now, by=person)
                except NotPermitted as refused:
                    self.stderr.write(f"{item.incident.code}: {refused}")
                    left += 1
        self.stdout.write(f"{gone} deleted" if do else "nothing deleted (a dry run; --do deletes)")
        if left:
            raise SystemExit(1)
