"""Duties and their clocks, exceptions, escalations, and who was told what."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from ninja import Query, Router, Status

from compliance import clock
from incidents import selectors, services, told
from incidents.api import schemas as s
from incidents.api.callers import DECIDE, HANDLE, READ, caller, find, incidents_of, one
from incidents.api.incidents import named, zone_of
from incidents.api.paging import Page, Paging, page_of
from incidents.api.problems import ERRORS
from incidents.api.reading import Code, Number, both, name_of, said, there
from incidents.models import Escalation, Excuse, Obligation
from incidents.selectors import Clock
from incidents.states import OPEN_OBLIGATION, ObligationState

router = Router(tags=["duties"])
MESSAGES_SHOWN = 100


def duty_json(item: Clock) -> dict[str, Any]:
    """A duty and its clock as it stands."""
    row = item.obligation
    zone = row.due_zone
    return {
        "id": row.pk,
        "incident": row.incident.code,
        "entity": named(row.entity),
        "rule": row.rule,
        "stage": row.stage,
        "occurrence": row.occurrence,
        "jurisdiction": row.jurisdiction,
        "audience": row.audience,
        "title": said(row.duty["title"]),
        "instrument": said(row.duty["instrument"]),
        "addressees": [said(name) for name in row.duty["addressees"]],
        "state": row.state,
        "state_label": both(ObligationState(row.state).label),
        "clock": item.tone.value,
        "standard": row.standard,
        "limit": said(row.duty["limit"]),
        "starts_at": there(row.starts_at, zone),
        "due_at": there(row.due_at, zone),
        "due_zone": zone,
        "target_at": there(row.target_at, zone),
        "seconds_left": int(item.delta.total_seconds()) if item.delta is not None else None,
        "late": item.past_due,
        "late_reason": row.late_reason,
        "late_reason_missing": item.late_reason_missing,
        "met_at": there(row.met_at, zone),
        "opened_at": there(row.opened_at, zone),
        "confidence": row.duty["confidence"],
        "questions": row.duty.get("questions", []),
    }


@router.get("/duties", auth=READ, response={200: list[s.DutyOut], **ERRORS}, operation_id="board")
def board(request: HttpRequest, wanted: Query[s.BoardFilter]) -> Any:
    """Every open clock the caller may see, overdue first, then by due moment: the board."""
    found = selectors.board(caller(request).user, now=clock.now())
    reached = set(incidents_of(request).values_list("pk", flat=True))
    shown = found.replays if wanted.replays else found.clocks
    return [duty_json(item) for item in shown if item.obligation.incident_id in reached]


@router.get("/incidents/{code}/duties", auth=READ, response={200: list[s.DutyOut], **ERRORS}, operation_id="duties")
def duties(request: HttpRequest, code: Code, wanted: Query[s.DutyFilter]) -> Any:
    """Every duty of one incident, open ones first."""
    return [
        duty_json(item)
        for item in selectors.clocks_of(find(request, code), now=clock.now())
        if wanted.state in (None, item.obligation.state)
        and wanted.entity in (None, item.obligation.entity.key)
        and (item.obligation.state in OPEN_OBLIGATION or not wanted.open)
    ]


def _duty(request: HttpRequest, code: str, number: int) -> Obligation:
    return one(find(request, code).obligations.select_related("incident", "entity"), pk=number)


def excuse_json(row: Excuse, zone: str) -> dict[str, Any]:
    """A request to treat a duty as lawfully excepted."""
    return {
        "id": row.pk,
        "duty": row.obligation_id,
        "provision": row.provision,
        "reason": row.reason,
        "approved": row.approved,
        "requested_by": name_of(row.requested_by),
        "requested_at": there(row.requested_at, zone),
        "decided_by": name_of(row.decided_by),
        "decided_at": there(row.decided_at, zone),
    }


def _shown(row: Obligation) -> dict[str, Any]:
    return duty_json(selectors.clock_of(row, now=clock.now()))


@router.get("/incidents/{code}/duties/{number}", auth=READ, response={200: s.DutyFull, **ERRORS}, operation_id="duty")
def duty(request: HttpRequest, code: Code, number: Number) -> Any:
    """One duty with its reasons, steps, other readings, citations and requested exceptions."""
    row = _duty(request, code, number)
    excuses = row.excuses.select_related("requested_by", "decided_by").order_by("pk")
    return {**_shown(row), "assessed": row.duty, "excuses": [excuse_json(item, row.due_zone) for item in excuses]}


@router.post(
    "/incidents/{code}/duties/{number}/met", auth=HANDLE, response={200: s.DutyOut, **ERRORS}, operation_id="duty_meet"
)
def duty_meet(request: HttpRequest, code: Code, number: Number, body: s.MetIn) -> Any:
    """Record that the duty was done. Late is late, to the second. Repeating changes nothing."""
    row = _duty(request, code, number)
    return _shown(
        services.obligation_meet(
            obligation=row, done_at=body.done_at, reference=body.reference, at=clock.now(), by=caller(request).user
        )
    )


@router.post(
    "/incidents/{code}/duties/{number}/reopened",
    auth=HANDLE,
    response={200: s.DutyOut, **ERRORS},
    operation_id="duty_reopen",
)
def duty_reopen(request: HttpRequest, code: Code, number: Number, body: s.ReasonIn) -> Any:
    """What was sent did not count: the duty is open again with its old due moment."""
    row = _duty(request, code, number)
    return _shown(
        services.obligation_reopen(obligation=row, reason=body.reason, at=clock.now(), by=caller(request).user)
    )


@router.post(
    "/incidents/{code}/duties/{number}/late-reason",
    auth=HANDLE,
    response={200: s.DutyOut, **ERRORS},
    operation_id="duty_late_reason",
)
def duty_late_reason(request: HttpRequest, code: Code, number: Number, body: s.ReasonIn) -> Any:
    """Record why the duty is, or was, late."""
    row = _duty(request, code, number)
    return _shown(
        services.late_reason_record(obligation=row, reason=body.reason, at=clock.now(), by=caller(request).user)
    )


@router.post(
    "/incidents/{code}/duties/{number}/excuses",
    auth=HANDLE,
    response={201: s.ExcuseOut, **ERRORS},
    operation_id="excuse_request",
)
def excuse_request(request: HttpRequest, code: Code, number: Number, body: s.ExcuseIn) -> Any:
    """Ask a second person to accept that a lawful exception applies. The clock runs on until then."""
    row = _duty(request, code, number)
    made = services.excuse_request(obligation=row, at=clock.now(), by=caller(request).user, **body.dict())
    return Status(201, excuse_json(made, row.due_zone))


@router.post(
    "/incidents/{code}/excuses/{number}/decision",
    auth=DECIDE,
    response={200: s.ExcuseOut, **ERRORS},
    operation_id="excuse_decide",
)
def excuse_decide(request: HttpRequest, code: Code, number: Number, body: s.ApproveIn) -> Any:
    """Accept the exception or not, as another person than the one who asked."""
    rows = Excuse.objects.filter(obligation__incident=find(request, code)).select_related("obligation__incident")
    row = one(rows, pk=number)
    made = services.excuse_decide(excuse=row, approve=body.approve, at=clock.now(), by=caller(request).user)
    return excuse_json(made, made.obligation.due_zone)


def escalation_json(row: Escalation, zone: str) -> dict[str, Any]:
    """A rung that was reached."""
    return {
        "id": row.pk,
        "step": row.rung,
        "kind": row.kind,
        "roles": row.roles,
        "duty": row.obligation_id,
        "evidence": row.evidence.number if row.evidence else None,
        "at": there(row.at, zone),
        "fired_at": there(row.fired_at, zone),
        "acknowledged_at": there(row.acknowledged_at, zone),
        "acknowledged_by": name_of(row.acknowledged_by),
    }


@router.get(
    "/incidents/{code}/escalations",
    auth=READ,
    response={200: Page[s.EscalationOut], **ERRORS},
    operation_id="escalations",
)
def escalations(request: HttpRequest, code: Code, wanted: Query[Paging]) -> Any:
    """The steps that were reached, newest first."""
    found = find(request, code)
    rows = found.escalations.select_related("evidence", "acknowledged_by")
    return page_of(rows, wanted, lambda row: escalation_json(row, zone_of(found)), by="-at")


@router.post(
    "/incidents/{code}/escalations/{number}/acknowledgement",
    auth=HANDLE,
    response={200: s.EscalationOut, **ERRORS},
    operation_id="escalation_acknowledge",
)
def escalation_acknowledge(request: HttpRequest, code: Code, number: Number) -> Any:
    """Say that one has seen it: the next step then comes at its planned time. The first person counts."""
    found = find(request, code)
    row = one(found.escalations.select_related("incident"), pk=number)
    made = services.escalation_acknowledge(escalation=row, at=clock.now(), by=caller(request).user)
    return escalation_json(made, zone_of(found))


@router.get(
    "/incidents/{code}/messages",
    auth=READ,
    response={200: s.MessagesOut, **ERRORS},
    operation_id="messages",
    url_name="messages",
)
def messages(request: HttpRequest, code: Code, wanted: Query[s.MessagesFilter]) -> Any:
    """Who was told what, when, by which way, with what success; a hundred a page, newest first. No addresses."""
    found = find(request, code)
    given = {name: value for name, value in wanted.dict().items() if value is not None}
    page = Paginator(told.messages_of(found, told.Wanted.read(given)), MESSAGES_SHOWN).get_page(given.get("page"))
    return {
        "incident": found.code,
        "count": page.paginator.count,
        "page": page.number,
        "pages": page.paginator.num_pages,
        "messages": [told.to_json(row) for row in page],
    }
