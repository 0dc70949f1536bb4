"""What the vendored faces can print, and where a Korean line may break."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from django.template import Library
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from fontTools.ttLib import TTFont

register = Library()
FONTS = Path(__file__).resolve().parent / "fonts"
# Family by family: one steps in where another lacks a shape, a weight does not.
FAMILIES = (sorted(FONTS.glob("Pretendard-*.ttf")), sorted(FONTS.glob("NotoSansJP-*.ttf")))
_LAYOUT = frozenset("\n\t")
# Control, format and private characters: the face maps some, but they show nothing, turn the writing or mean nothing.
_HIDDEN = frozenset({"Cc", "Cf", "Co"})
# Longer words may break anywhere, or they would run out of a narrow cell.
_KEPT = 12
# Blanks, or a word; the Korean middle dot ends one, or a list of nouns would be a single word.
_PIECES = re.compile(r"\s+|[^\sㆍ]*ㆍ|[^\sㆍ]+")
# A run without blanks that is longer than any address is no word, and blanks without end are no layout: the renderer would measure
# the rest of a run again for each of its lines, and fill pages with nothing.
_RUN, _BLOCK, _BLANKS = 120, 16, 3
_MAY_BREAK, _NO_BREAK = "\u200b", "\u2060"
_LETTERS = re.compile(r"&#?\w+;|.", re.DOTALL)


@cache
def _shapes() -> frozenset[str]:
    """The characters that every weight of one vendored family has a shape for, and the two that lay out a text."""
    families = [frozenset.intersection(*(_covered(path) for path in faces)) for faces in FAMILIES]
    shared = map(chr, frozenset().union(*families))
    return _LAYOUT | {letter for letter in shared if unicodedata.category(letter) not in _HIDDEN}


def _covered(path: Path) -> frozenset[int]:
    return frozenset(TTFont(path, lazy=True).getBestCmap())


def printable(text: str) -> str:
    """``text`` with each character the faces cannot show as its code point, such as [U+0E01].

    A face of the machine would step in otherwise: other bytes elsewhere, or an empty box that says nothing. A mark that turns
    the direction of writing becomes visible the same way. The statement keeps the text as it was written.
    """
    shapes = _shapes()
    return "".join(
        letter if letter in shapes else f"[U+{ord(letter):04X}]" for letter in unicodedata.normalize("NFC", text)
    )


def unprintable(texts: Iterable[str]) -> list[str]:
    """The code points that :func:`printable` would put into ``texts``, each once."""
    letters = (letter for text in texts for letter in unicodedata.normalize("NFC", text))
    return list(dict.fromkeys(printable(letter) for letter in letters if letter not in _shapes()))


@register.filter
def told(text: Mapping[str, str], language: str) -> str:
    """A text of a statement in ``language``; English for one that is not written."""
    return text.get(language) or text["en"]


@register.filter
def words(text: object) -> SafeString:
    """``text``, escaped, so that a line breaks between Korean words and not inside them (the renderer lacks keep-all).

    What is put between letters for that is never drawn, and a reader's copy of the text does not hold it.
    """
    escaped = conditional_escape(text)
    return SafeString("".join(map(_set, _PIECES.findall(escaped))))  # escaped above  # nosec B703


def _set(piece: str) -> str:
    if piece.isspace():
        return piece if len(piece) <= _BLANKS else "\n" * min(piece.count("\n"), _BLANKS) or piece[:_RUN]
    if len(piece) > _RUN:
        letters = _LETTERS.findall(piece)
        blocks = ("".join(letters[at : at + _BLOCK]) for at in range(0, len(letters), _BLOCK))
        return _MAY_BREAK.join(blocks)
    return _NO_BREAK.join(_LETTERS.findall(piece)) if _is_kept(piece) else piece


def _is_kept(piece: str) -> bool:
    """Whether the renderer would break ``piece`` where it should not: inside a Korean word, or in a date."""
    return 1 < len(piece) <= _KEPT and ("-" in piece or not piece.isascii())
