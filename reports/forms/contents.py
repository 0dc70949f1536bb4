"""What fills an item of a duty's own list of contents, told by the words of the law (_shared/contents.yaml)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from compliance.engine import LocalText
from compliance.engine.strict import Node, read_file
from reports.forms.registry import FOLDER, read_source

FILE = FOLDER / "_shared" / "contents.yaml"
# The source of a field that is filled by kinds of this file; its name is their keys.
CONTENTS = "contents"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of content and what fills it: pairs of a source and its name, the first that is known."""

    key: str
    label: LocalText
    sources: tuple[tuple[str, str], ...]
    letter: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Table:
    kinds: Mapping[str, Kind]
    # Words to the key of their kind.
    words: Mapping[str, str]
    pattern: re.Pattern[str]
    never: re.Pattern[str]


@cache
def kinds_in(text: str) -> tuple[Kind, ...]:
    """The kinds that an item in English names, in the order of its words; empty where a person must write it."""
    table, said = _table(), " ".join(text.casefold().split())
    if table.never.search(said):
        return ()
    keys = dict.fromkeys(table.words[found] for found in table.pattern.findall(said))
    return tuple(table.kinds[key] for key in keys)


def kind(key: str) -> Kind:
    """The kind ``key``.

    Raises:
        KeyError: there is none.
    """
    return _table().kinds[key]


@cache
def _table() -> _Table:
    node = read_file(FILE, root=FOLDER)
    node.mapping(required={"never", "kinds"})
    never = [word.text() for line in node.at("never").items(least=1) for word in line.items(least=1)]
    kinds: dict[str, Kind] = {}
    words: dict[str, str] = {}
    for key, item in node.at("kinds").entries():
        kinds[key] = _kind(key, item)
        for word in item.at("words").items(least=1):
            if word.text() in words:
                raise word.fail(f"{word.text()}: stands under {words[word.text()]} already; expected once")
            words[word.text()] = key
    return _Table(kinds, words, _any_of(words), _any_of(never))


def _kind(key: str, node: Node) -> Kind:
    node.mapping(required={"words", "label", "from"}, optional={"letter"})
    sources = node.at("from").each(read_source, least=1)
    letter = node.at("letter").each(read_source, least=1) if node.has("letter") else sources
    return Kind(key, node.at("label").local(), sources, letter)


def _any_of(words: Mapping[str, str] | list[str]) -> re.Pattern[str]:
    """Whole words; where one is part of another, the longer is read."""
    longest = sorted(words, key=lambda word: (-len(word), word))
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest)) + r")(?!\w)")
