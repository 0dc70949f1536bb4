"""The run of a storm from its first process to its account."""

import argparse
import contextlib
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import tests.storm
from tests import servers
from tests.storm.disasters import wreck
from tests.storm.disk import mount_small_disk, unmount
from tests.storm.machines import Cluster, MailServer, MoodyWeb, Storm
from tests.storm.options import MAIL_TIMEOUT, NUDGE_SECONDS, PATIENCE, RUN_UP, SPEED, START, Options
from tests.storm.people import fill, live

DISK_MEGABYTES = 24


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
    """Until everything of the hour is told, or nothing moves any more. It is counted how long the timers take once the last
    disaster is over; how long the messages take is the machine's affair."""
    from incidents.models import OutboxMessage, Timer

    begun = moved = time.monotonic()
    unsent = OutboxMessage.objects.filter(state__in=("pending", "claimed"), created_at__lte=storm.options.end)
    undone = Timer.objects.filter(due_at__lte=storm.options.end, state="pending")
    before = (-1, -1)
    while time.monotonic() - moved < PATIENCE:
        left = (undone.count(), unsent.count())
        if not left[0] and not storm.drained_in:
            storm.drained_in = time.monotonic() - begun
        if left == (0, 0):
            return
        if left != before:
            before, moved = left, time.monotonic()
        storm.keep_running()
        time.sleep(0.5)


def set_out(storm: Storm) -> None:
    """Start the clock a little before the hour, and all processes; wait until they work."""
    from compliance import clock
    from incidents.models import Heartbeat

    storm.begins = begins = time.time() + RUN_UP
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
    from tests.storm.account import expected_of, print_account

    company = fill(storm.options, storm.web.url)
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


def main(options: Options) -> int:
    """Start the servers, run, stop everything. The logs are kept when a promise was broken."""
    folder = Path(tempfile.mkdtemp(prefix="breachclock-storm-"))
    folder.chmod(0o755)
    (folder / "postgres").mkdir()
    sys.stdout.write(f"seed {options.seed} (repeat with {options.again})\n")
    sys.stdout.flush()
    (folder / "disk").mkdir()
    disk = folder / "disk" if mount_small_disk(folder / "disk", DISK_MEGABYTES) else None
    with contextlib.ExitStack() as stack:
        postgres = Cluster(folder / "postgres")
        postgres.start()
        stack.callback(lambda: postgres.stop())
        redis = servers.Redis(folder).start()
        stack.callback(lambda: redis.stop())
        mail, web = MailServer(), MoodyWeb()
        mail.open()
        stack.callback(lambda: mail.close())
        stack.callback(web.stop)
        _environment(postgres, folder)
        env = {**os.environ, "REDIS_URL": redis.url, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(mail.port),
               "EMAIL_TIMEOUT": str(MAIL_TIMEOUT), "BREACHCLOCK_NUDGE_SECONDS": str(NUDGE_SECONDS)}  # fmt: skip
        _database(postgres)
        storm = Storm(options, folder, postgres, redis, mail, web, env, disk)
        storm.step_clock(0)
        stack.callback(storm.stop)
        status = run(storm)
    if status:
        sys.stdout.write(f"The logs are in {folder}\n")
    else:
        unmount(folder / "disk")
        shutil.rmtree(folder, ignore_errors=True)
    return status


def _environment(postgres: Cluster, folder: Path) -> None:
    for name in ("REDIS_URL", "EMAIL_HOST", "BREACHCLOCK_SIMULATED_CLOCK"):
        os.environ.pop(name, None)
    os.environ |= {
        "DATABASE_URL": postgres.url(), "BREACHCLOCK_VAR": str(folder / "var"), "LANGUAGE_CODE": "en",
        "BREACHCLOCK_SECOND_FACTOR": "offered",
        "DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "only-for-tests-" + "x" * 40,
        "BREACHCLOCK_KEY_FILE": servers.key_file(folder),
        "PYTHONPATH": str(servers.ROOT), "LOG_LEVEL": "WARNING", "BREACHCLOCK_WEBHOOK_HOSTS": "127.0.0.1",
        "BREACHCLOCK_FILES": str(folder / "disk" / "files"), "JOURNAL_ANCHORS": str(folder / "disk" / "anchors"),
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
    parser = argparse.ArgumentParser(
        prog="python -m tests.storm",
        description=tests.storm.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = Options(seed=random.SystemRandom().randrange(10**6))
    kinds: dict[str, Callable[[str], Any]] = {"seconds": float}
    for name in Options.__dataclass_fields__:
        parser.add_argument(f"--{name}", type=kinds.get(name, int), default=getattr(default, name))
    return Options(**vars(parser.parse_args(arguments)))
