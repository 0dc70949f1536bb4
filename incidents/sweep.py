"""The timers that should exist, derived from duties and evidence anew; every difference is mended, journaled and told.

Those of the ladders, and those that reached steps left beside them (:mod:`incidents.sweep_aside`).

What should exist is found by letting the scheduler plan the subject once more, at the moment it was planned, under a
generation that no subject has, and taking that back: the sweep knows nothing of ladders that the scheduler does not.
"""

import copy
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from incidents import alarms, health, journal, sweep_aside, timers
from incidents.handlers import Clock
from incidents.models import Evidence, Incident, Obligation, Timer
from incidents.states import OPEN_OBLIGATION, EvidenceState

logger = logging.getLogger("breachclock.sweep")

journal.register({"timer.missing": _("A timer was missing and was set again")})

NO_GENERATION = 2_000_000_000
# An open duty whose steps have all been reached has a repeat before it; this key stands for it.
REPEAT = "repeat"
Subject = Obligation | Evidence


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs of one subject: steps that have no timer, and steps whose timer says something else."""

    kind: str
    subject: Subject
    missing: tuple[str, ...]
    wrong: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.wrong)

    def __str__(self) -> str:
        return f"{self.kind} {self.subject.pk}: missing {list(self.missing)}, wrong {list(self.wrong)}"


def sweep(*, at: datetime) -> list[Difference]:
    """Compare every running clock with its timers, set right what differs, and leave word of it. Repeating finds nothing.

    One incident, one transaction. The result stands in the heartbeat ``sweep``, which turns /health red.
    """
    found: list[Difference] = []
    failed = 0
    for pk in _incidents():
        try:
            found += _sweep_incident(pk, at=at)
        except Exception:  # one incident that cannot be swept must not hide the others
            logger.exception("incident %s could not be swept", pk)
            failed += 1
    health.beat_found("sweep", at=at, wrong=bool(found or failed), detail={"differences": len(found), "failed": failed})
    return found


def _incidents() -> Iterator[int]:
    open_duty = Q(obligations__state__in=OPEN_OBLIGATION)
    at_risk = Q(evidence_items__state=EvidenceState.AT_RISK)
    rows = Incident.objects.exclude(kind=Incident.Kind.REPLAY).filter(open_duty | at_risk)
    return rows.order_by("pk").values_list("pk", flat=True).distinct().iterator(chunk_size=1000)


def _sweep_incident(pk: int, *, at: datetime) -> list[Difference]:
    with transaction.atomic():
        incident = Incident.objects.select_for_update().get(pk=pk)
        found = _differences(incident, at=at)
        for item in found:
            _mend(item, incident, at=at)
        found += _sweep_aside(incident, at=at)
        if found:
            code = incident.code
            alarms.raise_alarm(f"timers:{code}", lambda: _words(code), at=at, incident=incident)
        return found


def _words(code: str) -> tuple[str, str]:
    return (
        gettext("%(code)s: reminders were missing and were set again") % {"code": code},
        gettext("Look at the clocks of the incident yourself, and find out who or what changed the database."),
    )


def _clocks(incident: Incident) -> Iterator[tuple[str, Subject]]:
    duties = incident.obligations.filter(state__in=OPEN_OBLIGATION).exclude(due_at=None, target_at=None)
    for row in duties.order_by("pk"):
        row.incident = incident
        yield timers.OBLIGATION_RUNG, row
    # Evidence that has expired has said what it had to say.
    items = incident.evidence_items.filter(state=EvidenceState.AT_RISK, expires_at__isnull=False, expired_at=None)
    for item in items.order_by("pk"):
        item.incident = incident
        yield timers.EVIDENCE_RUNG, item


def _differences(incident: Incident, *, at: datetime) -> list[Difference]:
    clocks = list(_clocks(incident))
    held: dict[tuple[str, int, int], list[Timer]] = {}
    for row in Timer.objects.filter(incident=incident):
        held.setdefault((row.kind, row.subject_id, row.generation), []).append(row)
    rows = [held.get((kind, subject.pk, subject.generation), []) for kind, subject in clocks]
    planned_at = [min((row.created_at for row in found), default=at) for found in rows]
    planned = _derived(incident, clocks, planned_at)
    compared = [
        _compared(kind, subject, found, planned.get((kind, subject.pk), {}), at=at)
        for (kind, subject), found in zip(clocks, rows, strict=True)
    ]
    return [item for item in compared if item]


def _misplaced(row: Timer, *, at: datetime) -> bool:
    """Whether a waiting timer would be looked at before its moment, or later than any failure puts it off."""
    early = row.attempt_at < row.due_at and "sooner_at" not in row.payload
    never = row.attempt_at > max(row.due_at, at) + timers.LONGEST_DELAY
    return row.state == Timer.State.PENDING and (early or never)


def _compared(
    kind: str, subject: Subject, rows: list[Timer], expected: dict[str, datetime], *, at: datetime
) -> Difference:
    held = {row.key for row in rows}
    missing = [key for key in expected if key not in held]
    wrong = [
        row.key
        for row in rows
        if row.state == Timer.State.OBSOLETE
        or row.due_at != expected.get(row.key, row.due_at)
        or _misplaced(row, at=at)
    ]
    if not missing and not wrong and not any(row.state == Timer.State.PENDING for row in rows):
        missing = [REPEAT]
    return Difference(kind, subject, tuple(sorted(missing)), tuple(sorted(wrong)))


Planned = dict[tuple[str, int], dict[str, datetime]]


def _derived(incident: Incident, clocks: list[tuple[str, Subject]], planned_at: list[datetime]) -> Planned:
    """The steps that the scheduler would plan for each clock: their moments by key. Leaves nothing behind."""
    planned: Planned = {}
    with transaction.atomic():
        for (_kind, subject), at in zip(clocks, planned_at, strict=True):
            draft = copy.copy(subject)
            draft.generation = NO_GENERATION
            _schedule(draft, at=at)
        for row in Timer.objects.filter(incident=incident, generation=NO_GENERATION):
            planned.setdefault((row.kind, row.subject_id), {})[row.key] = row.due_at
        transaction.set_rollback(True)
    return planned


def _schedule(subject: Subject, *, at: datetime) -> None:
    if isinstance(subject, Obligation):
        timers.schedule_obligation(obligation=subject, at=at)
    else:
        timers.schedule_evidence(evidence=subject, at=at)


def _sweep_aside(incident: Incident, *, at: datetime) -> list[Difference]:
    """Compare the timers beside the ladders, set right what differs, and leave word of it."""
    entities = list(incident.entities.order_by("pk"))
    clocks = [
        Clock(incident, row, [row.entity] if isinstance(row, Obligation) else entities)
        for _kind, row in _clocks(incident)
    ]
    rows = {clock.row.pk: clock.row for clock in clocks}
    found = []
    for timer, missing in sweep_aside.mended(incident, clocks, at=at):
        keys = (timer.key,)
        item = Difference(timer.kind, rows[timer.payload["row"]], keys if missing else (), () if missing else keys)
        _leave_word(item, incident, at=at)
        found.append(item)
    return found


def _mend(item: Difference, incident: Incident, *, at: datetime) -> None:
    """Add what is missing; where that is not enough, plan the subject anew under a new generation."""
    subject = item.subject
    rows = Timer.objects.filter(kind=item.kind, subject_id=subject.pk, generation=subject.generation)
    if item.wrong or REPEAT in item.missing:
        subject.generation += 1
        subject.save()
        _schedule(subject, at=at)
    else:
        _schedule(subject, at=min(rows.values_list("created_at", flat=True), default=at))
    _leave_word(item, incident, at=at)


def _leave_word(item: Difference, incident: Incident, *, at: datetime) -> None:
    detail = {"missing": list(item.missing), "wrong": list(item.wrong)}
    name = f"{item.kind} {item.subject.pk}"
    journal.write(incident=incident, at=at, by=None, action="timer.missing", subject=name, detail=detail)
    logger.error("timers differ for %s: set again", item)
