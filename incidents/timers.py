"""Timers that can't be lost: the due instant is a column, the dispatcher (:mod:`incidents.firing`) looks, everything else
is a nudge.

Re-timing raises the generation of the subject and inserts; nothing is cancelled, the dispatcher finds stale ones obsolete.

``due_at`` never changes. ``attempt_at``, when the dispatcher looks, is later after a failure and earlier when a step is
brought forward because nobody acknowledged the one before.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from compliance.engine import Ladder, Rung, Subject, ladder
from compliance.engine.policies import EVIDENCE, POSSIBLE, REQUIRED, UNSURE, WITHOUT_NUMBER
from compliance.library import get_policies
from incidents.firing import (
    LONGEST_DELAY,
    SHOUT_AFTER,
    FireReport,
    fire_due,
    fire_reading,
    next_due,
    on_repeated_failure,
    register,
    register_many,
)
from incidents.models import Evidence, Incident, Obligation, Timer
from incidents.states import OPEN_OBLIGATION, ObligationState

__all__ = [
    "EVIDENCE_RUNG", "LONGEST_DELAY", "OBLIGATION_RUNG", "SHOUT_AFTER", "FireReport", "climb_again", "fire_due", "fire_reading", "kind_of",
    "ladder_of", "next_due", "on_repeated_failure", "planned_for", "register", "register_many", "schedule_evidence", "schedule_obligation",
    "timer_for",
]  # fmt: skip

OBLIGATION_RUNG = "obligation.rung"
EVIDENCE_RUNG = "evidence.rung"


def schedule_obligation(*, obligation: Obligation, at: datetime) -> None:
    """Insert the rungs of the obligation's present generation. Repeating inserts nothing."""
    planned = planned_for(obligation, at=at)
    if planned is None:
        return
    policy, rungs = planned
    if obligation.ladder != policy.key:
        obligation.ladder = policy.key
        Obligation.objects.filter(pk=obligation.pk).update(ladder=policy.key)
    _insert(OBLIGATION_RUNG, obligation, rungs, policy, at=at)


def schedule_evidence(*, evidence: Evidence, at: datetime) -> None:
    """Insert the rungs of "preserve before". Repeating inserts nothing."""
    planned = planned_for(evidence, at=at)
    if planned is not None:
        policy, rungs = planned
        _insert(EVIDENCE_RUNG, evidence, rungs, policy, at=at)


def planned_for(subject: Obligation | Evidence, *, at: datetime) -> tuple[Ladder, Sequence[Rung]] | None:
    """The ladder of ``subject`` and its rungs as they are planned at ``at``; None where its clock has no end."""
    starts_at: datetime | None
    if isinstance(subject, Obligation):
        end, starts_at = subject.due_at or subject.target_at, _begins(subject)
    else:
        end, starts_at = subject.expires_at, at
    if end is None:
        return None
    policy = ladder_of(subject)
    return policy, list(ladder(opened_at=at, starts_at=starts_at, due_at=end, policy=policy))


def climb_again(incident: Incident, *, at: datetime) -> None:
    """Put the open duties of ``incident`` (locked) on another ladder where its severity asks for one now."""
    for row in incident.obligations.filter(state__in=OPEN_OBLIGATION).order_by("pk"):
        if row.ladder and row.ladder != ladder_of(row).key:
            row.generation += 1
            row.save()
            schedule_obligation(obligation=row, at=at)


def ladder_of(subject: Obligation | Evidence, *, named: str = "") -> Ladder:
    """The ladder ``subject`` has to climb; the one ``named``, as long as the house still has it."""
    policies = get_policies()
    matched = _subject(subject)
    return policies.ladder_named(named, matched) if named else policies.ladder_for(matched)


def _subject(row: Obligation | Evidence) -> Subject:
    if isinstance(row, Evidence):
        length = row.expires_at - row.recorded_at if row.expires_at else None
        return Subject(kind=EVIDENCE, length=length, severity=row.incident.severity)
    end = row.due_at or row.target_at
    return Subject(
        kind=kind_of(row),
        length=end - min(_begins(row) or row.opened_at, end) if end else None,
        severity=row.incident.severity,
        jurisdiction=row.jurisdiction,
        authorities=tuple(name for item in row.duty["addressees"] for name in item.values()),
        audience=row.audience,
    )


def _begins(row: Obligation) -> datetime | None:
    """Whence the time of its ladder runs. That for confirming a rule runs from the opening, whatever its clock."""
    return None if kind_of(row) == UNSURE else row.starts_at


def kind_of(row: Obligation) -> str:
    """Which kind of clock a duty is, in the words of the policies."""
    if row.state == ObligationState.POSSIBLE:
        unsure = row.due_at is None and row.duty.get("confidence") == "low"
        return UNSURE if unsure else POSSIBLE
    return REQUIRED if row.due_at is not None else WITHOUT_NUMBER


def _insert(kind: str, subject: Obligation | Evidence, rungs: Iterable[Rung], policy: Ladder, *, at: datetime) -> None:
    rows = [timer_for(kind, subject, rung, policy, at=at) for rung in rungs]
    Timer.objects.bulk_create(rows, ignore_conflicts=True)


def timer_for(
    kind: str, subject: Obligation | Evidence, rung: Rung, policy: Ladder, *, at: datetime, number: int = 0
) -> Timer:
    """An unsaved timer for one rung of the subject's present generation; ``number``: which repeat it is."""
    return Timer(
        incident=subject.incident,
        clock=subject.incident.timer_clock,
        kind=kind,
        subject_id=subject.pk,
        key=rung.key,
        generation=subject.generation,
        payload=_payload(rung, policy, number),
        due_at=rung.at,
        attempt_at=rung.at,
        created_at=at,
    )


def _payload(rung: Rung, policy: Ladder, number: int) -> dict[str, Any]:
    """What a timer remembers of its rung. The words are copied: a changed policy does not rename what is planned."""
    return {
        "ladder": policy.key,
        "roles": list(rung.roles),
        "rung": rung.kind,
        "name": rung.name.to_json(),
        "number": number,
        "merged": [[key, name.to_json()] for key, name in rung.merged],
        "found_overdue": rung.found_overdue,
    }
