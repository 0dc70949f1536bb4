"""What happens when a timer fires: an escalation, its messages, the overdue mark, the next repeat. One transaction.

Besides the rungs there are two kinds of timers: "unanswered", which brings the next step forward when nobody has
acknowledged one, and "awake", which tells a person after quiet hours what a reminder had to say.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext_lazy as _

from compliance.engine import Ladder, due_repeat, sooner
from compliance.engine.policies import DUE, REMINDER, REPEAT
from compliance.models import Entity
from incidents import journal, messages, outbox, timers, wording
from incidents.models import Escalation, Evidence, Incident, Obligation, Timer
from incidents.recipients import Recipient, asleep_until, recipients
from incidents.services.assessment import subject_of
from incidents.states import OPEN_OBLIGATION, EvidenceState, ObligationState

logger = logging.getLogger("breachclock.escalation")

journal.register({"escalation.unanswered": _("Not acknowledged: the next step comes sooner")})

UNANSWERED = {timers.OBLIGATION_RUNG: "obligation.unanswered", timers.EVIDENCE_RUNG: "evidence.unanswered"}
AWAKE = {timers.OBLIGATION_RUNG: "obligation.awake", timers.EVIDENCE_RUNG: "evidence.awake"}
RUNG_OF = {kind: rung for kinds in (UNANSWERED, AWAKE) for rung, kind in kinds.items()}


@dataclass(frozen=True, slots=True)
class Clock:
    """What a timer is about, still open and of the timer's generation."""

    incident: Incident
    row: Obligation | Evidence
    entities: Sequence[Entity]

    @property
    def kind(self) -> str:
        """The kind of its rungs' timers."""
        return timers.OBLIGATION_RUNG if isinstance(self.row, Obligation) else timers.EVIDENCE_RUNG

    @property
    def ends_at(self) -> datetime:
        """The moment in law, the house's target, or the expiry of evidence."""
        end = self.row.due_at or self.row.target_at if isinstance(self.row, Obligation) else self.row.expires_at
        if end is None:
            raise ValueError(f"{self.kind} {self.row.pk}: expected a clock with an end")
        return end

    @property
    def subject(self) -> str:
        """How the journal names it."""
        return subject_of(self.row) if isinstance(self.row, Obligation) else f"evidence:{self.row.number}"


def _clock(timer: Timer, incident: Incident) -> Clock | None:
    """What ``timer`` is about; None when it was settled or re-timed since."""
    if RUNG_OF.get(timer.kind, timer.kind) == timers.OBLIGATION_RUNG:
        duty = (
            incident.obligations.select_related("entity").filter(pk=timer.payload.get("row", timer.subject_id)).first()
        )
        stands = duty is not None and duty.state in OPEN_OBLIGATION
        found: Obligation | Evidence | None = duty
        entities = [duty.entity] if duty is not None else []
    else:
        found = incident.evidence_items.filter(pk=timer.payload.get("row", timer.subject_id)).first()
        stands = found is not None and found.state == EvidenceState.AT_RISK
        entities = list(incident.entities.order_by("pk")) if stands else []
    if found is None or not stands or found.generation != timer.generation:
        return None
    found.incident = incident
    return Clock(incident, found, entities)


def fire_rung(timer: Timer, incident: Incident, now: datetime) -> bool:
    """A rung of a ladder. False when what it is about was settled or re-timed since."""
    clock = _clock(timer, incident)
    if clock is None:
        return False
    if timer.payload["rung"] == DUE:
        _mark_due(clock, now=now)
    policy = timers.ladder_of(clock.row, named=timer.payload.get("ladder", ""))
    escalation = _escalate(timer, clock, policy, now=now)
    told_at = _tell(escalation, timer, clock, now=now)
    following = _following(timer, clock)
    if following is None:
        _next_repeat(timer, clock, policy, now=now)
    else:
        row = answer_timer(escalation, timer, clock, policy, following, told_at=told_at)
        Timer.objects.bulk_create([row] if row is not None else [], ignore_conflicts=True)
    return True


def _mark_due(clock: Clock, *, now: datetime) -> None:
    """The legal moment is written, not the one at which we noticed. Vague standards pass a house target only."""
    row, detail = clock.row, {}
    if isinstance(row, Evidence):
        row.expired_at = row.expires_at
        action = "evidence.expired"
    elif row.due_at is None:
        return
    else:
        row.overdue_at = row.due_at
        if row.state == ObligationState.RUNNING:
            row.mark_overdue()
        action = "obligation.overdue"
        detail = {"due_at": row.due_at.astimezone(UTC).isoformat(), "state": row.state}
    row.save()
    journal.write(incident=clock.incident, at=now, by=None, action=action, subject=clock.subject, detail=detail)


def _escalate(
    timer: Timer, clock: Clock, policy: Ladder, *, now: datetime, roles: Sequence[str] | None = None
) -> Escalation:
    at = datetime.fromisoformat(timer.payload["sooner_at"]) if "sooner_at" in timer.payload else timer.due_at
    said = {key: timer.payload[key] for key in ("merged", "found_overdue", "unanswered") if timer.payload.get(key)}
    escalation = Escalation.objects.create(
        incident=clock.incident,
        timer=timer,
        obligation=clock.row if isinstance(clock.row, Obligation) else None,
        evidence=clock.row if isinstance(clock.row, Evidence) else None,
        rung=timer.key,
        kind=timer.payload["rung"],
        roles=timer.payload["roles"],
        detail={"ladder": policy.key, **said},
        at=at,
        fired_at=now,
    )
    journal.write(
        incident=clock.incident,
        at=now,
        by=None,
        action="escalation.reached",
        subject=clock.subject,
        detail={
            "rung": timer.key,
            "at": at.astimezone(UTC).isoformat(),
            "late_seconds": escalation.late_seconds,
            "to": timer.payload["roles"],
            "ladder": policy.key,
            "generation": timer.generation,
            "merged": [key for key, _name in said.get("merged", [])],
            "sooner_because_unanswered": said.get("unanswered", ""),
            "found_overdue": bool(said.get("found_overdue")),
        },
    )
    return escalation


def _tell(escalation: Escalation, timer: Timer, clock: Clock, *, now: datetime) -> datetime:
    """Write the messages; a reminder waits for those who sleep. Answers when the first of them is told (UTC)."""
    letters: list[outbox.Letter] = []
    waiting: list[Timer] = []
    for entity in clock.entities:
        found = recipients(timer.payload["roles"], entity, clock.incident, at=now)
        if not found:
            _cry_out(clock, now=now)
        for recipient in found:
            wakes_at = asleep_until(recipient, entity, at=now) if escalation.kind == REMINDER else None
            if wakes_at is not None and wakes_at < clock.ends_at:
                who = {"entity": recipient.member.entity_id, "user": recipient.user_id}
                waiting.append(awake_timer(escalation, timer, clock, at=wakes_at, **who))
            else:
                letters.append(_letter(escalation, timer, clock, recipient, now=now))
    outbox.enqueue_many(letters, at=now)
    Timer.objects.bulk_create(waiting, ignore_conflicts=True)
    if waiting:
        # For the sweep: who has quiet hours may be otherwise by the time it looks.
        ends = {row.key: [row.payload["entity"], row.due_at.astimezone(UTC).isoformat()] for row in waiting}
        escalation.detail |= {"asleep": ends}
        escalation.save(update_fields=["detail"])
    return now if letters or not waiting else min(row.due_at for row in waiting)


def _letter(
    escalation: Escalation, timer: Timer, clock: Clock, recipient: Recipient, *, now: datetime
) -> outbox.Letter:
    row, member = clock.row, recipient.member
    extra = wording.extra_for(escalation, recipient, now=now)
    message = (
        messages.duty_message(escalation, row, timer, member, now=now, extra=extra)
        if isinstance(row, Obligation)
        else messages.evidence_message(escalation, row, timer, member, now=now, extra=extra)
    )
    return outbox.Letter(clock.incident, member, message, escalation)


def _cry_out(clock: Clock, *, now: datetime) -> None:
    """An entity without a single person: nobody could be told, and that must not pass in silence."""
    logger.error("nobody to tell about %s of incident %s", clock.subject, clock.incident.code)
    journal.write(incident=clock.incident, at=now, by=None, action="escalation.nobody", subject=clock.subject)


def awake_timer(escalation: Escalation, timer: Timer, clock: Clock, *, entity: int, user: int, at: datetime) -> Timer:
    """The timer that tells a person (primary keys) after quiet hours, unsaved. One for each escalation and person."""
    waiting = _aside(timer, clock, AWAKE[clock.kind], f"user-{user}", at, now=escalation.fired_at)
    # Named by the escalation, so that every step has its own; the row it is about is kept beside.
    waiting.subject_id = escalation.pk
    waiting.payload |= {"entity": entity, "user": user, "escalation": escalation.pk}
    return waiting


def _aside(timer: Timer, clock: Clock, kind: str, key: str, at: datetime, *, now: datetime) -> Timer:
    """An unsaved timer beside the rungs of ``timer``'s generation."""
    return Timer(
        incident=clock.incident,
        clock=clock.incident.timer_clock,
        kind=kind,
        subject_id=clock.row.pk,
        key=key[:60],
        generation=timer.generation,
        payload={key: timer.payload[key] for key in ("roles", "rung", "name")} | {"row": clock.row.pk},
        due_at=at,
        attempt_at=at,
        created_at=now,
    )


def fire_awake(timer: Timer, incident: Incident, now: datetime) -> bool:
    """The quiet hours of a person are over: what a reminder had to say, as long as it still stands."""
    clock = _clock(timer, incident)
    if clock is None:
        return False
    escalation = incident.escalations.get(pk=timer.payload["escalation"])
    entity = next((item for item in clock.entities if item.pk == timer.payload["entity"]), None)
    found = recipients(timer.payload["roles"], entity, incident, at=now) if entity is not None else []
    mine = [item for item in found if item.user_id == timer.payload["user"]]
    outbox.enqueue_many([_letter(escalation, timer, clock, item, now=now) for item in mine], at=now)
    return bool(mine)


def _following(timer: Timer, clock: Clock) -> Timer | None:
    """The rung that comes next."""
    pending = Timer.objects.filter(
        kind=clock.kind, subject_id=clock.row.pk, generation=timer.generation, state=Timer.State.PENDING
    )
    return pending.exclude(pk=timer.pk).order_by("due_at", "pk").first()


def _next_repeat(timer: Timer, clock: Clock, policy: Ladder, *, now: datetime) -> None:
    """After the last rung (or a repeat) the next repeat is put on the clock: counted from it, even where one before it
    failed for a while and comes after it."""
    rungs = Timer.objects.filter(kind=timer.kind, subject_id=timer.subject_id, generation=timer.generation)
    last = rungs.order_by("-due_at", "-pk").first() or timer
    number = last.payload.get("number", 0) + 1
    found = due_repeat(policy=policy, last_at=last.due_at, number=number, now=now)
    if found is None:
        return
    rung, number = found
    row = timers.timer_for(timer.kind, clock.row, rung, policy, at=now, number=number)
    Timer.objects.bulk_create([row], ignore_conflicts=True)


def answer_timer(
    escalation: Escalation, timer: Timer, clock: Clock, policy: Ladder, following: Timer, *, told_at: datetime
) -> Timer | None:
    """The timer that brings ``following`` forward unless somebody acknowledges this step, unsaved; None: none is needed."""
    if following.payload["rung"] == REPEAT:
        return None
    at = sooner(told_at=told_at, next_at=following.due_at, policy=policy.unanswered)
    if at is None:
        return None
    row = _aside(timer, clock, UNANSWERED[clock.kind], f"unanswered-{timer.key}", at, now=escalation.fired_at)
    row.payload |= {"escalation": escalation.pk, "next": following.pk, "ladder": policy.key}
    return row


def fire_unanswered(timer: Timer, incident: Incident, now: datetime) -> bool:
    """Nobody has acknowledged a step: the next one comes now. False when somebody has, or it came already.

    The due step never comes before its moment: those it will tell are told at once that nobody answers.
    """
    clock = _clock(timer, incident)
    if clock is None:
        return False
    unanswered = incident.escalations.get(pk=timer.payload["escalation"])
    following = Timer.objects.filter(pk=timer.payload["next"], state=Timer.State.PENDING).first()
    if following is None or _answered(unanswered, clock):
        return False
    if following.payload["rung"] == DUE:
        _chase(timer, clock, unanswered, following, now=now)
    else:
        _bring_forward(timer, clock, unanswered, following, now=now)
    return True


def _answered(step: Escalation, clock: Clock) -> bool:
    """Whether this step, or any of the same clock since it was told, was acknowledged."""
    return clock.row.escalations.filter(acknowledged_at__gte=step.fired_at).exists()


def _chase(timer: Timer, clock: Clock, unanswered: Escalation, following: Timer, *, now: datetime) -> None:
    timer.payload |= {
        "rung": REMINDER,
        "roles": following.payload["roles"],
        "unanswered": unanswered.rung,
        "name": wording.UNANSWERED.to_json(),
    }
    timer.save(update_fields=["payload"])
    policy = timers.ladder_of(clock.row, named=timer.payload["ladder"])
    _tell(_escalate(timer, clock, policy, now=now), timer, clock, now=now)


def _bring_forward(timer: Timer, clock: Clock, unanswered: Escalation, following: Timer, *, now: datetime) -> None:
    at = timer.due_at.astimezone(UTC).isoformat()
    following.payload |= {"sooner_at": at, "unanswered": unanswered.rung}
    Timer.objects.filter(pk=following.pk, state=Timer.State.PENDING).update(attempt_at=now, payload=following.payload)
    journal.write(
        incident=clock.incident,
        at=now,
        by=None,
        action="escalation.unanswered",
        subject=clock.subject,
        detail={"rung": unanswered.rung, "next": following.key, "generation": timer.generation},
    )


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
    letters = [
        outbox.Letter(incident, item.member, messages.failure_message(incident, timer, item.member, now=now))
        for entity in incident.entities.order_by("pk")
        for item in recipients(["manager", "ciso"], entity, incident, at=now)
    ]
    outbox.enqueue_many(letters, at=now)


for rung_kind in (timers.OBLIGATION_RUNG, timers.EVIDENCE_RUNG):
    timers.register(rung_kind, fire_rung)
    timers.register(UNANSWERED[rung_kind], fire_unanswered)
    timers.register(AWAKE[rung_kind], fire_awake)
timers.on_repeated_failure(shout)
