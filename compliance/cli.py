"""What the commands share: one-line errors with exit status 2, and tables that Korean text does not push askew."""

import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from compliance.engine import EngineError, Library

BAD_INPUT = 2


@contextmanager
def bad_input_exits() -> Iterator[None]:
    """Turn an error of input into one line on standard error and exit status 2.

    Raises:
        SystemExit: with status 2.
    """
    try:
        yield
    except EngineError as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        raise SystemExit(BAD_INPUT) from None


def width(text: str) -> int:
    """How many columns ``text`` takes on a terminal; Korean syllables take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows as aligned text."""
    widths = [max(width(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [_line(head, widths), "  ".join("-" * size for size in widths)]
    return "\n".join([*lines, *(_line(row, widths) for row in rows)])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True)).rstrip()


def duration(delta: timedelta, language: str) -> str:
    """An elapsed time in days, hours and minutes: "57시간 57분", "57 h 57 min"; days from four on."""
    minutes = int(abs(delta).total_seconds() // 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= DAYS_FROM:
        days, hours = divmod(hours, 24)
        return f"{days}일 {hours}시간" if language.startswith("ko") else f"{days} d {hours} h"
    if language.startswith("ko"):
        return f"{hours}시간 {minutes}분" if hours else f"{minutes}분"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


DAYS_FROM = 96


def expected_rule(given: str, library: Library) -> str:
    """What to say of a rule that is not there: those of its area, or the areas."""
    near = [key for key in library.rules if key.split(".")[0] == given.split(".")[0]]
    areas = sorted({f"{key.split('.')[0]}. ..." for key in library.rules})
    return f"expected one of {', '.join(near or areas)}"
