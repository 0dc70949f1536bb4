"""Other sides that behave badly: mail servers that refuse, put off or hang, and web servers of every kind."""

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from tests import servers
from tests.conftest import Sink


class ScriptedMail(Sink):
    """Answers each RCPT with the next of ``answers`` (the last one again and again); "" takes it."""

    def __init__(self, *answers: str) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"


@contextlib.contextmanager
def mail_server(*answers: str) -> Iterator[tuple[ScriptedMail, int]]:
    """A real SMTP server that answers as told, and its port."""
    handler = ScriptedMail(*answers)
    controller = Controller(handler, hostname="127.0.0.1", port=servers.free_port())
    controller.start()
    try:
        yield handler, int(controller.port)
    finally:
        controller.stop()


class KillingMail(Sink):
    """Keeps what it gets, and kills the sender with it in hand, before the sender could know."""

    def __init__(self) -> None:
        super().__init__()
        self.victim: int | None = None

    def handle_message(self, message: Any) -> None:
        super().handle_message(message)
        if self.victim is not None:
            os.killpg(self.victim, signal.SIGKILL)


@contextlib.contextmanager
def killing_mail_server() -> Iterator[tuple[KillingMail, int]]:
    """A real SMTP server that does so, and its port."""
    handler = KillingMail()
    controller = Controller(handler, hostname="127.0.0.1", port=servers.free_port())
    controller.start()
    try:
        yield handler, int(controller.port)
    finally:
        controller.stop()


@contextlib.contextmanager
def hanging_server() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield listener.getsockname()[1]


@dataclass
class WebSink:
    """What a web server was sent, and what it is to answer: a status, or "drip" or "hang"."""

    answers: list[Any] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


class _Handler(BaseHTTPRequestHandler):
    sink: WebSink

    def do_POST(self) -> None:
        sink = self.sink
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        sink.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        answer = sink.answers[min(len(sink.got) - 1, len(sink.answers) - 1)]
        if answer == "drip":
            self._drip()
            return
        self.send_response(answer)
        for name, value in sink.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", "0")
        self.end_headers()

    def _drip(self) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not self.sink.over.wait(0.05):
                self.wfile.write(b"x-more: 1\r\n")
                self.wfile.flush()

    def log_message(self, *arguments: Any) -> None:
        pass


@contextlib.contextmanager
def web_server(*answers: Any, headers: dict[str, str] | None = None) -> Iterator[WebSink]:
    """A real web server on this machine."""
    sink = WebSink(answers=list(answers) or [204], headers=headers or {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"sink": sink}))
    server.daemon_threads = True
    sink.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        sink.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
