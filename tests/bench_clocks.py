"""What clocks cost: a thousand duties due in the same minute, and a look when nothing is due, against plain SQL.

python -m tests.bench_clocks [DUTIES] [PENDING...]            (make bench)

Plain SQL is what the database was asked, recorded once and sent again by psycopg to a copy of the database, in as many
transactions: the statements without the program around them. "Writes only" leaves out what was read before.
"""

import cProfile
import os
import pstats
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.times import kst

AT = kst("2026-11-02 09:00")
DUE = AT + timedelta(hours=24)
LOOKS = 200
Statement = tuple[str, Any]


def fill(count: int) -> None:
    """One incident through the real services, and copies of it, each with one duty that is due at the same moment."""
    from incidents import services
    from incidents.models import Incident, Obligation, Timer
    from tests.bench_review import _copy
    from tests.factories import make_company

    company = make_company()
    first = services.incident_report(
        title="Web shell", summary="", entities=[company.entity], at=AT, by=company.owner, known_at=AT, is_cyber=True,
        personal_data=False,
    )  # fmt: skip
    duty = first.obligations.get(rule="kr.network-act.incident-report", stage="initial")
    rung = Timer.objects.get(kind="obligation.rung", subject_id=duty.pk, key="due")
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
    rows = [_copy(rung, row.incident) for row in duties]
    for timer, row in zip(rows, duties, strict=True):
        timer.subject_id = row.pk
    Timer.objects.filter(incident=first).update(state="obsolete")
    Timer.objects.bulk_create(rows)


class Database:
    """One copy of the filled database; Django's connection can be turned to any of them."""

    def __init__(self, server: Any, name: str) -> None:
        self.url, self.name = server.url(name), name

    def use(self) -> None:
        """Let Django speak to this one."""
        from django.db import connection

        connection.close()
        connection.settings_dict["NAME"] = self.name


def copies(server: Any, *names: str) -> list[Database]:
    """Copies of the database as it is now."""
    import psycopg
    from django.db import connection

    connection.close()
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        for name in names:
            admin.execute(f"create database {name} template breachclock")
    return [Database(server, name) for name in names]


def record(work: Callable[[], Any]) -> list[Statement]:
    """Every statement that ``work`` sends, with its values."""
    from django.db import connection

    sent: list[Statement] = []

    def keep(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        work()
    return sent


def replayed(statements: list[Statement], url: str) -> float:
    """Seconds that psycopg needs for them: a transaction from each lock of an incident to the next."""
    import psycopg

    begun = time.perf_counter()
    with psycopg.connect(url) as plain, plain.cursor() as cursor:
        for sql, params in statements:
            if _begins(sql):
                plain.commit()
            cursor.execute(sql, params)
            if cursor.description is not None:
                cursor.fetchall()
        plain.commit()
    return time.perf_counter() - begun


def _begins(sql: str) -> bool:
    return "FOR UPDATE" in sql and 'FROM "incidents_incident"' in sql


def _only_writes(statements: list[Statement]) -> list[Statement]:
    """Without what was read; the lock of the incident stays and parts the transactions."""
    return [item for item in statements if _begins(item[0]) or item[0].startswith(("INSERT", "UPDATE", "DELETE"))]


def line(name: str, ours: float, plain: float, what: str = "") -> None:
    sys.stdout.write(f"{name:58} {ours * 1000:10.2f} ms {plain * 1000:10.2f} ms {ours / plain:7.2f} x   {what}\n")
    sys.stdout.flush()


def same_minute(server: Any, count: int) -> None:
    """``count`` duties that are due at once: escalations, overdue marks, journal, messages written; nothing sent yet."""
    from incidents import timers

    warm, timed, recorded, plain, writes = copies(server, "warm", "timed", "recorded", "plain", "writes")
    warm.use()
    timers.fire_due(now=DUE, limit=10)  # what each process reads once: pages, templates, law
    timed.use()
    timers.fire_due(now=AT)
    begun, worked = time.perf_counter(), time.process_time()
    report = timers.fire_due(now=DUE, limit=count)
    ours, worked = time.perf_counter() - begun, time.process_time() - worked
    if report.fired != count:
        raise SystemExit(f"{report} instead of {count} fired")
    recorded.use()
    profile = cProfile.Profile()
    statements = profile.runcall(record, lambda: timers.fire_due(now=DUE, limit=count))
    each = f"{count / ours:.0f} a second, {len(statements)} queries before sending"
    line(f"{count} duties due in the same minute", ours, replayed(statements, plain.url), each)
    only = _only_writes(statements)
    line("  against the writes only", ours, replayed(only, writes.url), f"{len(only)} statements")
    sys.stdout.write(f"  of that the program itself computed for {worked:.2f} s\n")
    _explain(profile, statements)


def _explain(profile: cProfile.Profile, statements: list[Statement]) -> None:
    kinds = Counter(" ".join(sql.replace('"', "").split()[:1]) + " " + _table(sql) for sql, _params in statements)
    sys.stdout.write("  most queries: " + ", ".join(f"{name} {n}" for name, n in kinds.most_common(12)) + "\n")
    rows = pstats.Stats(profile).stats.items()  # type: ignore[attr-defined]
    whole = sum(values[2] for _key, values in rows)
    ours = sorted((values[3], key) for key, values in rows if "/incidents/" in key[0] or "/compliance/" in key[0])
    for seconds, (path, _number, function) in ours[::-1][:14]:
        sys.stdout.write(f"  {100 * seconds / whole:5.1f} % of the profile in {Path(path).stem}.{function}\n")


def _table(sql: str) -> str:
    words = sql.replace('"', "").replace("(", " ").split()
    before = {"INSERT": "INTO", "UPDATE": "UPDATE"}.get(words[0], "FROM")
    return words[words.index(before) + 1] if before in words else ""


def idle(server: Any, counts: list[int]) -> None:
    """A look when nothing is due, with more and more timers that are due later."""
    import psycopg
    from django.db import connection

    from incidents import timers

    (database,) = copies(server, "idle")
    database.use()
    held, first = 0, 0.0
    with psycopg.connect(database.url, autocommit=True) as plain:
        plain.execute("update incidents_timer set state = 'obsolete'")
        for count in counts:
            _pending(plain, held, count)
            held = count
            ours = _median(lambda: timers.fire_due(now=AT))
            theirs = _median(lambda: plain.execute(LOOK, [AT]).fetchall())
            first = first or ours
            line(f"a look with {count:,} pending timers, none due", ours, theirs, f"{ours / first:.2f} x the first")
    connection.close()


LOOK = """select id from incidents_timer where clock = 'wall' and state = 'pending' and attempt_at <= %s
          order by attempt_at, id limit 100"""


def _pending(plain: Any, held: int, count: int) -> None:
    plain.execute(
        """insert into incidents_timer (incident_id, clock, kind, subject_id, key, generation, payload, due_at, attempt_at,
                                        state, attempts, last_error, created_at)
           select (select min(id) from incidents_incident), 'wall', 'obligation.rung', 1000000000 + n, 'half', 1, '{}',
                  %s::timestamptz + n * interval '1 second', %s::timestamptz + n * interval '1 second', 'pending', 0, '', %s
           from generate_series(%s::int + 1, %s::int) n""",
        [DUE, DUE, AT, held, count],
    )
    plain.execute("analyze incidents_timer")


def _median(work: Callable[[], Any]) -> float:
    work()
    taken = []
    for _ in range(LOOKS):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def main(count: int, pending: list[int]) -> None:
    """Start PostgreSQL, fill it, measure."""
    import psycopg

    from tests.servers import Postgres

    with tempfile.TemporaryDirectory(prefix="breachclock-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "postgres").mkdir()
        server = Postgres(folder / "postgres").start()
        try:
            os.environ |= {
                "DATABASE_URL": server.url(), "BREACHCLOCK_VAR": str(folder / "var"), "LOG_LEVEL": "CRITICAL",
                "DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "only-for-benchmarks-" + "x" * 40,
            }  # fmt: skip
            psycopg.connect(server.url("postgres"), autocommit=True).execute("create database breachclock")
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            fill(count)
            sys.stdout.write(f"{'':58} {'ours':>13} {'plain SQL':>13} {'ratio':>9}\n")
            same_minute(server, count)
            idle(server, pending)
        finally:
            server.stop()


if __name__ == "__main__":
    numbers = [int(word.replace(",", "")) for word in sys.argv[1:]]
    main(numbers[0] if numbers else 1000, numbers[1:] or [1000, 100_000, 1_000_000])
