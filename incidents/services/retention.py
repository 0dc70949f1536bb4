"""Deleting, by the house's rule, the words about people in incidents that ended long ago. The journal stays as it is and valid."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from compliance.clock import require_aware
from compliance.errors import Refused
from compliance.retention_policy import get_retention
from incidents import access, journal
from incidents.holds import LegalHold
from incidents.models import Evidence, Incident, OutboxMessage
from incidents.services.common import changing, required_text
from incidents.services.redaction import fact_redact, why_not
from incidents.states import IncidentState

journal.register(
    {
        "retention.deleted": _("Words about people deleted by the house's rule"),
        "hold.placed": _("Legal hold placed: nothing is deleted"),
        "hold.lifted": _("Legal hold lifted"),
    }
)

REASON = "retention"
ENDED = (IncidentState.CLOSED, IncidentState.DISMISSED)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is deleted of an incident: ``count`` what there is, ``delete`` it within a transaction (incident, at, by)."""

    count: Callable[[Incident, datetime], int]
    delete: Callable[[Incident, datetime, User], int]


_kinds: dict[str, Kind] = {}


def register_kind(name: str, kind: Kind) -> None:
    """Let the policy's ``name`` be deleted by ``kind``; a room above tells what it holds."""
    _kinds[name] = kind


@dataclass(frozen=True, slots=True)
class Due:
    """What may go of one incident, and since when. ``held``: a legal hold stops it."""

    incident: Incident
    kind: str
    many: int
    since: datetime
    held: bool


def ended(incidents: QuerySet[Incident]) -> QuerySet[Incident]:
    """Those of ``incidents`` that are over, with ``held``: whether a hold is in force. A replay is public and stays."""
    hold = LegalHold.objects.filter(incident=OuterRef("pk"), lifted_at=None)
    real = ~Q(kind=Incident.Kind.REPLAY)
    return incidents.filter(real, state__in=ENDED, closed_at__isnull=False).annotate(held=Exists(hold)).order_by("pk")


def due(incidents: QuerySet[Incident], *, at: datetime) -> Iterator[Due]:
    """What of ``incidents`` may go at ``at`` (aware)."""
    require_aware(at)
    for incident in ended(incidents):
        if incident.closed_at is None:
            continue
        for name, keeping in get_retention().items():
            since = incident.closed_at + keeping.time
            if since <= at and name in _kinds and (many := _kinds[name].count(incident, at)):
                yield Due(incident, name, many, since, bool(getattr(incident, "held", True)))


def delete(item: Due, *, at: datetime, by: User) -> int:
    """Delete what ``item`` says, unless it no longer is due; how much went.

    Raises:
        NotPermitted: the house's table of roles does not let ``by`` redact.
    """
    with changing(item.incident, at=at) as locked:
        access.require_redact(by, locked, at=at)
        again = [now for now in due(Incident.objects.filter(pk=locked.pk), at=at) if now.kind == item.kind]
        if not again or again[0].held:
            return 0
        many = _kinds[item.kind].delete(locked, at, by)
        journal.write(
            incident=locked,
            at=at,
            by=by,
            action="retention.deleted",
            subject=item.kind,
            detail={"many": many, "days": get_retention()[item.kind].time.days, "since": again[0].since.isoformat()},
        )
        return many


def hold_place(*, incident: Incident, reason: str, at: datetime, by: User) -> LegalHold:
    """Let nothing of ``incident`` be deleted until the hold is lifted.

    Raises:
        NotPermitted: the house's table of roles does not let ``by`` redact.
        BadInput: no reason.
        Refused: a hold is in force.
    """
    with changing(incident, at=at) as locked:
        access.require_redact(by, locked, at=at)
        text = required_text(reason, field="reason", at_least=5)
        if locked.holds.filter(lifted_at=None).exists():
            raise Refused(_("A legal hold is in force already."), code="held_already")
        row = LegalHold.objects.create(incident=locked, reason=text, placed_by=by, placed_at=at)
        journal.write(incident=locked, at=at, by=by, action="hold.placed", subject=locked.code, new=text)
        return row


def hold_lift(*, incident: Incident, reason: str, at: datetime, by: User) -> None:
    """Let the house's rule hold again.

    Raises:
        NotPermitted: the house's table of roles does not let ``by`` redact.
        BadInput: no reason.
        Refused: no hold is in force.
    """
    with changing(incident, at=at) as locked:
        access.require_redact(by, locked, at=at)
        text = required_text(reason, field="reason", at_least=5)
        if not locked.holds.filter(lifted_at=None).update(lifted_at=at, lifted_by=by):
            raise Refused(_("No legal hold is in force."), code="not_held")
        journal.write(incident=locked, at=at, by=by, action="hold.lifted", subject=locked.code, new=text)


def _words_of(incident: Incident, at: datetime) -> list[int]:
    rows = incident.facts.filter(redacted_at=None, value__isnull=False).order_by("number")
    return [row.pk for row in rows if row.personal and why_not(row, at=at) is None]


def _redact(incident: Incident, at: datetime, by: User) -> int:
    done = 0
    for row in incident.facts.filter(pk__in=_words_of(incident, at)).order_by("number"):
        if row.__class__.objects.filter(pk=row.pk, redacted_at=None).exists():  # not gone as the copy of another
            fact_redact(fact=row, reason=REASON, at=at, by=by)
            done += 1
    return done


def _messages(incident: Incident) -> QuerySet[OutboxMessage]:
    waiting = (OutboxMessage.State.PENDING, OutboxMessage.State.CLAIMED)
    return incident.messages.exclude(state__in=waiting).exclude(body="", html="")


def _evidence(incident: Incident) -> QuerySet[Evidence]:
    return incident.evidence_items.exclude(description="", location="", settled_note="")


def _emptied(rows: QuerySet[Any], columns: Iterable[str]) -> int:
    return rows.update(**dict.fromkeys(columns, ""))


register_kind("facts", Kind(lambda incident, at: len(_words_of(incident, at)), _redact))
register_kind(
    "messages",
    Kind(
        lambda incident, at: _messages(incident).count(),
        lambda incident, at, by: _emptied(_messages(incident), ("body", "html")),
    ),
)
register_kind(
    "evidence",
    Kind(
        lambda incident, at: _evidence(incident).count(),
        lambda incident, at, by: _emptied(_evidence(incident), ("description", "location", "settled_note")),
    ),
)
