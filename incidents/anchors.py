"""Anchors: what all chains ended with, written outside the database, so that a chain forged as a whole is found.

One JSON line an anchor, one file a month, appended and synced. A line names the heads that moved since the line before
(the first of a month names all), and the digest of that line. Its own digest is over leaves, one digest a head, so that an
evidence bundle can show an anchor without naming other incidents. A time-stamping authority may sign it (RFC 3161).
"""

import base64
import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance.clock import require_aware
from compliance.engine import canonical_json, digest
from incidents import health, journal, stamps
from incidents.models import JournalEntry, JournalHead
from incidents.verification import Fault

logger = logging.getLogger("breachclock.anchors")

journal.register({"journal.anchored": _("Journal anchored outside the database")})

SCHEMA = "breachclock.anchor/1"
PLACE = "anchors"
Heads = Mapping[str, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Anchor:
    """One line. ``heads``: sequence and hash by chain; ``previous``: SHA-256 of the line before; ``stamp``: DER or empty."""

    number: int
    at: str
    full: bool
    previous: str
    heads: Heads
    stamp: bytes = b""

    @property
    def sealed(self) -> dict[str, Any]:
        """What the digest and the time stamp are made over."""
        return {
            "schema": SCHEMA,
            "number": self.number,
            "at": self.at,
            "full": self.full,
            "previous": self.previous,
            "leaves": sorted(digest([chain, *head]) for chain, head in self.heads.items()),
        }

    @property
    def digest(self) -> str:
        """The digest of :attr:`sealed`."""
        return digest(self.sealed)

    @property
    def line(self) -> bytes:
        """As it stands in the file, without the newline."""
        fields = self.sealed
        del fields["leaves"]
        heads = {chain: list(head) for chain, head in self.heads.items()}
        stamp = base64.b64encode(self.stamp).decode()
        return canonical_json({**fields, "heads": heads, "digest": self.digest, "stamp": stamp})


def anchor_journal(*, at: datetime) -> Anchor:
    """Write down outside the database what all chains end with at ``at`` (aware), and say so in the system's chain."""
    with _locked():
        held = [anchor for anchor in _read() if isinstance(anchor, Anchor)]
        anchor = _stamped(_next(held, at=require_aware(at)), at=at)
        _append(_file(at), anchor.line)
    with transaction.atomic():
        detail = {"number": anchor.number, "digest": anchor.digest, "line": _sha256(anchor.line)}
        journal.write(
            incident=None, at=at, by=None, action="journal.anchored", subject=f"anchor {anchor.number}", detail=detail
        )
    health.beat("anchors", at=at, detail={"number": anchor.number, "digest": anchor.digest})
    return anchor


def _next(held: list[Anchor], *, at: datetime) -> Anchor:
    before: dict[str, tuple[int, str]] = {}
    for anchor in held:
        before.update(anchor.heads)
    heads = {chain: (seq, hash_) for chain, seq, hash_ in JournalHead.objects.values_list("chain", "sequence", "hash")}
    file = _file(at)
    # An empty one is what a full disk left of the month's first.
    full = not file.exists() or file.stat().st_size == 0
    return Anchor(
        number=held[-1].number + 1 if held else 1,
        at=at.astimezone(UTC).isoformat(),
        full=full,
        previous=_sha256(held[-1].line) if held else journal.START,
        heads=heads if full else {chain: head for chain, head in heads.items() if before.get(chain) != head},
    )


def _stamped(anchor: Anchor, *, at: datetime) -> Anchor:
    """With a time stamp, if an authority is set and answers. Without one the anchor is written all the same."""
    if not settings.TSA_URL:
        return anchor
    try:
        stamp = stamps.fetch(canonical_json(anchor.sealed))
    except stamps.NoStamp as error:
        logger.error("anchor %s: no time stamp from %s: %s", anchor.number, settings.TSA_URL, error)
        return anchor
    health.beat("timestamps", at=at, detail={"number": anchor.number})
    return Anchor(anchor.number, anchor.at, anchor.full, anchor.previous, anchor.heads, stamp)


def read() -> list[Anchor]:
    """All anchors there are, oldest first; what can't be read is left out."""
    return [anchor for anchor in _read() if isinstance(anchor, Anchor)]


def check(*, signatures: bool = False) -> Iterator[Fault]:
    """Name every anchor that was changed, removed or inserted. ``signatures``: verify the time stamps' signatures too."""
    found = list(_read())
    lines: dict[int, str] = {}
    previous, expected = journal.START, 1
    broken = 0
    for anchor in found:
        if not isinstance(anchor, Anchor):
            # A power cut leaves half a line, on which no later one rests. Anything else breaks the next link.
            broken += 1
            continue
        lines[anchor.number] = _sha256(anchor.line)
        if (anchor.number, anchor.previous) != (expected, previous):
            kind, what = (
                ("changed", "a line before it was changed") if broken else ("removed", "a line before it is gone")
            )
            yield Fault(PLACE, anchor.number, f"does not follow the anchor before it: {what}", kind)
        yield from _check_stamp(anchor, signatures=signatures)
        previous, expected, broken = lines[anchor.number], anchor.number + 1, 0
    yield from _check_told(lines)


def _check_stamp(anchor: Anchor, *, signatures: bool) -> Iterator[Fault]:
    if not anchor.stamp:
        return
    try:
        stamps.check(anchor.stamp, canonical_json(anchor.sealed), signature=signatures)
    except stamps.NoStamp as error:
        yield Fault(PLACE, anchor.number, f"its time stamp is not valid: {error}", "changed")


def _check_told(lines: dict[int, str]) -> Iterator[Fault]:
    told = JournalEntry.objects.filter(chain=journal.SYSTEM_CHAIN, action="journal.anchored")
    for detail in told.order_by("sequence").values_list("detail", flat=True):
        number = detail["number"]
        if number not in lines:
            yield Fault(PLACE, number, "is in the journal but not in the files: it was removed", "removed")
        elif lines[number] != detail["line"]:
            yield Fault(PLACE, number, "is not the line of which the journal tells: it was changed", "changed")


def anchored() -> dict[str, dict[int, tuple[str, str]]]:
    """What was anchored of each chain: hash and words, by sequence."""
    found: dict[str, dict[int, tuple[str, str]]] = {}
    for anchor in read():
        for chain, (sequence, hash_) in anchor.heads.items():
            found.setdefault(chain, {}).setdefault(sequence, (hash_, f"anchor {anchor.number} of {anchor.at}"))
    return found


def _folder() -> Path:
    folder = Path(settings.JOURNAL_ANCHORS)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _file(at: datetime) -> Path:
    return _folder() / f"anchors-{at.astimezone(UTC):%Y-%m}.jsonl"


def _read() -> Iterator[Anchor | bytes]:
    """Every line: an anchor, or the bytes that are none."""
    for path in sorted(_folder().glob("anchors-*.jsonl")):
        for line in path.read_bytes().split(b"\n"):
            if line:
                yield _parsed(line) or line


def _parsed(line: bytes) -> Anchor | None:
    try:
        raw = json.loads(line)
        heads = {chain: (int(head[0]), str(head[1])) for chain, head in raw["heads"].items()}
        stamp = base64.b64decode(raw["stamp"], validate=True)
        anchor = Anchor(raw["number"], raw["at"], raw["full"], raw["previous"], heads, stamp)
        return anchor if anchor.line == line else None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None


def _append(path: Path, line: bytes) -> None:
    """Append one line and see it safe on disk; half a line that a power cut left is ended first."""
    new = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        _write_whole(handle, (b"\n" if torn else b"") + line + b"\n", size)
    finally:
        os.close(handle)
    if new:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _write_whole(handle: int, content: bytes, size: int) -> None:
    """All of it, or a file as long as before: a disk that is nearly full takes a part and says nothing until the next write."""
    try:
        while content:
            content = content[os.write(handle, content) :]
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise


@contextmanager
def _locked() -> Iterator[None]:
    """One writer at a time, over all processes of this machine."""
    with (_folder() / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
