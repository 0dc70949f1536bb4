"""By hand: a portal, a telephone, a letter. A person does it; we lay out what to enter, field by field, and what to attach."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reports import prefill
from reports.models import Filing


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to enter. ``long``: it has lines of its own."""

    number: str
    label: dict[str, str]
    text: str
    long: bool


_ADDRESS = re.compile(r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b")


def link_in(words: str) -> str:
    """The address of a portal that a channel's name mentions ("KISA portal (boho.or.kr)"), to be opened; empty without one."""
    found = _ADDRESS.search(words)
    return f"https://{found.group()}" if found else ""


def lines(filing: Filing) -> Iterator[tuple[dict[str, str], list[Line]]]:
    """What stands in the frozen document, section by section; what the form leaves out is left out."""
    for section in (filing.statement or {}).get("sections", []):
        rows = [
            Line(
                field["number"],
                field["label"],
                field["printed"],
                "\n" in field["printed"] or len(field["printed"]) > 80,
            )
            for field in section["fields"]
            if not field["omitted"] and field["status"] != prefill.BLANK
        ]
        if rows:
            yield section["title"], rows
