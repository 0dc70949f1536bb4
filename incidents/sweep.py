"""The timers that should exist, derived from the duties and evidence; a difference is mended and shouted about."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from incidents import journal, timers
from incidents.models import Evidence, Incident, Obligation, Timer
from incidents.states import OPEN_OBLIGATION, EvidenceState

logger = logging.getLogger("breachclock.sweep")

journal.register({"timer.missing": _("A timer was missing and was set again")})


@dataclass(frozen=True, slots=True)
class Missing:
    """A subject whose clock runs but which no pending timer watches."""

    kind: str
    subject: Obligation | Evidence


def sweep(*, at: datetime) -> list[Missing]:
    """Find every running clock without a pending timer, set it again, and write it into the journal."""
    found = list(_missing())
    for item in found:
        _mend(item, at=at)
    return found


def _missing() -> Iterator[Missing]:
    duties = Obligation.objects.filter(state__in=OPEN_OBLIGATION).exclude(due_at=None, target_at=None)
    for row in _unwatched(duties, timers.OBLIGATION_RUNG):
        yield Missing(timers.OBLIGATION_RUNG, row)
    # Evidence that has expired has said what it had to say.
    evidence = Evidence.objects.filter(state=EvidenceState.AT_RISK, expires_at__isnull=False, expired_at=None)
    for item in _unwatched(evidence, timers.EVIDENCE_RUNG):
        yield Missing(timers.EVIDENCE_RUNG, item)


def _unwatched(rows: QuerySet, kind: str) -> QuerySet:
    watching = Timer.objects.filter(
        kind=kind, subject_id=OuterRef("pk"), generation=OuterRef("generation"), state=Timer.State.PENDING
    )
    real = rows.exclude(incident__kind=Incident.Kind.REPLAY)
    return real.filter(~Exists(watching)).select_related("incident")


def _mend(item: Missing, *, at: datetime) -> None:
    subject = item.subject
    with transaction.atomic():
        incident = Incident.objects.select_for_update().get(pk=subject.incident_id)
        # A new generation: the unique key of a timer that vanished half-way must not stand in the way.
        subject.generation += 1
        subject.save()
        if isinstance(subject, Obligation):
            timers.schedule_obligation(obligation=subject, at=at)
        else:
            timers.schedule_evidence(evidence=subject, at=at)
        journal.write(incident=incident, at=at, by=None, action="timer.missing", subject=f"{item.kind} {subject.pk}")
    logger.error("timer missing for %s %s: set again", item.kind, subject.pk)
