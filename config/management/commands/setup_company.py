"""Make the first company and its first account, so that somebody can sign in."""

import secrets
import sys
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from compliance import clock
from compliance.cli import bad_input_exits
from compliance.engine import LawError
from compliance.engine.conditions import PLACE
from compliance.engine.strict import Node
from compliance.library import get_library
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
        parser.add_argument("--sector", action="append", default=None, help="such as telecom, finance; may be repeated")
        parser.add_argument(
            "--established-in",
            action="append",
            default=None,
            help="place such as KR, DE-HE, US-CA, the main one first; default: KR",
        )
        parser.add_argument(
            "--market",
            action="append",
            default=None,
            help="place whose people's data it holds; default: where it is established",
        )
        parser.add_argument("--user", required=True)
        parser.add_argument("--email", required=True)
        parser.add_argument("--role", action="append", choices=Role.values, help="default: owner")
        parser.add_argument("--lang", choices=("ko", "en"), default="ko")

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(username=options["user"]).exists():
            sys.stderr.write(f"setup_company: --user {options['user']}: exists already; expected a new user name\n")
            raise SystemExit(2)
        with bad_input_exits():
            _check(options)
        with transaction.atomic():
            entity, made = Entity.objects.get_or_create(
                key=options["key"],
                defaults={
                    "name": options["name"],
                    "zone": options["zone"],
                    "establishments": options["established_in"] or ["KR"],
                    "markets": options["market"] or options["established_in"] or ["KR"],
                    "main_establishment": (options["established_in"] or ["KR"])[0],
                    "roles": options["law_role"] or ["controller", "ict_service_provider"],
                    "sectors": options["sector"] or [],
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


def _check(options: dict[str, Any]) -> None:
    """Refuse words the law library does not know.

    Raises:
        LawError: a role, sector or place that is none.
    """
    facts = get_library().facts
    for option, fact in (("law_role", "entity.roles"), ("sector", "entity.sectors")):
        for value in options[option] or ():
            Node(value, file="setup_company", key=f"--{option.replace('_', '-')}").one_of(facts[fact].choices)
    for option in ("established_in", "market"):
        for value in options[option] or ():
            if not PLACE.fullmatch(value):
                raise LawError(
                    "setup_company", f"--{option.replace('_', '-')}", f"{value}: expected a place such as KR or US-CA"
                )
