"""What the measuring of clocks starts from: databases full of incidents with clocks, copies of them, and what work costs."""

import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.times import kst

AT = kst("2026-11-02 09:00")
DUE = AT + timedelta(hours=24)
# The moment at which the second and the third stage are due, but for a few that are due before.
CROWDED = DUE + timedelta(minutes=1)
FAR = datetime(2099, 1, 1, tzinfo=UTC)
RULE = {"rule": "kr.network-act.incident-report", "stage": "initial"}
Statement = tuple[str, Any]


def fill(count: int, *, whole: bool = False) -> Any:
    """One incident through the real services, and copies of it, each with one duty that is due at :data:`DUE`: with the step
    of that moment, or the ``whole`` ladder. Answers the company."""
    from incidents import services
    from incidents.models import Incident, Obligation, Timer
    from tests.bench_review import _copy
    from tests.factories import make_company

    company = make_company()
    first = services.incident_report(
        title="Web shell", summary="", entities=[company.entity], at=AT, by=company.owner, known_at=AT, is_cyber=True,
        personal_data=False,
    )  # fmt: skip
    duty = first.obligations.get(**RULE)
    steps = Timer.objects.filter(kind="obligation.rung", subject_id=duty.pk)
    rungs = list(steps if whole else steps.filter(key="due"))
    made = Incident.objects.bulk_create(
        [
            Incident(
                code=f"B-{number}", title="Web shell", reported_at=AT, law_digest=first.law_digest, law_at=AT,
                owner=company.owner,
            )
            for number in range(count)
        ]
    )  # fmt: skip
    through = Incident.entities.through
    through.objects.bulk_create([through(incident=item, entity=company.entity) for item in made])
    duties = Obligation.objects.bulk_create([_copy(duty, item) for item in made])
    rows = []
    for row in duties:
        for rung in rungs:
            timer = _copy(rung, row.incident)
            timer.subject_id = row.pk
            rows.append(timer)
    if not whole:
        Timer.objects.filter(incident=first).update(state="obsolete")
    Timer.objects.bulk_create(rows)
    return company


def part_in_three(early: int) -> None:
    """Put a third of what :func:`fill` made at each stage: nothing to tell for hours, a reminder due, the deadline passing.

    ``early`` timers of the last two are due at :data:`DUE`, the others at :data:`CROWDED`.
    """
    from django.db.models import F

    from incidents.models import Obligation, Timer
    from tests.bench_review import _copy

    pending = Timer.objects.filter(state="pending")
    numbers = list(pending.order_by("pk").values_list("subject_id", flat=True))
    parts = [numbers[place::3] for place in range(3)]
    for part, later in zip(parts, (timedelta(hours=10), timedelta(hours=12), timedelta(minutes=1)), strict=True):
        Obligation.objects.filter(pk__in=part).update(due_at=F("due_at") + later)
        pending.filter(subject_id__in=part).update(due_at=F("due_at") + later, attempt_at=F("attempt_at") + later)
    half = Timer.objects.filter(key="half", kind="obligation.rung", state="obsolete").first()
    assert half is not None
    reminders = []
    for timer in pending.filter(subject_id__in=parts[1]).select_related("incident"):
        row = _copy(timer, timer.incident)
        row.key, row.payload, row.due_at, row.attempt_at = "half", half.payload, CROWDED, CROWDED
        reminders.append(row)
    Timer.objects.bulk_create(reminders)
    first = [number for part in parts[1:] for number in part[: early // 2]]
    pending.filter(subject_id__in=first, due_at=CROWDED).update(due_at=DUE, attempt_at=DUE)
    Obligation.objects.filter(pk__in=first, due_at=CROWDED).update(due_at=DUE)


def add_pending(plain: Any, held: int, count: int) -> None:
    """Pending timers of the years to come, from ``held`` up to ``count``."""
    plain.execute(
        """insert into incidents_timer (incident_id, clock, kind, subject_id, key, generation, payload, due_at, attempt_at,
                                        state, attempts, last_error, created_at)
           select (select min(id) from incidents_incident), 'wall', 'obligation.rung', 1000000000 + n, 'half', 1, '{}',
                  %s::timestamptz + n * interval '1 second', %s::timestamptz + n * interval '1 second', 'pending', 0, '', %s
           from generate_series(%s::int + 1, %s::int) n""",
        [FAR, FAR, AT, held, count],
    )
    plain.execute("analyze incidents_timer")


class Database:
    """A database of the server; Django's connection can be turned to any of them."""

    def __init__(self, server: Any, name: str) -> None:
        self.url, self.name = server.url(name), name

    def use(self) -> None:
        """Let Django speak to this one."""
        from django.db import connection

        connection.close()
        connection.settings_dict["NAME"] = self.name


def copies(server: Any, *names: str, of: str) -> list[Database]:
    """Copies of the database ``of`` as it is now."""
    import psycopg
    from django.db import connection

    connection.close()
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        for name in names:
            admin.execute(f"create database {name} template {of}")
    return [Database(server, name) for name in names]


def start(server: Any, folder: Path) -> None:
    """Ready Django, with an empty database named "empty"."""
    import psycopg

    os.environ |= {
        "DATABASE_URL": server.url("empty"), "BREACHCLOCK_VAR": str(folder / "var"), "LOG_LEVEL": "CRITICAL",
        "DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "only-for-benchmarks-" + "x" * 40,
        "BREACHCLOCK_KEY_COMMAND": "echo bench AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    }  # fmt: skip
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute("create database empty")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


@dataclass(frozen=True, slots=True)
class Cost:
    """What some work took: seconds by the clock on the wall, seconds of computing here and in the database, queries."""

    wall: float
    here: float
    database: float
    statements: list[Statement]

    @property
    def queries(self) -> int:
        """How many statements were sent."""
        return len(self.statements)

    def __str__(self) -> str:
        return f"computing {self.here:.2f} s + database {self.database:.2f} s, {self.queries} queries"


def measured(work: Callable[[], Any]) -> Cost:
    """What ``work`` costs; the database runs on this machine, so that its computing can be told apart from waiting."""
    from django.db import connection

    sent: list[Statement] = []

    def keep(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append((sql, params))
        return execute(sql, params, many, context)

    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        process = int(cursor.fetchone()[0])
    with ExitStack() as watched:
        watched.enter_context(connection.execute_wrapper(keep))
        wall, here, there = time.perf_counter(), time.process_time(), computed_by(process)
        work()
        wall, here = time.perf_counter() - wall, time.process_time() - here
        there = computed_by(process) - there
    return Cost(wall, here, there, sent)


def computed_by(process: int) -> float:
    """Seconds that a process has computed for so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(group: int) -> int:
    """Bytes of memory that the processes of a group have, what they share counted once."""
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[2]) != group:
                continue
            rollup = (folder / "smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        found += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
    return found


def say(text: str) -> None:
    """One line of the account."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def line(name: str, ours: float, plain: float, what: str = "") -> None:
    """One figure beside that of plain SQL, in seconds."""
    say(f"{name:58} {ours * 1000:10.2f} ms {plain * 1000:10.2f} ms {ours / plain:7.2f} x   {what}")
