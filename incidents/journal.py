"""The journal: one hash chain per incident and one for the system.

An entry is written in the transaction of the change it tells of. No personal data goes in: subjects are named by code
and number, values by salted digest. The database itself refuses to change or delete an entry (see the migrations).
:mod:`incidents.verification` walks the chains.
"""

import functools
import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compliance.clock import require_aware
from compliance.engine import canonical_json, digest
from incidents import standing
from incidents.models import Incident, JournalEntry, JournalHead

if TYPE_CHECKING:
    from incidents.verification import Fault

SYSTEM_CHAIN = "system"
START = "0" * 64
# Of the format of an entry. Version 1 had no salt; its entries stay as they are and stay valid.
VERSION = 2

# Registered action names with the words a person reads. Writing an unknown one is an error.
ACTIONS: dict[str, str | Promise] = {}


class UnknownAction(KeyError):
    """A journal action that nobody registered."""


class NotInTransaction(RuntimeError):
    """A journal entry outside the transaction of its change."""


def register(actions: Mapping[str, str | Promise]) -> None:
    """Add action names and their readable messages."""
    ACTIONS.update(actions)


register(
    {
        "classification.adopted": _("Severity or classification adopted"),
        "law.accepted": _("Newer law accepted for the incident"),
        "law.rule_followed": _("Rule of low confidence turned on"),
        "law.rule_not_followed": _("Rule of low confidence turned off"),
        "law.day_off_added": _("Day off added"),
        "incident.reported": _("Suspicion reported"),
        "incident.assessing": _("Assessment begun"),
        "incident.confirmed": _("Incident confirmed"),
        "incident.dismissal_requested": _("Dismissal requested"),
        "incident.dismissed": _("Incident dismissed"),
        "incident.dismissal_rejected": _("Dismissal rejected"),
        "incident.closed": _("Incident closed"),
        "incident.reopened": _("Incident reopened"),
        "incident.owner_changed": _("Owner changed"),
        "fact.recorded": _("Fact recorded"),
        "fact.retracted": _("Fact retracted"),
        "fact.redacted": _("Fact redacted"),
        "candidate.adopted": _("Awareness time adopted"),
        "people.counted": _("People affected counted"),
        "system.added": _("Affected systems recorded"),
        "evidence.added": _("Evidence recorded"),
        "evidence.preserved": _("Evidence preserved"),
        "evidence.lost": _("Evidence lost"),
        "evidence.expired": _("Evidence past its expiry"),
        "obligation.opened": _("Duty opened"),
        "obligation.retimed": _("Deadline moved"),
        "obligation.hardened": _("Duty now certain"),
        "obligation.softened": _("Duty uncertain again"),
        "obligation.lapsed": _("Duty does not apply"),
        "obligation.revived": _("Duty applies again"),
        "obligation.repinned": _("Duty rests on another version of the rule"),
        "obligation.overdue": _("Deadline passed"),
        "obligation.met": _("Duty met"),
        "obligation.met_late": _("Duty met late"),
        "obligation.judged_late": _("Found late after the clock moved"),
        "obligation.judged_timely": _("Found in time after the clock moved"),
        "obligation.reopened": _("Duty open again"),
        "obligation.late_reason": _("Reason for lateness recorded"),
        "obligation.excuse_requested": _("Exception requested"),
        "obligation.excused": _("Exception approved"),
        "obligation.excuse_rejected": _("Exception rejected"),
        "escalation.reached": _("Escalation step reached"),
        "escalation.acknowledged": _("Escalation acknowledged"),
        "escalation.nobody": _("Nobody could be told"),
        "message.given_up": _("Message could not be delivered"),
        "timer.failed": _("Timer failed and was put off"),
    }
)


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest that exists already, with a salt kept beside the value it was made of."""

    value: str


def new_salt(incident: Incident | None, place: str) -> str:
    """A salt of 32 bytes in hexadecimal.

    Random, but in a replay, which is of a published case and must come out the same each time: there it follows from the place.
    """
    if incident is not None and incident.kind == Incident.Kind.REPLAY:
        return hashlib.sha256(f"{incident.code}\n{place}".encode()).hexdigest()
    return secrets.token_hex(32)


def salted(salt: str, value: object) -> str:
    """The digest of ``value`` that nobody can guess without ``salt``."""
    return digest({"salt": salt, "value": value})


def actor(by: User | None) -> str:
    """How the journal names who acted: ``user:<pk>``, or the system."""
    return f"user:{by.pk}" if by is not None else "system"


def write(
    *,
    incident: Incident | None,
    at: datetime,
    by: User | None,
    action: str,
    subject: str,
    old: object = None,
    new: object = None,
    detail: Mapping[str, Any] | None = None,
) -> JournalEntry:
    """Append one entry to the incident's chain (or the system's, without one).

    ``old`` and ``new`` are kept as salted digests only (a :class:`Digest` as it is); ``detail`` is kept as it is and must
    hold no personal data.

    Raises:
        UnknownAction: ``action`` was never registered.
        NotInTransaction: called outside a transaction.
    """
    _check(action)
    head = _locked_head(incident.code if incident is not None else SYSTEM_CHAIN)
    entry = _append(head, incident, at=at, by=by, action=action, subject=subject, old=old, new=new, detail=detail)
    entry.save(force_insert=True)
    JournalHead.objects.filter(pk=head.pk).update(sequence=head.sequence, hash=head.hash)
    return entry


def _check(action: str) -> None:
    if action not in ACTIONS:
        raise UnknownAction(action)
    if not connection.in_atomic_block:
        raise NotInTransaction(action)


class Book:
    """Appends to the chains of several incidents, all of them locked, and puts everything down at once."""

    def __init__(self, incidents: Iterable[Incident]) -> None:
        heads = JournalHead.objects.select_for_update().filter(chain__in=[incident.code for incident in incidents])
        self._heads = {head.chain: head for head in heads.order_by("pk")}
        self._entries: list[JournalEntry] = []

    def write(
        self, *, incident: Incident, at: datetime, action: str, subject: str, detail: Mapping[str, Any] | None = None
    ) -> JournalEntry:
        """As :func:`write`, for what the system does, and kept until :meth:`put_down`."""
        _check(action)
        head = self._heads.setdefault(incident.code, JournalHead(chain=incident.code, hash=START))
        entry = _append(
            head, incident, at=at, by=None, action=action, subject=subject, old=None, new=None, detail=detail
        )
        self._entries.append(entry)
        return entry

    def put_down(self) -> None:
        """Write every entry, and how far each chain has come."""
        if not self._entries:
            return
        JournalEntry.objects.bulk_create(self._entries)
        heads = [self._heads[chain] for chain in dict.fromkeys(entry.chain for entry in self._entries)]
        JournalHead.objects.bulk_create(
            [JournalHead(chain=head.chain, sequence=head.sequence, hash=head.hash) for head in heads],
            update_conflicts=True,
            unique_fields=["chain"],
            update_fields=["sequence", "hash"],
        )
        self._entries = []


def _append(
    head: JournalHead,
    incident: Incident | None,
    *,
    at: datetime,
    by: User | None,
    action: str,
    subject: str,
    old: object,
    new: object,
    detail: Mapping[str, Any] | None,
) -> JournalEntry:
    """The next entry of the chain of ``head``, which moves on to it. Nothing is written yet."""
    salt = new_salt(incident, f"entry:{head.sequence + 1}")
    digests = _digest_of(old, salt), _digest_of(new, salt)
    entry = JournalEntry(
        id=entry_id(head.chain, head.sequence + 1),
        version=VERSION,
        chain=head.chain,
        sequence=head.sequence + 1,
        at=require_aware(at).astimezone(UTC),
        actor=actor(by),
        action=action,
        subject=subject,
        old=digests[0],
        new=digests[1],
        salt=salt if any(value is not None and not isinstance(value, Digest) for value in (old, new)) else "",
        # One way to write it down, so that every byte of it can be checked.
        detail=json.loads(canonical_json({**(detail or {}), **_in_whose_stead(by), **_through_what(by)})),
        previous=head.hash,
    )
    entry.hash = entry_hash(entry)
    head.sequence, head.hash = entry.sequence, entry.hash
    return entry


def _in_whose_stead(by: User | None) -> dict[str, list[str]]:
    """Whom a deputy acts for in this change, where the right to it is not the deputy's own."""
    absent = standing.for_whom(by.pk if by is not None else None)
    return {"for": [f"user:{number}" for number in absent]} if absent else {}


def _through_what(by: User | None) -> dict[str, str]:
    """The token that a person acts through; nothing where it is done by hand."""
    name = standing.through(by.pk if by is not None else None)
    return {"via": name} if name else {}


def _locked_head(chain: str) -> JournalHead:
    held = JournalHead.objects.select_for_update().filter(chain=chain)
    head = held.first()
    if head is None:  # the first entry of the chain; somebody else may be writing it too
        JournalHead.objects.bulk_create([JournalHead(chain=chain, hash=START)], ignore_conflicts=True)
        head = held.get()
    return head


def _digest_of(value: object, salt: str) -> str:
    if isinstance(value, Digest):
        return value.value
    return "" if value is None else salted(salt, value)


def entry_id(chain: str, sequence: int) -> int:
    """The primary key of an entry from version 2 on: it follows from chain and sequence, so that it cannot be changed unseen."""
    return int.from_bytes(hashlib.sha256(f"{chain}\n{sequence}".encode()).digest()[:8]) >> 1


def entry_fields(entry: JournalEntry) -> dict[str, Any]:
    """Every column of ``entry`` but its primary key, as plain JSON: what is exported and what is hashed."""
    return {
        "version": entry.version,
        "chain": entry.chain,
        "sequence": entry.sequence,
        "at": entry.at.astimezone(UTC).isoformat(),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "old": entry.old,
        "new": entry.new,
        "salt": entry.salt,
        "detail": entry.detail,
        "previous": entry.previous,
        "hash": entry.hash,
    }


def entry_hash(entry: JournalEntry) -> str:
    """The hash of every column of ``entry`` but its own, chained to the entry before."""
    fields = entry_fields(entry)
    del fields["hash"]
    if entry.version == 1:
        del fields["version"], fields["salt"]
    return digest(fields)


def head_of(incident: Incident) -> str:
    """The hash of the newest entry of an incident's chain, or zeros before the first."""
    return JournalHead.objects.filter(chain=incident.code).values_list("hash", flat=True).first() or START


def verify(chain: str | None = None) -> "Iterator[Fault]":
    """Everything that does not fit in one chain, or in all of them (:func:`incidents.verification.verify`)."""
    from incidents import verification

    return verification.verify(chain)


@functools.cache
def message(action: str) -> str | Promise:
    """The readable words of an action."""
    return ACTIONS.get(action, action)
