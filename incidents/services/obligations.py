"""Meeting, reopening and excusing duties; the reason for lateness; acknowledgements."""

from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from compliance.errors import BadInput, NotPermitted, Refused
from incidents import access, journal, timers
from incidents.models import Escalation, Excuse, Obligation
from incidents.services.assessment import reassess_locked, subject_of
from incidents.services.common import changing, not_in_future, required_text
from incidents.states import CLOCK_RUNS, OPEN_OBLIGATION, ObligationState


def obligation_meet(
    *, obligation: Obligation, done_at: datetime, at: datetime, by: User | None, reference: str
) -> Obligation:
    """Record that the duty was done at ``done_at`` by what ``reference`` names. Late is late, to the second.

    Idempotent: a duty already met by the same reference is returned unchanged.

    Raises:
        BadInput: ``done_at`` in the future.
        Refused: the duty does not apply or is excused.
    """
    with changing(obligation.incident, at=at) as incident:
        access.require_handle(by, incident, at=at)
        not_in_future(done_at, at=at, field="submitted_at", zone=obligation.due_zone)
        row = incident.obligations.get(pk=obligation.pk)
        if row.state in (ObligationState.MET, ObligationState.MET_LATE):
            return row
        if row.state not in OPEN_OBLIGATION:
            raise Refused(_("This duty is not open."), code="not_open")
        late = row.due_at is not None and done_at > row.due_at
        row.met_at = done_at
        (row.meet_late if late else row.meet)()
        row.save()
        late_by = int((done_at - row.due_at).total_seconds()) if late and row.due_at else 0
        journal.write(
            incident=incident,
            at=at,
            by=by,
            action="obligation.met_late" if late else "obligation.met",
            subject=subject_of(row),
            detail={
                "reference": reference,
                "done_at": done_at.astimezone(UTC).isoformat(),
                "late_seconds": late_by,
            },
        )
        # A submission can start or end other duties (supplements count from it).
        reassess_locked(incident, at=at, by=by, only=row.entity)
        return row


def obligation_reopen(*, obligation: Obligation, reason: str, at: datetime, by: User | None) -> Obligation:
    """What was sent did not count: the duty is open again with its old due moment.

    Raises:
        BadInput: no reason.
        Refused: the duty was not met or excused.
    """
    with changing(obligation.incident, at=at) as incident:
        access.require_handle(by, incident, at=at)
        text = required_text(reason, field="reason", at_least=5)
        row = incident.obligations.get(pk=obligation.pk)
        if row.state not in (ObligationState.MET, ObligationState.MET_LATE, ObligationState.EXCUSED):
            raise Refused(_("Only a duty that was met or excused can be opened again."), code="not_met")
        row.reopen()
        row.met_at = None
        row.generation += 1
        row.save()
        journal.write(incident=incident, at=at, by=by, action="obligation.reopened", subject=subject_of(row), new=text)
        timers.schedule_obligation(obligation=row, at=at)
        reassess_locked(incident, at=at, by=by, only=row.entity)
        return row


def late_reason_record(*, obligation: Obligation, reason: str, at: datetime, by: User) -> Obligation:
    """Record why a duty is, or was, late. A later reason replaces the words but not their journal entries.

    Raises:
        BadInput: fewer than 10 characters.
        Refused: the duty is not late.
    """
    with changing(obligation.incident, at=at) as incident:
        access.require_handle(by, incident, at=at)
        text = required_text(reason, field="late_reason", at_least=10)
        row = incident.obligations.get(pk=obligation.pk)
        if not is_late(row, at=at):
            raise Refused(_("This duty is not late: it needs no reason for lateness."), code="not_late")
        old = row.late_reason or None
        row.late_reason, row.late_reason_by, row.late_reason_at = text, by, at
        row.save()
        journal.write(
            incident=incident,
            at=at,
            by=by,
            action="obligation.late_reason",
            subject=subject_of(row),
            old=old,
            new=text,
        )
        return row


def is_late(row: Obligation, *, at: datetime) -> bool:
    """Whether the duty was met after its due moment, or is still open behind it. Vague standards are never late."""
    if row.due_at is None:
        return False
    if row.met_at is not None:
        return row.met_at > row.due_at
    return row.state in OPEN_OBLIGATION and at > row.due_at


def excuse_request(*, obligation: Obligation, provision: str, reason: str, at: datetime, by: User) -> Excuse:
    """Ask a second person to accept that a lawful exception applies.

    Raises:
        BadInput: no provision or reason.
        Refused: the duty is not running, or a request is waiting already.
    """
    with changing(obligation.incident, at=at) as incident:
        access.require_handle(by, incident, at=at)
        cited = required_text(provision, field="provision", at_least=3)
        text = required_text(reason, field="reason", at_least=10)
        row = incident.obligations.get(pk=obligation.pk)
        if row.state not in CLOCK_RUNS:
            raise Refused(_("Only a running or overdue duty can be excused."), code="not_running")
        if row.excuses.filter(approved__isnull=True).exists():
            raise Refused(_("A request for an exception is waiting already."), code="excuse_pending")
        excuse = Excuse.objects.create(obligation=row, provision=cited, reason=text, requested_by=by, requested_at=at)
        journal.write(
            incident=incident,
            at=at,
            by=by,
            action="obligation.excuse_requested",
            subject=subject_of(row),
            new={"provision": cited, "reason": text},
        )
        return excuse


def excuse_decide(*, excuse: Excuse, approve: bool, at: datetime, by: User) -> Excuse:
    """Decide on a requested exception, as somebody other than the one who asked.

    Raises:
        NotPermitted: the requester, or neither counsel nor approver.
        Refused: decided already.
    """
    with changing(excuse.obligation.incident, at=at) as incident:
        held = Excuse.objects.select_related("obligation").get(pk=excuse.pk)
        access.require_decide(by, incident, at=at, besides={held.requested_by_id})
        if held.requested_by_id == by.pk:
            raise NotPermitted(_("You asked for this exception. Another person must decide."), code="second_person")
        if held.approved is not None:
            raise Refused(_("This request was decided already."), code="already_decided")
        held.approved, held.decided_by, held.decided_at = approve, by, at
        held.save()
        row = incident.obligations.get(pk=held.obligation_id)
        if approve:
            row.excuse()
            row.save()
        journal.write(
            incident=incident,
            at=at,
            by=by,
            action="obligation.excused" if approve else "obligation.excuse_rejected",
            subject=subject_of(row),
            new={"provision": held.provision, "reason": held.reason},
        )
        return held


def escalation_acknowledge(*, escalation: Escalation, at: datetime, by: User, link: str = "") -> Escalation:
    """Say that one has seen it: the next step then comes at its planned time. The first person counts; later ones change
    nothing.

    ``link``: the short name of the link it was done by, which was sent to ``by``; empty when signed in.

    Raises:
        BadInput: before the escalation happened.
        NotPermitted: ``by`` may not work on the incident (any more).
    """
    with changing(escalation.incident, at=at) as incident:
        access.require_handle(by, incident, at=at)
        held = incident.escalations.select_related("incident", "obligation", "evidence").get(pk=escalation.pk)
        if held.acknowledged_at is not None:
            return held
        if at < held.fired_at:
            raise BadInput(_("It cannot be acknowledged before it happened."), code="too_early")
        held.acknowledged_at, held.acknowledged_by, held.acknowledged_link = at, by, link
        held.save(update_fields=["acknowledged_at", "acknowledged_by", "acknowledged_link"])
        journal.write(
            incident=incident,
            at=at,
            by=by,
            action="escalation.acknowledged",
            subject=f"escalation {held.rung} of {subject_of(held.obligation) if held.obligation else 'evidence'}",
            detail={"by_link": link} if link else {},
        )
        return held
