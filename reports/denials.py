"""Sentences that deny: no signs, none, nobody. They come back, so they rest on evidence and two people look at them.

The words are data (denials.yaml). A phrase found is treated as a denial even if it might be harmless: asking once too often
costs a minute.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from compliance.engine.strict import read_file
from incidents.models import Fact
from incidents.states import EvidenceState
from reports import prefill
from reports.forms import Field
from reports.models import Filing

FILE = Path(__file__).resolve().with_name("denials.yaml")
# What the computer says of the stage or of lateness denies nothing.
_NOT_ASKED = frozenset({"kind", "first_receipt", "late_reason"})


@dataclass(frozen=True, slots=True)
class Denial:
    """A field that denies. ``supported``: evidence of the incident, or a fact with its source, is named for it."""

    field: Field
    text: str
    supported: bool
    # {"kind": "evidence" | "fact", "number": ..., "title": ...}, or None.
    rests_on: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class _Words:
    whole: frozenset[str]
    within: re.Pattern[str]
    no: frozenset[str]
    zero: re.Pattern[str]


@cache
def _words() -> _Words:
    node = read_file(FILE, root=FILE.parent)
    node.mapping(required={"whole", "within", "no", "zero", "letters"})
    letters = [
        item.text().casefold() for _language, part in node.at("letters").entries() for item in part.items(least=1)
    ]

    def both(key: str) -> list[str]:
        part = node.at(key)
        part.mapping(required={"ko", "en"})
        return [item.text().casefold() for language in ("ko", "en") for item in part.at(language).items(least=1)]

    return _Words(
        whole=frozenset(both("whole")),
        # A word boundary in front keeps "casino evidence" apart; Korean particles need none.
        within=re.compile("|".join(rf"(?<![a-z]){re.escape(phrase)}" for phrase in (*both("within"), *letters))),
        no=frozenset(both("no")),
        zero=re.compile(r"(?<![\d.,])0\s*(?:" + "|".join(map(re.escape, both("zero"))) + ")"),
    )


def denies(text: str, *, marked: bool = False) -> bool:
    """Whether ``text`` denies. ``marked``: the form says that a "no" in this field is a denial."""
    words, said = _words(), " ".join(text.casefold().split())
    whole = said.strip(" .·-!()[]\"'“”")
    if whole in words.whole or (marked and whole in words.no):
        return True
    return bool(words.within.search(said) or words.zero.search(said))


def denials(filing: Filing) -> list[Denial]:
    """The fields of ``filing`` that deny, in the form's order."""
    found = []
    for item in prefill.form_of(filing).fields(filing.stage):
        value = filing.values.get(item.key) or {}
        held = value.get("value")
        if item.key in _NOT_ASKED or item.type in ("instant", "table") or not isinstance(held, str | bool | int):
            continue
        text = _said(held)
        if denies(text, marked=item.denial):
            found.append(Denial(item, text, _supported(filing, value), value.get("rests_on") or _source(value)))
    return found


def _said(held: str | bool | int) -> str:
    return ("yes" if held else "no") if isinstance(held, bool) else str(held)


def _source(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """A value filled from a fact that names its source rests on that."""
    origin = value.get("provenance") or {}
    if origin.get("kind") == "fact" and origin.get("source"):
        return {"kind": "fact", "number": origin["fact"], "title": origin["source"]}
    return None


def _supported(filing: Filing, value: Mapping[str, Any]) -> bool:
    """Evidence that is lost, and a fact that was taken back, hold nothing up."""
    rests_on = value.get("rests_on") or _source(value)
    if rests_on is None:
        return False
    if rests_on["kind"] == "evidence":
        rows = filing.incident.evidence_items.filter(number=rests_on["number"])
        return rows.exclude(state=EvidenceState.LOST).exists()
    facts = filing.incident.facts.filter(number=rests_on["number"], redacted_at=None)
    return facts.exclude(kind=Fact.Kind.RETRACTION).filter(superseded_by=None).exists()
