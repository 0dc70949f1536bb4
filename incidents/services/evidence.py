"""Evidence and its expiry: a log that will be overwritten has a clock of its own."""

from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from compliance.errors import BadInput, Refused
from compliance.text import clean
from incidents import access, journal, timers
from incidents.models import Evidence, Incident
from incidents.services.common import changing, required_text
from incidents.states import EvidenceState


def evidence_add(
    *,
    incident: Incident,
    title: str,
    at: datetime,
    by: User | None,
    description: str = "",
    location: str = "",
    expires_at: datetime | None = None,
    source: str = "",
) -> Evidence:
    """Record a piece of evidence. With ``expires_at`` (aware) it is "preserve before ..." and escalates like a duty.

    Raises:
        BadInput: no title.
    """
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked, at=at)
        if not clean(title):
            raise BadInput(_("Name the evidence."), code="title_required", field="title")
        last = locked.evidence_items.aggregate(last=Max("number"))["last"] or 0
        row = Evidence.objects.create(
            incident=locked,
            number=last + 1,
            title=clean(title)[:200],
            description=clean(description),
            location=clean(location)[:300],
            expires_at=expires_at,
            source=source,
            recorded_at=at,
            recorded_by=by,
        )
        _journal(row, "evidence.added", at=at, by=by)
        if expires_at is not None:
            timers.schedule_evidence(evidence=row, at=at)
        return row


def evidence_preserve(*, evidence: Evidence, note: str, at: datetime, by: User | None) -> Evidence:
    """Say where and how it was made safe.

    Raises:
        BadInput: no note.
        Refused: settled already.
    """
    return _settle(evidence, "preserve", "evidence.preserved", note=note, at=at, by=by)


def evidence_lose(*, evidence: Evidence, note: str, at: datetime, by: User | None) -> Evidence:
    """Say that it is gone, and why.

    Raises:
        BadInput: no note.
        Refused: settled already.
    """
    return _settle(evidence, "lose", "evidence.lost", note=note, at=at, by=by)


def _settle(evidence: Evidence, move: str, action: str, *, note: str, at: datetime, by: User | None) -> Evidence:
    with changing(evidence.incident, at=at) as locked:
        access.require_handle(by, locked, at=at)
        text = required_text(note, field="note", at_least=3)
        row = locked.evidence_items.get(pk=evidence.pk)
        if row.state != EvidenceState.AT_RISK:
            raise Refused(_("What became of this evidence is recorded already."), code="already_settled")
        getattr(row, move)()
        row.settled_at, row.settled_by, row.settled_note = at, by, text
        row.save()
        _journal(row, action, at=at, by=by, new=text)
        return row


def _journal(row: Evidence, action: str, *, at: datetime, by: User | None, new: object = None) -> None:
    journal.write(
        incident=row.incident,
        at=at,
        by=by,
        action=action,
        subject=f"evidence:{row.number}",
        new=new if new is not None else {"title": row.title, "description": row.description},
        detail={"expires_at": row.expires_at.astimezone(UTC).isoformat() if row.expires_at else None},
    )
