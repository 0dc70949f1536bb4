"""Reading YAML without mercy: every key must be known, present where it must be, and of its type."""

import re
from collections.abc import Callable, Hashable, Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from compliance.engine.errors import LawError
from compliance.engine.types import LocalText


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """Safe YAML that refuses a key given twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                line = key_node.start_mark.line + 1
                raise yaml.constructor.ConstructorError(None, None, f"duplicate|{key}|{line}", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)  # type: ignore[no-any-return]


# Instants stay text (a YAML timestamp loses the offset that was written), and only true and false are truth values:
# "on" and "no" are words here, the latter also a country.
_BOOL, _TIMESTAMP = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_BOOL, _TIMESTAMP)]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|false)$"), list("tf"))


def read_yaml(text: str, *, file: str) -> Any:
    """Parse ``text``.

    Raises:
        LawError: not YAML, or a duplicate key (with its line).
    """
    try:
        return yaml.load(text, Loader=_Loader)  # a safe loader, made stricter  # noqa: S506  # nosec B506
    except yaml.constructor.ConstructorError as error:
        parts = str(error.problem).split("|")
        if parts[0] == "duplicate":
            raise LawError(file, parts[1], f"line {parts[2]}: given twice; expected once") from None
        raise LawError(file, "?", f"not readable: {error.problem}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise LawError(file, "?", f"{where}expected YAML ({getattr(error, 'problem', error)})") from None


def read_file(path: Path, *, root: Path) -> "Node":
    """The content of a YAML file as a :class:`Node` named by its path below ``root``.

    Raises:
        LawError: unreadable.
    """
    name = str(path.relative_to(root))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LawError(name, "?", f"expected a readable UTF-8 file ({error})") from error
    return Node(read_yaml(text, file=name), file=name, key="")


class Node:
    """A piece of a YAML file that knows where it is, and takes values out only if they are what they must be."""

    __slots__ = ("_above", "_step", "file", "value")

    def __init__(self, value: Any, *, file: str, key: str = "", above: "Node | None" = None) -> None:
        self.value = value
        self.file = file
        self._step = key
        self._above = above

    @property
    def key(self) -> str:
        """The dotted name of this place; put together only when it is asked for, which is when something is wrong."""
        above = self._above.key if self._above is not None else ""
        joint = "." if above and not self._step.startswith("[") else ""
        return f"{above}{joint}{self._step}"

    def fail(self, expected: str, key: str | None = None) -> LawError:
        """An error at this place (or at ``key`` below it)."""
        return LawError(self.file, self.path(key) if key else (self.key or "(top)"), expected)

    def path(self, key: str) -> str:
        """The dotted name of ``key`` below this node."""
        return f"{self.key}.{key}" if self.key else key

    def mapping(self, *, required: set[str], optional: set[str] = frozenset()) -> "Node":  # type: ignore[assignment]
        """Check that this is a mapping with exactly these keys."""
        if not isinstance(self.value, dict):
            raise self.fail(f"expected a mapping with {', '.join(sorted(required))}")
        given = self.value.keys()
        if given == required or (required <= given and given - required <= optional):
            return self
        known = required | optional
        for key in self.value:
            if key not in known:
                close = get_close_matches(str(key), known, n=1)
                hint = f"; did you mean {close[0]}?" if close else f"; expected one of {', '.join(sorted(known))}"
                raise self.fail(f"unknown key{hint}", str(key))
        for key in sorted(required):
            if key not in self.value:
                raise self.fail("missing", key)
        return self

    def has(self, key: str) -> bool:
        """Whether ``key`` is given and not null."""
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def at(self, key: str) -> "Node":
        """The node under ``key``."""
        return Node(self.value[key], file=self.file, key=key, above=self)

    def maybe(self, key: str) -> "Node | None":
        """The node under ``key``, or None."""
        return self.at(key) if self.has(key) else None

    def items(self, *, least: int = 0) -> list["Node"]:
        """The nodes of a list."""
        if not isinstance(self.value, list) or len(self.value) < least:
            raise self.fail(f"expected a list{f' of at least {least}' if least else ''}")
        return [Node(item, file=self.file, key=f"[{number}]", above=self) for number, item in enumerate(self.value)]

    def entries(self) -> list[tuple[str, "Node"]]:
        """Key and node of each entry of a mapping."""
        if not isinstance(self.value, dict):
            raise self.fail("expected a mapping")
        return [(str(key), self.at(key)) for key in self.value]

    def text(self) -> str:
        """A text that is not empty."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.fail(f"expected a text, found {self.value!r}")
        return self.value.strip()

    def one_of(self, allowed: Any) -> str:
        """One of these words."""
        if self.value not in allowed:
            raise self.fail(f"{self.value!r}: expected one of {', '.join(sorted(map(str, allowed)))}")
        return str(self.value)

    def integer(self, *, least: int = 0) -> int:
        """A whole number of at least ``least``."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < least:
            raise self.fail(f"{self.value!r}: expected a whole number of at least {least}")
        return self.value

    def boolean(self) -> bool:
        """true or false."""
        if not isinstance(self.value, bool):
            raise self.fail(f"{self.value!r}: expected true or false")
        return self.value

    def day(self) -> date:
        """A date such as 2024-08-14."""
        try:
            return date.fromisoformat(str(self.value))
        except ValueError:
            raise self.fail(f"{self.value!r}: expected a date such as 2024-08-14") from None

    def local(self) -> LocalText:
        """A text in Korean and English."""
        self.mapping(required={"ko", "en"})
        return LocalText(ko=self.at("ko").text(), en=self.at("en").text())

    def locals(self, *, least: int = 0) -> tuple[LocalText, ...]:
        """A list of such texts."""
        return tuple(item.local() for item in self.items(least=least))

    def each[T](self, read: Callable[["Node"], T], *, least: int = 0) -> tuple[T, ...]:
        """Read every item of a list."""
        return tuple(read(item) for item in self.items(least=least))


def plain(value: Any) -> Any:
    """``value`` as plain JSON types."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
