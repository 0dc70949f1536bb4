"""What the sweep compares: the open clocks of some incidents, their timers and the steps that were reached, read at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from incidents.handlers import Clock
from incidents.models import Escalation, Evidence, Incident, Obligation, OutboxMessage, Timer
from incidents.states import OPEN_OBLIGATION, EvidenceState


@dataclass(frozen=True, slots=True)
class Records:
    """Of one incident: its open clocks, all its timers, and the steps in the order in which they were reached.

    ``told``: which of the steps that left somebody asleep (primary keys) told somebody else at once.
    """

    incident: Incident
    clocks: Sequence[Clock]
    timers: Sequence[Timer]
    steps: Sequence[Escalation]
    told: frozenset[int]


def records_of(incidents: Iterable[Incident]) -> list[Records]:
    """The records of each incident, in a number of queries that does not grow with theirs."""
    held = {incident.pk: incident for incident in incidents}
    open_duties = Obligation.objects.filter(state__in=OPEN_OBLIGATION).exclude(due_at=None, target_at=None)
    duties = _by_incident(open_duties.select_related("entity"), held)
    # Evidence that has expired has said what it had to say.
    at_risk = Evidence.objects.filter(state=EvidenceState.AT_RISK, expires_at__isnull=False, expired_at=None)
    items = _by_incident(at_risk, held)
    through = Incident.entities.through.objects.filter(incident__in=list(items)).select_related("entity")
    entities = defaultdict(list)
    for row in through.order_by("entity"):
        entities[row.incident_id].append(row.entity)
    timers = _by_incident(Timer.objects.all(), held)
    steps = _by_incident(Escalation.objects.all(), held)
    told = _told(step for found in steps.values() for step in found)
    return [
        Records(
            incident,
            [Clock(incident, row, [row.entity]) for row in duties[pk]]
            + [Clock(incident, row, entities[pk]) for row in items[pk]],
            timers[pk],
            steps[pk],
            told,
        )
        for pk, incident in held.items()
    ]


def _told(steps: Iterable[Escalation]) -> frozenset[int]:
    partly = [step.pk for step in steps if step.detail.get("asleep")]
    at_once = OutboxMessage.objects.filter(escalation__in=partly, created_at=F("escalation__fired_at"))
    return frozenset(at_once.values_list("escalation", flat=True))


def _by_incident(rows: Any, incidents: Mapping[int, Incident]) -> dict[int, list[Any]]:
    found = defaultdict(list)
    for row in rows.filter(incident__in=list(incidents)).order_by("pk"):
        row.incident = incidents[row.incident_id]
        found[row.incident_id].append(row)
    return found
