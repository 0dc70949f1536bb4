"""The same deadlines as delayed messages of Celery (``eta``) on Redis, beside rows of ours.

A worker takes every delayed message at once and keeps it in its memory until its time comes; Redis takes back what was not
acknowledged within the visibility timeout (an hour as delivered). So what a killed worker held comes late, and what a
living one holds for longer than that timeout is carried out twice.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
from celery import Celery

from tests.bench_clocks_house import AT, FAR, Database, copies, fill, memory_of, say
from tests.servers import ROOT, Redis, Server, python_process

DEADLINES = 100_000
# A ladder has about so many steps, which are written at once.
LADDER = 10
FEWER = 1000
TIMEOUT = 10
AHEAD = 30
PATIENCE = 150

app = Celery("eta", broker=os.environ.get("ETA_BROKER", "memory://"))
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    broker_transport_options=json.loads(os.environ.get("ETA_TRANSPORT", "{}")),
)


@app.task(name="eta.fire")  # type: ignore[untyped-decorator]
def fire(number: int) -> None:
    """Leave word that it was carried out."""
    redis.Redis.from_url(os.environ["ETA_TOLD"]).rpush("told", number)


def compare(server: Any, folder: Path) -> None:
    """What a hundred thousand deadlines take, and what becomes of them when a worker dies and when time passes.

    The two last wait most of the time, and so beside the rest.
    """
    _ours(server)
    with ThreadPoolExecutor() as beside:
        waiting = [beside.submit(work, folder) for work in (_restart, _twice)]
        _theirs(folder)
        for told in waiting:
            say(told.result())


def _ours(server: Any) -> None:
    """As rows, a ladder in one INSERT and one transaction."""
    import psycopg

    from incidents.models import Incident, Timer

    (database,) = copies(server, "rows", of="empty")
    database.use()
    fill(1)
    incident = Incident.objects.order_by("pk").last()
    before, begun = _size(database), time.perf_counter()
    for subject in range(DEADLINES // LADDER):
        Timer.objects.bulk_create(
            Timer(
                incident=incident, kind="obligation.rung", subject_id=10**9 + subject, key=f"step-{step}", generation=1,
                payload={"rung": "reminder", "roles": ["owner"]}, due_at=FAR, attempt_at=FAR, created_at=AT,
            )
            for step in range(LADDER)
        )  # fmt: skip
    seconds = time.perf_counter() - begun
    with psycopg.connect(database.url, autocommit=True) as plain:
        plain.execute("checkpoint")
    say(
        f"{DEADLINES:,} deadlines as our rows: {seconds:.1f} s to schedule, {(_size(database) - before) / 1e6:.0f} MB on disk, "
        "nothing in Redis or in a worker"
    )


def _size(database: Database) -> int:
    import psycopg

    with psycopg.connect(database.url, autocommit=True) as plain:
        row = plain.execute("select pg_total_relation_size('incidents_timer')").fetchone()
    assert row is not None
    return int(row[0])


class House:
    """A Redis of its own and workers of Celery that wait for delayed messages."""

    def __init__(self, folder: Path, options: dict[str, Any]) -> None:
        folder.mkdir()
        self.folder, self.options = folder, options
        self.redis = Redis(folder).start()
        self.client = redis.Redis.from_url(self.redis.url)
        self.workers: list[Server] = []

    def work(self) -> Server:
        """One more worker, ready."""
        number = len(self.workers)
        env = {
            **os.environ, "ETA_BROKER": self.redis.url, "ETA_TOLD": self.redis.url, "PYTHONPATH": str(ROOT),
            "ETA_TRANSPORT": json.dumps(self.options),
        }  # fmt: skip
        command = (
            "-m",
            "celery",
            "-A",
            "tests.bench_clocks_eta",
            "worker",
            "-c",
            "1",
            "-n",
            f"e{number}@%h",
            "-l",
            "INFO",
        )
        quiet = ("--without-gossip", "--without-mingle")
        worker = python_process(f"worker-{number}", *command, *quiet, env=env, folder=self.folder).start()
        self.workers.append(worker)
        _until(lambda: " ready." in worker.log.read_text(errors="replace"))
        return worker

    def schedule(self, count: int, at: datetime) -> None:
        """Delay ``count`` messages until ``at``."""
        app.conf.broker_url = app.conf.broker_read_url = app.conf.broker_write_url = self.redis.url
        with app.connection_for_write(self.redis.url) as connection, app.amqp.Producer(connection) as producer:
            for number in range(count):
                fire.apply_async((number,), eta=at, producer=producer)

    @property
    def held(self) -> int:
        """How many messages a worker has taken and not acknowledged."""
        return int(self.client.hlen("unacked"))

    @property
    def told(self) -> list[Any]:
        """What was carried out, as often as it was."""
        return list(self.client.lrange("told", 0, -1))

    def memory(self) -> int:
        """Bytes that Redis uses."""
        return int(self.client.info("memory")["used_memory"])


@contextmanager
def house(folder: Path, **options: Any) -> Iterator[House]:
    """All of it is stopped at the end."""
    made = House(folder, options)
    try:
        yield made
    finally:
        for worker in made.workers:
            worker.kill()
        made.redis.stop()


def _until(done: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _group(worker: Server) -> int:
    assert worker.process is not None
    return worker.process.pid


def _theirs(folder: Path) -> None:
    with house(folder / "eta") as made:
        before, begun = made.memory(), time.perf_counter()
        made.schedule(DEADLINES, FAR)
        seconds, in_redis = time.perf_counter() - begun, made.memory() - before
        with house(folder / "eta-none") as none:
            empty = memory_of(_group(none.work()))
        begun = time.perf_counter()
        worker = made.work()
        _until(lambda: made.held >= DEADLINES)
        taking, full, held = time.perf_counter() - begun, memory_of(_group(worker)), made.held
    say(
        f"{DEADLINES:,} deadlines as Celery's delayed messages: {seconds:.1f} s to schedule, {in_redis / 1e6:.0f} MB in Redis; "
        f"a worker has taken {held:,} of them after {taking:.0f} s: {empty / 1e6:.0f} MB without, {full / 1e6:.0f} MB with them"
    )


def _restart(folder: Path) -> str:
    """A worker that held them is killed and another one started. The visibility timeout runs out before they are due; what
    was not acknowledged is looked for every 100 seconds, as Celery is delivered."""
    with house(folder / "restart", visibility_timeout=TIMEOUT) as made:
        moment = time.time() + AHEAD
        made.schedule(FEWER, datetime.fromtimestamp(moment, UTC))
        first = made.work()
        _until(lambda: made.held >= FEWER)
        first.kill()
        made.work()
        _until(lambda: len(set(made.told)) >= FEWER)
        return (
            f"  after kill -9 of the worker that held {FEWER:,}, another one started, visibility timeout {TIMEOUT} s (an hour "
            f"as delivered): {len(set(made.told)):,} carried out {time.time() - moment:.0f} s after their time"
        )


def _twice(folder: Path) -> str:
    """Two workers that live, and a wait that is longer than the visibility timeout; what was not acknowledged is looked for
    every second, so that it shows."""
    often = {"unacked_restore_interval": 1, "unacked_restore_throttle": 1}
    with house(folder / "twice", visibility_timeout=TIMEOUT, **often) as made:
        moment = time.time() + AHEAD
        made.schedule(FEWER, datetime.fromtimestamp(moment, UTC))
        made.work()
        made.work()
        _until(lambda: time.time() > moment and len(set(made.told)) >= FEWER)
        time.sleep(TIMEOUT)
        told = made.told
        return (
            f"  {FEWER:,} that wait longer than the visibility timeout of {TIMEOUT} s, two workers, nothing killed: "
            f"{len(told):,} carried out, {len(told) - len(set(told)):,} of these not for the first time"
        )
