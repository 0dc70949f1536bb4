"""How long the words about people are kept after an incident ended: house policy as data (``policies/retention.yaml``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from compliance import library
from compliance.engine import LocalText
from compliance.engine.strict import read_file

FILE = "retention.yaml"
KINDS = ("messages", "drafts", "facts", "evidence", "proofs")


@dataclass(frozen=True, slots=True)
class Keeping:
    """``time`` after the closing of the incident, and why so long."""

    time: timedelta
    because: LocalText


@cache
def get_retention() -> Mapping[str, Keeping]:
    """The validated policy, by kind.

    Raises:
        compliance.engine.LawError: the file is wrong; the process must not start.
    """
    # A house with ladders of its own need not have times of its own.
    folder = library.POLICIES if (library.POLICIES / FILE).exists() else library.HERE / "policies"
    return read_retention(folder)


def read_retention(folder: Path) -> Mapping[str, Keeping]:
    """The policy in ``folder``: every kind, with whole days of at least one.

    Raises:
        compliance.engine.LawError: unreadable, a kind missing or unknown.
    """
    node = read_file(folder / FILE, root=folder).mapping(required=set(KINDS))
    held = {}
    for kind in KINDS:
        item = node.at(kind).mapping(required={"days", "because"})
        held[kind] = Keeping(timedelta(days=item.at("days").integer(least=1)), item.at("because").local())
    return held
