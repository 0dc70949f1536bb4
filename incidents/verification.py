"""Walking the chains: every entry that was changed, removed, inserted or reordered, by name.

Rows are read as the database holds them, byte by byte where it holds text, so that a value which means the same but is
written otherwise is found too. The walk itself is the one that travels in evidence bundles (:mod:`incidents.export.verify`).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.db import DatabaseError, connection

from compliance.engine import digest
from incidents import journal
from incidents.export.verify import fits, walk
from incidents.models import Fact, JournalEntry, JournalHead
from incidents.sealing import FACT_ACTIONS, fact_digest, fact_subject, kept

COLUMNS = (
    "id", "version", "chain", "sequence", "at", "actor", "action", "subject", "old", "new", "salt", "detail", "previous",
    "hash",
)  # fmt: skip
NUMBERS = ("id", "version", "sequence")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a chain. ``kind``: changed, removed, inserted, reordered, replaced, or fact."""

    chain: str
    sequence: int
    what: str
    kind: str = "changed"


# For each chain: what was anchored of it outside, as hash and the words for it, by sequence.
Anchored = Mapping[str, Mapping[int, tuple[str, str]]]


def verify(chain: str | None = None, *, anchored: Anchored | None = None) -> Iterator[Fault]:
    """Walk one chain, or all of them, and name everything that does not fit.

    Each chain is held against its head, the facts of its incident, and what was ``anchored`` outside the database.
    """
    heads = dict(_heads(chain))
    anchored = anchored or {}
    walked = set()
    for name, rows in groupby(_rows(chain), key=lambda row: row["chain"]):
        walked.add(name)
        yield from _verify_chain(name, rows, heads.get(name), anchored.get(name, {}))
    missing = (set(heads) | (set(anchored) if chain is None else {chain} & set(anchored))) - walked
    for name in sorted(missing):
        yield from _verify_chain(name, (), heads.get(name), anchored.get(name, {}))


def _heads(chain: str | None) -> Iterator[tuple[str, tuple[int, str]]]:
    heads = JournalHead.objects.filter(chain=chain) if chain else JournalHead.objects.all()
    for name, sequence, hash_ in heads.values_list("chain", "sequence", "hash"):
        yield name, (sequence, hash_)


def _verify_chain(
    chain: str,
    rows: Iterable[dict[str, Any]],
    head: tuple[int, str] | None,
    anchored: Mapping[int, tuple[str, str]],
) -> Iterator[Fault]:
    told: dict[str, Any] = {}
    hashes: dict[int, str] = {}

    def noted() -> Iterator[dict[str, Any]]:
        for row in rows:
            hashes[row["sequence"]] = row["hash"]
            if row["action"] in FACT_ACTIONS:
                told[row["subject"]] = row["new"]
            elif row["action"] == "fact.redacted" and isinstance(row["detail"], dict):
                told[f"redacted {row['subject']}"] = row["detail"].get("kept")
            yield row

    for fault in walk(chain, noted(), head):
        yield Fault(chain, fault.sequence, fault.what, fault.kind)
    for sequence, (hash_, words) in sorted(anchored.items()):
        if hashes.get(sequence) != hash_:
            kind, what = ("changed", "changed") if sequence in hashes else ("removed", "removed")
            yield Fault(chain, sequence, f"it was {what} after it was anchored outside ({words})", kind)
    if chain != journal.SYSTEM_CHAIN:
        yield from _verify_facts(chain, told)


def _verify_facts(chain: str, told: dict[str, Any]) -> Iterator[Fault]:
    """Hold the facts of an incident against the entries that sealed them."""
    related = ("entity", "evidence", "supersedes", "adopts")
    try:
        facts = list(Fact.objects.filter(incident__code=chain).select_related(*related).order_by("number"))
    except (ValueError, DatabaseError) as error:
        yield Fault(chain, 0, f"its facts cannot be read: {type(error).__name__}", "fact")
        return
    for fact in facts:
        subject = fact_subject(fact)
        sealed = told.pop(subject, None)
        remains = told.pop(f"redacted {subject}", None)
        what = _wrong_with(fact, sealed, remains)
        if what:
            yield Fault(chain, 0, f"fact {fact.number} ({fact.name}) {what}", "fact")
    for subject in sorted(name for name in told if not name.startswith("redacted ")):
        yield Fault(chain, 0, f"{subject} is in the journal but the fact was removed", "fact")


def _wrong_with(fact: Fact, sealed: str | None, remains: str | None) -> str:
    if sealed is None:
        return "was inserted: the journal does not know it"
    if fact.digest != sealed:
        return "was changed: the journal has another digest of it"
    if fact.redacted_at is None:
        return "" if fact_digest(fact) == sealed and remains is None else "was changed: it does not have its digest"
    emptied = (fact.value, fact.label, fact.source, fact.note, fact.salt) == (None, "", "", "", "")
    if not emptied or digest(kept(fact)) != remains:
        return "was redacted without the journal, or changed since"
    return ""


def _rows(chain: str | None) -> Iterator[dict[str, Any]]:
    """The entries by chain and sequence, as plain JSON; one that can't be read says why under ``unreadable``."""
    if connection.vendor == "sqlite":
        yield from _rows_of_sqlite(chain)
        return
    rows = JournalEntry.objects.filter(chain=chain) if chain else JournalEntry.objects.all()
    for entry in rows.order_by("chain", "sequence").iterator(chunk_size=2000):
        yield _placed({**journal.entry_fields(entry), "id": entry.id})


def _rows_of_sqlite(chain: str | None) -> Iterator[dict[str, Any]]:
    """SQLite keeps in any column what it is given, so every column is read as bytes."""
    columns = ", ".join(f'CAST("{name}" AS BLOB)' for name in COLUMNS)
    where, values = ("WHERE chain = %s", [chain]) if chain else ("", [])
    table = JournalEntry._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table} {where} ORDER BY chain, sequence", values)  # our names  # noqa: S608  # nosec B608
        while found := cursor.fetchmany(2000):
            for row in found:
                yield _placed(_read(dict(zip(COLUMNS, row, strict=True))))


def _read(raw: dict[str, bytes]) -> dict[str, Any]:
    """One row of SQLite. What is not written exactly as we write it is unreadable."""
    texts = {name: bytes(value or b"").decode("utf-8", "replace") for name, value in raw.items()}
    entry: dict[str, Any] = dict(texts)
    for name in COLUMNS:
        try:
            entry[name] = _value(name, texts[name])
            if texts[name].encode() != bytes(raw[name] or b""):
                raise ValueError(name)
        except ValueError:
            entry.setdefault("unreadable", f"{name} is not as it is written")
            entry[name] = -1 if name in NUMBERS else entry[name]
    if not entry.get("unreadable") and not _as_written(entry["detail"], texts["detail"], entry["version"]):
        entry["unreadable"] = "detail is not as it is written"
    return entry


def _value(name: str, text: str) -> Any:
    if name in NUMBERS:
        if str(int(text)) != text:
            raise ValueError(name)
        return int(text)
    if name == "at":
        at = datetime.fromisoformat(text)
        if str(at) != text:
            raise ValueError(name)
        return at.replace(tzinfo=UTC).isoformat()
    return json.loads(text) if name == "detail" else text


def _as_written(detail: Any, text: str, version: int) -> bool:
    return json.dumps(detail, sort_keys=version != 1) == text


def _placed(entry: dict[str, Any]) -> dict[str, Any]:
    """From version 2 on the primary key follows from the place. (Version 1 took the next number there was.)"""
    own = entry["version"] == 1 or entry["id"] == journal.entry_id(entry["chain"], entry["sequence"])
    # An entry in the wrong place has the key of another, and is named for that.
    if not own and "unreadable" not in entry and fits(entry):
        entry["unreadable"] = "its primary key is not its own"
    return entry
