"""What the law in use now would change in the incidents that run under an earlier release, and a person's acceptance."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandParser
from django.db.models import QuerySet

from compliance import clock
from compliance.engine import Duty
from compliance.errors import Refused
from incidents import services
from incidents.models import Incident
from incidents.services.law import LawEffect

CHUNK = 200


class Command(BaseCommand):
    """``law_review [--incident CODE ...] [--accept --by USER --reason TEXT]``."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--incident", action="append", help="only this one; may be repeated")
        parser.add_argument("--format", choices=("json", "table"), default="table")
        parser.add_argument("--accept", action="store_true", help="put them under the law in use now")
        parser.add_argument("--by", help="user name of counsel or an approver; needed with --accept")
        parser.add_argument("--reason", default="", help="why; needed with --accept")

    def handle(self, *args: Any, **options: Any) -> None:
        found = services.law_behind()
        if options["incident"]:
            found = found.filter(code__in=options["incident"])
        if options["accept"]:
            self._accept(found, _person(options["by"]), options["reason"])
        elif options["format"] == "json":
            self.stdout.write(json.dumps(list(_reviewed(found)), ensure_ascii=False, indent=2))
        else:
            self._list(found)

    def _list(self, found: QuerySet[Incident]) -> None:
        count = changed = 0
        for item in _reviewed(found):
            count += 1
            changed += bool(item["effects"])
            for effect in item["effects"]:
                self.stdout.write(
                    f"{item['incident']}  {effect['kind']}  {effect['rule']}/{effect['stage']}  "
                    f"{effect['due_before'] or '-'} -> {effect['due_after'] or '-'}"
                )
        self.stdout.write(f"{count} running incidents are on an earlier release; {changed} of them would change")

    def _accept(self, found: QuerySet[Incident], by: User, reason: str) -> None:
        done = 0
        for incident in found.iterator(chunk_size=CHUNK):
            try:
                services.law_accept(incident=incident, reason=reason, at=clock.now(), by=by)
            except Refused as refused:
                sys.stderr.write(f"law_review: {incident.code}: {refused}\n")
                raise SystemExit(2) from None
            done += 1
        self.stdout.write(f"{done} incidents put under the law in use now")


def _person(name: str | None) -> User:
    user = User.objects.filter(username=name or "").first()
    if user is None:
        sys.stderr.write(f"law_review: --by {name}: expected the user name of counsel or an approver\n")
        raise SystemExit(2)
    return user


def _reviewed(found: QuerySet[Incident]) -> Iterator[dict[str, Any]]:
    for incident in found.iterator(chunk_size=CHUNK):
        effects = services.law_preview(incident=incident, at=clock.now())
        yield {"incident": incident.code, "effects": [_effect(item) for item in effects]}


def _effect(effect: LawEffect) -> dict[str, Any]:
    duty = effect.after or effect.before
    if duty is None:
        raise ValueError("expected a duty before or after")
    return {
        "entity": effect.entity.key,
        "kind": effect.kind,
        "rule": duty.rule,
        "stage": duty.stage,
        "occurrence": duty.occurrence,
        "due_before": _due(effect.before),
        "due_after": _due(effect.after),
    }


def _due(duty: Duty | None) -> str | None:
    return duty.to_json()["due_at"] if duty else None
