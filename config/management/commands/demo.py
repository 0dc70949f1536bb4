"""Set the demo up: accounts, the two replayed cases and their PDFs."""

import secrets
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandParser

from compliance import clock
from compliance.models import Entity, Membership, Role
from incidents import replay
from incidents.management.commands.replay import described
from incidents.models import Incident

SCENARIOS = Path(settings.BASE_DIR) / "incidents" / "scenarios"
PEOPLE = {
    "owner": (Role.OWNER, "김하늘"),
    "counsel": (Role.COUNSEL, "이서준"),
    "approver": (Role.APPROVER, "박지우"),
    "manager": (Role.MANAGER, "최민서"),
    "ciso": (Role.CISO, "정도윤"),
    "cpo": (Role.CPO, "강서연"),
    "executive": (Role.EXECUTIVE, "조은우"),
    "auditor": (Role.AUDITOR, "윤지안"),
    "reporter": (Role.REPORTER, "임하준"),
}


class Command(BaseCommand):
    """Expects an empty, migrated database (``make demo`` makes one)."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, default=Path(settings.VAR) / "pdf")
        parser.add_argument("--lang", choices=("ko", "en"), default="en")

    def handle(self, *args: Any, **options: Any) -> None:
        if Incident.objects.exists():
            sys.stderr.write("demo: database: expected an empty one; make demo prepares it\n")
            raise SystemExit(2)
        results = [self._replay(name, options["out"]) for name in ("kt-2025", "skt-2025")]
        # After the replays: what is random must not come before what is compared.
        passwords = _people()
        for result in results:
            self.stdout.write(f"\n== {result['scenario']}\n")
            self.stdout.write(described(result, options["lang"]))
        self._ladder(results[0])
        self.stdout.write(f"\nPDFs, and an index of each case: {options['out']}/kt-2025/index.html")
        self.stdout.write("\nAccounts (user name  password  role):")
        for name, password in passwords.items():
            self.stdout.write(f"  {name:<10}{password}  {PEOPLE[name][0].value}")

    def _replay(self, name: str, out: Path) -> dict[str, Any]:
        def progress(line: str) -> None:
            sys.stderr.write(f"{name} {line}\n")
            sys.stderr.flush()

        stage = replay.play(replay.load(SCENARIOS / f"{name}.yaml"), progress=progress)
        # A folder and an index page for each.
        return replay.result(stage, out=out / name)

    def _ladder(self, result: dict[str, Any]) -> None:
        """The point of it all: the report that was never made woke everybody up, in vain."""
        climbed = [
            row
            for row in result["escalations"]
            if row["incident"] == "KT-2024-01" and "incident-report" in row["clock"]
        ]
        roles = {role for row in climbed for role in row["to"]}
        self.stdout.write(
            f"\nThe unreported malware of 2024 climbed {len(climbed)} steps, the last on {climbed[-1]['at'][:10]}; "
            f"told: {', '.join(sorted(roles))}; acknowledged: {sum(bool(row['acknowledged_at']) for row in climbed)}."
        )


def _people() -> dict[str, str]:
    """A company of the demo's own, and one account per role that can also read the replays."""
    at = clock.now()
    own = Entity.objects.create(
        key="hanbit",
        name="한빛통신 주식회사",
        name_en="Hanbit Telecom",
        establishments=["KR"],
        markets=["KR"],
        roles=["ict_service_provider", "controller"],
        sectors=["telecom"],
        particulars={
            "business_number": "000-00-00000",
            "representative": "대표이사(시연용)",
            "address": "서울특별시(시연용)",
            "sector": "기간통신사업",
            "ciso": "정도윤",
            "cpo": "강서연",
        },
        created_at=at,
    )
    passwords = {}
    for name, (role, shown) in PEOPLE.items():
        passwords[name] = secrets.token_urlsafe(9)
        user = User.objects.create_user(name, email=f"{name}@demo.invalid", password=passwords[name], first_name=shown)
        Membership.objects.create(user=user, entity=own, role=role)
        for entity in Entity.objects.exclude(pk=own.pk):
            Membership.objects.create(user=user, entity=entity, role=Role.AUDITOR)
    return passwords
