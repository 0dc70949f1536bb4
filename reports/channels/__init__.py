"""Ways a frozen filing leaves the house: look-alike modules, found by their kind.

Each module registers one :class:`Way`. ``deliver`` hands the document over or raises. :class:`NotSent` means that nothing left,
for certain. Anything else it raises means that nobody knows: the submission is then *uncertain* and a person looks.
``deliver`` never repeats anything; it is called once for each :class:`reports.models.Dispatch`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from compliance.engine import LocalText

if TYPE_CHECKING:
    from reports.models import Dispatch

EMAIL, DROP = "email", "drop"


class NotSent(Exception):
    """Nothing left the house, for certain. ``code`` is short and holds nothing of the address or the answer."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Way:
    """One way out.

    ``check`` answers the target as it is kept and raises :class:`compliance.errors.BadInput` for one that cannot be right.
    ``offered`` says whether this house has it. ``arrived`` tells, after a crash, whether it is there; None where nobody can.
    """

    kind: str
    label: LocalText
    check: Callable[[str], str]
    deliver: Callable[["Dispatch", datetime], None]
    offered: Callable[[], bool]
    arrived: Callable[["Dispatch"], bool] | None = None


_ways: dict[str, Way] = {}


def register(way: Way) -> None:
    """Let ``way`` carry filings of its kind."""
    _ways[way.kind] = way


def way_of(kind: str) -> Way | None:
    """The way of ``kind``; None for what people do by hand."""
    return _ways.get(kind)


def offered() -> list[Way]:
    """The ways this house has."""
    return [way for way in _ways.values() if way.offered()]
