"""What happens when a timer fires: an escalation, its messages, the overdue mark, the next repeat.

Many timers fire in one transaction: everything is read from the desk that they share and written to it.

Besides the rungs there are two kinds of timers: "unanswered", which brings the next step forward when nobody has
acknowledged one, and "awake", which tells a person after quiet hours what a reminder had to say.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial

from django.utils.translation import gettext_lazy as _

from compliance.engine import Ladder, due_repeat, sooner
from compliance.engine.policies import DUE, REMINDER, REPEAT
from compliance.models import Entity
from incidents import journal, messages, outbox, timers, wording
from incidents.desk import Desk, row_of
from incidents.models import Escalation, Evidence, Incident, Obligation, Timer
from incidents.recipients import Recipient, asleep_until, recipients
from incidents.services.assessment import subject_of
from incidents.states import OPEN_OBLIGATION, EvidenceState, ObligationState
from incidents.times import reader_zone

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


def _clock(desk: Desk, timer: Timer) -> Clock | None:
    """What ``timer`` is about; None when it was settled or re-timed since."""
    found: Obligation | Evidence | None
    if RUNG_OF.get(timer.kind, timer.kind) == timers.OBLIGATION_RUNG:
        found = duty = desk.duties.get(row_of(timer))
        stands = duty is not None and duty.state in OPEN_OBLIGATION
    else:
        found = item = desk.items.get(row_of(timer))
        stands = item is not None and item.state == EvidenceState.AT_RISK
    if found is None or not stands or found.generation != timer.generation or found.incident_id != timer.incident_id:
        return None
    return Clock(found.incident, found, desk.entities_of(found))


def fire_rung(desk: Desk, timer: Timer, now: datetime) -> bool:
    """A rung of a ladder. False when what it is about was settled or re-timed since."""
    clock = _clock(desk, timer)
    if clock is None:
        return False
    if timer.payload["rung"] == DUE:
        _mark_due(desk, clock, now=now)
    policy = timers.ladder_of(clock.row, named=timer.payload.get("ladder", ""))
    escalation = _escalate(desk, timer, clock, policy, now=now)
    told_at = _tell(desk, escalation, timer, clock, now=now)
    following = _following(desk, timer, clock)
    if following is None:
        desk.plan(_next_repeat(desk, timer, clock, policy, now=now))
    else:
        row = answer_timer(escalation, timer, clock, policy, following, told_at=told_at)
        desk.plan([row] if row is not None else [])
    return True


def _mark_due(desk: Desk, clock: Clock, *, now: datetime) -> None:
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
    desk.mark(row)
    desk.journal.write(incident=clock.incident, at=now, action=action, subject=clock.subject, detail=detail)


def _escalate(desk: Desk, timer: Timer, clock: Clock, policy: Ladder, *, now: datetime) -> Escalation:
    at = datetime.fromisoformat(timer.payload["sooner_at"]) if "sooner_at" in timer.payload else timer.due_at
    said = {key: timer.payload[key] for key in ("merged", "found_overdue", "unanswered") if timer.payload.get(key)}
    escalation = desk.escalate(
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
    desk.journal.write(
        incident=clock.incident,
        at=now,
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


def _tell(desk: Desk, escalation: Escalation, timer: Timer, clock: Clock, *, now: datetime) -> datetime:
    """Write the messages; a reminder waits for those who sleep. Answers when the first of them is told (UTC)."""
    letters: list[outbox.Letter] = []
    waiting: list[Timer] = []
    page_for = _pages(escalation, timer, clock, now=now)
    for entity in clock.entities:
        found = desk.recipients(timer.payload["roles"], entity, clock.incident)
        if not found:
            _cry_out(desk, clock, now=now)
        for recipient in found:
            wakes_at = asleep_until(recipient, entity, at=now) if escalation.kind == REMINDER else None
            if wakes_at is not None and wakes_at < clock.ends_at:
                who = {"entity": recipient.member.entity_id, "user": recipient.user_id}
                waiting.append(awake_timer(escalation, timer, clock, at=wakes_at, **who))
            else:
                letters.append(_letter(escalation, clock, recipient, page_for, now=now))
    desk.post(letters)
    desk.plan(waiting)
    if waiting:
        # For the sweep: who has quiet hours may be otherwise by the time it looks.
        ends = {row.key: [row.payload["entity"], row.due_at.astimezone(UTC).isoformat()] for row in waiting}
        escalation.detail |= {"asleep": ends}
    return now if letters or not waiting else min(row.due_at for row in waiting)


# A page for those who read one language in one zone.
PageFor = Callable[[str, str], messages.Page]


def _pages(escalation: Escalation, timer: Timer, clock: Clock, *, now: datetime) -> PageFor:
    """The words of a step, as its clock stands now; each page is laid out once."""
    if isinstance(clock.row, Obligation):
        return cache(partial(messages.duty_page, escalation, clock.row, timer, now=now))
    zone = clock.entities[0].zone if clock.entities else "UTC"
    return cache(partial(messages.evidence_page, escalation, clock.row, timer, zone, now=now))


def _letter(
    escalation: Escalation, clock: Clock, recipient: Recipient, page_for: PageFor, *, now: datetime
) -> outbox.Letter:
    member = recipient.member
    extra = wording.extra_for(escalation, recipient, now=now)
    message = page_for(member.language, reader_zone(member)).to(member, extra)
    return outbox.Letter(clock.incident, member, message, escalation)


def _cry_out(desk: Desk, clock: Clock, *, now: datetime) -> None:
    """An entity without a single person: nobody could be told, and that must not pass in silence."""
    logger.error("nobody to tell about %s of incident %s", clock.subject, clock.incident.code)
    desk.journal.write(incident=clock.incident, at=now, action="escalation.nobody", subject=clock.subject)


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


def fire_awake(desk: Desk, timer: Timer, now: datetime) -> bool:
    """The quiet hours of a person are over: what a reminder had to say, as long as it still stands."""
    clock = _clock(desk, timer)
    if clock is None:
        return False
    escalation = desk.steps[timer.payload["escalation"]]
    entity = next((item for item in clock.entities if item.pk == timer.payload["entity"]), None)
    found = desk.recipients(timer.payload["roles"], entity, clock.incident) if entity is not None else []
    mine = [item for item in found if item.user_id == timer.payload["user"]]
    page_for = _pages(escalation, timer, clock, now=now)
    desk.post([_letter(escalation, clock, item, page_for, now=now) for item in mine])
    return bool(mine)


def _following(desk: Desk, timer: Timer, clock: Clock) -> Timer | None:
    """The rung that comes next."""
    rungs = desk.rungs(clock.kind, clock.row.pk, timer.generation)
    return next((row for row in rungs if row.state == Timer.State.PENDING and row is not timer), None)


def _next_repeat(desk: Desk, timer: Timer, clock: Clock, policy: Ladder, *, now: datetime) -> list[Timer]:
    """The repeat that comes after the last rung (or repeat), unsaved, if there is one: counted from that, even where one
    before it failed for a while and comes after it."""
    last = desk.rungs(timer.kind, timer.subject_id, timer.generation)[-1]
    number = last.payload.get("number", 0) + 1
    found = due_repeat(policy=policy, last_at=last.due_at, number=number, now=now)
    if found is None:
        return []
    rung, number = found
    return [timers.timer_for(timer.kind, clock.row, rung, policy, at=now, number=number)]


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


def fire_unanswered(desk: Desk, timer: Timer, now: datetime) -> bool:
    """Nobody has acknowledged a step: the next one comes now. False when somebody has, or it came already.

    The due step never comes before its moment: those it will tell are told at once that nobody answers.
    """
    clock = _clock(desk, timer)
    if clock is None:
        return False
    unanswered = desk.steps[timer.payload["escalation"]]
    rungs = desk.rungs(clock.kind, clock.row.pk, timer.generation)
    following = next((row for row in rungs if row.pk == timer.payload["next"]), None)
    if following is None or following.state != Timer.State.PENDING or _answered(desk, unanswered):
        return False
    if following.payload["rung"] == DUE:
        _chase(desk, timer, clock, unanswered, following, now=now)
    else:
        _bring_forward(desk, timer, clock, unanswered, following, now=now)
    return True


def _answered(desk: Desk, step: Escalation) -> bool:
    """Whether this step, or any of the same clock since it was told, was acknowledged."""
    answered_at = desk.answered_at(step)
    return answered_at is not None and answered_at >= step.fired_at


def _chase(desk: Desk, timer: Timer, clock: Clock, unanswered: Escalation, following: Timer, *, now: datetime) -> None:
    timer.payload |= {
        "rung": REMINDER,
        "roles": following.payload["roles"],
        "unanswered": unanswered.rung,
        "name": wording.UNANSWERED.to_json(),
    }
    desk.change(timer)
    policy = timers.ladder_of(clock.row, named=timer.payload["ladder"])
    _tell(desk, _escalate(desk, timer, clock, policy, now=now), timer, clock, now=now)


def _bring_forward(
    desk: Desk, timer: Timer, clock: Clock, unanswered: Escalation, following: Timer, *, now: datetime
) -> None:
    at = timer.due_at.astimezone(UTC).isoformat()
    following.payload |= {"sooner_at": at, "unanswered": unanswered.rung}
    following.attempt_at = now
    desk.change(following)
    desk.journal.write(
        incident=clock.incident,
        at=now,
        action="escalation.unanswered",
        subject=clock.subject,
        detail={"rung": unanswered.rung, "next": following.key, "generation": timer.generation},
    )


def shout(timer: Timer, now: datetime) -> None:
    """A timer fails again and again: say so in the journal and to the managers, by every way there is."""
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
        outbox.Letter(
            incident, item.member, messages.failure_message(incident, timer, item.member, now=now), everywhere=True
        )
        for entity in incident.entities.order_by("pk")
        for item in recipients(["manager", "ciso"], entity, incident, at=now)
    ]
    outbox.enqueue_many(letters, at=now)


for rung_kind in (timers.OBLIGATION_RUNG, timers.EVIDENCE_RUNG):
    timers.register_many(rung_kind, fire_rung)
    timers.register_many(UNANSWERED[rung_kind], fire_unanswered)
    timers.register_many(AWAKE[rung_kind], fire_awake)
timers.on_repeated_failure(shout)
