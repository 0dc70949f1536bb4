"""For whom and through what somebody acts: remembered until the change, or the request, is done, for the journal."""

import contextlib
from collections.abc import Iterable, Iterator
from contextvars import ContextVar

_acting: ContextVar[dict[int, frozenset[int]] | None] = ContextVar("acting", default=None)
_through: ContextVar[tuple[int, str] | None] = ContextVar("through", default=None)


@contextlib.contextmanager
def scope() -> Iterator[None]:
    """One change. What is noted inside is forgotten at its end; a change inside a change belongs to the outer one."""
    if _acting.get() is not None:
        yield
        return
    token = _acting.set({})
    try:
        yield
    finally:
        _acting.reset(token)


def note(person: int, absent: Iterable[int]) -> None:
    """``person`` acts for ``absent`` (primary keys) in this change."""
    held = _acting.get()
    if held is not None:
        held[person] = held.get(person, frozenset()) | frozenset(absent)


def for_whom(person: int | None) -> list[int]:
    """For whom ``person`` acts in this change, in order; nobody outside one."""
    held = _acting.get() or {}
    return sorted(held.get(person, ())) if person is not None else []


@contextlib.contextmanager
def request() -> Iterator[None]:
    """One request: through what it came is forgotten at its end."""
    token = _through.set(None)
    try:
        yield
    finally:
        _through.reset(token)


def act_through(person: int, name: str) -> None:
    """What ``person`` does in this request comes through ``name`` (``token:<number>``) and not by hand."""
    _through.set((person, name))


def through(person: int | None) -> str:
    """Through what ``person`` acts; empty by hand."""
    held = _through.get()
    return held[1] if held is not None and held[0] == person else ""
