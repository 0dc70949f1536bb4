"""What is known of an incident: facts, people, systems, evidence."""

from typing import Any

from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router, Status

from compliance import clock
from compliance.errors import BadInput
from compliance.library import get_library
from incidents import services
from incidents.api import schemas as s
from incidents.api.callers import HANDLE, READ, caller, find, one
from incidents.api.incidents import entity_of, zone_of
from incidents.api.paging import Page, Paging, page_of
from incidents.api.problems import ERRORS
from incidents.api.reading import Code, Number, name_of, said, there
from incidents.models import AffectedSystem, Evidence, Fact, Incident, PeopleCount
from incidents.services import sheets
from incidents.services.facts import defined
from incidents.services.preview import Preview

router = Router(tags=["facts"])
# Recorded under people or in the entity's profile.
_ELSEWHERE = ("people", "profile")


@router.get("/vocabulary", auth=READ, response={200: list[s.FactName], **ERRORS}, operation_id="vocabulary")
def vocabulary(request: HttpRequest) -> Any:
    """The names of facts, their types and the questions they answer."""
    return [
        {
            "name": item.name,
            "type": item.type,
            "label": said(item.label),
            "question": said(item.question),
            "choices": {key: said(text) for key, text in item.choices.items()},
        }
        for item in get_library().facts.values()
        if item.type not in _ELSEWHERE
    ]


def fact_json(row: Fact, zone: str) -> dict[str, Any]:
    """A recorded fact."""
    definition = get_library().facts.get(row.name)
    plain = {
        name: getattr(row, name) for name in ("number", "name", "kind", "value", "label", "arguable", "documented")
    }
    return {
        **plain,
        "label_of_name": said(definition.label) if definition else None,
        "entity": row.entity.key if row.entity else None,
        "source": row.source,
        "note": row.note,
        "evidence": row.evidence.number if row.evidence else None,
        "supersedes": row.supersedes.number if row.supersedes else None,
        "adopts": row.adopts.number if row.adopts else None,
        "standing": row.kind != Fact.Kind.RETRACTION and row.redacted_at is None and not row.superseded_by.all(),
        "redacted": row.redacted_at is not None,
        "occurred_at": there(row.occurred_at, zone),
        "recorded_at": there(row.recorded_at, zone),
        "recorded_by": name_of(row.recorded_by),
    }


def facts_of(incident: Incident) -> Any:
    """The facts of an incident with what they point at."""
    rows = incident.facts.select_related("entity", "evidence", "supersedes", "adopts", "recorded_by")
    return rows.prefetch_related("superseded_by")


@router.get("/incidents/{code}/facts", auth=READ, response={200: Page[s.FactOut], **ERRORS}, operation_id="facts")
def fact_list(request: HttpRequest, code: Code, wanted: Query[s.FactFilter]) -> Any:
    """Every fact in the order of recording, also what was taken back."""
    found = find(request, code)
    rows = facts_of(found)
    if wanted.name is not None:
        rows = rows.filter(name=wanted.name)
    if wanted.as_of is not None:
        rows = rows.filter(recorded_at__lte=wanted.as_of)
    return page_of(rows, wanted, lambda row: fact_json(row, zone_of(found)), by="number")


@router.post(
    "/incidents/{code}/facts", auth=HANDLE, response={201: list[s.FactOut], **ERRORS}, operation_id="facts_record"
)
def facts_record(request: HttpRequest, code: Code, body: s.FactsIn) -> Any:
    """Record facts as one change; the duties are computed anew once. A later value of a name replaces the earlier one."""
    found = find(request, code)
    given = [_given(found, item) for item in body.facts]
    rows = services.facts_record(incident=found, facts=given, at=clock.now(), by=caller(request).user)
    made = facts_of(found).filter(pk__in=[row.pk for row in rows])
    return Status(201, [fact_json(row, zone_of(found)) for row in made])


def _given(incident: Incident, item: s.FactIn) -> dict[str, Any]:
    definition = get_library().facts.get(item.name)
    if definition is None or definition.type in _ELSEWHERE:
        raise BadInput(
            _("%(name)s is not a fact of the vocabulary."), code="unknown_fact", field="name", name=item.name
        )
    if isinstance(item.value, list) != (definition.type == "choices"):
        raise BadInput(_("%(name)s: this value has the wrong type."), code="wrong_type", field="value", name=item.name)
    given = item.dict()
    given["entity"] = entity_of(incident, item.entity) if item.entity else None
    given["evidence"] = _evidence_named(incident, item.evidence) if item.evidence else None
    return given


def _evidence_named(incident: Incident, number: int) -> Evidence:
    row = incident.evidence_items.filter(number=number).first()
    if row is None:
        raise BadInput(_("There is no such evidence in this incident."), code="unknown_evidence", field="evidence")
    return row


@router.get(
    "/incidents/{code}/facts/preview",
    auth=READ,
    response={200: list[s.PreviewOut], **ERRORS},
    operation_id="answers_preview",
)
def answers_preview(request: HttpRequest, code: Code, wanted: Query[s.PreviewFilter]) -> Any:
    """What each answer to a question (yes and no, or its choices, and "not known") would change. Writes nothing.

    An empty list where the answer is typed: post it.
    """
    found = find(request, code)
    defined(wanted.name)
    previews = services.answers_preview(incident=found, name=wanted.name, at=found.clock_at or clock.now())
    return [preview_json(item) for item in previews]


@router.post(
    "/incidents/{code}/facts/preview", auth=READ, response={200: s.PreviewOut, **ERRORS}, operation_id="facts_preview"
)
def facts_preview(request: HttpRequest, code: Code, body: s.PreviewIn) -> Any:
    """What recording a fact would change; ``value`` null: it is not known. Writes nothing."""
    found = find(request, code)
    preview = services.facts_preview(
        incident=found,
        name=body.name,
        value=body.value,
        entity=entity_of(found, body.entity) if body.entity else None,
        label=body.label,
        arguable=body.arguable,
        at=found.clock_at or clock.now(),
    )
    return preview_json(preview)


def preview_json(preview: Preview) -> dict[str, Any]:
    """What an answer would change, duty by duty."""
    first = preview.first
    return {
        "name": preview.name,
        "value": preview.value,
        "certain": len(preview.certain),
        "possible": len(preview.possible),
        "lapsed": len(preview.lapsed),
        "retimed": len(preview.retimed),
        "first_due_at": there(first.due_at, first.due_zone) if first else None,
        "effects": [
            {
                "entity": item.entity.key,
                "kind": item.kind,
                "before": item.before.to_json() if item.before else None,
                "after": item.after.to_json() if item.after else None,
            }
            for item in preview.effects
        ],
    }


def _fact(request: HttpRequest, code: str, number: int) -> Fact:
    return one(find(request, code).facts.select_related("incident", "entity"), number=number)


def _shown(request: HttpRequest, row: Fact) -> Any:
    found = find(request, row.incident.code)
    return Status(201, fact_json(facts_of(found).get(pk=row.pk), zone_of(found)))


@router.post(
    "/incidents/{code}/facts/{number}/retraction",
    auth=HANDLE,
    response={201: s.FactOut, **ERRORS},
    operation_id="fact_retract",
)
def fact_retract(request: HttpRequest, code: Code, number: Number, body: s.ReasonIn) -> Any:
    """Take a fact back: it is unknown again, unless an earlier word stands."""
    row = _fact(request, code, number)
    return _shown(request, services.fact_retract(fact=row, reason=body.reason, at=clock.now(), by=caller(request).user))


@router.post(
    "/incidents/{code}/facts/{number}/adoption",
    auth=HANDLE,
    response={201: s.FactOut, **ERRORS},
    operation_id="candidate_adopt",
)
def candidate_adopt(request: HttpRequest, code: Code, number: Number, body: s.ReasonIn) -> Any:
    """Let this one of several moments of awareness drive the clocks. The others stay and stay visible."""
    row = _fact(request, code, number)
    made = services.candidate_adopt(candidate=row, reason=body.reason, at=clock.now(), by=caller(request).user)
    return _shown(request, made)


def people_json(row: PeopleCount, zone: str) -> dict[str, Any]:
    """The count of one place."""
    plain = {name: getattr(row, name) for name in ("residence", "count", "categories", "encrypted", "key_taken")}
    return {
        **plain,
        "entity": row.entity.key,
        "confirmed_at": there(row.confirmed_at, zone),
        "recorded_at": there(row.recorded_at, zone),
        "recorded_by": name_of(row.recorded_by),
    }


@router.get("/incidents/{code}/people", auth=READ, response={200: list[s.PeopleOut], **ERRORS}, operation_id="people")
def people(request: HttpRequest, code: Code) -> Any:
    """How many people are affected, by place of residence: the latest counts."""
    found = find(request, code)
    rows = sheets.read(found, as_of=clock.now()).people
    latest = {(row.entity_id, row.residence): row for row in rows}
    return [people_json(latest[key], zone_of(found)) for key in sorted(latest)]


@router.post(
    "/incidents/{code}/people", auth=HANDLE, response={201: s.PeopleOut, **ERRORS}, operation_id="people_record"
)
def people_record(request: HttpRequest, code: Code, body: s.PeopleIn) -> Any:
    """Record a count. One that differs from the earlier is a new fact of its own and may raise a supplement."""
    found = find(request, code)
    given = {**body.dict(), "entity": entity_of(found, body.entity)}
    row = services.people_record(incident=found, at=clock.now(), by=caller(request).user, **given)
    return Status(201, people_json(row, zone_of(found)))


def system_json(row: AffectedSystem, zone: str) -> dict[str, Any]:
    """An affected system."""
    plain = {name: getattr(row, name) for name in ("name", "purpose", "finding", "found_when", "found_by")}
    return {**plain, "found_at": there(row.found_at, zone), "recorded_at": there(row.recorded_at, zone)}


@router.get("/incidents/{code}/systems", auth=READ, response={200: Page[s.SystemOut], **ERRORS}, operation_id="systems")
def systems(request: HttpRequest, code: Code, wanted: Query[Paging]) -> Any:
    """The affected systems."""
    found = find(request, code)
    return page_of(found.systems.all(), wanted, lambda row: system_json(row, zone_of(found)), by="pk")


@router.post("/incidents/{code}/systems", auth=HANDLE, response={201: s.Added, **ERRORS}, operation_id="systems_add")
def systems_add(request: HttpRequest, code: Code, body: s.SystemsIn) -> Any:
    """Add affected systems, all or none."""
    given = [item.dict() for item in body.systems]
    count = services.systems_add(incident=find(request, code), systems=given, at=clock.now(), by=caller(request).user)
    return Status(201, {"added": count})


def evidence_json(row: Evidence, zone: str) -> dict[str, Any]:
    """A piece of evidence."""
    plain = {name: getattr(row, name) for name in ("number", "title", "description", "location", "state", "source")}
    return {
        **plain,
        "expires_at": there(row.expires_at, zone),
        "settled_at": there(row.settled_at, zone),
        "settled_by": name_of(row.settled_by),
        "settled_note": row.settled_note,
        "recorded_at": there(row.recorded_at, zone),
        "recorded_by": name_of(row.recorded_by),
    }


@router.get(
    "/incidents/{code}/evidence", auth=READ, response={200: Page[s.EvidenceOut], **ERRORS}, operation_id="evidence"
)
def evidence(request: HttpRequest, code: Code, wanted: Query[Paging]) -> Any:
    """The evidence of an incident."""
    found = find(request, code)
    rows = found.evidence_items.select_related("settled_by", "recorded_by")
    return page_of(rows, wanted, lambda row: evidence_json(row, zone_of(found)), by="number")


@router.post(
    "/incidents/{code}/evidence", auth=HANDLE, response={201: s.EvidenceOut, **ERRORS}, operation_id="evidence_add"
)
def evidence_add(request: HttpRequest, code: Code, body: s.EvidenceIn) -> Any:
    """Record a piece of evidence; what will be overwritten escalates like a duty until it is preserved or lost."""
    found = find(request, code)
    row = services.evidence_add(incident=found, at=clock.now(), by=caller(request).user, **body.dict())
    return Status(201, evidence_json(row, zone_of(found)))


_SETTLED = {"preserved": services.evidence_preserve, "lost": services.evidence_lose}


@router.post(
    "/incidents/{code}/evidence/{number}/{outcome}",
    auth=HANDLE,
    response={200: s.EvidenceOut, **ERRORS},
    operation_id="evidence_settle",
)
def evidence_settle(request: HttpRequest, code: Code, number: Number, outcome: s.Outcome, body: s.NoteIn) -> Any:
    """Say where and how it was made safe (preserved), or that it is gone and why (lost)."""
    found = find(request, code)
    row = one(found.evidence_items.select_related("incident"), number=number)
    service = _SETTLED.get(outcome)
    if service is None:
        raise Http404
    return evidence_json(service(evidence=row, note=body.note, at=clock.now(), by=caller(request).user), zone_of(found))
