"""For whom somebody acts: remembered from the moment a right is asked for until the change is done, for the journal."""

import contextlib
from collections.abc import Iterable, Iterator
from contextvars import ContextVar

_acting: ContextVar[dict[int, frozenset[int]] | None] = ContextVar("acting", default=None)


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
