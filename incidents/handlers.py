"""What happens when a timer fires: an escalation, its messages, the overdue mark, the next repeat. One transaction."""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from compliance.engine import next_repeat
from compliance.library import get_policies
from compliance.models import Entity, Membership
from incidents import journal, messages, outbox, timers
from incidents.models import Escalation, Evidence, Incident, Obligation, Timer
from incidents.services.assessment import subject_of
from incidents.states import OPEN_OBLIGATION, EvidenceState, ObligationState

logger = logging.getLogger("breachclock.escalation")

# When nobody holds any of a rung's roles, the first of these that somebody holds is told instead.
FALLBACK = ("owner", "counsel", "manager", "ciso", "cpo", "approver", "executive")


def fire_obligation(timer: Timer, incident: Incident, now: datetime) -> bool:
    """A rung of a duty's ladder. False when the duty was settled or re-timed since."""
    row = incident.obligations.select_related("entity").filter(pk=timer.subject_id).first()
    if row is None or row.generation != timer.generation or row.state not in OPEN_OBLIGATION:
        return False
    row.incident = incident
    if timer.payload["rung"] == "due":
        _mark_due(row, timer, now=now)
    escalation = _escalate(timer, incident, now=now, obligation=row)
    told = _recipients(timer.payload["roles"], row.entity, incident)
    if not told:
        _cry_out(incident, subject_of(row), now=now)
    for member, reason in told:
        message = messages.duty_message(escalation, row, timer, member, now=now, reason=reason)
        outbox.enqueue(incident=incident, escalation=escalation, member=member, message=message, at=now)
    _next_repeat(timer, row, incident, policy=timers.DUTY_LADDER, now=now)
    return True


def _cry_out(incident: Incident, subject: str, *, now: datetime) -> None:
    """An entity without a single person: nobody could be told, and that must not pass in silence."""
    logger.error("nobody to tell about %s of incident %s", subject, incident.code)
    journal.write(incident=incident, at=now, by=None, action="escalation.nobody", subject=subject)


def _mark_due(row: Obligation, timer: Timer, *, now: datetime) -> None:
    """The legal moment is written, not the one at which we noticed. Vague standards pass a house target only."""
    if row.due_at is None:
        return
    row.overdue_at = row.due_at
    if row.state == ObligationState.RUNNING:
        row.mark_overdue()
    row.save()
    journal.write(
        incident=row.incident,
        at=now,
        by=None,
        action="obligation.overdue",
        subject=subject_of(row),
        detail={"due_at": row.due_at.astimezone(UTC).isoformat(), "state": row.state},
    )


def fire_evidence(timer: Timer, incident: Incident, now: datetime) -> bool:
    """A rung of "preserve before". False when what became of it is known."""
    row = incident.evidence_items.filter(pk=timer.subject_id).first()
    if row is None or row.generation != timer.generation or row.state != EvidenceState.AT_RISK:
        return False
    row.incident = incident
    if timer.payload["rung"] == "due":
        row.expired_at = row.expires_at
        row.save()
        journal.write(incident=incident, at=now, by=None, action="evidence.expired", subject=f"evidence:{row.number}")
    escalation = _escalate(timer, incident, now=now, evidence=row)
    for entity in incident.entities.order_by("pk"):
        for member, reason in _recipients(timer.payload["roles"], entity, incident):
            message = messages.evidence_message(escalation, row, timer, member, now=now, reason=reason)
            outbox.enqueue(incident=incident, escalation=escalation, member=member, message=message, at=now)
    _next_repeat(timer, row, incident, policy=timers.EVIDENCE_LADDER, now=now)
    return True


def _escalate(
    timer: Timer,
    incident: Incident,
    *,
    now: datetime,
    obligation: Obligation | None = None,
    evidence: Evidence | None = None,
) -> Escalation:
    escalation = Escalation.objects.create(
        incident=incident,
        timer=timer,
        obligation=obligation,
        evidence=evidence,
        rung=timer.key,
        kind=timer.payload["rung"],
        roles=timer.payload["roles"],
        at=timer.due_at,
        fired_at=now,
    )
    subject = subject_of(obligation) if obligation else f"evidence:{evidence.number if evidence else '?'}"
    journal.write(
        incident=incident,
        at=now,
        by=None,
        action="escalation.reached",
        subject=subject,
        detail={
            "rung": timer.key,
            "at": timer.due_at.astimezone(UTC).isoformat(),
            "late_seconds": escalation.late_seconds,
            "to": timer.payload["roles"],
        },
    )
    return escalation


def _recipients(roles: Sequence[str], entity: Entity, incident: Incident) -> list[tuple[Membership, str]]:
    """Who is told: everyone with one of ``roles`` in ``entity``, each person once; "owner" is the incident's owner.

    With nobody in those roles somebody else is told, and the message says why.
    """
    members = [item for item in _members(entity) if item.user.is_active]
    told = _once(item for item in members if item.role in roles and _is_meant(item, incident))
    if told:
        return [(item, "") for item in told]
    for role in FALLBACK:
        substitutes = _once(item for item in members if item.role == role)
        if substitutes:
            return [(item, ", ".join(roles)) for item in substitutes]
    # Rather everybody than nobody.
    return [(item, ", ".join(roles)) for item in _once(members)]


def _members(entity: Entity) -> Sequence[Membership]:
    return list(entity.memberships.select_related("user").order_by("pk"))


def _is_meant(member: Membership, incident: Incident) -> bool:
    """Of the handlers only the one who owns the incident, as long as that one holds the role."""
    if member.role != "owner" or incident.owner_id is None:
        return True
    owners = Membership.objects.filter(entity=member.entity_id, role="owner", user=incident.owner_id)
    return member.user_id == incident.owner_id or not owners.exists()


def _once(members: Iterable[Membership]) -> list[Membership]:
    seen: dict[int, Membership] = {}
    for member in members:
        seen.setdefault(member.user_id, member)
    return list(seen.values())


def _next_repeat(
    timer: Timer, subject: Obligation | Evidence, incident: Incident, *, policy: str, now: datetime
) -> None:
    """After the last rung (or a repeat) the next repeat is put on the clock."""
    pending = Timer.objects.filter(
        kind=timer.kind, subject_id=subject.pk, generation=timer.generation, state=Timer.State.PENDING
    ).exclude(pk=timer.pk)
    if pending.exists():
        return
    number = timer.payload.get("number", 0) + 1
    rung = next_repeat(policy=get_policies().ladders[policy], last_at=timer.due_at, number=number)
    if rung is None:
        return
    row = timers.timer_for(timer.kind, subject, incident, rung, at=now)
    row.payload["number"] = number
    Timer.objects.bulk_create([row], ignore_conflicts=True)


def shout(timer: Timer, now: datetime) -> None:
    """A timer fails again and again: say so in the journal and to the managers."""
    incident = Incident.objects.select_for_update().get(pk=timer.incident_id)
    journal.write(
        incident=incident,
        at=now,
        by=None,
        action="timer.failed",
        subject=f"timer {timer.kind} {timer.key}",
        detail={"attempts": timer.attempts + 1},
    )
    for entity in incident.entities.order_by("pk"):
        for member, _reason in _recipients(["manager", "ciso"], entity, incident):
            message = messages.failure_message(incident, timer, member, now=now)
            outbox.enqueue(incident=incident, escalation=None, member=member, message=message, at=now)


timers.register(timers.OBLIGATION_RUNG, fire_obligation)
timers.register(timers.EVIDENCE_RUNG, fire_evidence)
timers.on_repeated_failure(shout)
