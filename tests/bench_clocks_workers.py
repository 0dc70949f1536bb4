"""Real Celery workers, beat, Redis and PostgreSQL: how late many timers are that are due at once, and a worker's memory."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench_clocks_house import AT, DUE, Database, add_pending, copies, fill, memory_of, say
from tests.servers import ROOT, Redis, Server, python_process

DUTIES = 5000
WORKERS = 2
AHEAD = 15
PATIENCE = 240
LOOKS = 15


def measure(server: Any, folder: Path, *, pending: int) -> None:
    """Both."""
    lateness(server, folder)
    memory(server, folder, pending)


@contextmanager
def crew(database: Database, folder: Path, **env: str) -> Iterator[list[Server]]:
    """Redis, beat and workers on ``database``; the workers are answered. All are stopped at the end."""
    folder.mkdir()
    redis = Redis(folder).start()
    whole = {**os.environ, "DATABASE_URL": database.url, "REDIS_URL": redis.url, "PYTHONPATH": str(ROOT), **env}
    started: list[Server] = []
    try:
        for number in range(WORKERS):
            arguments = ("worker", "-c", "1", "--without-gossip", "--without-mingle", "-n", f"w{number}@%h")
            started.append(_celery(f"worker-{number}", *arguments, env=whole, folder=folder))
        beat = _celery("beat", "beat", "-s", str(folder / "schedule"), "--pidfile=", env=whole, folder=folder)
        started.append(beat)
        yield started[:WORKERS]
    finally:
        for one in started:
            one.kill()
        redis.stop()


def _celery(name: str, *arguments: str, env: dict[str, str], folder: Path) -> Server:
    return python_process(name, "-m", "celery", "-A", "config", *arguments, env=env, folder=folder).start()


def _clock(at: Any, epoch: float) -> dict[str, str]:
    return {"BREACHCLOCK_SIMULATED_CLOCK": f"{at.isoformat()};{epoch};1"}


def _nothing_to_catch_up(at: Any) -> None:
    """The watch would begin with what a night missed."""
    from incidents import health

    for name in health.WATCHERS:
        health.beat(name, at=at)


def lateness(server: Any, folder: Path) -> None:
    """:data:`DUTIES` duties due in the same second: how long after it PostgreSQL committed each as told."""
    import psycopg

    (database,) = copies(server, "late", of="empty")
    database.use()
    fill(DUTIES)
    _nothing_to_catch_up(DUE)
    moment = time.time() + AHEAD
    with (
        crew(database, folder / "late", **_clock(DUE, moment)),
        psycopg.connect(database.url, autocommit=True) as plain,
    ):
        end = moment + PATIENCE
        while time.time() < end and (plain.execute(WAITING).fetchone() or [0])[0]:
            time.sleep(0.5)
        told = plain.execute("select count(*) from incidents_outboxmessage").fetchone()
        found = plain.execute(LATE, [moment]).fetchone()
    assert told is not None
    assert found is not None
    fired, late = found
    say(
        f"{fired:,} timers due in the same second, {WORKERS} workers: half committed within {late[0]:.1f} s, 99 % within "
        f"{late[1]:.1f} s, the last after {late[2]:.1f} s (looked every 5 s; {told[0]:,} messages written)"
    )
    if fired != DUTIES:
        say(f"  {DUTIES - fired} NOT FIRED AFTER {PATIENCE} s")


WAITING = "select count(*) from incidents_timer where state = 'pending' and key = 'due'"
LATE = """select count(*), percentile_cont(array[0.5, 0.99, 1]) within group
                           (order by extract(epoch from pg_xact_commit_timestamp(xmin)) - %s)
          from incidents_timer where state = 'fired' and key = 'due'"""


def memory(server: Any, folder: Path, pending: int) -> None:
    """A worker that has looked :data:`LOOKS` times, with a thousand and with ``pending`` timers that are due later."""
    import psycopg

    (database,) = copies(server, "memory", of="empty")
    database.use()
    fill(1)
    _nothing_to_catch_up(AT)
    held, spent = 0, []
    with psycopg.connect(database.url, autocommit=True) as plain:
        plain.execute("update incidents_timer set state = 'obsolete'")
        for count in (1000, pending):
            add_pending(plain, held, count)
            held = count
            env = {**_clock(AT, time.time()), "BREACHCLOCK_NUDGE_SECONDS": "0.5"}
            with crew(database, folder / f"memory-{count}", **env) as workers:
                _looks(plain)
                groups = [item.process.pid for item in workers if item.process is not None]
                spent.append(sum(map(memory_of, groups)) / len(groups))
    mb = [number / 1e6 for number in spent]
    say(
        f"memory of a worker: {mb[0]:.0f} MB with 1,000 pending timers, {mb[1]:.0f} MB with {pending:,}: {mb[1] / mb[0]:.2f} x"
    )


def _looks(plain: Any) -> None:
    """Wait until the workers have looked often enough."""
    seen: set[Any] = set()
    end = time.monotonic() + PATIENCE
    while len(seen) <= LOOKS and time.monotonic() < end:
        seen.add(plain.execute("select at from incidents_heartbeat where name = 'timers'").fetchone())
        time.sleep(0.2)
