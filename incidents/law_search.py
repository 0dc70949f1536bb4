"""Finding rules of the library: by words in either language, place, audience, confidence, standing and day."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from compliance.engine import Library, LocalText, Rule, Standing
from compliance.engine.library import AUDIENCES, CONFIDENCE
from compliance.engine.rules import Version

ROWS = 50
LONGEST = 200
AUDIENCE_WORDS = {
    "regulator": _("Supervisory authority"),
    "csirt": _("CSIRT"),
    "data_subjects": _("Data subjects"),
    "customers": _("Customers"),
    "public": _("The public"),
    "media": _("The media"),
    "other": _("Others"),
}


def fits(rule: Rule, place: str, words: str) -> bool:
    """Whether ``rule`` is of ``place`` (any, if empty; a country holds its parts) and holds every one of ``words``."""
    if place and rule.jurisdiction != place and not rule.jurisdiction.startswith(f"{place}-"):
        return False
    wanted = words.lower().split()
    return not wanted or all(word in _text(rule) for word in wanted)


def _text(rule: Rule) -> str:
    """Everything of a rule that a person would look for, in both languages; put together once for each text of it."""
    key = (rule.key, *(version.digest for version in rule.versions))
    if key not in _texts:
        held: list[LocalText] = [rule.title, rule.instrument, rule.who_text, *rule.addressees]
        for version in rule.versions:
            held += [version.carries_out, *(item.provision for item in version.citations)]
            held += [stage.title for stage in version.stages]
            held += [text for stage in version.stages for text in stage.addressees]
        words = dict.fromkeys(word for text in held for word in (text.ko, text.en))
        _texts[key] = " ".join((rule.key, rule.jurisdiction, *words)).lower()
    return _texts[key]


_texts: dict[tuple[str, ...], str] = {}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rules, as the address says it. ``on``: a version is in force on that civil date of the rule's zone."""

    q: str = ""
    place: str = ""
    audience: str = ""
    confidence: str = ""
    standing: str = ""
    on: str = ""
    page: int = 1

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Wanted":
        """From the query of an address. What is not understood is left out."""
        words = {name: given.get(name, "").replace("\x00", "").strip()[:LONGEST] for name in _WORDS}
        known = {"audience": AUDIENCES, "confidence": CONFIDENCE, "standing": frozenset(Standing)}
        for name, allowed in known.items():
            if words[name] not in allowed:
                words[name] = ""
        if _day(words["on"]) is None:
            words["on"] = ""
        page = given.get("page", "")
        return cls(**words, page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 5 else 1)

    @property
    def day(self) -> date | None:
        """The civil date asked for."""
        return _day(self.on)

    @property
    def chosen(self) -> dict[str, str]:
        """What narrows the list."""
        return {name: value for name in _WORDS if (value := getattr(self, name))}

    def query(self, **changes: Any) -> str:
        """The query string with ``changes``."""
        new = replace(self, **changes)
        return urlencode({**new.chosen, "page": new.page} if new.page > 1 else new.chosen)


_WORDS = tuple(item.name for item in fields(Wanted) if item.type in ("str", str))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Found:
    """A rule and the version of it that fits; ``audiences`` of that version's stages, in their order."""

    rule: Rule
    version: Version
    audiences: tuple[str, ...]


def find(library: Library, wanted: Wanted, *, today: date) -> list[Found]:
    """The rules that fit, by place, instrument and key, each with the version that fits best.

    That is the one in force on the day asked for, else the one in force ``today``, else the newest that fits.
    """
    found = (hit for rule in library.rules.values() for hit in _hit(rule, wanted, today))
    return sorted(found, key=lambda hit: (hit.rule.jurisdiction, hit.rule.instrument.en, hit.rule.key))


def _hit(rule: Rule, wanted: Wanted, today: date) -> Iterator[Found]:
    if not fits(rule, wanted.place, wanted.q):
        return
    fitting = [version for version in reversed(rule.versions) if _version_fits(version, wanted)]
    if fitting:
        best = next((version for version in fitting if version.in_force_on(wanted.day or today)), fitting[0])
        yield Found(rule, best, tuple(dict.fromkeys(stage.audience for stage in best.stages)))


def _version_fits(version: Version, wanted: Wanted) -> bool:
    levels = {version.confidence, *(stage.confidence for stage in version.stages)}
    return (
        (wanted.day is None or version.in_force_on(wanted.day))
        and (not wanted.standing or version.standing == wanted.standing)
        and (not wanted.confidence or wanted.confidence in levels)
        and (not wanted.audience or wanted.audience in {stage.audience for stage in version.stages})
    )
