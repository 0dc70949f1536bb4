"""What goes into an evidence bundle. The same content gives the same bytes: nothing here tells when it was exported.

That an export happened stands in the system's chain, with the digest of the bundle: an entry in the incident's own chain
would change what is exported, so that no two bundles of the same incident would ever be alike.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance.engine import digest
from compliance.errors import NotPermitted
from compliance.models import LawRelease, RuleSnapshot
from incidents import access, anchors, journal
from incidents.export import verify as verifier
from incidents.export.rows import Rows, as_member
from incidents.export.verify import ANCHORS, FACTS, JOURNAL, MANIFEST, canonical, pack
from incidents.models import Fact, Incident, JournalEntry, JournalHead, Timer
from incidents.sealing import fact_content

journal.register({"incident.exported": _("Evidence bundle exported")})

SCHEMA = "breachclock.bundle/1"
# Links in messages that let their reader in are not evidence.
LINK = re.compile(r"(/acknowledge/|/calendar/)[^\s\"'<>]+")
README = """Evidence bundle of Breachclock, incident {code}.

Check it: python3 verify.py FILE.zip (Python 3.10 or later, nothing else). A stranger to this bundle takes verify.py from
Breachclock itself. Times are in UTC unless they carry an offset. journal.json is the hash chain of the incident;
facts.json holds what was recorded, with the salts that the digests in the journal were made with; redacted facts show
their digest only. anchors.json shows when heads of the chain were written outside the database, anchors/*.tsr their time
stamps (openssl ts -verify -digest DIGEST -in FILE -CAfile ROOTS). law/ holds the law as it was relied on.
"""

# A room above adds what it knows of an incident: members by name.
Source = Callable[[Incident, Rows], dict[str, bytes]]
_sources: list[Source] = []


def register_source(source: Source) -> None:
    """Let ``source`` add members to every bundle."""
    if source not in _sources:
        _sources.append(source)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The zip file, and the digest that its manifest states."""

    name: str
    content: bytes
    digest: str


def export_incident(incident: Incident, *, at: datetime, by: User | None, privileged: bool = False) -> Bundle:
    """Gather everything about ``incident`` into one zip file, and write into the system's chain that this was done.

    The incident's row is locked meanwhile, so that the bundle shows one moment. Who may do this is for the caller to ask, but
    not whether ``privileged`` drafts and comments go along: that is for counsel to choose, and the choice is written down.

    Raises:
        NotPermitted: ``privileged``, and ``by`` is not counsel; the system itself never chooses it.
    """
    with transaction.atomic():
        locked = Incident.objects.select_for_update().get(pk=incident.pk)
        if privileged:
            _require_choice(locked, by)
        members, stated = _members(locked, privileged=privileged)
        detail = {"incident": locked.code, "digest": stated, "files": len(members), "privileged": privileged}
        journal.write(incident=None, at=at, by=by, action="incident.exported", subject=locked.code, detail=detail)
    return Bundle(f"{locked.code}-evidence.zip", pack(members), stated)


def _require_choice(incident: Incident, by: User | None) -> None:
    if by is None or not access.may_see_privileged(by, incident):
        raise NotPermitted(
            _("Only counsel can choose that privileged drafts and comments leave the house."),
            code="may_not_export_privileged",
        )


def _members(incident: Incident, *, privileged: bool) -> tuple[dict[str, bytes], str]:
    rows = Rows(chosen=privileged)
    entries = [journal.entry_fields(item) for item in JournalEntry.objects.filter(chain=incident.code)]
    members = {
        **{f"{name}.json": as_member(value) for name, value in _tables(incident, rows).items()},
        FACTS: as_member([_fact(fact, rows) for fact in _facts(incident)]),
        JOURNAL: as_member(entries),
        **_law(incident, entries),
        **_anchors(incident),
        "verify.py": Path(verifier.__file__).read_bytes(),
        "README.txt": README.format(code=incident.code).encode(),
    }
    for source in _sources:
        members.update(source(incident, rows))
    members["people.json"] = as_member(rows.named())
    manifest = _manifest(incident, members, rows)
    members[MANIFEST] = canonical(manifest)
    return members, str(manifest["digest"])


def _manifest(incident: Incident, members: dict[str, bytes], rows: Rows) -> dict[str, Any]:
    head = JournalHead.objects.filter(chain=incident.code).first()
    manifest = {
        "schema": SCHEMA,
        "chain": incident.code,
        "head": {"sequence": head.sequence if head else 0, "hash": head.hash if head else journal.START},
        "privileged_left_out": 0 if rows.chosen else rows.privileged,
        "privileged_included": rows.privileged if rows.chosen else 0,
        "members": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in members.items()
        },
    }
    return {**manifest, "digest": digest(manifest)}


def _tables(incident: Incident, rows: Rows) -> dict[str, Any]:
    """The rows of this room. Named one by one: what is not named here does not leave the house."""
    duties = incident.obligations.order_by("pk")
    return {
        "incident": rows.plain(incident),
        "entities": rows.all(incident.entities.order_by("pk")),
        "people_counts": rows.all(incident.people_counts.order_by("pk")),
        "systems": rows.all(incident.systems.order_by("pk")),
        "evidence": rows.all(incident.evidence_items.order_by("pk")),
        "dismissals": rows.all(incident.dismissals.order_by("pk")),
        "rule_decisions": rows.all(incident.rule_decisions.order_by("pk")),
        "classifications": rows.all(incident.classifications.order_by("pk")),
        "obligations": rows.all(duties),
        "excuses": [rows.plain(item) for duty in duties for item in duty.excuses.order_by("pk")],
        "timers": rows.all(Timer.objects.filter(incident=incident).order_by("pk")),
        "escalations": rows.all(incident.escalations.order_by("pk")),
        "messages": [_message(item, rows) for item in incident.messages.order_by("pk")],
    }


def _message(row: Any, rows: Rows) -> dict[str, Any]:
    """Who was told what, when and how. The address of a chat may hold a key and stays here, as do links that let in."""
    said = rows.plain(row, without=("html", "body", "address", "data", "shared"))
    if row.recipient_id:
        rows.people.add(row.recipient_id)
    said["body"] = LINK.sub(r"\1…", row.body)
    said["address"] = row.address if row.channel == "email" else ""
    said["tries"] = [rows.plain(item) for item in row.tries.order_by("number")]
    return said


def _facts(incident: Incident) -> list[Fact]:
    related = ("entity", "evidence", "supersedes", "adopts")
    return list(incident.facts.select_related(*related).order_by("number"))


def _fact(fact: Fact, rows: Rows) -> dict[str, Any]:
    return {
        "number": fact.number,
        "name": fact.name,
        "salt": fact.salt,
        "digest": fact.digest,
        "content": None if fact.redacted_at else fact_content(fact),
        "row": rows.plain(fact, without=("salt", "digest")),
    }


def _law(incident: Incident, entries: list[dict[str, Any]]) -> dict[str, bytes]:
    """The rule versions that duties ever rested on, and the releases of the library the incident was under."""
    rules = {row.rule_digest for row in incident.obligations.all()}
    releases = {incident.law_digest}
    for entry in entries:
        rules.add(entry["detail"].get("rule_digest", ""))
        if entry["action"] == "law.accepted":
            releases |= {entry["detail"]["from"], entry["detail"]["to"]}
    members = {}
    for snapshot in RuleSnapshot.objects.filter(digest__in=rules):
        members[f"law/rules/{snapshot.digest}.json"] = as_member(
            {name: getattr(snapshot, name) for name in ("rule", "version", "revision", "content", "digest")}
        )
    for start in sorted(releases - {""}):
        for release in LawRelease.objects.filter(digest__startswith=start):
            content = json.loads(zlib.decompress(release.content))
            members[f"law/releases/{release.digest}.json"] = as_member(content)
    return members


def _anchors(incident: Incident) -> dict[str, bytes]:
    """The anchors that name this chain; of the other chains in them only leaves, which tell nothing."""
    found, members = [], {}
    for anchor in anchors.read():
        head = anchor.heads.get(incident.code)
        if head is None:
            continue
        found.append({**anchor.sealed, "digest": anchor.digest, "sequence": head[0], "hash": head[1]})
        if anchor.stamp:
            members[f"anchors/{anchor.number}.tsr"] = anchor.stamp
    return {ANCHORS: as_member(found), **members}
