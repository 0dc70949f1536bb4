"""The timers that should exist, derived from duties and evidence anew; every difference is mended, journaled and told.

Those of the ladders, and those that reached steps left beside them (:mod:`incidents.sweep_aside`).

What should exist is found by letting the scheduler plan the subject once more, at the moment it was planned: the sweep knows
nothing of ladders that the scheduler does not.

All incidents are looked at many at once, without a lock. Those of which something differs are looked at again, one by one
and locked, and mended.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from incidents import alarms, health, journal, sweep_aside, timers
from incidents.handlers import Clock
from incidents.models import Evidence, Incident, Obligation, Timer
from incidents.states import OPEN_OBLIGATION, EvidenceState
from incidents.sweep_records import Records, records_of

logger = logging.getLogger("breachclock.sweep")

journal.register({"timer.missing": _("A timer was missing and was set again")})

# So many incidents are read at once.
BATCH = 500
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

    What differs is mended one incident, one transaction. The result stands in the heartbeat ``sweep``, which turns /health red.
    """
    found: list[Difference] = []
    failed = 0
    for batch in batched(_incidents(), BATCH):
        for pk in _suspicious(batch, at=at):
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


def _suspicious(pks: Sequence[int], *, at: datetime) -> list[int]:
    """Those of which something differs, or cannot be compared, at a look without a lock."""
    return [
        records.incident.pk
        for records in records_of(Incident.objects.filter(pk__in=pks).order_by("pk"))
        if _looks_wrong(records, at=at)
    ]


def _looks_wrong(records: Records, *, at: datetime) -> bool:
    try:
        return bool(_differences(records, at=at)) or any(sweep_aside.differences(records, at=at))
    except Exception:  # noqa: BLE001  it is said when the incident is looked at by itself
        return True


def _sweep_incident(pk: int, *, at: datetime) -> list[Difference]:
    with transaction.atomic():
        incident = Incident.objects.select_for_update().get(pk=pk)
        found = _differences(*records_of([incident]), at=at)
        for item in found:
            _mend(item, incident, at=at)
        found += _sweep_aside(*records_of([incident]), at=at)
        if found:
            code = incident.code
            alarms.raise_alarm(f"timers:{code}", lambda: _words(code), at=at, incident=incident)
        return found


def _words(code: str) -> tuple[str, str]:
    return (
        gettext("%(code)s: reminders were missing and were set again") % {"code": code},
        gettext("Look at the clocks of the incident yourself, and find out who or what changed the database."),
    )


def _differences(records: Records, *, at: datetime) -> list[Difference]:
    held: dict[tuple[str, int, int], list[Timer]] = {}
    for row in records.timers:
        held.setdefault((row.kind, row.subject_id, row.generation), []).append(row)
    compared = [
        _compared(clock, held.get((clock.kind, clock.row.pk, clock.row.generation), []), at=at)
        for clock in records.clocks
    ]
    return [item for item in compared if item]


def _misplaced(row: Timer, *, at: datetime) -> bool:
    """Whether a waiting timer would be looked at before its moment, or later than any failure puts it off."""
    early = row.attempt_at < row.due_at and "sooner_at" not in row.payload
    never = row.attempt_at > max(row.due_at, at) + timers.LONGEST_DELAY
    return row.state == Timer.State.PENDING and (early or never)


def _compared(clock: Clock, rows: Sequence[Timer], *, at: datetime) -> Difference:
    expected = _derived(clock.row, at=min((row.created_at for row in rows), default=at))
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
    return Difference(clock.kind, clock.row, tuple(sorted(missing)), tuple(sorted(wrong)))


def _derived(subject: Subject, *, at: datetime) -> dict[str, datetime]:
    """The steps that the scheduler would have planned for ``subject`` at ``at``: their moments by key."""
    planned = timers.planned_for(subject, at=at)
    return {rung.key: rung.at for rung in planned[1]} if planned is not None else {}


def _schedule(subject: Subject, *, at: datetime) -> None:
    if isinstance(subject, Obligation):
        timers.schedule_obligation(obligation=subject, at=at)
    else:
        timers.schedule_evidence(evidence=subject, at=at)


def _sweep_aside(records: Records, *, at: datetime) -> list[Difference]:
    """Set right what differs beside the ladders, and leave word of it."""
    rows = {clock.row.pk: clock.row for clock in records.clocks}
    found = []
    for timer, missing in sweep_aside.mended(records, at=at):
        keys = (timer.key,)
        item = Difference(timer.kind, rows[timer.payload["row"]], keys if missing else (), () if missing else keys)
        _leave_word(item, records.incident, at=at)
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
