"""The same thing told differently: to another authority, to the same one before, or in public. Side by side, before approval.

Two fields tell of the same thing when the same fact, particular or count fills them. What the same row of the record filled
twice is told alike, whatever the language; words of two languages are compared by their figures only.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from compliance.engine import LocalText
from reports import prefill, statement
from reports.forms import Field
from reports.models import Filing, PublicStatement
from reports.states import FilingState

PEOPLE = "people.count"
# These tell how far the filing itself has come, or what is so by its own law, so that they differ by nature.
_PROGRESS = frozenset(
    {"stage", "stage_key", "first_receipt", "new_facts", "leak_report", "notice_state", "late_reason", "incident_code"}
    | {"clock_start", "times", "other_filings", "people_number", "people_places"}
)
TOLD = (FilingState.FROZEN, FilingState.SUBMITTED, FilingState.ACKNOWLEDGED, FilingState.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class Said:
    """What one place says of a topic."""

    text: str
    value: Any = None
    kind: str = "text"
    language: str = ""
    fact: int | None = None
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field of the filing and what was said elsewhere. ``where``: the filing or public statement; ``to``: whom it told."""

    key: str
    field: Field
    here: str
    there: str
    where: str
    to: LocalText
    told_at: datetime | None


PUBLIC = LocalText(ko="대외 발표", en="Public statement")


def topic_of(item: Field) -> str:
    """What a field tells of; empty for what is not compared."""
    if item.source in ("fact", "awareness"):
        return item.source_name
    if item.source == "particular":
        return f"particular:{item.source_name}"
    if item.source == "derived" and item.source_name not in _PROGRESS:
        return PEOPLE if item.source_name == "people" else f"derived:{item.source_name}"
    return ""


def filing_conflicts(filing: Filing, *, at: datetime) -> list[Conflict]:
    """Everything that ``filing`` says otherwise than it was said before ``at``; of a frozen filing nothing is asked any more."""
    if filing.statement is not None:
        return []
    here = {item.key: (item, said) for item, said in _of_draft(filing)}
    found = list(_against_filings(filing, here, at=at)) + list(_against_public(filing, here, at=at))
    return sorted(found, key=lambda conflict: (list(here).index(conflict.field.key), conflict.where))


def _of_draft(filing: Filing) -> Iterator[tuple[Field, Said]]:
    form = prefill.form_of(filing)
    for item in form.fields(filing.stage):
        value = filing.values.get(item.key) or {}
        if topic_of(item) and value.get("status") == prefill.GIVEN:
            text = prefill.shown(value, item, filing.entity.zone, form.language)
            yield item, _said(value, text, item.type, form.language)


def _said(value: Mapping[str, Any], text: str, kind: str, language: str) -> Said:
    origin = value.get("provenance") or {}
    fact = origin.get("fact") if origin.get("kind") == "fact" else None
    return Said(text, value.get("value"), kind, language, fact, origin.get("kind") == "person")


def _against_filings(filing: Filing, here: dict[str, tuple[Field, Said]], *, at: datetime) -> Iterator[Conflict]:
    for other in _newest_told(filing, at=at):
        form = prefill.form_of(other)
        for key, (field, teller) in statement.told(other).items():
            item = _field_of(form, key)
            topic = topic_of(item) if item else ""
            if item is None or not topic or field["status"] != prefill.GIVEN:
                continue
            there = _said(field, field["text"], item.type, form.language)
            for mine, said in here.values():
                if topic_of(mine) != topic or alike(said, there):
                    continue
                if _chain(other) == _chain(filing) and _follows_the_record(said, there):
                    continue
                yield _conflict(mine, said, there, where=str(teller), to=form.addressee, told_at=teller.frozen_at)


def _newest_told(filing: Filing, *, at: datetime) -> list[Filing]:
    """To each authority the newest filing of the entity that was frozen, before ``at``."""
    rows = Filing.objects.filter(
        incident=filing.incident_id, entity=filing.entity_id, state__in=TOLD, frozen_at__lte=at
    ).exclude(pk=filing.pk)
    rows = rows.select_related("incident", "entity", "previous").prefetch_related("obligations")
    newest = {_chain(row): row for row in rows.order_by("frozen_at", "pk")}
    return [newest[chain] for chain in sorted(newest)]


def _chain(filing: Filing) -> tuple[str, ...]:
    """What goes to one authority: a form, and the rules it answers, since one form may serve the law of many places."""
    return (filing.form, *sorted({row.rule for row in filing.obligations.all()}))


def _field_of(form: Any, key: str) -> Field | None:
    try:
        return form.field(key)
    except KeyError:
        return None


def _follows_the_record(now: Said, before: Said) -> bool:
    """To the same authority a later filing may say more: the change is printed, if the record and not a pen made it."""
    return not now.edited and not before.edited


def _against_public(filing: Filing, here: dict[str, tuple[Field, Said]], *, at: datetime) -> Iterator[Conflict]:
    rows = PublicStatement.objects.filter(evidence__incident=filing.incident_id, published_at__lte=at)
    for row in rows.select_related("evidence").order_by("published_at", "pk"):
        where = f"{filing.incident.code}/E{row.evidence.number} {row.evidence.title}"
        for mine, said in here.values():
            quoted = row.figures.get(topic_of(mine))
            if quoted and not _quoted_alike(said, str(quoted)):
                yield _conflict(mine, said, Said(str(quoted)), where=where, to=PUBLIC, told_at=row.published_at)


def _conflict(mine: Field, said: Said, there: Said, *, where: str, to: LocalText, told_at: datetime | None) -> Conflict:
    key = hashlib.sha256("\x00".join((mine.key, said.text, there.text, where)).encode()).hexdigest()[:16]
    return Conflict(key, mine, said.text, there.text, where, to, told_at)


def alike(one: Said, other: Said) -> bool:
    """Whether two places say the same."""
    if one.fact is not None and one.fact == other.fact and not (one.edited or other.edited):
        return True
    if one.kind == other.kind == "instant":
        return _instant(one) == _instant(other)
    if one.kind == other.kind == "table":
        return bool(one.value == other.value)
    if _plain(one.text) == _plain(other.text):
        return True
    return one.language != other.language and figures(one.text) == figures(other.text)


def _quoted_alike(said: Said, quoted: str) -> bool:
    numbers = figures(quoted)
    if numbers:
        return set(numbers) <= set(figures(said.text))
    return _plain(quoted) in _plain(said.text)


def _instant(said: Said) -> datetime | None:
    return datetime.fromisoformat(str(said.value)).astimezone(UTC) if said.value else None


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def figures(text: str) -> list[int]:
    """The whole numbers in ``text``, with or without commas between their thousands."""
    return [
        int(item.replace(",", ""))
        for item in re.findall(r"\d{1,3}(?:,\d{3})+|\d{1,18}", unicodedata.normalize("NFKC", text))
    ][:200]
