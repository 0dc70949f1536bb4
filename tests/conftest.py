"""What all tests share: servers, a browser, people."""

import os
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from django.utils import translation

from incidents import sealed
from reports import sealed as filings
from tests import servers
from tests.factories import Company, make_company


@pytest.fixture(scope="session", autouse=True)
def _flush_may_empty_sealed_tables() -> None:
    """A transactional test empties its tables afterwards; the seals are lifted for that moment and put back."""
    from django.db import connection

    vendor, ops = connection.vendor, connection.ops
    original = ops.sql_flush
    lift = sealed.removal(vendor) + filings.removal(vendor)
    put_back = sealed.statements(vendor) + filings.statements(vendor)

    def sql_flush(*args: Any, **options: Any) -> list[str]:
        return [*lift, *original(*args, **options), *put_back]

    ops.sql_flush = sql_flush  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """A page that was asked for in Korean leaves its thread in Korean: let each test begin in the house's language."""
    yield
    translation.deactivate()


@pytest.fixture
def company(db: None) -> Company:
    """A company with one person per role."""
    return make_company()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[servers.Redis]:
    """A Redis of this test's own."""
    server = servers.Redis(tmp_path).start()
    yield server
    server.stop()


class Sink(MessageHandler):
    """Collects every message that is handed over by SMTP."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[EmailMessage] = []

    def handle_message(self, message: Any) -> None:
        self.messages.append(message)


class SmtpSink:
    """A real SMTP server that keeps what it gets."""

    def __init__(self) -> None:
        self.handler = Sink()
        self.controller = Controller(self.handler, hostname="127.0.0.1", port=servers.free_port())
        self.controller.start()

    @property
    def port(self) -> int:
        return int(self.controller.port)

    @property
    def messages(self) -> list[EmailMessage]:
        return self.handler.messages

    def stop(self) -> None:
        self.controller.stop()


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A real SMTP server."""
    sink = SmtpSink()
    yield sink
    sink.stop()


Starter = Callable[..., servers.Server]


@pytest.fixture
def start_process(tmp_path: Path) -> Iterator[Starter]:
    """Start ``python -m ...`` processes of the project against the test's own database; all are stopped at the end."""
    started: list[servers.Server] = []

    def start(name: str, *arguments: str, **env: str) -> servers.Server:
        process = servers.python_process(name, "-m", *arguments, env=servers.subprocess_env(**env), folder=tmp_path)
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def start_celery(start_process: Starter, tmp_path: Path) -> Callable[..., list[servers.Server]]:
    """Start a worker and a beat."""

    def start(**env: str) -> list[servers.Server]:
        beat_file = tmp_path / f"beat-{time.monotonic_ns()}"
        return [
            start_process(
                "worker",
                "celery",
                "-A",
                "config",
                "worker",
                "-l",
                "INFO",
                "-c",
                "2",
                "--without-gossip",
                "--without-mingle",
                **env,
            ),
            start_process(
                "beat", "celery", "-A", "config", "beat", "-l", "INFO", "-s", str(beat_file), "--pidfile=", **env
            ),
        ]

    return start


@pytest.fixture
def live_site(start_process: Starter) -> Callable[..., str]:
    """Serve the site with gunicorn against the test's own database; answers its address."""

    def serve(**env: str) -> str:
        port = servers.free_port()
        address = f"http://127.0.0.1:{port}"
        process = start_process(
            "web",
            "gunicorn",
            "config.wsgi",
            "-b",
            f"127.0.0.1:{port}",
            "-k",
            "gthread",
            "--threads",
            "4",
            "--access-logfile",
            "-",
            SITE_URL=address,
            **env,
        )
        assert process.process is not None
        servers.wait_for_port(port, process.process, process.log)
        return address

    return serve


CHROMIUM_ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture
def browser_page() -> Iterator[Any]:
    """A page in Debian's Chromium."""
    from django.db import connections
    from playwright.sync_api import sync_playwright

    path = servers.program(
        "chromium", "chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium"
    )
    # Playwright runs a loop of its own; Django must not mistake the test for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        context = browser.new_context(locale="ko-KR", viewport={"width": 1280, "height": 900})
        context.set_default_timeout(20_000)
        yield context.new_page()
        browser.close()
        # Queries made while Playwright's loop runs have a connection of their own.
        connections.close_all()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
