"""Everything that runs in a storm: PostgreSQL, Redis, a mail server and a webhook's receiver with moods, workers and beats."""

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler

from tests import servers
from tests.storm.options import MAIL_TIMEOUT, START, Options


class Cluster(servers.Postgres):
    """A PostgreSQL that can be stopped in immediate mode and started again on the same data, and knows when what was written."""

    options = ("-c", "track_commit_timestamp=on")

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


class MailServer:
    """The mail server, whose port can be closed and opened again."""

    def __init__(self) -> None:
        self.handler = MoodyMail()
        self.port = servers.free_port()
        self._controller: Controller | None = None

    def open(self) -> None:
        """Listen."""
        self._controller = Controller(self.handler, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def close(self) -> None:
        """Nobody answers at the port."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None


class MoodyWeb:
    """The receiver of a webhook: counts what it answered by webhook-id. It refuses, or hangs for longer than one waits."""

    def __init__(self) -> None:
        self.mood = ""
        self.taken: Counter[str] = Counter()
        self.over = threading.Event()
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                identity = self.headers["webhook-id"]
                self.rfile.read(int(self.headers.get("content-length", 0)))
                if web.mood == "hang":
                    web.over.wait(HANG)
                    return
                # Before the answer: whoever is killed before reading it sends once more.
                if not web.mood:
                    web.taken[identity] += 1
                with contextlib.suppress(OSError):
                    self.send_response(503 if web.mood else 204)
                    self.send_header("content-length", "0")
                    self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.2,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def stop(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


# Longer than a sender waits for an answer.
HANG = 6


STEPPED = "worker-0"


@dataclass
class Storm:
    """Everything that runs, and what was done to it."""

    options: Options
    folder: Path
    postgres: Cluster
    redis: servers.Redis
    mail: MailServer
    web: MoodyWeb
    env: dict[str, str]
    # A small disk under files, anchors and file drop; None where the kernel gives none.
    disk: Path | None = None
    running: dict[str, servers.Server] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    outages: list[tuple[datetime, datetime]] = field(default_factory=list)
    # The machine's clock (seconds since 1970) at which the hour began.
    begins: float = 0.0
    ready_at: datetime = START
    oldest: timedelta = timedelta(0)
    drained_in: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def step_file(self) -> Path:
        """By how many seconds the clock of the first worker is ahead."""
        return self.folder / "clock-step"

    def step_clock(self, seconds: int) -> None:
        """Set that clock, in one move."""
        whole = self.step_file.with_suffix(".new")
        whole.write_text(str(seconds))
        whole.replace(self.step_file)

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
        # One worker has a clock of its own, which can be stepped.
        program = ["-m", "tests.storm.stepped", str(self.step_file)] if name == STEPPED else ["-m"]
        command = [*program, "celery", "-A", "config", *arguments[:1], "-l", "INFO", *arguments[1:]]
        self.running[name] = servers.python_process(name, *command, env=self.env, folder=self.folder).start()

    def stop(self) -> None:
        """Ask all of it to end."""
        for server in self.running.values():
            if server.process is not None and server.process.poll() is None:
                os.killpg(server.process.pid, signal.SIGTERM)
        for server in self.running.values():
            server.kill()
