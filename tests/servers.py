"""Real servers for the tests: started on free ports and in temporary folders, stopped at the end, never skipped."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from compliance import vault

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


class Missing(RuntimeError):
    """A part the tests need is not installed."""

    def __init__(self, program: str, package: str) -> None:
        super().__init__(f"{program} was not found: install the Debian package {package} (apt-get install {package})")


def program(name: str, package: str, *places: str) -> str:
    """The path of ``name``, looked for on the PATH and in ``places`` (globs)."""
    found = shutil.which(name)
    if found:
        return found
    for place in places:
        for path in sorted(Path("/").glob(place.lstrip("/")), reverse=True):
            return str(path)
    raise Missing(name, package)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def key_file(folder: Path) -> str:
    """A file of keys for what is encrypted at rest, made in ``folder`` once."""
    path = folder / "encryption_keys"
    vault.make_file(path)
    return str(path)


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until something listens, or say what the program printed when it died."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended: {log.read_text(errors='replace')[-2000:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not listen on {port}: {log.read_text(errors='replace')[-2000:]}")


class Server:
    """A program in a process group of its own, with its output in a file."""

    def __init__(self, name: str, command: list[str], *, env: Mapping[str, str] | None = None, folder: Path) -> None:
        self.name, self.command, self.env, self.folder = name, command, dict(env or os.environ), folder
        self.log = folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **options: Any) -> "Server":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, env=self.env, cwd=ROOT, start_new_session=True, **options
            )
        return self

    def kill(self) -> None:
        """End it as a power cut would, with everything it started."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and insist after a while."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, how)
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Postgres:
    """A throw-away PostgreSQL cluster. It refuses to run as root, so root lends it an unprivileged user."""

    options: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.bin = Path(program("initdb", "postgresql", "/usr/lib/postgresql/*/bin/initdb")).resolve().parent
        self.user: dict[str, Any] = (
            {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        )

    def start(self) -> "Postgres":
        data = self.folder / "data"
        data.mkdir()
        if self.user:
            os.chmod(self.folder, 0o755)
            shutil.chown(data, "nobody", "nogroup")
        run = {"check": True, "capture_output": True, "cwd": "/", **self.user}
        subprocess.run(
            [str(self.bin / "initdb"), "-D", str(data), "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
            **run,
        )
        command = [str(self.bin / "postgres"), "-D", str(data), "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                   "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=60",
                   *self.options]  # fmt: skip
        log = self.folder / "postgres.log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=out, cwd="/", start_new_session=True, **self.user
            )
        wait_for_port(self.port, self.process, log)
        self._wait_ready()
        return self

    def _wait_ready(self) -> None:
        import psycopg

        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def url(self, database: str = "breachclock") -> str:
        return f"postgres://test@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Redis(Server):
    """A throw-away Redis that can be killed and comes back on the same port, empty."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        path = program("redis-server", "redis-server")
        super().__init__(
            "redis",
            [path, "--port", str(self.port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"],
            folder=folder,
        )

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, **options: Any) -> "Redis":
        super().start(**options)
        assert self.process is not None
        wait_for_port(self.port, self.process, self.log)
        return self


_postgres: Postgres | None = None
_folder: tempfile.TemporaryDirectory[str] | None = None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: object, args: list[str]) -> None:
    """Start PostgreSQL before Django reads its settings, unless the run is for SQLite."""
    global _postgres, _folder
    _folder = tempfile.TemporaryDirectory(prefix="breachclock-test-", ignore_cleanup_errors=True)
    os.environ["BREACHCLOCK_VAR"] = str(Path(_folder.name) / "var")
    os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 40)
    os.environ["BREACHCLOCK_KEY_FILE"] = key_file(Path(_folder.name))
    os.environ["LANGUAGE_CODE"] = "en"
    # Whoever a test signs in works at once; the tests of signing in ask for the policy.
    os.environ["BREACHCLOCK_SECOND_FACTOR"] = "offered"
    for name in ("REDIS_URL", "EMAIL_HOST"):
        os.environ.pop(name, None)
    if os.environ.get("BREACHCLOCK_TEST_DATABASE") == "sqlite":
        os.environ.pop("DATABASE_URL", None)
        return
    folder = Path(_folder.name) / "postgres"
    folder.mkdir()
    os.chmod(_folder.name, 0o755)
    _postgres = Postgres(folder).start()
    os.environ["DATABASE_URL"] = _postgres.url()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started, also after a failure."""
    if _postgres is not None:
        _postgres.stop()
    if _folder is not None:
        _folder.cleanup()


def python_process(name: str, *arguments: str, env: Mapping[str, str], folder: Path) -> Server:
    """A Python program of the project."""
    return Server(name, [sys.executable, *arguments], env=env, folder=folder)


def subprocess_env(**extra: str) -> dict[str, str]:
    """The environment in which another process meets the test's own database."""
    from django.db import connection

    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(ROOT), **extra}
    if connection.vendor == "postgresql" and _postgres is not None:
        env["DATABASE_URL"] = _postgres.url(str(connection.settings_dict["NAME"]))
    return env
