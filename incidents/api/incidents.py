"""Entities, incidents and what moves an incident along."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router, Status

from compliance import clock
from compliance.errors import BadInput
from compliance.models import Entity
from incidents import access, journal, services
from incidents.api import schemas as s
from incidents.api.callers import DECIDE, EXPORT, HANDLE, READ, caller, find, incidents_of, one
from incidents.api.paging import Page, Paging, page_of
from incidents.api.problems import ERRORS
from incidents.api.reading import Code, Number, both, name_of, there
from incidents.api.repeats import request_key
from incidents.export.bundle import export_incident
from incidents.models import Dismissal, Incident, JournalEntry
from incidents.states import IncidentState

router = Router(tags=["incidents"])


def named(entity: Entity) -> dict[str, Any]:
    """An entity by key and names."""
    return {"key": entity.key, "name": {"ko": entity.name, "en": entity.name_en or entity.name}}


def zone_of(incident: Incident) -> str:
    """The zone of the incident's first entity."""
    return next((entity.zone for entity in incident.entities.all()), "UTC")


def entity_of(incident: Incident, key: str) -> Entity:
    """An entity of ``incident``.

    Raises:
        BadInput: it is none of the incident's.
    """
    found = next((entity for entity in incident.entities.all() if entity.key == key), None)
    if found is None:
        raise BadInput(_("This entity is none of the incident's."), code="unknown_entity", field="entity")
    return found


def incident_json(request: HttpRequest, row: Incident) -> dict[str, Any]:
    """An incident, and what the caller's roles allow in it."""
    zone, user = zone_of(row), caller(request).user
    may = {"handle": access.may_handle, "decide": access.may_decide, "export": access.may_export}
    return {
        "code": row.code,
        "title": row.title,
        "summary": row.summary,
        "kind": row.kind,
        "state": row.state,
        "state_label": both(IncidentState(row.state).label),
        "severity": row.severity,
        "entities": [named(entity) for entity in row.entities.all()],
        "owner": name_of(row.owner),
        "reported_by": name_of(row.reported_by),
        "reported_at": there(row.reported_at, zone),
        "closed_at": there(row.closed_at, zone),
        "zone": zone,
        "law_digest": row.law_digest,
        "may": [name for name, allows in may.items() if allows(user, row)],
    }


@router.get("/entities", auth=READ, response={200: list[s.EntityOut], **ERRORS}, operation_id="entities")
def entities(request: HttpRequest) -> Any:
    """The legal entities in which the caller has a role."""
    held = caller(request)
    rows = access.visible_entities(held.user).order_by("key")
    if held.entities is not None:
        rows = rows.filter(pk__in=held.entities)
    return [
        {
            **named(row),
            "zone": row.zone,
            "roles": row.roles,
            "sectors": row.sectors,
            "establishments": row.establishments,
            "main_establishment": row.main_establishment,
            "markets": row.markets,
            "my_roles": sorted(access.roles_in(held.user, [row])),
        }
        for row in rows
    ]


@router.get("/incidents", auth=READ, response={200: Page[s.IncidentOut], **ERRORS}, operation_id="incidents")
def incident_list(request: HttpRequest, wanted: Query[s.IncidentFilter]) -> Any:
    """The incidents the caller may know of, newest first."""
    rows = incidents_of(request).select_related("reported_by")
    given = {"state": wanted.state, "kind": wanted.kind, "entities__key": wanted.entity}
    rows = rows.filter(**{name: value for name, value in given.items() if value is not None})
    return page_of(rows, wanted, lambda row: incident_json(request, row), by="-reported_at")


@router.post("/incidents", auth=HANDLE, response={201: s.IncidentOut, **ERRORS}, operation_id="incident_report")
def incident_report(request: HttpRequest, body: s.ReportIn) -> Any:
    """Report a suspicion; its clocks start at once. A repeated ``Idempotency-Key`` answers the first report."""
    held, now = caller(request), clock.now()
    given = body.dict(exclude={"entities", "leak_suspected_at"})
    suspected = None if body.personal_data is False else body.leak_suspected_at or body.known_at
    made = services.incident_report(
        **given,
        entities=_reported(request, body.entities),
        leak_suspected_at=suspected,
        request_key=request_key(request),
        at=now,
        by=held.user,
    )
    return Status(201, incident_json(request, find(request, made.code)))


def _reported(request: HttpRequest, keys: list[str]) -> list[Entity]:
    """The entities, as far as the caller may know of them; one unknown refuses all."""
    held = caller(request)
    rows = access.reportable_entities(held.user).filter(key__in=keys)
    if held.entities is not None:
        rows = rows.filter(pk__in=held.entities)
    found = {row.key: row for row in rows}
    if set(keys) - set(found):
        raise BadInput(
            _("You may not report for one of these entities, or there is no such entity."),
            code="unknown_entity",
            field="entities",
        )
    return [found[key] for key in dict.fromkeys(keys)]


@router.get("/incidents/{code}", auth=READ, response={200: s.IncidentOut, **ERRORS}, operation_id="incident")
def incident(request: HttpRequest, code: Code) -> Any:
    """One incident."""
    return incident_json(request, find(request, code))


def _moved(request: HttpRequest, code: str, service: Any, **given: Any) -> dict[str, Any]:
    service(incident=find(request, code), at=clock.now(), by=caller(request).user, **given)
    return incident_json(request, find(request, code))


@router.post("/incidents/{code}/owner", auth=HANDLE, response={200: s.IncidentOut, **ERRORS}, operation_id="assign")
def assign(request: HttpRequest, code: Code, body: s.OwnerIn) -> Any:
    """Give the incident to another handler."""
    found = find(request, code)
    # Only people of the incident's own entities: nobody learns here who else has an account.
    owner = User.objects.filter(
        username=body.owner, is_active=True, memberships__entity__in=found.entities.all()
    ).first()
    if owner is None:
        raise BadInput(_("Nobody of that name works for these entities."), code="unknown_person", field="owner")
    return _moved(request, code, services.incident_assign, owner=owner)


@router.post("/incidents/{code}/assessing", auth=HANDLE, response={200: s.IncidentOut, **ERRORS}, operation_id="begin")
def begin(request: HttpRequest, code: Code) -> Any:
    """Somebody takes it up."""
    return _moved(request, code, services.incident_begin_assessment)


@router.post(
    "/incidents/{code}/confirmed", auth=HANDLE, response={200: s.IncidentOut, **ERRORS}, operation_id="confirm"
)
def confirm(request: HttpRequest, code: Code) -> Any:
    """It did happen."""
    return _moved(request, code, services.incident_confirm)


@router.post("/incidents/{code}/closed", auth=HANDLE, response={200: s.IncidentOut, **ERRORS}, operation_id="close")
def close(request: HttpRequest, code: Code) -> Any:
    """End it. Refused while anything is owed or unanswered."""
    return _moved(request, code, services.incident_close)


@router.post("/incidents/{code}/reopened", auth=HANDLE, response={200: s.IncidentOut, **ERRORS}, operation_id="reopen")
def reopen(request: HttpRequest, code: Code, body: s.ReasonIn) -> Any:
    """It was not over."""
    return _moved(request, code, services.incident_reopen, reason=body.reason)


def dismissal_json(row: Dismissal, zone: str) -> dict[str, Any]:
    """A request to call an incident nothing."""
    return {
        "id": row.pk,
        "decision": row.decision,
        "requested_by": name_of(row.requested_by),
        "requested_at": there(row.requested_at, zone),
        "decided_by": name_of(row.decided_by),
        "decided_at": there(row.decided_at, zone),
    }


@router.post(
    "/incidents/{code}/dismissals", auth=HANDLE, response={201: s.DismissalOut, **ERRORS}, operation_id="dismiss"
)
def dismiss(request: HttpRequest, code: Code, body: s.ReasonIn) -> Any:
    """Ask a second person to agree that it was nothing. The clocks run on until then."""
    found = find(request, code)
    row = services.dismissal_request(incident=found, reason=body.reason, at=clock.now(), by=caller(request).user)
    return Status(201, dismissal_json(row, zone_of(found)))


@router.post(
    "/incidents/{code}/dismissals/{number}/decision",
    auth=DECIDE,
    response={200: s.DismissalOut, **ERRORS},
    operation_id="dismissal_decide",
)
def dismissal_decide(request: HttpRequest, code: Code, number: Number, body: s.DecisionIn) -> Any:
    """Agree or not that it was nothing, as another person."""
    found = find(request, code)
    row = one(found.dismissals.select_related("incident"), pk=number)
    row = services.dismissal_decide(
        dismissal=row, approve=body.approve, note=body.note, at=clock.now(), by=caller(request).user
    )
    return dismissal_json(row, zone_of(found))


@router.get("/incidents/{code}/journal", auth=READ, response={200: Page[s.EntryOut], **ERRORS}, operation_id="journal")
def journal_entries(request: HttpRequest, code: Code, wanted: Query[Paging]) -> Any:
    """The journal of one incident, newest first."""
    found = find(request, code)
    rows = JournalEntry.objects.filter(chain=found.code)
    return page_of(rows, wanted, lambda row: _entry(row, zone_of(found)), by="-sequence")


def _entry(row: JournalEntry, zone: str) -> dict[str, Any]:
    plain = {
        name: getattr(row, name)
        for name in ("sequence", "actor", "action", "subject", "old", "new", "detail", "previous", "hash")
    }
    return {**plain, "at": there(row.at, zone), "words": both(journal.message(row.action))}


@router.post("/incidents/{code}/export", auth=EXPORT, response={200: bytes, **ERRORS}, operation_id="export")
def export(request: HttpRequest, code: Code) -> HttpResponse:
    """The evidence bundle, for auditors, counsel and managers. A POST, because it leaves a trace in the journal."""
    found, held = find(request, code), caller(request)
    if not access.may_export(held.user, found):
        raise PermissionDenied
    bundle = export_incident(found, at=clock.now(), by=held.user)
    return file_answer(bundle.content, "application/zip", bundle.name)


def file_answer(content: bytes, media_type: str, name: str, tag: str = "") -> HttpResponse:
    """A file to be kept, never shown by a browser as a page of ours."""
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    if tag:
        response["ETag"] = f'"{tag}"'
    return response
