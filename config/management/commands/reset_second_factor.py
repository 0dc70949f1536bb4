"""Take all second factors off an account whose person has lost them; who asked for it is written down."""

import sys
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from compliance import clock
from incidents import journal


class Command(BaseCommand):
    """For whoever runs the server; the pages offer no such thing."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="user name")
        parser.add_argument("--reason", required=True, help="why, and who asked; no personal data")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["user"]).first()
        if person is None:
            sys.stderr.write(f"reset_second_factor: {options['user']!r}: expected the user name of an account\n")
            raise SystemExit(2)
        with transaction.atomic():
            count, _kinds = Authenticator.objects.filter(user=person).delete()
            for session in UserSession.objects.filter(user=person):
                session.end()
            detail = {"reason": options["reason"], "removed": count}
            subject = f"user:{person.pk}"
            journal.write(
                incident=None, at=clock.now(), by=None, action="person.factors_reset", subject=subject, detail=detail
            )
        self.stdout.write(
            f"{count} removed; every session ended. The person signs in with the password and sets up anew."
        )
