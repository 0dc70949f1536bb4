"""An incident from the first word of it to its end. Ending it is the hard part, on purpose."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from compliance import clock, releases
from compliance.errors import BadInput, NotPermitted, Refused
from compliance.library import get_library
from compliance.models import Entity
from compliance.text import clean
from incidents import access, journal
from incidents.models import Dismissal, Incident
from incidents.services.assessment import open_or_unanswered
from incidents.services.common import changing, required_text
from incidents.services.facts import facts_record
from incidents.states import INCIDENT, EvidenceState

KNOWN_AT = "incident.known_at"
ATTEMPTS = 5


def incident_report(
    *,
    title: str,
    summary: str,
    entities: Sequence[Entity],
    at: datetime,
    by: User | None,
    kind: str = Incident.Kind.REAL,
    code: str | None = None,
    owner: User | None = None,
    known_at: datetime | None = None,
    known_label: str = "",
    is_cyber: bool | None = None,
    personal_data: bool | None = None,
    leak_suspected_at: datetime | None = None,
    source: str = "",
    request_key: str | None = None,
) -> Incident:
    """Take in a suspicion and start its clocks at once.

    ``known_at`` becomes the first awareness candidate; without it the moment of reporting does, because that much is
    certain. Answers that are None stay unknown: the duties they decide are possible, not absent. Where a leak is not
    excluded, ``leak_suspected_at`` is the strict awareness of it, so that possible duties have a due moment too.
    A repeated ``request_key`` answers the incident it made the first time.

    Raises:
        BadInput: no title, no entity, a time in the future.
        NotPermitted: ``by`` may not report for one of the entities.
    """
    clock.require_aware(at)
    if not clean(title):
        raise BadInput(_("Say in a few words what happened."), code="title_required", field="title")
    if not entities:
        raise BadInput(_("Name at least one entity that is concerned."), code="entity_required", field="entities")
    access.require_report(by, entities, at=at)
    draft = Incident(
        title=clean(title)[:200],
        summary=clean(summary),
        kind=kind,
        owner=owner or by,
        reported_by=by,
        reported_at=at,
        clock_at=at if kind == Incident.Kind.REPLAY else None,
        request_key=request_key or None,
        law_digest=get_library().digest,
        law_at=at,
    )
    releases.keep(get_library(), at=at)
    first = _first_facts(
        known_at=known_at or at,
        known_label=known_label,
        is_cyber=is_cyber,
        personal_data=personal_data,
        leak_suspected_at=leak_suspected_at,
        source=source,
    )
    return _make(draft, code=code, entities=entities, first=first, at=at, by=by)


def _make(
    draft: Incident,
    *,
    code: str | None,
    entities: Sequence[Entity],
    first: Sequence[Mapping[str, Any]],
    at: datetime,
    by: User | None,
) -> Incident:
    """Write the incident with its first facts and clocks. Two requests that race for a number: the loser takes the next."""
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                if draft.request_key and (made := Incident.objects.filter(request_key=draft.request_key).first()):
                    return made
                draft.code = code or _next_code(at, zone=entities[0].zone)
                draft.pk = None
                draft.save(force_insert=True)
                draft.entities.set(entities)
                _journal_report(draft, entities, at=at, by=by)
                # Recorded by the system on the reporter's behalf: a reporter may not handle facts.
                facts_record(incident=draft, facts=first, at=at, by=None)
                return draft
        except IntegrityError:
            if code or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _journal_report(incident: Incident, entities: Sequence[Entity], *, at: datetime, by: User | None) -> None:
    journal.write(
        incident=incident,
        at=at,
        by=by,
        action="incident.reported",
        subject=incident.code,
        new={"title": incident.title, "summary": incident.summary},
        detail={"kind": incident.kind, "entities": sorted(entity.key for entity in entities)},
    )


def _first_facts(
    *,
    known_at: datetime,
    known_label: str,
    is_cyber: bool | None,
    personal_data: bool | None,
    leak_suspected_at: datetime | None,
    source: str,
) -> list[dict[str, Any]]:
    """What the intake says. An answer that was not given leaves no fact."""
    label = known_label or gettext("Suspicion reported")
    facts: list[dict[str, Any]] = [{"name": KNOWN_AT, "value": known_at, "label": label}]
    if is_cyber is not None:
        facts.append({"name": "incident.is_cyber", "value": is_cyber})
    if personal_data is False:
        facts.append({"name": "leak.confirmed", "value": False})
    elif leak_suspected_at is not None:
        note = gettext("Suspicion reported; a leak was not excluded")
        facts.append({"name": "leak.known_at", "value": leak_suspected_at, "label": note})
    return [{**fact, "source": source} for fact in facts]


def _next_code(at: datetime, *, zone: str) -> str:
    """The next number of the year, such as 2026-014. The database keeps it unique."""
    year = at.astimezone(ZoneInfo(zone)).year
    used = Incident.objects.filter(code__startswith=f"{year}-").values_list("code", flat=True)
    numbers = [int(match[1]) for code in used if (match := re.fullmatch(rf"{year}-(\d+)", code))]
    return f"{year}-{max(numbers, default=0) + 1:03d}"


def incident_assign(*, incident: Incident, owner: User, at: datetime, by: User | None) -> Incident:
    """Give the incident to another handler.

    Raises:
        BadInput: ``owner`` may not handle it.
    """
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked, at=at)
        if not access.may_handle(owner, locked, at=at):
            raise BadInput(_("The new owner needs a handling role in the entity."), code="owner_may_not", field="owner")
        locked.owner = owner
        locked.save()
        journal.write(incident=locked, at=at, by=by, action="incident.owner_changed", subject=f"user:{owner.pk}")
        return locked


def incident_begin_assessment(*, incident: Incident, at: datetime, by: User | None) -> Incident:
    """Somebody takes it up."""
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked, at=at)
        _allowed(locked, "begin_assessment")
        locked.begin_assessment()
        return _save(locked, "incident.assessing", at=at, by=by)


def incident_confirm(*, incident: Incident, at: datetime, by: User | None) -> Incident:
    """It did happen."""
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked, at=at)
        _allowed(locked, "confirm")
        _drop_pending_dismissal(locked, at=at)
        locked.confirm()
        return _save(locked, "incident.confirmed", at=at, by=by)


def incident_close(*, incident: Incident, at: datetime, by: User | None) -> Incident:
    """End it. Refused while any duty is open or possible, or evidence is still to be preserved.

    Raises:
        Refused: something is pending, running or overdue.
    """
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked, at=at)
        _allowed(locked, "close")
        _require_nothing_open(locked)
        locked.close()
        locked.closed_at = at
        return _save(locked, "incident.closed", at=at, by=by)


def incident_reopen(*, incident: Incident, reason: str, at: datetime, by: User | None) -> Incident:
    """It was not over.

    Raises:
        BadInput: no reason.
    """
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked, at=at)
        text = required_text(reason, field="reason", at_least=5)
        _allowed(locked, "reopen")
        locked.reopen()
        locked.closed_at = None
        return _save(locked, "incident.reopened", at=at, by=by, new=text)


def dismissal_request(*, incident: Incident, reason: str, at: datetime, by: User) -> Dismissal:
    """Ask a second person to agree that it was nothing. The clocks run on until they do.

    Raises:
        BadInput: no reason.
        Refused: a request is waiting already, or the incident is past that.
    """
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked, at=at)
        text = required_text(reason, field="reason", at_least=10)
        _allowed(locked, "dismiss")
        if locked.dismissals.filter(decision=Dismissal.Decision.PENDING).exists():
            raise Refused(_("A request to dismiss this incident is waiting already."), code="dismissal_pending")
        row = Dismissal.objects.create(incident=locked, reason=text, requested_by=by, requested_at=at)
        journal.write(
            incident=locked, at=at, by=by, action="incident.dismissal_requested", subject=locked.code, new=text
        )
        return row


def dismissal_decide(*, dismissal: Dismissal, approve: bool, at: datetime, by: User, note: str = "") -> Dismissal:
    """Agree or not that it was nothing.

    Raises:
        NotPermitted: the requester, or neither counsel nor approver.
        Refused: decided already, or duties are open or unanswered.
    """
    with changing(dismissal.incident, at=at) as locked:
        held = Dismissal.objects.select_for_update().get(pk=dismissal.pk)
        if held.requested_by_id == by.pk:
            raise NotPermitted(
                _("You cannot dismiss this alone. Another person, counsel or approver, must agree."),
                code="second_person",
            )
        access.require_decide(by, locked, at=at, besides={held.requested_by_id})
        if held.decision != Dismissal.Decision.PENDING:
            raise Refused(_("This request was decided already."), code="already_decided")
        if approve:
            _allowed(locked, "dismiss")
            _require_nothing_open(locked)
            locked.dismiss()
            locked.closed_at = at
            locked.save()
        held.decision = Dismissal.Decision.APPROVED if approve else Dismissal.Decision.REJECTED
        held.decided_by, held.decided_at, held.decision_note = by, at, clean(note)
        held.save()
        journal.write(
            incident=locked,
            at=at,
            by=by,
            action="incident.dismissed" if approve else "incident.dismissal_rejected",
            subject=locked.code,
            new={"reason": held.reason, "note": held.decision_note},
        )
        return held


def _drop_pending_dismissal(incident: Incident, *, at: datetime) -> None:
    """Confirming an incident answers a waiting request to dismiss it; a system's word is no second person's."""
    incident.dismissals.filter(decision=Dismissal.Decision.PENDING).update(
        decision=Dismissal.Decision.REJECTED, decided_at=at
    )


def _require_nothing_open(incident: Incident) -> None:
    open_rows = list(open_or_unanswered(incident))
    if open_rows:
        questions = {name for row in open_rows for name in row.duty.get("questions", [])}
        raise Refused(
            ngettext_lazy(
                "%(count)d duty is still open or unanswered: %(duties)s. Open questions: %(questions)d. "
                "Meet it or answer what decides it first.",
                "%(count)d duties are still open or unanswered: %(duties)s. Open questions: %(questions)d. "
                "Meet them or answer what decides them first.",
                "count",
            ),
            code="clock_running",
            count=len(open_rows),
            duties=", ".join(sorted({f"{row.rule}/{row.stage}" for row in open_rows})),
            questions=len(questions),
        )
    if incident.evidence_items.filter(state=EvidenceState.AT_RISK, expires_at__isnull=False).exists():
        raise Refused(
            _("Some evidence will be overwritten and is neither preserved nor recorded as lost."),
            code="evidence_at_risk",
        )


def _allowed(incident: Incident, move: str) -> None:
    if incident.state not in INCIDENT[move].source:
        raise Refused(
            _("This cannot be done while the incident is “%(state)s”."),
            code="wrong_state",
            state=incident.get_state_display(),
        )


def _save(incident: Incident, action: str, *, at: datetime, by: User | None, new: object = None) -> Incident:
    incident.save()
    journal.write(incident=incident, at=at, by=by, action=action, subject=incident.code, new=new)
    return incident
