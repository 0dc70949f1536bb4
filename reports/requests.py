"""An authority asks for more. The request is a fact of the record, so that the law's own duties open, and its moment is watched
by timers of its own, whether or not a law attaches a duty to it.
"""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from compliance import clock
from compliance.cli import duration
from compliance.engine import LocalText, Subject, ladder
from compliance.engine.policies import REQUIRED
from compliance.errors import BadInput, Refused
from compliance.library import get_policies
from compliance.models import Membership
from incidents import access, journal, notices, timers
from incidents.models import Incident, Timer
from incidents.recipients import recipients
from incidents.services import facts_record
from incidents.services.common import changing, not_in_future, required_text
from incidents.times import local
from reports import prefill, record
from reports.models import Filing, InformationRequest
from reports.states import LEFT_THE_HOUSE, FilingState

KIND = "filing.request"
ASKED, ASKED_BY = "authority.request_at", "authority.order_due_at"

journal.register(
    {
        "request.recorded": _("Request of an authority recorded"),
        "request.answered": _("Request of an authority answered"),
        "request.reminded": _("Reminder of a request of an authority"),
    }
)


def request_record(
    *,
    filing: Filing,
    text: str,
    received_at: datetime,
    due_at: datetime | None,
    at: datetime,
    by: User,
    request_key: str | None = None,
) -> InformationRequest:
    """Record that the addressee of a submitted filing asks for more, and by when (aware; None: it set no moment).

    A repeated ``request_key`` answers the first.

    Raises:
        BadInput: no text, received in the future, or due before it was received.
        Refused: the filing never left the house.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        if request_key and (made := InformationRequest.objects.filter(request_key=request_key).first()):
            return made
        held = Filing.objects.select_related("incident", "entity").get(pk=filing.pk)
        _check(held, received_at, due_at, at=at)
        words = required_text(text, field="text", at_least=5)
        event = _record_facts(held, received_at, due_at, at=at, by=by)
        row = InformationRequest.objects.create(
            filing=held,
            text=words,
            received_at=received_at,
            due_at=due_at,
            event=event,
            recorded_by=by,
            recorded_at=at,
            request_key=request_key or None,
        )
        record.write(held, "request.recorded", at=at, by=by, new=words, detail=_said(row))
        _schedule(row, at=at)
        return row


def _check(filing: Filing, received_at: datetime, due_at: datetime | None, *, at: datetime) -> None:
    if filing.state not in (*LEFT_THE_HOUSE, FilingState.REFUSED, FilingState.SUPERSEDED):
        raise Refused(
            _("%(filing)s was not handed over: nobody can ask about it."), code="not_submitted", filing=str(filing)
        )
    not_in_future(received_at, at=at, field="received_at", zone=filing.entity.zone)
    if due_at is not None and clock.require_aware(due_at) < received_at:
        raise BadInput(
            _("%(value)s is before the request was received. Expected the moment it sets."),
            code="due_before_received",
            field="due_at",
            value=prefill.local_text(due_at, filing.entity.zone),
        )


def _record_facts(filing: Filing, received_at: datetime, due_at: datetime | None, *, at: datetime, by: User) -> Any:
    label = prefill.form_of(filing).addressee.get("ko")
    given: list[dict[str, Any]] = [
        {"name": ASKED, "value": received_at, "label": f"{filing} {label}"[:300], "entity": filing.entity}
    ]
    if due_at is not None:
        given.append({"name": ASKED_BY, "value": due_at, "entity": filing.entity})
    return facts_record(incident=filing.incident, facts=given, at=at, by=by)[0]


def request_answer(*, request: InformationRequest, answer: str, at: datetime, by: User) -> InformationRequest:
    """The request was answered, and how. Repeating changes nothing.

    Raises:
        BadInput: not said how.
    """
    with changing(request.filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        row = InformationRequest.objects.select_related("filing__incident").get(pk=request.pk)
        if row.answered_at is not None:
            return row
        words = required_text(answer, field="answer", at_least=5)
        row.answered_at, row.answered_by, row.answer = at, by, words
        row.save(update_fields=["answered_at", "answered_by", "answer"])
        late = row.due_at is not None and at > row.due_at
        record.write(row.filing, "request.answered", at=at, by=by, new=words, detail=_said(row, late=late))
        return row


def _schedule(row: InformationRequest, *, at: datetime) -> None:
    """The rungs that a duty of the same length would climb.

    Also where a law attaches a duty to the request: that one follows the last moment any authority set.
    """
    if row.due_at is None:
        return
    incident = row.filing.incident
    subject = Subject(
        kind=REQUIRED,
        length=row.due_at - row.received_at,
        severity=incident.severity,
        jurisdiction="",
        authorities=tuple(prefill.form_of(row.filing).addressee.to_json().values()),
        audience="regulator",
    )
    policy = get_policies().ladder_for(subject)
    rungs = ladder(opened_at=at, starts_at=row.received_at, due_at=row.due_at, policy=policy)
    Timer.objects.bulk_create(
        [
            Timer(
                incident=incident,
                clock=incident.timer_clock,
                kind=KIND,
                subject_id=row.pk,
                key=rung.key,
                generation=1,
                payload={"roles": list(rung.roles), "rung": rung.kind, "name": rung.name.to_json()},
                due_at=rung.at,
                attempt_at=rung.at,
                created_at=at,
            )
            for rung in rungs
        ],
        ignore_conflicts=True,
    )


def fire(timer: Timer, incident: Incident, now: datetime) -> bool:
    """A rung of a request's ladder: tell the people it names. False once the request is answered."""
    row = InformationRequest.objects.select_related("filing__incident", "filing__entity").get(pk=timer.subject_id)
    if row.answered_at is not None:
        return False
    found = recipients(timer.payload["roles"], row.filing.entity, incident, at=now)
    notices.tell(
        [item.member for item in found],
        incident=incident,
        key=f"request:{row.pk}:{timer.key}",
        words=lambda member: _words(row, member, now=now),
        at=now,
    )
    detail = _said(row, rung=timer.key, to=timer.payload["roles"])
    record.write(row.filing, "request.reminded", at=now, by=None, detail=detail)
    return True


def _words(row: InformationRequest, member: Membership, *, now: datetime) -> notices.Words:
    due = row.due_at or now
    said = {"filing": str(row.filing), "time": duration(due - now, member.language)}
    headline = (
        gettext("%(filing)s: the request of the authority is past due by %(time)s")
        if due < now
        else gettext("%(filing)s: answer the request of the authority, %(time)s left")
    ) % said
    addressee: LocalText = prefill.form_of(row.filing).addressee
    lines = {
        gettext("Filing"): str(row.filing),
        gettext("To"): addressee.get(member.language),
        gettext("Due"): local(due, row.filing.entity.zone),
    }
    return notices.Words(
        headline,
        lines,
        gettext("Answer it, then record how on the filing's page."),
        "request.reminded",
        {"due_at": due.astimezone(UTC).isoformat()},
    )


def _said(row: InformationRequest, **more: object) -> dict[str, object]:
    """What the journal keeps of ``row``."""
    due = row.due_at.astimezone(UTC).isoformat() if row.due_at else None
    return {"request": row.pk, "due_at": due, **more}


timers.register(KIND, fire)
