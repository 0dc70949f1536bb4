"""What the vendored face can print, and where a Korean line may break."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from django.template import Library
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from fontTools.ttLib import TTFont

register = Library()
FACES = sorted((Path(__file__).resolve().parent / "fonts").glob("*.otf"))
_LAYOUT = frozenset("\n\t")
# Control, format and private characters: the face maps some, but they show nothing, turn the writing or mean nothing.
_HIDDEN = frozenset({"Cc", "Cf", "Co"})
# Longer words may break anywhere, or they would run out of a narrow cell.
_KEPT = 12
# Blanks, or a word; the Korean middle dot ends one, or a list of nouns would be a single word.
_PIECES = re.compile(r"\s+|[^\sㆍ]*ㆍ|[^\sㆍ]+")


@cache
def _shapes() -> frozenset[str]:
    """The characters that every weight of the vendored face has a shape for, and the two that lay out a text."""
    maps = [frozenset(TTFont(path, lazy=True).getBestCmap()) for path in FACES]
    shared = map(chr, frozenset.intersection(*maps))
    return _LAYOUT | {letter for letter in shared if unicodedata.category(letter) not in _HIDDEN}


def printable(text: str) -> str:
    """``text`` with each character the face cannot show as its code point, such as [U+674E].

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
def words(text: object) -> SafeString:
    """``text``, escaped, so that a line breaks between Korean words and not inside them (the renderer lacks keep-all)."""
    pieces = _PIECES.findall(conditional_escape(text))
    return SafeString("".join(f'<span class="word">{piece}</span>' if _is_kept(piece) else piece for piece in pieces))


def _is_kept(piece: str) -> bool:
    """Whether the renderer would break ``piece`` where it should not: inside a Korean word, or in a date."""
    return 1 < len(piece) <= _KEPT and not piece.isspace() and ("-" in piece or not piece.isascii())
