"""Logs without personal data: JSON in production, lines in the embedded default.

What a line says is a text of ours. What Django and libraries put into theirs (addresses asked for, values, messages of
exceptions) may be anybody's words and stays out: of an exception the kind and the places in the code are kept, no message.
"""

import logging
import secrets
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
OURS = "breachclock"
_request: ContextVar[tuple[str, HttpRequest] | None] = ContextVar("request", default=None)
Exc = tuple[type[BaseException], BaseException, TracebackType | None]


def remember(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: give each request a number of our own, which its log lines and its answer bear."""

    def inside(request: HttpRequest) -> HttpResponse:
        number = secrets.token_hex(8)
        # Not taken back afterwards: Django writes of a refusal once the answer has left here. The next request replaces it.
        _request.set((number, request))
        response = get_response(request)
        response[HEADER] = number
        return response

    return inside


def add_request(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    """The request's number and the primary key of who is signed in, where that is known already."""
    held = _request.get()
    if held is not None:
        event["request"] = held[0]
        event["user"] = getattr(getattr(held[1], "_cached_user", None), "pk", None)
    return event


def keep_to_ourselves(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    """Of lines that are not ours the bare pattern without what was filled in; of exceptions kind and places alone."""
    record: logging.LogRecord | None = event.get("_record")
    if record is not None and not record.name.startswith(OURS):
        event["event"] = getattr(record, "pattern", "") or f"{record.name}: {record.funcName}"
    if hasattr(record, "status_code"):
        event["status"] = record.status_code  # type: ignore[union-attr]
    event.pop("positional_args", None)
    found = event.pop("exc_info", None) or (record.exc_info if record is not None else None)
    if isinstance(found, tuple) and found[0] is not None:
        event["error"], event["at"] = found[0].__name__, places(found[2])
    return event


def places(tb: TracebackType | None) -> list[str]:
    """Where in the code, without any line of it or value."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(tb)]


class Formatter(structlog.stdlib.ProcessorFormatter):
    """Structlog's formatter, which never lets logging print an exception by itself."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and what Python would add of exceptions and stacks is left out."""
        bare = {"exc_text": None, "stack_info": None, "pattern": str(record.msg) if record.args else ""}
        text = super().format(logging.makeLogRecord({**record.__dict__, **bare}))
        return text.replace("\r", "\\r").replace("\n", "\\n")


def formatter() -> Formatter:
    """For ``LOGGING``."""
    last = structlog.dev.ConsoleRenderer(colors=False) if settings.EMBEDDED else structlog.processors.JSONRenderer()
    return Formatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            add_request,
        ],
        processors=[keep_to_ourselves, structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
