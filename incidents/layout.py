"""How a message looks, as text and as HTML: each template is rendered once for a language, with places where words go.

A thousand messages in the same minute then cost a thousand fillings and not a thousand renderings. As with every cached
template, a process has to be started anew to see a changed one.
"""

import html
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from django.template.loader import render_to_string
from django.utils import translation

_PLACE = re.compile("\0([a-z]+)\0")
# What a template is given, whole and by its parts, in which only what is repeated or may be missing has its places.
_PLACES = {name: f"\0{name}\0" for name in ("headline", "todo", "link", "mark", "name", "value", "note", "ack")}
_PARTS = ("lines", "notes", "ack")


@dataclass(frozen=True, slots=True)
class Layout:
    """One message, complete but for what is for one reader alone."""

    before: str
    between: str
    after: str
    note: str
    ack: str
    shown: Callable[[str], str]

    def filled(self, notes: Iterable[str], ack: str) -> str:
        """For one reader: remarks, and the link that acknowledges, or none."""
        remarks = "".join(_filled(self.note, {"note": self.shown(note)}) for note in notes)
        link = _filled(self.ack, {"ack": self.shown(ack)}) if ack else ""
        return "".join((self.before, remarks, self.between, link, self.after))


def lay_out(kind: str, lines: Mapping[str, str], **words: str) -> Layout:
    """The template of ``kind`` (txt, html) in the language in use. ``words``: headline, todo, link, mark."""
    shown = html.escape if kind == "html" else str
    pieces = _pieces(kind, translation.get_language() or "en", bool(words["mark"]))
    rows = [_filled(pieces["line"], {"name": shown(name), "value": shown(value)}) for name, value in lines.items()]
    said = {name: shown(word) for name, word in words.items()} | {"lines": "".join(rows)}
    before, between, after = (_filled(pieces[name], said) for name in ("before", "between", "after"))
    return Layout(before, between, after, pieces["note"], pieces["ack"], shown)


def _filled(text: str, words: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: words[place[1]], text)


@cache
def _pieces(kind: str, language: str, marked: bool) -> dict[str, str]:
    """A template, taken apart at the remarks and the link that acknowledges."""
    context = {
        **_PLACES,
        "lines": [(_PLACES["name"], _PLACES["value"])],
        "notes": [_PLACES["note"]],
        "mark": _PLACES["mark"] if marked else "",
        "language": language,
    }
    name = f"incidents/mail/message.{kind}"
    line, note, ack = (render_to_string(f"{name}#{part}", context) for part in _PARTS)
    whole = render_to_string(name, context)
    before, rest = whole.replace(line, "\0lines\0", 1).split(note)
    between, after = rest.split(ack)
    return {"before": before, "note": note, "between": between, "ack": ack, "after": after, "line": line}
