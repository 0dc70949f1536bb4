"""A busy hour in which everything dies again and again, and an account at its end: was any promise broken?

python -m tests.storm [--seconds N] [--seed S] [--incidents N] [--workers N] [--beats N] [--kills N]       (make storm)

PostgreSQL, Redis, a mail server, workers and beats are started here and killed here. People go on meanwhile: awareness
times that move deadlines, new facts, counts, drafts and filings, evidence. The seed decides what is done and what is
killed when; how the processes interleave is the machine's affair. Exit status 1 when a promise was broken.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler

from tests import servers
from tests.times import kst

START = kst("2025-09-16 13:30")
# Simulated seconds per second. Not more: a claim on a message is good for two simulated minutes, and must outlast a sending.
SPEED = 20
NUDGE_SECONDS = 0.5
MAIL_TIMEOUT = 2
PATIENCE = 300
RUN_UP = 15
# How often each kind of disaster comes, out of the sum.
DISASTERS = {
    "worker's child killed": 46, "worker killed": 12, "beat killed": 8, "Redis killed": 7, "Redis flushed": 7,
    "PostgreSQL stopped at once": 5, "mail refused": 5, "mail hangs": 5, "mail taken without an answer": 5,
}  # fmt: skip
MAIL_MODES = {"mail refused": "refuse", "mail hangs": "hang", "mail taken without an answer": "mute"}
DEEDS = {"known earlier": 5, "known later": 3, "fact": 4, "people": 3, "filing": 5, "draft": 1, "acknowledge": 5,
         "preserve": 3, "evidence": 3, "incident": 1}  # fmt: skip


@dataclass
class Options:
    """What was asked for on the command line."""

    seconds: float = 180
    seed: int = 0
    incidents: int = 120
    workers: int = 4
    beats: int = 2
    kills: int = 110

    @property
    def end(self) -> datetime:
        """When the storm is over, by the simulated clock."""
        return START + timedelta(seconds=SPEED * self.seconds)


class Cluster(servers.Postgres):
    """A PostgreSQL that can be stopped in immediate mode and started again on the same data."""

    def crash(self) -> None:
        """No checkpoint, no goodbye: it recovers from its log when it starts again."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=30)

    def again(self) -> None:
        """Start it on the data that it left."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.process.args, stdout=out, stderr=out, cwd="/", start_new_session=True, **self.user
            )
        servers.wait_for_port(self.port, self.process, self.log)
        self._wait_ready()

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"


class MoodyMail(MessageHandler):
    """Counts what it took by Message-ID. It refuses, hangs, or takes a message and never says so, as told."""

    def __init__(self) -> None:
        super().__init__()
        self.mood = ""
        self.taken: Counter[str] = Counter()
        self.unanswered: Counter[str] = Counter()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.mood == "refuse":
            return "451 Try again later"
        if self.mood == "hang":
            await asyncio.sleep(MAIL_TIMEOUT * 2)
            return "451 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mute = self.mood == "mute"
        identity = str(self.prepare_message(session, envelope)["Message-ID"])
        self.taken[identity] += 1
        if mute:
            self.unanswered[identity] += 1
            await asyncio.sleep(MAIL_TIMEOUT * 2)
            return "451 Too late for anybody to read"
        return "250 OK"

    def handle_message(self, message: Any) -> None:
        raise NotImplementedError("handle_DATA takes them")


@dataclass
class Storm:
    """Everything that runs, and what was done to it."""

    options: Options
    folder: Path
    postgres: Cluster
    redis: servers.Redis
    mail: MoodyMail
    env: dict[str, str]
    running: dict[str, servers.Server] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    outages: list[tuple[datetime, datetime]] = field(default_factory=list)
    ready_at: datetime = START
    oldest: timedelta = timedelta(0)
    drained_in: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def keep_running(self) -> None:
        """Start what is not running, as systemd or a container's supervisor would."""
        for number in range(self.options.workers):
            self._keep(
                f"worker-{number}", "worker", "-c", "1", "--without-gossip", "--without-mingle", "-n", f"w{number}@%h"
            )
        for number in range(self.options.beats):
            self._keep(f"beat-{number}", "beat", "-s", str(self.folder / f"schedule-{number}"), "--pidfile=")

    def _keep(self, name: str, *arguments: str) -> None:
        held = self.running.get(name)
        if held is not None and held.process is not None and held.process.poll() is None:
            return
        command = ["-m", "celery", "-A", "config", *arguments[:1], "-l", "INFO", *arguments[1:]]
        self.running[name] = servers.python_process(name, *command, env=self.env, folder=self.folder).start()

    def stop(self) -> None:
        """Ask all of it to end."""
        for server in self.running.values():
            if server.process is not None and server.process.poll() is None:
                os.killpg(server.process.pid, signal.SIGTERM)
        for server in self.running.values():
            server.kill()


# ---- what is done to the machines ------------------------------------------------------------------------------------


def plan(options: Options, what: dict[str, int], count: int, seed: str) -> list[tuple[float, str, float]]:
    """``count`` happenings: at which part of the hour, what, and a number that decides the rest."""
    chance = random.Random(f"{options.seed}:{seed}")
    names = chance.choices(list(what), weights=list(what.values()), k=count)
    if count >= len(what):
        names[: len(what)] = list(what)  # each at least once
        chance.shuffle(names)
    return [
        (at, name, chance.random())
        for at, name in zip(sorted(chance.uniform(0.03, 1) for _ in names), names, strict=True)
    ]


def wreck(storm: Storm) -> None:
    """Kill what the plan says when it says so; the dead are raised again a moment later."""
    from compliance import clock

    begun = time.monotonic()
    for part, name, chance in plan(storm.options, DISASTERS, storm.options.kills, "kills"):
        while time.monotonic() - begun < part * storm.options.seconds:
            time.sleep(0.05)
            storm.keep_running()
        at = clock.now()
        if _strike(storm, name, chance):
            storm.killed[name] += 1
        storm.keep_running()
        storm.outages.append((at, clock.now()))
    storm.mail.mood = ""


def _strike(storm: Storm, name: str, chance: float) -> bool:
    if name == "worker's child killed":
        return _kill_child(storm, chance)
    if name in ("worker killed", "beat killed"):
        kind, many = ("worker", storm.options.workers) if name == "worker killed" else ("beat", storm.options.beats)
        storm.running[f"{kind}-{int(chance * many)}"].kill()
    elif name == "Redis killed":
        storm.redis.kill()
        time.sleep(0.3 + chance)
        storm.redis.start()
    elif name == "Redis flushed":
        import redis

        redis.Redis.from_url(storm.redis.url).flushall()
    elif name == "PostgreSQL stopped at once":
        storm.postgres.crash()
        time.sleep(0.3 + chance)
        storm.postgres.again()
    else:
        storm.mail.mood = MAIL_MODES[name]
        threading.Timer(1 + 2 * chance, lambda: setattr(storm.mail, "mood", "")).start()
    return True


def _kill_child(storm: Storm, chance: float) -> bool:
    """kill -9 of the process that does a worker's work, most likely with a timer or a message in hand."""
    workers = [server for name, server in sorted(storm.running.items()) if name.startswith("worker")]
    for turn in range(len(workers)):
        process = workers[(int(chance * len(workers)) + turn) % len(workers)].process
        children = _children(process.pid) if process is not None and process.poll() is None else []
        if children:
            os.kill(children[0], signal.SIGKILL)
            return True
    return False


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


# ---- what people do meanwhile ----------------------------------------------------------------------------------------


def fill(options: Options) -> Any:
    """The company and its incidents, made before the hour begins. Every third one is left alone by everybody."""
    from incidents import services
    from tests.factories import make_company, make_incident

    company = make_company()
    chance = random.Random(f"{options.seed}:incidents")
    length = SPEED * options.seconds / 60
    for number in range(options.incidents):
        known = START + timedelta(minutes=length * chance.random()) - timedelta(hours=24)
        incident = make_incident(
            company, at=known + timedelta(minutes=chance.uniform(1, 30)), known_at=known,
            personal_data=False if number % 2 else None, leak_suspected_at=None if number % 2 else known,
        )  # fmt: skip
        for _ in range(6):
            services.evidence_add(
                incident=incident, title="log", by=company.owner,
                at=START + timedelta(minutes=length * chance.uniform(-0.3, 0.3)),
                expires_at=START + timedelta(minutes=length * chance.uniform(0.35, 1)),
            )  # fmt: skip
    return company


def live(storm: Storm, company: Any, pks: list[int], part: int) -> None:
    """One person at work until the hour is over. A database that is gone is met as a user meets it: try the next thing."""
    from django.db import Error, connection

    from compliance.errors import Refused

    begun = time.monotonic()
    count = int(storm.options.seconds * 2.5)
    for when, name, chance in plan(storm.options, DEEDS, count, f"deeds {part}"):
        while time.monotonic() - begun < when * storm.options.seconds:
            time.sleep(0.02)
        try:
            deed = _deed(name, company, pks[int(chance * len(pks))], random.Random(chance))
            storm.deeds[name if deed else "nothing to do"] += 1
        except Refused:
            storm.deeds["refused, as it should be"] += 1
        except Error as error:
            storm.deeds["database gone" if not _deadlock(error) else "DEADLOCK"] += 1
            connection.close()
        except Exception as error:
            storm.broken.append(f"{name}: {type(error).__name__}: {error}")
    connection.close()


def _deadlock(error: Exception) -> bool:
    return getattr(error.__cause__, "sqlstate", "") == "40P01"


def _deed(name: str, company: Any, pk: int, chance: random.Random) -> bool:
    from compliance import clock
    from incidents import services
    from incidents.models import Incident
    from tests.factories import make_incident

    at, by = clock.now(), company.owner
    if name == "incident":
        make_incident(company, at=at, known_at=at - timedelta(hours=23, minutes=chance.uniform(0, 59)))
        return True
    incident = Incident.objects.get(pk=pk)
    if name in ("known earlier", "fact", "people"):
        return _learn(name, company, incident, chance, at=at)
    if name == "evidence":
        expires = at + timedelta(minutes=chance.uniform(1, 90))
        services.evidence_add(incident=incident, title="log", at=at, expires_at=expires, by=by)
        return True
    return _settle(name, company, incident, chance, at=at)


def _learn(name: str, company: Any, incident: Any, chance: random.Random, *, at: datetime) -> bool:
    from incidents import services

    given: dict[str, Any] = {"incident": incident, "at": at, "by": company.owner}
    if name == "known earlier":
        moment = incident.reported_at - timedelta(minutes=chance.uniform(1, 60))
        services.fact_record(name="incident.known_at", value=moment, label="found later", **given)
    elif name == "people":
        services.people_record(
            entity=company.entity, residence="KR", count=chance.randrange(1, 5000), categories=["name"],
            confirmed_at=at, **given,
        )  # fmt: skip
    else:
        fact, value = chance.choice(
            [("leak.confirmed", True), ("leak.confirmed", False), ("risk.level", "high"), ("incident.is_cyber", True),
             ("leak.sensitive_data", True)]
        )  # fmt: skip
        services.fact_record(name=fact, value=value, **given)
    return True


def _settle(name: str, company: Any, incident: Any, chance: random.Random, *, at: datetime) -> bool:
    from incidents import services
    from incidents.models import Obligation

    by = company.owner
    if name == "known later":
        rows: list[Any] = list(incident.facts.filter(name="incident.known_at", kind="candidate"))
    elif name == "preserve":
        rows = list(incident.evidence_items.filter(state="at_risk"))
    elif name == "acknowledge":
        rows = list(incident.escalations.filter(acknowledged_at=None, fired_at__lte=at))
    else:
        rows = list(
            Obligation.objects.filter(incident=incident, state__in=("running", "overdue")).select_related("incident")
        )
    if not rows:
        return False
    row = chance.choice(rows)
    if name == "known later":
        services.candidate_adopt(candidate=row, reason="the other one was a test", at=at, by=by)
    elif name == "preserve":
        services.evidence_preserve(evidence=row, note="copied", at=at, by=by)
    elif name == "acknowledge":
        services.escalation_acknowledge(escalation=row, at=at, by=by)
    elif name == "draft":
        from reports import services as filings

        filings.filing_start(incident=incident, obligations=[row], at=at, by=by)
    else:
        services.obligation_meet(obligation=row, done_at=at, at=at, by=by, reference=f"receipt {row.pk}")
    return True


# ---- the run ---------------------------------------------------------------------------------------------------------


def watch(storm: Storm) -> None:
    """How late the oldest due timer is at each moment, as anybody could see it."""
    from django.db import Error, connection

    from compliance import clock
    from incidents import timers

    while not storm.over.wait(0.5):
        try:
            due = timers.next_due()
            if due is not None and due <= storm.options.end:
                storm.oldest = max(storm.oldest, clock.now() - max(due, storm.ready_at))
        except Error:
            connection.close()
    connection.close()


def wait_for_calm(storm: Storm) -> None:
    """Until everything of the hour is told. It is counted how long that takes once the last disaster is over."""
    from incidents.models import OutboxMessage, Timer

    begun = time.monotonic()
    unsent = OutboxMessage.objects.filter(state__in=("pending", "claimed"), created_at__lte=storm.options.end)
    undone = Timer.objects.filter(due_at__lte=storm.options.end, state="pending")
    while time.monotonic() - begun < PATIENCE:
        timers_left = undone.exists()
        if not timers_left and not storm.drained_in:
            storm.drained_in = time.monotonic() - begun
        if not timers_left and not unsent.exists():
            return
        storm.keep_running()
        time.sleep(0.5)


def set_out(storm: Storm) -> None:
    """Start the clock a little before the hour, and all processes; wait until they work."""
    from compliance import clock
    from incidents.models import Heartbeat

    begins = time.time() + RUN_UP
    setting = f"{START.isoformat()};{begins};{SPEED}"
    os.environ["BREACHCLOCK_SIMULATED_CLOCK"] = storm.env["BREACHCLOCK_SIMULATED_CLOCK"] = setting
    before = clock.now()
    storm.keep_running()
    while time.time() < begins or not Heartbeat.objects.filter(name="timers").exists():
        time.sleep(0.1)
    storm.ready_at = clock.now()
    storm.outages.append((before - timedelta(days=2), storm.ready_at))


def run(storm: Storm) -> int:
    """Let it all happen; the account's exit status."""
    from incidents.models import Incident
    from tests.storm_account import expected_of, print_account

    company = fill(storm.options)
    restless = [
        pk for number, pk in enumerate(Incident.objects.order_by("pk").values_list("pk", flat=True)) if number % 3
    ]
    calm = expected_of(Incident.objects.exclude(pk__in=restless), storm.options.end)
    set_out(storm)
    people = [threading.Thread(target=live, args=(storm, company, restless, part)) for part in range(2)]
    watcher = threading.Thread(target=watch, args=(storm,))
    for thread in (*people, watcher):
        thread.start()
    wreck(storm)
    for thread in people:
        thread.join()
    from django.db import connection

    connection.close()
    wait_for_calm(storm)
    storm.over.set()
    watcher.join()
    storm.stop()
    return print_account(storm, calm)


@contextlib.contextmanager
def mail_server() -> Iterator[tuple[MoodyMail, int]]:
    """The mail server and its port."""
    handler = MoodyMail()
    controller = Controller(handler, hostname="127.0.0.1", port=servers.free_port())
    controller.start()
    try:
        yield handler, int(controller.port)
    finally:
        controller.stop()


def main(options: Options) -> int:
    """Start the servers, run, stop everything. The logs are kept when a promise was broken."""
    folder = Path(tempfile.mkdtemp(prefix="breachclock-storm-"))
    folder.chmod(0o755)
    (folder / "postgres").mkdir()
    sys.stdout.write(f"seed {options.seed} (repeat with --seed {options.seed} --seconds {options.seconds:g})\n")
    sys.stdout.flush()
    with contextlib.ExitStack() as stack:
        postgres = Cluster(folder / "postgres")
        postgres.start()
        stack.callback(lambda: postgres.stop())
        redis = servers.Redis(folder).start()
        stack.callback(lambda: redis.stop())
        mail, port = stack.enter_context(mail_server())
        _environment(postgres, folder)
        env = {**os.environ, "REDIS_URL": redis.url, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port),
               "EMAIL_TIMEOUT": str(MAIL_TIMEOUT), "BREACHCLOCK_NUDGE_SECONDS": str(NUDGE_SECONDS)}  # fmt: skip
        _database(postgres)
        storm = Storm(options, folder, postgres, redis, mail, env)
        stack.callback(storm.stop)
        status = run(storm)
    if status:
        sys.stdout.write(f"The logs are in {folder}\n")
    else:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)
    return status


def _environment(postgres: Cluster, folder: Path) -> None:
    for name in ("REDIS_URL", "EMAIL_HOST", "BREACHCLOCK_SIMULATED_CLOCK"):
        os.environ.pop(name, None)
    os.environ |= {
        "DATABASE_URL": postgres.url(), "BREACHCLOCK_VAR": str(folder / "var"), "LANGUAGE_CODE": "en",
        "DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "only-for-tests-" + "x" * 40,
        "PYTHONPATH": str(servers.ROOT), "LOG_LEVEL": "WARNING",
    }  # fmt: skip


def _database(postgres: Cluster) -> None:
    import django
    import psycopg
    from django.core.management import call_command

    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("create database breachclock")
    django.setup()
    call_command("migrate", verbosity=0)


def parsed(arguments: list[str]) -> Options:
    """The options given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Options(seed=random.SystemRandom().randrange(10**6))
    kinds: dict[str, Callable[[str], Any]] = {"seconds": float}
    for name in Options.__dataclass_fields__:
        parser.add_argument(f"--{name}", type=kinds.get(name, int), default=getattr(default, name))
    return Options(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    raise SystemExit(main(parsed(sys.argv[1:])))
