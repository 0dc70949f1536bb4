"""The journal: one hash chain per incident and one for the system.

An entry is written in the transaction of the change it tells of. No personal data goes in: subjects are named by code
and number, values by digest. The database itself refuses to change or delete an entry (see the migrations).
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compliance.clock import require_aware
from compliance.engine import digest
from incidents.models import Incident, JournalEntry, JournalHead

SYSTEM_CHAIN = "system"
START = "0" * 64

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

    ``old`` and ``new`` are kept as digests only; ``detail`` is kept as it is and must hold no personal data.

    Raises:
        UnknownAction: ``action`` was never registered.
        NotInTransaction: called outside a transaction.
    """
    if action not in ACTIONS:
        raise UnknownAction(action)
    if not connection.in_atomic_block:
        raise NotInTransaction(action)
    head = _locked_head(incident.code if incident is not None else SYSTEM_CHAIN)
    entry = JournalEntry(
        chain=head.chain,
        sequence=head.sequence + 1,
        at=require_aware(at).astimezone(UTC),
        actor=actor(by),
        action=action,
        subject=subject,
        old=_digest_of(old),
        new=_digest_of(new),
        detail=dict(detail or {}),
        previous=head.hash,
    )
    entry.hash = entry_hash(entry)
    entry.save(force_insert=True)
    JournalHead.objects.filter(pk=head.pk).update(sequence=entry.sequence, hash=entry.hash)
    return entry


def _locked_head(chain: str) -> JournalHead:
    JournalHead.objects.bulk_create([JournalHead(chain=chain, hash=START)], ignore_conflicts=True)
    return JournalHead.objects.select_for_update().get(chain=chain)


def _digest_of(value: object) -> str:
    return "" if value is None else digest(value)


def entry_hash(entry: JournalEntry) -> str:
    """The hash of every column of ``entry`` but its own, chained to the entry before."""
    return digest(
        {
            "chain": entry.chain,
            "sequence": entry.sequence,
            "at": entry.at.astimezone(UTC).isoformat(),
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "old": entry.old,
            "new": entry.new,
            "detail": entry.detail,
            "previous": entry.previous,
        }
    )


def head_of(incident: Incident) -> str:
    """The hash of the newest entry of an incident's chain, or zeros before the first."""
    return JournalHead.objects.filter(chain=incident.code).values_list("hash", flat=True).first() or START


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a chain."""

    chain: str
    sequence: int
    what: str


def verify(chain: str | None = None) -> Iterator[Fault]:
    """Walk one chain, or all of them, and name everything that does not fit."""
    chains = [chain] if chain else list(_all_chains())
    for name in chains:
        yield from _verify_chain(name)


def _all_chains() -> Iterator[str]:
    named = set(JournalHead.objects.values_list("chain", flat=True))
    named |= set(JournalEntry.objects.values_list("chain", flat=True).order_by().distinct())
    return iter(sorted(named))


def _verify_chain(chain: str) -> Iterator[Fault]:
    previous, expected = START, 1
    for entry in JournalEntry.objects.filter(chain=chain).order_by("sequence").iterator(chunk_size=2000):
        yield from _verify_entry(entry, previous=previous, expected=expected)
        previous, expected = entry.hash, entry.sequence + 1
    head = JournalHead.objects.filter(chain=chain).first()
    if head is None:
        yield Fault(chain, expected - 1, "the head of the chain is missing")
    elif (head.sequence, head.hash) != (expected - 1, previous):
        yield Fault(
            chain, head.sequence, "the head does not match the last entry: entries were removed or the head changed"
        )


def _verify_entry(entry: JournalEntry, *, previous: str, expected: int) -> Iterator[Fault]:
    if entry.sequence != expected:
        yield Fault(entry.chain, entry.sequence, f"expected entry {expected}: entries were removed or reordered")
    if entry.previous != previous:
        yield Fault(entry.chain, entry.sequence, "does not follow the entry before it")
    if entry.hash != entry_hash(entry):
        yield Fault(entry.chain, entry.sequence, "its content does not match its hash: it was changed")


@functools.cache
def message(action: str) -> str | Promise:
    """The readable words of an action."""
    return ACTIONS.get(action, action)
