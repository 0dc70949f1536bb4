"""What clocks cost, in one run: python -m tests.bench_clocks [DUTIES] [INCIDENTS] [PENDING]      (make bench)

- a thousand duties due in the same minute, against plain SQL;
- a run over ten thousand open incidents, a third at each stage, and over a tenth of them;
- the hourly sweep of as many;
- a look when nothing is due, with a thousand, a hundred thousand and a million timers that are due later;
- with real workers (:mod:`tests.bench_clocks_workers`): how late 5,000 timers are, how much memory a worker has;
- the same deadlines as Celery's own delayed messages (:mod:`tests.bench_clocks_eta`).

Plain SQL is what the database was asked, recorded once and sent again by psycopg to a copy of the database, in as many
transactions: the statements without the program around them. "Writes only" leaves out what was read before.
"""

import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench_clocks_house import (
    AT,
    CROWDED,
    DUE,
    Cost,
    Statement,
    add_pending,
    copies,
    fill,
    line,
    measured,
    part_in_three,
    say,
    start,
)

LOOKS = 200
# How many timers are due in the run that is measured.
FEW = 30


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


def same_minute(server: Any, count: int) -> None:
    """``count`` duties that are due at once: escalations, overdue marks, journal, messages written; nothing sent yet."""
    from incidents import timers

    (minute,) = copies(server, "minute", of="empty")
    minute.use()
    fill(count)
    warm, timed, plain, writes = copies(server, "warm", "timed", "plain", "writes", of="minute")
    warm.use()
    timers.fire_due(now=DUE, limit=10)  # what each process reads once: pages, templates, law
    timed.use()
    timers.fire_due(now=AT)
    reports = []
    cost = measured(lambda: reports.append(timers.fire_due(now=DUE, limit=count)))
    if reports[0].fired != count:
        raise SystemExit(f"{reports[0]} instead of {count} fired")
    line(f"{count:,} duties due in the same minute", cost.wall, replayed(cost.statements, plain.url), str(cost))
    only = _only_writes(cost.statements)
    line("  against the writes only", cost.wall, replayed(only, writes.url), f"{len(only)} statements")
    tables = Counter(f"{sql.split()[0]} {_table(sql)}" for sql, _params in cost.statements)
    say("  most queries: " + ", ".join(f"{name} {n}" for name, n in tables.most_common(8)))


def _table(sql: str) -> str:
    words = sql.replace('"', "").replace("(", " ").split()
    before = {"INSERT": "INTO", "UPDATE": "UPDATE"}.get(words[0], "FROM")
    return words[words.index(before) + 1] if before in words else ""


def runs(server: Any, many: int) -> None:
    """A run: what a worker does at each nudge with a few timers due, and the figures of /health and of the board.

    Over ``many`` open incidents and over a tenth of them, a third at each stage. Then the busiest run there can be: every
    reminder and every deadline of the two thirds that have one, at once.
    """
    from incidents import timers

    spent = []
    for count in (many // 10, many):
        (database,) = copies(server, f"run{count}", of="empty")
        database.use()
        company = fill(count)
        part_in_three(FEW)
        _analyse()
        timers.fire_due(now=AT)
        spent.append(measured(partial(_run, company.manager)))
        _tell_run(f"a run over {count:,} open incidents, {FEW} timers due", spent[-1])
    if spent[0].queries != spent[1].queries:
        say(f"  THE NUMBER OF QUERIES GREW: {spent[0].queries}, {spent[1].queries}")
    due = 2 * many // 3 - FEW
    cost = measured(lambda: timers.fire_due(now=CROWDED, limit=many))
    _tell_run(f"  and with all {due:,} of two thirds due at once", cost)


def _run(manager: Any) -> None:
    from incidents import board, clock_check, health, timers

    clock_check.read()
    health.beat("timers", at=DUE)
    fired = timers.fire_due(now=DUE).fired
    if fired != FEW:
        raise SystemExit(f"{fired} instead of {FEW} fired")
    health.report(now=DUE)
    board.board(manager, board.Filters(), now=DUE)


def _tell_run(name: str, cost: Cost) -> None:
    say(f"{name:58} {cost.wall:10.2f} s                                {cost}")


def sweeping(server: Any, many: int) -> None:
    """The hourly sweep, which derives every clock's steps anew and compares them with the timers; nothing differs."""
    from incidents import sweep

    (database,) = copies(server, "sweep", of="empty")
    database.use()
    fill(many, whole=True)
    _analyse()
    found = []
    cost = measured(lambda: found.extend(sweep.sweep(at=AT)))
    if found:
        raise SystemExit(f"the sweep found {len(found)} differences where there are none")
    _tell_run(f"the hourly sweep of {many:,} open incidents", cost)


def _analyse() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("analyze")


def idle(server: Any, counts: list[int]) -> None:
    """A look when nothing is due, with more and more timers that are due later."""
    import psycopg

    from incidents import timers

    (database,) = copies(server, "idle", of="minute")
    database.use()
    held, first = 0, 0.0
    with psycopg.connect(database.url, autocommit=True) as plain:
        plain.execute("update incidents_timer set state = 'obsolete'")
        for count in counts:
            add_pending(plain, held, count)
            held = count
            ours = _median(lambda: timers.fire_due(now=AT))
            theirs = _median(lambda: plain.execute(LOOK, [AT]).fetchall())
            first = first or ours
            line(f"a look with {count:,} pending timers, none due", ours, theirs, f"{ours / first:.2f} x the first")


LOOK = """select id from incidents_timer where clock = 'wall' and state = 'pending' and attempt_at <= %s
          order by attempt_at, id limit 500"""


def _median(work: Callable[[], Any]) -> float:
    work()
    taken = []
    for _ in range(LOOKS):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def main(duties: int, incidents: int, pending: int) -> None:
    """Start PostgreSQL, fill it, measure, clean up."""
    from tests import bench_clocks_eta, bench_clocks_workers, servers

    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="breachclock-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "postgres").mkdir()
        server = servers.Postgres(folder / "postgres")
        # PostgreSQL itself says when a timer was committed as fired.
        server.options = ("-c", "track_commit_timestamp=on")
        server.start()
        try:
            start(server, folder)
            say(f"{'':58} {'ours':>13} {'plain SQL':>13} {'ratio':>9}")
            same_minute(server, duties)
            runs(server, incidents)
            sweeping(server, incidents)
            idle(server, [1000, 100_000, pending])
            bench_clocks_workers.measure(server, folder, pending=pending)
            bench_clocks_eta.compare(server, folder)
        finally:
            server.stop()
    say(f"measured in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    given = [int(word.replace(",", "")) for word in sys.argv[1:]]
    main(*[*given, *(1000, 10_000, 1_000_000)[len(given) :]])
