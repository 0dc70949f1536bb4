"""What one release of the library changes against another: rules, versions, words, days off."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.engine.library import Library
from compliance.engine.rules import Rule


@dataclass(frozen=True, slots=True)
class LawChange:
    """One difference. ``kind``: added, removed or changed; ``place``: where in the rule; both values as written."""

    subject: str
    kind: str
    place: str = ""
    old: str = ""
    new: str = ""


def law_changes(old: Library, new: Library) -> tuple[LawChange, ...]:
    """Every difference between two libraries, rule by rule, then the vocabulary, the calendars and the tables."""
    return (
        *_keyed(old.rules, new.rules, _of_rule),
        *(item for name in _others(old, new) for item in _of_file(name, old, new)),
    )


def touched_rules(old: Library, new: Library) -> frozenset[str] | None:
    """The rules whose answers a release can change; None: any, because words, places, tables or days off changed."""
    if any(old.files.contents.get(name) != new.files.contents.get(name) for name in _others(old, new)):
        return None
    if old.calendars != new.calendars:  # days off that were added
        return None
    changed = {key for key in old.rules.keys() | new.rules.keys() if _written(old, key) != _written(new, key)}
    while True:
        leaning = {
            rule.key
            for library in (old, new)
            for rule in library.rules.values()
            if changed & rule.leans_on - {rule.key}
        }
        if leaning <= changed:
            return frozenset(changed)
        changed |= leaning


def _written(library: Library, key: str) -> Any:
    rule = library.rules.get(key)
    if rule is None:
        return None
    own = library.files.contents[rule.file]
    model = f"{rule.file.rpartition('/')[0]}/{own['model']}" if "model" in own else ""
    return own, library.files.contents.get(model)


def _keyed(old: Mapping[str, Rule], new: Mapping[str, Rule], compare: Any) -> Iterator[LawChange]:
    for key in sorted(old.keys() | new.keys()):
        if key not in new:
            yield LawChange(key, "removed")
        elif key not in old:
            yield LawChange(key, "added")
        else:
            yield from compare(key, old[key], new[key])


def _of_rule(key: str, old: Rule, new: Rule) -> Iterator[LawChange]:
    before = {version.key: version for version in old.versions}
    after = {version.key: version for version in new.versions}
    for name in sorted(before.keys() | after.keys()):
        subject = f"{key}@{name}"
        if name not in after:
            yield LawChange(subject, "removed")
        elif name not in before:
            yield LawChange(subject, "added")
        elif before[name].digest != after[name].digest:
            yield from _of_value(subject, "", before[name].source, after[name].source)
    for place in ("zone", "calendar", "who_text", "addressees", "title"):
        was, now = getattr(old, place), getattr(new, place)
        if was != now:
            yield LawChange(key, "changed", place, _short(was), _short(now))


def _others(old: Library, new: Library) -> list[str]:
    names = old.files.contents.keys() | new.files.contents.keys()
    return sorted(name for name in names if name.count("/") < 2 and name != "released.yaml")


def _of_file(name: str, old: Library, new: Library) -> Iterator[LawChange]:
    was, now = old.files.contents.get(name), new.files.contents.get(name)
    if was is None or now is None:
        yield LawChange(name, "added" if was is None else "removed")
    elif was != now:
        yield from _of_value(name, "", was, now)


def _of_value(subject: str, place: str, old: Any, new: Any) -> Iterator[LawChange]:
    """The smallest places at which two written values differ."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _of_value(subject, f"{place}.{key}".lstrip("."), old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (was, now) in enumerate(zip(old, new, strict=True)):
            yield from _of_value(subject, f"{place}[{number}]", was, now)
    else:
        kind = "added" if old is None else "removed" if new is None else "changed"
        yield LawChange(subject, kind, place, _short(old), _short(new))


def _short(value: Any) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


_WIDTH = 120
