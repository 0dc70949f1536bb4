"""Facts in, duties out: compute what is owed and carry the differences into the obligations."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.db.models import Q

from compliance import releases
from compliance.engine import Assessment, Change, Duty, Held, Library, Status, assess, diff
from compliance.engine.assess import LOW
from compliance.library import get_policies
from compliance.models import Entity, RuleSnapshot
from incidents import journal, severity, timers
from incidents.models import Incident, Obligation
from incidents.services import sheets
from incidents.services.common import changing
from incidents.states import CLOCK_RUNS, OPEN_OBLIGATION, ObligationState


def reassess(*, incident: Incident, at: datetime, by: User | None) -> None:
    """Compute the duties of ``incident`` as known at ``at`` and bring the obligations in line. Repeating changes nothing."""
    with changing(incident, at=at) as locked:
        reassess_locked(locked, at=at, by=by)


def assessment_of(incident: Incident, entity: Entity, *, as_of: datetime) -> Assessment:
    """What the law asks of ``entity`` given what was known of ``incident`` at ``as_of``. Writes nothing."""
    sheet = sheets.fact_sheet(incident, entity, as_of=as_of)
    return assess(library_of(incident), sheet, sheets.profile(entity), as_of)


def library_of(incident: Incident) -> Library:
    """The release of the law that speaks about ``incident``, with the days off known when it was taken."""
    return releases.library_at(incident.law_digest, days_known_at=incident.law_at or incident.reported_at)


def reassess_locked(incident: Incident, *, at: datetime, by: User | None, only: Entity | None = None) -> None:
    """:func:`reassess` for a caller that holds the incident's lock.

    ``only``: what was done concerns this entity's duties alone (its own acts), so the others' need no second look.
    """
    known = sheets.read(incident, as_of=at)
    library = library_of(incident)
    entities = [
        (entity, sheets.fact_sheet(incident, entity, as_of=at, known=known))
        for entity in ([only] if only else incident.entities.order_by("pk"))
    ]
    another = False if only else severity.settle(incident, [sheet.facts for _entity, sheet in entities], at=at)
    for entity, sheet in entities:
        duties = assess(library, sheet, sheets.profile(entity), at).duties
        held = {row.identity: row for row in known.obligations if row.entity_id == entity.pk}
        for change in diff([held_of(row) for row in held.values()], duties):
            _apply(change, held.get(change.identity), incident, entity, library, at=at, by=by)
    if another:
        timers.climb_again(incident, at=at)


def held_of(row: Obligation) -> Held:
    """The obligation as the engine compares it."""
    state_to_status = {
        ObligationState.POSSIBLE: Status.POSSIBLE,
        ObligationState.NOT_REQUIRED: Status.NOT_REQUIRED,
    }
    return Held(
        identity=row.identity,
        status=state_to_status.get(row.state, Status.REQUIRED),
        due_at=row.due_at,
        starts_at=row.starts_at,
        standard=row.standard,
        open=row.state in OPEN_OBLIGATION,
    )


def _apply(
    change: Change,
    row: Obligation | None,
    incident: Incident,
    entity: Entity,
    library: Library,
    *,
    at: datetime,
    by: User | None,
) -> None:
    if row is None:
        if change.duty is not None and change.kind == "open":
            _keep_snapshot(change.duty, library, at=at)
            _open(change.duty, incident, entity, at=at, by=by)
        return
    if row.state == ObligationState.EXCUSED:
        return
    if change.duty is None:
        _lapse(row, at=at, by=by)
        return
    if row.rule_digest != change.duty.digest:
        _keep_snapshot(change.duty, library, at=at)
    _carry(row, change.duty, at=at, by=by)


def _open(duty: Duty, incident: Incident, entity: Entity, *, at: datetime, by: User | None) -> None:
    row = Obligation(
        incident=incident,
        entity=entity,
        rule=duty.rule,
        stage=duty.stage,
        occurrence=duty.occurrence,
        audience=duty.audience,
        jurisdiction=duty.jurisdiction,
        state=ObligationState.RUNNING if duty.status == Status.REQUIRED else ObligationState.POSSIBLE,
        opened_at=at,
    )
    _copy(row, duty, at=at)
    row.save(force_insert=True)
    _journal(row, "obligation.opened", at=at, by=by)
    timers.schedule_obligation(obligation=row, at=at)


def _carry(row: Obligation, duty: Duty, *, at: datetime, by: User | None) -> None:
    """Bring a held obligation in line with the duty as now computed; journal each kind of change by its own name."""
    if _unchanged(row, duty):
        return
    before = (row.due_at, row.target_at, row.state)
    pinned = row.rule_digest
    was_due = row.due_at
    _copy(row, duty, at=at)
    actions = _move(row, duty, at=at)
    if row.due_at != was_due:
        actions.append("obligation.retimed")
    if row.rule_digest != pinned:
        actions.append("obligation.repinned")
    reschedule = row.state in OPEN_OBLIGATION and (row.due_at, row.target_at, row.state) != before
    if reschedule:
        row.generation += 1
        row.overdue_at = None if row.state != ObligationState.OVERDUE else row.overdue_at
    row.save()
    for action in actions:
        _journal(row, action, at=at, by=by, was_due=was_due)
    if reschedule:
        timers.schedule_obligation(obligation=row, at=at)


def _unchanged(row: Obligation, duty: Duty) -> bool:
    """Whether the duty is what was written down before, to the word, so that nothing has to be looked at again."""
    if row.rule_digest != duty.digest or row.met_at is not None:
        return False
    stands = {
        Status.REQUIRED: row.state in CLOCK_RUNS,
        Status.POSSIBLE: row.state == ObligationState.POSSIBLE,
        Status.NOT_REQUIRED: row.state == ObligationState.NOT_REQUIRED,
    }
    return stands[duty.status] and bool(row.duty == duty.to_json())


def _move(row: Obligation, duty: Duty, *, at: datetime) -> list[str]:
    """Change the state to what the duty's status asks for; answer the journal actions of that."""
    if row.met_at is not None and row.state in (ObligationState.MET, ObligationState.MET_LATE):
        return _judge_again(row)
    if duty.status == Status.NOT_REQUIRED:
        if row.state in OPEN_OBLIGATION:
            row.lapse()
            return ["obligation.lapsed"]
        return []
    if row.state == ObligationState.NOT_REQUIRED:
        (row.revive if duty.status == Status.REQUIRED else row.revive_as_possible)()
        return ["obligation.revived"]
    if row.state == ObligationState.POSSIBLE and duty.status == Status.REQUIRED:
        row.harden()
        return ["obligation.hardened"]
    if row.state in CLOCK_RUNS and duty.status == Status.POSSIBLE:
        row.soften()
        return ["obligation.softened"]
    if row.state == ObligationState.OVERDUE and (row.due_at is None or row.due_at > at):
        row.extend()
    return []


def _judge_again(row: Obligation) -> list[str]:
    """A clock that moved after the duty was met may make what was in time late, or the reverse. Never in silence."""
    late = row.met_at is not None and row.due_at is not None and row.met_at > row.due_at
    if late and row.state == ObligationState.MET:
        row.judge_late()
        return ["obligation.judged_late"]
    if not late and row.state == ObligationState.MET_LATE:
        row.judge_timely()
        return ["obligation.judged_timely"]
    return []


def _lapse(row: Obligation, *, at: datetime, by: User | None) -> None:
    """The engine no longer names the duty at all (its event was taken back, or no version of the rule is in force)."""
    if row.state not in OPEN_OBLIGATION:
        return
    row.lapse()
    row.save()
    _journal(row, "obligation.lapsed", at=at, by=by)


def _copy(row: Obligation, duty: Duty, *, at: datetime) -> None:
    row.version = duty.version
    row.revision = duty.revision
    row.rule_digest = duty.digest
    row.duty = duty.to_json()
    if duty.status is Status.NOT_REQUIRED and row.pk is not None:
        return  # the clock it had stays readable
    row.standard = duty.standard
    row.starts_at = duty.starts_at
    row.due_at = duty.due_at
    row.due_zone = duty.due_zone
    row.target_at = None if duty.due_at is not None else _house_target(row, duty)


def _house_target(row: Obligation, duty: Duty) -> datetime:
    """The house's aim where the law gives no moment; for a rule of low confidence, when a lawyer should have confirmed it."""
    unsure = duty.confidence == LOW and duty.status is Status.POSSIBLE
    return get_policies().target(duty.standard, duty.starts_at, row.opened_at, unsure=unsure)


def _keep_snapshot(duty: Duty, library: Library, *, at: datetime) -> None:
    """Keep the text of the rule version the first time an obligation relies on it."""
    if RuleSnapshot.objects.filter(digest=duty.digest).exists():
        return
    content = library.version(duty.rule, duty.version).to_json()
    RuleSnapshot.objects.bulk_create(
        [
            RuleSnapshot(
                digest=duty.digest,
                rule=duty.rule,
                version=duty.version,
                revision=duty.revision,
                content=content,
                first_used_at=at,
            )
        ],
        ignore_conflicts=True,
    )


def _journal(
    row: Obligation,
    action: str,
    *,
    at: datetime,
    by: User | None,
    was_due: datetime | None = None,
) -> None:
    detail = {
        "entity": row.entity.key,
        "state": row.state,
        "version": row.version,
        "rule_digest": row.rule_digest,
        "starts_at": _iso(row.starts_at),
        "due_at": _iso(row.due_at),
    }
    if action == "obligation.retimed":
        detail["was_due_at"] = _iso(was_due)
    journal.write(
        incident=row.incident, at=at, by=by, action=action, subject=subject_of(row), new=row.duty, detail=detail
    )


def subject_of(row: Obligation) -> str:
    """How the journal names an obligation."""
    return f"duty {row.rule}/{row.stage}" + (f" {row.occurrence}" if row.occurrence else "")


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def open_or_unanswered(incident: Incident) -> Iterable[Obligation]:
    """The obligations over which nothing may be closed."""
    return incident.obligations.filter(Q(state__in=OPEN_OBLIGATION))
