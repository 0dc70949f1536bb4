"""What the desk costs with many incidents: board, incident page, manager's view, list, over HTTP with gunicorn's two workers.

python -m tests.bench_desk [INCIDENTS]            (make bench)

On PostgreSQL and on SQLite. Each page: queries, p50 and p95 of requests made one after another, bytes as sent
(compressed), and the same with style and scripts but without typefaces.
"""

import gzip
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ASKED = 60
AIM_MS, AIM_BYTES = 150, 150_000
PAGES = {
    "board": "/",
    "board, grouped by authority": "/?group=authority",
    "board, late ones of one entity": "/?state=overdue&entity=hanbit",
    "manager's view": "/overview/",
    "list of incidents": "/incidents/",
    "incident": "/incidents/2026-first/",
}
SHARED = ("vendor/tabler/tabler.min.css", "css/desk.css", "vendor/htmx/htmx.min.js", "js/desk.js",
          "vendor/pretendard/pretendardvariable-dynamic-subset.css")  # fmt: skip


def fill(count: int) -> None:
    """In a process of its own: make the rows, let the database look at them, and open a session."""
    import django

    django.setup()
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.db import connection

    from compliance import clock
    from tests import scale

    call_command("migrate", verbosity=0)
    house = scale.fill(count, now=clock.now())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    user = house.company.manager
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.save()
    queries = {name: _queries(path, session.session_key) for name, path in PAGES.items()}
    sys.stdout.write(json.dumps([session.session_key, queries]) + "\n")


def _queries(path: str, key: str | None) -> int:
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    settings.ALLOWED_HOSTS = ["*"]
    client = Client()
    client.cookies["sessionid"] = key
    client.get(path)
    with CaptureQueriesContext(connection) as seen:
        client.get(path)
    return len(seen)


def measure(count: int, env: Mapping[str, str], folder: Path, name: str) -> None:
    """One database: fill, serve, ask, print."""
    from tests import servers

    made = subprocess.run(
        [sys.executable, "-m", "tests.bench_desk", "fill", str(count)],
        env=env, cwd=servers.ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    key, queries = json.loads(made.stdout.splitlines()[-1])
    port = servers.free_port()
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "-b", f"127.0.0.1:{port}", "--workers", "2", "-k", "gthread",
               "--threads", "4"]  # fmt: skip
    web = servers.Server(f"web-{name}", command, env=env, folder=folder).start()
    try:
        assert web.process is not None
        servers.wait_for_port(port, web.process, web.log)
        sys.stdout.write(
            f"\n{name}, {count:,} incidents\n{'':34} {'queries':>8} {'p50':>9} {'p95':>9} {'page':>9} {'all':>9}\n"
        )
        for title, path in PAGES.items():
            _line(title, queries[title], *_ask(port, path, key))
    finally:
        web.stop()


def _ask(port: int, path: str, key: str) -> tuple[list[float], int]:
    headers = {"Cookie": f"sessionid={key}; django_language=ko", "Accept-Encoding": "gzip"}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times, size = [], 0
    for number in range(ASKED + 10):
        begun = time.perf_counter()
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise SystemExit(f"{path}: {response.status}")
        if number >= 10:  # both workers are warm
            times.append(time.perf_counter() - begun)
        size = len(body)
    return times, size


def _line(title: str, queries: int, times: list[float], size: int) -> None:
    p95 = statistics.quantiles(times, n=20)[-1] * 1000
    whole = size + _shared()
    missed = ", ".join(
        words
        for bad, words in ((p95 > AIM_MS, f"aim {AIM_MS} ms"), (whole > AIM_BYTES, f"aim {AIM_BYTES:,} bytes"))
        if bad
    )
    sys.stdout.write(
        f"{title:34} {queries:8} {statistics.median(times) * 1000:6.0f} ms {p95:6.0f} ms {size:9,} {whole:9,}  {missed}\n"
    )
    sys.stdout.flush()


def _shared() -> int:
    """What every page needs besides itself and the typefaces, compressed."""
    from tests.servers import ROOT

    return sum(len(gzip.compress((ROOT / "config/static" / name).read_bytes(), 6)) for name in SHARED)


def main(count: int) -> None:
    """Measure on both databases."""
    from tests.servers import Postgres

    common: dict[str, Any] = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "only-for-benchmarks-" + "x" * 40,
        "BREACHCLOCK_KEY_COMMAND": "echo bench AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "BREACHCLOCK_SECOND_FACTOR": "offered",
        "LOG_LEVEL": "CRITICAL", "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="breachclock-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "postgres").mkdir()
        server = Postgres(folder / "postgres").start()
        try:
            import psycopg

            psycopg.connect(server.url("postgres"), autocommit=True).execute("create database breachclock")
            env = {**common, "DATABASE_URL": server.url(), "BREACHCLOCK_VAR": str(folder / "var-postgres")}
            measure(count, env, folder, "PostgreSQL")
        finally:
            server.stop()
        env = {key: value for key, value in common.items() if key != "DATABASE_URL"}
        measure(count, {**env, "BREACHCLOCK_VAR": str(folder / "var-sqlite")}, folder, "SQLite")


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        fill(int(sys.argv[2]))
    else:
        main(int(sys.argv[1].replace(",", "")) if sys.argv[1:] else 10_000)
