"""An incident as it stood at a past moment: what was known, owed, told and filed by then.

Facts, figures and the journal are only ever added, so they are cut at the moment. Duties are assessed anew on what was known,
under the law that spoke then; whether one was met by then is what the journal says. Rows that change (escalations, evidence)
are shown without what came later. Everything here is a copy in memory; none of it can be saved by a page, which is read only.
"""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.db.models import Prefetch

from compliance import releases
from compliance.engine import Duty, Library, Status, assess
from compliance.library import get_policies
from compliance.models import Entity, LawRelease
from incidents import journal
from incidents.models import Dismissal, Escalation, Evidence, Incident, JournalEntry, Obligation, OutboxMessage
from incidents.selectors import Clock, clock_of
from incidents.services import sheets
from incidents.services.assessment import library_of, subject_of
from incidents.states import OPEN_OBLIGATION, EvidenceState, IncidentState, ObligationState

MOST_MOMENTS = 300
_ROUTINE = ("escalation.", "message.", "timer.")
_MET = ("obligation.met", "obligation.met_late")
_INCIDENT_STATE = {
    "incident.reported": IncidentState.REPORTED,
    "incident.assessing": IncidentState.ASSESSING,
    "incident.confirmed": IncidentState.CONFIRMED,
    "incident.dismissed": IncidentState.DISMISSED,
    "incident.closed": IncidentState.CLOSED,
    "incident.reopened": IncidentState.ASSESSING,
}
_STATUS = {
    Status.REQUIRED: ObligationState.RUNNING,
    Status.POSSIBLE: ObligationState.POSSIBLE,
    Status.NOT_REQUIRED: ObligationState.NOT_REQUIRED,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant at which something was written down: the first of it in words, and how many more things."""

    at: datetime
    action: str
    more: int

    @property
    def iso(self) -> str:
        """As it stands in an address: to the microsecond, in UTC."""
        return self.at.astimezone(UTC).isoformat().replace("+00:00", "Z")

    @property
    def words(self) -> Any:
        """What was done."""
        return journal.message(self.action)


def moments_of(incident: Incident, *, until: datetime) -> list[Moment]:
    """The instants at which anything was recorded up to ``until``, oldest first: the stops of the slider.

    Of a long incident, those with nothing but messages and escalation steps are left out, then every second one, until they
    are few enough to choose from.
    """
    return stops(actions_of(incident, until=until))


def actions_of(incident: Incident, *, until: datetime) -> list[tuple[datetime, str]]:
    """When what was done, up to ``until``, in the order of time."""
    entries = JournalEntry.objects.filter(chain=incident.code, at__lte=until).order_by("at", "sequence")
    return list(entries.values_list("at", "action"))


def stops(entries: Iterable[tuple[datetime, str]]) -> list[Moment]:
    """:func:`moments_of`, from what was read."""
    found = []
    for at, rows in groupby(entries, key=lambda row: row[0]):
        actions = [action for _at, action in rows]
        telling = [action for action in actions if not action.startswith(_ROUTINE)]
        found.append(Moment(at, (telling or actions)[0], len(actions) - 1))
    if len(found) > MOST_MOMENTS:
        found = [moment for moment in found if not moment.action.startswith(_ROUTINE)]
    while len(found) > MOST_MOMENTS:
        found = [*found[:-1:2], found[-1]]
    return found


@dataclass(frozen=True, slots=True)
class Then:
    """The incident at ``at``: a copy with its state then, what was known, the clocks, and the duties by entity as assessed."""

    at: datetime
    incident: Incident
    known: sheets.Known
    library: Library
    clocks: list[Clock]


def incident_as_of(incident: Incident, *, at: datetime) -> Then:
    """``incident`` as it stood at ``at`` (aware, not before it was reported)."""
    entries = list(JournalEntry.objects.filter(chain=incident.code, at__lte=at).order_by("sequence"))
    library = _law(incident, at=at)
    now = _incident(incident, entries, at=at)
    rows = _rows(incident, now, entries, at=at)
    known = replace(sheets.read(incident, as_of=at), obligations=tuple(rows))
    for entity in incident.entities.all():
        _assess(entity, [row for row in rows if row.entity_id == entity.pk], now, known, library, at=at)
    clocks = sorted(
        (clock_of(row, now=at) for row in rows),
        key=lambda clock: (clock.obligation.state not in OPEN_OBLIGATION, clock.sort_key),
    )
    return Then(at, now, known, library, clocks)


def _set(row: Any, **values: Any) -> None:
    """Put values into a copy, also where a state is kept from being set by hand."""
    row.__dict__.update(values)


def _incident(incident: Incident, entries: Sequence[JournalEntry], *, at: datetime) -> Incident:
    then = copy.copy(incident)
    told = [_INCIDENT_STATE[entry.action] for entry in entries if entry.action in _INCIDENT_STATE]
    # The clock of a replay stands still at its end; here it stands at the moment asked for.
    _set(then, state=told[-1] if told else IncidentState.REPORTED, clock_at=at)
    if incident.closed_at is not None and incident.closed_at > at:
        then.closed_at = None
    return then


def _law(incident: Incident, *, at: datetime) -> Library:
    """The release of law that spoke then: a later one was accepted by a person, and the journal keeps when."""
    accepted = JournalEntry.objects.filter(chain=incident.code, action="law.accepted").order_by("sequence")
    steps = [(entry.at, entry.detail.get("from", ""), entry.detail.get("to", "")) for entry in accepted]
    later = [step for step in steps if step[0] > at]
    if not later:
        return library_of(incident)
    digest = LawRelease.objects.filter(digest__startswith=later[0][1]).values_list("digest", flat=True).first()
    earlier = [step for step in steps if step[0] <= at]
    return releases.library_at(digest or "", days_known_at=earlier[-1][0] if earlier else incident.reported_at)


def _rows(incident: Incident, then: Incident, entries: Sequence[JournalEntry], *, at: datetime) -> list[Obligation]:
    """Copies of the obligations that existed, with whether they were met or excused by then."""
    escalations = Prefetch("escalations", escalations_until(at))
    rows = incident.obligations.filter(opened_at__lte=at).select_related("entity", "late_reason_by")
    found = []
    single = len(incident.entities.all()) == 1
    for row in rows.prefetch_related(escalations, "excuses").order_by("pk"):
        made = copy.copy(row)
        made.incident = then
        held = row.__dict__["_prefetched_objects_cache"]
        excuses = [item for item in held["excuses"] if item.requested_at <= at]
        excused = any(item.approved and item.decided_at and item.decided_at <= at for item in excuses)
        for item in excuses:
            if item.decided_at and item.decided_at > at:
                item.approved = None
        reached = [_escalation(item, at=at) for item in held["escalations"]]
        _set(
            made,
            _prefetched_objects_cache={"escalations": reached, "excuses": excuses},
            state=ObligationState.EXCUSED if excused else ObligationState.RUNNING,
            met_at=_met(row, entries, single=single),
        )
        if row.late_reason_at is not None and row.late_reason_at > at:
            made.late_reason, made.late_reason_by, made.late_reason_at = "", None, None
        found.append(made)
    return found


def _met(row: Obligation, entries: Iterable[JournalEntry], *, single: bool) -> datetime | None:
    """When the duty was done, if the journal knew of it by then. Entries do not name the entity: with several entities, the
    moment must be the one that the row itself still has."""
    subject, met = subject_of(row), None
    for entry in entries:
        if entry.subject != subject:
            continue
        if entry.action in _MET:
            done = datetime.fromisoformat(entry.detail["done_at"])
            met = done if single or done == row.met_at else met
        elif entry.action == "obligation.reopened":
            met = None
    return met


def _assess(
    entity: Entity, rows: Sequence[Obligation], then: Incident, known: sheets.Known, library: Library, *, at: datetime
) -> None:
    """Write into the copies what was owed, as assessed on what was known then."""
    sheet = sheets.fact_sheet(then, entity, as_of=at, known=known)
    duties = {duty.identity: duty for duty in assess(library, sheet, sheets.profile(entity), at).duties}
    for row in rows:
        duty = duties.get(row.identity)
        if duty is not None and duty.status is not Status.NOT_REQUIRED:
            _copy(row, duty)
        elif duty is not None:
            row.duty = duty.to_json()
        if row.state == ObligationState.EXCUSED:
            continue
        _set(row, state=_state(row, duty))


def _state(row: Obligation, duty: Duty | None) -> ObligationState:
    if row.met_at is not None:
        late = row.due_at is not None and row.met_at > row.due_at
        return ObligationState.MET_LATE if late else ObligationState.MET
    return _STATUS[duty.status] if duty is not None else ObligationState.NOT_REQUIRED


def _copy(row: Obligation, duty: Duty) -> None:
    row.duty, row.version, row.standard = duty.to_json(), duty.version, duty.standard
    row.starts_at, row.due_at, row.due_zone = duty.starts_at, duty.due_at, duty.due_zone
    target = get_policies().target(duty.standard, duty.starts_at, row.opened_at)
    row.target_at = None if duty.due_at is not None else target


def escalations_until(at: datetime) -> Any:
    """The escalation steps that had happened by ``at``, with what was told by then."""
    told = OutboxMessage.objects.filter(created_at__lte=at).select_related("recipient")
    rows = Escalation.objects.filter(fired_at__lte=at).select_related("acknowledged_by", "obligation", "evidence")
    return rows.prefetch_related(Prefetch("messages", told)).order_by("at", "pk")


def escalations_of(incident: Incident, *, at: datetime) -> list[Escalation]:
    """The steps of ``incident`` reached by ``at``, newest first, acknowledged only if they were by then."""
    rows = [_escalation(row, at=at) for row in escalations_until(at).filter(incident=incident)]
    return list(reversed(rows))


def _escalation(row: Escalation, *, at: datetime) -> Escalation:
    if row.acknowledged_at is not None and row.acknowledged_at > at:
        row.acknowledged_at, row.acknowledged_by, row.acknowledged_link = None, None, ""
    for message in row.messages.all():
        if message.sent_at is not None and message.sent_at > at:
            message.state = OutboxMessage.State.PENDING
    return row


def evidence_of(incident: Incident, *, at: datetime) -> list[Evidence]:
    """The evidence recorded by ``at``; what was settled later is at risk still."""
    rows = []
    for row in incident.evidence_items.filter(recorded_at__lte=at).select_related("settled_by"):
        if row.settled_at is not None and row.settled_at > at:
            _set(row, state=EvidenceState.AT_RISK, settled_at=None, settled_note="")
        rows.append(row)
    return rows


def dismissal_of(incident: Incident, *, at: datetime) -> Dismissal | None:
    """The request to dismiss that waited at ``at``, if one did."""
    rows = incident.dismissals.filter(requested_at__lte=at).select_related("requested_by").order_by("pk")
    waiting = [row for row in rows if row.decided_at is None or row.decided_at > at]
    return waiting[-1] if waiting else None
