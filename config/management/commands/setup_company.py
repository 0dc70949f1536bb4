"""Make the first company and its first account, so that somebody can sign in."""

import secrets
import sys
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from compliance import clock
from compliance.models import Entity, Membership, Role


class Command(BaseCommand):
    """``setup_company KEY NAME --user NAME --email ADDRESS [--role ROLE ...]``; repeat it to add people."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="short name, for example hanbit")
        parser.add_argument("name", help="name as it stands on filings")
        parser.add_argument("--zone", default="Asia/Seoul")
        parser.add_argument(
            "--law-role", action="append", default=None, help="role in law; default: controller, ict_service_provider"
        )
        parser.add_argument("--user", required=True)
        parser.add_argument("--email", required=True)
        parser.add_argument("--role", action="append", choices=Role.values, help="default: owner")
        parser.add_argument("--lang", choices=("ko", "en"), default="ko")

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(username=options["user"]).exists():
            sys.stderr.write(f"setup_company: --user {options['user']}: exists already; expected a new user name\n")
            raise SystemExit(2)
        with transaction.atomic():
            entity, made = Entity.objects.get_or_create(
                key=options["key"],
                defaults={
                    "name": options["name"],
                    "zone": options["zone"],
                    "establishments": ["KR"],
                    "roles": options["law_role"] or ["controller", "ict_service_provider"],
                    "created_at": clock.now(),
                },
            )
            password = secrets.token_urlsafe(12)
            user = User.objects.create_user(options["user"], email=options["email"], password=password)
            for role in options["role"] or [Role.OWNER.value]:
                Membership.objects.create(user=user, entity=entity, role=role, language=options["lang"])
        self.stdout.write(
            f"{'Made' if made else 'Joined'} {entity.name}. User name {user.username}, password {password}"
        )
