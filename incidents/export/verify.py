#!/usr/bin/env python3
"""Check an evidence bundle: python3 verify.py BUNDLE.zip (or the folder it was unpacked into).

Needs Python 3.10 or later and nothing else. Finds every changed byte, every missing or additional file, and every journal
entry that was changed, removed, inserted or reordered, and names it. Exit status 0: all is as it was exported; 1: not.
A bundle forged as a whole is found by comparing the digest printed at the end with the one in the exporter's journal or
by the anchors (anchors.json), whose time stamps only the time-stamping authority could have made.
"""

import hashlib
import io
import json
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

START = "0" * 64
MANIFEST, JOURNAL, FACTS, ANCHORS = "manifest.json", "journal.json", "facts.json", "anchors.json"
FIELDS = ("chain", "sequence", "at", "actor", "action", "subject", "old", "new", "detail", "previous")
# From version 2 of the format on the salt is sealed too.
FIELDS_2 = (*FIELDS, "version", "salt")
# How far away an entry is looked for that stands in the wrong place.
NEAR = 1000


class Fault(NamedTuple):
    """One thing that is not as it was."""

    place: str
    sequence: int
    kind: str
    what: str


def canonical(value: Any) -> bytes:
    """``value`` as JSON in UTF-8 with sorted keys and without spaces."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("utf-8")


def digest(value: Any) -> str:
    """The SHA-256 of :func:`canonical`."""
    return hashlib.sha256(canonical(value)).hexdigest()


def salted(salt: str, value: Any) -> str:
    """The digest of a value that nobody can guess without its salt."""
    return digest({"salt": salt, "value": value})


def entry_hash(entry: dict[str, Any]) -> str:
    """The hash of a journal entry over every field but the hash itself."""
    return digest({name: entry[name] for name in (FIELDS if entry["version"] == 1 else FIELDS_2)})


class Link(NamedTuple):
    """What the walk needs of one entry: where it stands, where it stood when it was written, and its hashes."""

    sequence: int
    number: int
    previous: str
    hash: str
    computed: str
    unreadable: str

    @property
    def sound(self) -> bool:
        """Whether the content has the hash, in this place."""
        return self.hash == self.computed and self.sequence == self.number


def fits(entry: dict[str, Any]) -> bool:
    """Whether an entry has its hash."""
    return _hash(entry) == entry["hash"]


def _hash(entry: dict[str, Any]) -> str:
    try:
        return entry_hash(entry)
    except (TypeError, ValueError, KeyError):
        return ""


def _link(entry: dict[str, Any]) -> Link:
    sequence, unreadable = entry["sequence"], entry.get("unreadable", "")
    return Link(sequence, sequence, entry["previous"], entry["hash"], "" if unreadable else _hash(entry), unreadable)


def _true_place(entry: dict[str, Any], top: int) -> int:
    """The number with which the content has its hash after all, or the one it bears."""
    near = range(1, top + 2) if top <= NEAR else range(entry["sequence"] - NEAR, entry["sequence"] + NEAR)
    return next((n for n in near if _hash({**entry, "sequence": n}) == entry["hash"]), entry["sequence"])


def _links(entries: Iterable[dict[str, Any]], head: tuple[int, str] | None) -> list[Link]:
    """All entries by the number with which they were written."""
    links, astray = [], []
    for entry in entries:
        found = _link(entry)
        if found.unreadable or found.sound:
            links.append(found)
        else:
            astray.append((found, entry))
    top = max(len(links) + len(astray), head[0] if head else 0)
    for found, entry in astray:
        number = _true_place(entry, top)
        links.append(found if number == found.sequence else found._replace(number=number, computed=found.hash))
    return sorted(links, key=lambda item: (item.number, item.sequence))


def walk(chain: str, entries: Iterable[dict[str, Any]], head: tuple[int, str] | None) -> Iterator[Fault]:
    """Name every entry of ``chain`` that was changed, removed, inserted or reordered. ``head``: its newest number and hash."""
    links = _links(entries, head)
    for item in links:
        if item.unreadable:
            yield Fault(chain, item.sequence, "changed", f"it was changed: {item.unreadable}")
        elif item.number != item.sequence:
            yield Fault(chain, item.sequence, "reordered", f"it was reordered: it was written as entry {item.number}")
        elif not item.sound:
            yield Fault(chain, item.sequence, "changed", "it was changed: its content does not have its hash")
    yield from _removed(chain, links, head)
    yield from _broken(chain, links, head)


def _removed(chain: str, links: list[Link], head: tuple[int, str] | None) -> Iterator[Fault]:
    top = max([item.number for item in links] + ([head[0]] if head else []), default=0)
    present = {item.number for item in links}
    for number in range(1, top + 1):
        if number not in present:
            yield Fault(chain, number, "removed", "it was removed")
    if head is None:
        yield Fault(chain, top, "removed", "the head of the chain was removed")
        return
    for item in links:
        if item.number > head[0]:
            yield Fault(chain, item.sequence, "inserted", "it was inserted after the head, or the head was changed")
    if links and links[-1].number == head[0] and head[1] not in (links[-1].hash, links[-1].computed):
        yield Fault(chain, head[0], "replaced", "the last entry was replaced, or the head was changed")


def _broken(chain: str, links: list[Link], head: tuple[int, str] | None) -> Iterator[Fault]:
    """Where an entry does not follow the one before: that one was inserted or replaced, or else the entry itself."""
    vouched = {item.previous for item in links} | ({head[1]} if head else set())
    places = {START: 0}
    if links and links[0].number == 1 and links[0].sound and links[0].previous != START:
        yield Fault(chain, 1, "replaced", "it was replaced: a first entry follows nothing")
    for before, item in pairwise(links):
        places.setdefault(before.hash, before.number)
        if not item.unreadable and item.previous in places and places[item.previous] < before.number:
            if (before.sound and before.hash not in vouched) or before.number == item.number:
                yield Fault(
                    chain, before.sequence, "inserted", "it was inserted: the entry after it follows an earlier one"
                )
        elif item.number == before.number + 1 and item.sound and before.sound and item.previous != before.hash:
            blamed = before if item.hash in vouched else item
            yield Fault(chain, blamed.sequence, "replaced", "it was replaced by an entry with a hash of its own")


def check_facts(facts: list[dict[str, Any]], entries: list[dict[str, Any]]) -> Iterator[Fault]:
    """Hold every fact against the journal entry that sealed it. A redacted one shows its digest only."""
    told = {}
    for entry in entries:
        if entry["action"] in ("fact.recorded", "fact.retracted", "candidate.adopted"):
            told[entry["subject"]] = entry["new"]
    for fact in facts:
        subject = f"fact:{fact['number']} {fact['name']}"
        found = salted(fact["salt"], fact["content"]) if fact["salt"] else fact["digest"]
        if fact["content"] is not None and not fact["salt"]:
            found = digest(fact["content"])
        if told.pop(subject, None) != found or found != fact["digest"]:
            yield Fault(FACTS, fact["number"], "changed", "the fact is not the one in the journal")
    for subject in told:
        yield Fault(FACTS, 0, "removed", f"{subject} is in the journal but not among the facts")


def check_anchors(anchors: list[dict[str, Any]], entries: list[dict[str, Any]], chain: str) -> Iterator[Fault]:
    """Hold the chain against what was written outside the database while it grew."""
    hashes = {entry["sequence"]: entry["hash"] for entry in entries}
    for anchor in anchors:
        leaf = digest([chain, anchor["sequence"], anchor["hash"]])
        sealed = {name: anchor[name] for name in ("schema", "number", "at", "full", "previous", "leaves")}
        if leaf not in anchor["leaves"] or digest(sealed) != anchor["digest"]:
            yield Fault(ANCHORS, anchor["number"], "changed", "the anchor was changed")
        elif hashes.get(anchor["sequence"]) != anchor["hash"]:
            what = f"it was changed or removed after anchor {anchor['number']} of {anchor['at']}"
            yield Fault(chain, anchor["sequence"], "changed", what)


def check_members(members: dict[str, bytes]) -> Iterator[Fault]:
    """Hold every file against the manifest, and the manifest against its own digest."""
    try:
        manifest = json.loads(members[MANIFEST])
        expected = manifest["members"]
        stated = manifest.pop("digest")
        sound = digest(manifest) == stated and canonical({**manifest, "digest": stated}) == members[MANIFEST]
    except (KeyError, TypeError, ValueError, AttributeError):
        yield Fault(MANIFEST, 0, "changed", "the manifest is missing or unreadable")
        return
    if not sound:
        yield Fault(MANIFEST, 0, "changed", "the manifest was changed")
    for name in sorted(set(expected) | set(members) - {MANIFEST}):
        if name not in members:
            yield Fault(name, 0, "removed", "the file is missing")
        elif name not in expected:
            yield Fault(name, 0, "inserted", "the file is not of this bundle")
        elif expected[name] != {"sha256": hashlib.sha256(members[name]).hexdigest(), "size": len(members[name])}:
            yield Fault(name, 0, "changed", "the file was changed")


def check(members: dict[str, bytes]) -> list[Fault]:
    """Everything that is wrong with the files of a bundle."""
    faults = list(check_members(members))
    try:
        manifest, entries = json.loads(members[MANIFEST]), json.loads(members[JOURNAL])
        chain, head = manifest["chain"], (manifest["head"]["sequence"], manifest["head"]["hash"])
        faults += list(walk(chain, entries, head))
        faults += list(check_facts(json.loads(members[FACTS]), entries))
        faults += list(check_anchors(json.loads(members[ANCHORS]), entries, chain))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        faults.append(Fault(JOURNAL, 0, "changed", f"cannot be read through: {error!r}"))
    return faults


def pack(members: dict[str, bytes]) -> bytes:
    """The one zip file that these members make: sorted, stored, with a fixed date."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, members[name])
    return buffer.getvalue()


def read_zip(content: bytes) -> tuple[dict[str, bytes], list[Fault]]:
    """The members of a zip file, and what is wrong with the container itself."""
    faults: list[Fault] = []
    members: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name, times in Counter(archive.namelist()).items():
                if times > 1:
                    faults.append(Fault(name, 0, "inserted", "the file is in the bundle twice"))
                try:
                    members[name] = archive.read(name)
                except Exception as error:  # noqa: BLE001  whatever a broken container does, it is a finding
                    faults.append(Fault(name, 0, "changed", f"the file cannot be read: {error}"))
    except Exception as error:  # noqa: BLE001
        return {}, [Fault("bundle", 0, "changed", f"it is not a readable zip file: {error}")]
    made = pack(members)
    if made != content:
        at = next(
            (i for i, pair in enumerate(zip(made, content, strict=False)) if pair[0] != pair[1]),
            min(len(made), len(content)),
        )
        faults.append(Fault("bundle", 0, "changed", f"the zip file differs from its content at byte {at}"))
    return members, faults


def read(path: Path) -> tuple[dict[str, bytes], list[Fault]]:
    """The members of a bundle, packed or unpacked."""
    if path.is_dir():
        files = [item for item in sorted(path.rglob("*")) if item.is_file()]
        return {item.relative_to(path).as_posix(): item.read_bytes() for item in files}, []
    return read_zip(path.read_bytes())


def main(arguments: list[str]) -> int:
    """Check and report."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    members, faults = read(Path(arguments[0]))
    faults += check(members)
    for fault in faults:
        number = f" {fault.sequence}" if fault.sequence else ""
        print(f"{fault.place}{number}: {fault.what}")
    if faults:
        print(f"NOT as it was exported: {len(faults)} findings")
        return 1
    manifest = json.loads(members[MANIFEST])
    print(f"{manifest['chain']}: {len(members)} files, {manifest['head']['sequence']} journal entries: all valid")
    print(f"digest of the bundle: {manifest['digest']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
