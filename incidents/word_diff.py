"""Two texts held against each other, word by word."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

SAME, GONE, NEW = "same", "gone", "new"
_WORD = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that stayed, went or came. ``kind``: same, gone or new."""

    kind: str
    text: str


def words_apart(before: str, after: str) -> list[Piece]:
    """What was taken out of ``before`` and put in to give ``after``, in reading order; what went stands before what came."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    # Blanks at the end of a word are not what changed.
    match = SequenceMatcher(None, [word.strip() for word in old], [word.strip() for word in new], autojunk=False)
    return [piece for step in match.get_opcodes() for piece in _pieces(step, old, new)]


def _pieces(step: tuple[str, int, int, int, int], old: list[str], new: list[str]) -> Iterator[Piece]:
    kind, begin, end, start, stop = step
    if kind == "equal":
        yield Piece(SAME, "".join(new[start:stop]))
        return
    if end > begin:
        yield Piece(GONE, "".join(old[begin:end]))
    if stop > start:
        yield Piece(NEW, "".join(new[start:stop]))
