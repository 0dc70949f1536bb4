"""Filings: reading, drafting, editing, commenting, and their documents."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Router, Status

from compliance import clock
from compliance.engine import canonical_json
from compliance.errors import BadInput
from incidents import access
from incidents.api.callers import HANDLE, READ, caller, find
from incidents.api.incidents import file_answer, named
from incidents.api.problems import ERRORS
from incidents.api.reading import Code, Number, both, name_of, said, there
from incidents.api.repeats import request_key, require_version
from incidents.models import Incident
from incidents.states import OPEN_OBLIGATION
from reports import approvals, comments, exports, prefill, reading, selectors, services, statement, storage
from reports.api import schemas as s
from reports.forms import Field, Form
from reports.models import FieldComment, Filing, Submission
from reports.states import FILING, FilingState

router = Router(tags=["filings"])
ITEM = "/incidents/{code}/filings/{number}"


def filing_of(request: HttpRequest, code: str, number: int) -> Filing:
    """A filing the caller may read.

    Raises:
        Http404: there is none, or it is not for this caller.
    """
    try:
        return selectors.filing_for(find(request, code), number, caller(request).user)
    except Filing.DoesNotExist:
        raise Http404 from None


def tag_of(row: Filing) -> str:
    """The version of a filing: another one after every edit and every step."""
    return f'"{row.pk}-{row.edition}-{row.round}-{row.state}"'


def filing_json(row: Filing) -> dict[str, Any]:
    """A filing in a list."""
    form, zone = prefill.form_of(row), row.entity.zone
    submission = Submission.objects.filter(filing=row).first()
    return {
        "name": str(row),
        "number": row.number,
        "form": row.form,
        "form_title": said(form.title),
        "stage": row.stage,
        "stage_title": said(form.stages[row.stage]),
        "entity": named(row.entity),
        "state": row.state,
        "state_label": both(FilingState(row.state).label),
        "duties": list(row.obligations.order_by("pk").values_list("pk", flat=True)),
        "author": name_of(row.author),
        "created_at": there(row.created_at, zone),
        "privileged": row.privileged,
        "edition": row.edition,
        "frozen_at": there(row.frozen_at, zone),
        "sha256": row.document.sha256 if row.document else None,
        "statement_digest": row.statement_digest or None,
        "submitted_at": there(submission.submitted_at, zone) if submission else None,
    }


def filing_full(row: Filing, *, at: datetime) -> dict[str, Any]:
    """A filing with its fields and everything that was done to it."""
    form, zone = prefill.form_of(row), row.entity.zone
    open_ = row.document_id is None and row.state != FilingState.WITHDRAWN
    return {
        **filing_json(row),
        "form_version": row.form_version,
        "previous": row.previous.number if row.previous else None,
        "fields": _fields(row, form),
        "missing": statement.missing(row) if row.document_id is None else [],
        "edited_by": name_of(row.edited_by),
        "edited_at": there(row.edited_at, zone),
        "review_note": row.review_note,
        "approvals": [_approval(item, zone) for item in approvals.given(row)],
        "approvals_missing": approvals.still_needed(row, at=at) if open_ else 0,
        "frozen_by": name_of(row.frozen_by),
        "channels": {key: said(words) for key, words in form.channels.items()},
        **_handed_over(row, zone),
        "moves": [name for name, move in FILING.items() if row.state in move.source],
    }


def _fields(row: Filing, form: Form) -> list[dict[str, Any]]:
    version = prefill.version_of(row.obligations.all())
    return [_field(row, item.at(row.stage), version) for item in form.fields(row.stage)]


def _field(row: Filing, item: Field, version: str) -> dict[str, Any]:
    held = row.values.get(item.key) or {"value": None, "status": prefill.status_of(None, item, row.stage, version)}
    return {
        "key": item.key,
        "number": item.number,
        "label": said(item.label),
        "type": item.type,
        "need": item.needed(row.stage, version),
        "value": held["value"],
        "status": held["status"],
        "provenance": held.get("provenance"),
        "edited": bool(held.get("edited")),
        "options": {key: said(words) for key, words in item.options.items()},
        "max_length": item.max_length,
    }


def _approval(row: Any, zone: str) -> dict[str, Any]:
    return {
        "by": name_of(row.by),
        "standing_for": name_of(row.standing_for),
        "at": there(row.at, zone),
        "reason": row.reason,
    }


def _handed_over(row: Filing, zone: str) -> dict[str, Any]:
    held = Submission.objects.filter(filing=row).select_related("recorded_by").first()
    return {
        "submission": submission_json(held, zone) if held else None,
        "dispatches": [dispatch_json(item, zone) for item in row.dispatches.select_related("requested_by")],
        "requests": [request_json(item, zone) for item in row.requests.all()],
    }


def submission_json(row: Submission, zone: str) -> dict[str, Any]:
    """The hand-over and what came back."""
    plain = {name: getattr(row, name) for name in ("channel", "receipt_number", "note", "outcome", "outcome_note")}
    return {
        **plain,
        "submitted_at": there(row.submitted_at, zone),
        "proof": row.proof_id is not None,
        "recorded_by": name_of(row.recorded_by),
        "recorded_at": there(row.recorded_at, zone),
        "outcome_at": there(row.outcome_at, zone),
    }


def dispatch_json(row: Any, zone: str) -> dict[str, Any]:
    """A filing on its way."""
    return {
        "id": row.pk,
        "channel": row.channel,
        "state": row.state,
        "requested_by": name_of(row.requested_by),
        "requested_at": there(row.requested_at, zone),
        "ended_at": there(row.ended_at, zone),
        "error": row.error,
    }


def request_json(row: Any, zone: str) -> dict[str, Any]:
    """An authority asks for more."""
    return {
        "id": row.pk,
        "text": row.text,
        "received_at": there(row.received_at, zone),
        "due_at": there(row.due_at, zone),
        "answered_at": there(row.answered_at, zone),
        "answer": row.answer,
    }


def shown(request: HttpRequest, response: HttpResponse, code: str, number: int) -> dict[str, Any]:
    """The filing as it stands now, with its version in the header ``ETag``."""
    row = filing_of(request, code, number)
    response["ETag"] = tag_of(row)
    return filing_full(row, at=clock.now())


@router.get("/incidents/{code}/filings", auth=READ, response={200: list[s.FilingOut], **ERRORS}, operation_id="filings")
def filing_list(request: HttpRequest, code: Code) -> Any:
    """The filings of one incident that the caller may read."""
    rows = selectors.filings_for(find(request, code), caller(request).user)
    return [filing_json(row) for row in rows.order_by("number")]


@router.post(
    "/incidents/{code}/filings", auth=HANDLE, response={201: s.FilingFull, **ERRORS}, operation_id="filing_start"
)
def filing_start(request: HttpRequest, response: HttpResponse, code: Code, body: s.DraftIn) -> Any:
    """Begin a draft, filled from the facts. A repeated ``Idempotency-Key`` answers the draft it made."""
    found, held = find(request, code), caller(request)
    row = services.filing_start(
        incident=found,
        obligations=_duties(found, body.duties),
        form=body.form,
        request_key=request_key(request),
        at=clock.now(),
        by=held.user,
    )
    return Status(201, shown(request, response, code, row.number))


def _duties(incident: Incident, wanted: list[int]) -> list[Any]:
    rows = list(incident.obligations.filter(pk__in=wanted).select_related("entity").order_by("pk"))
    if len(rows) < len(set(wanted)):
        raise BadInput(_("There is no such duty in this incident."), code="unknown_duty", field="duties")
    if any(row.state not in OPEN_OBLIGATION and row.met_at is None for row in rows):
        raise BadInput(_("One of these duties does not apply."), code="not_open", field="duties")
    return rows


@router.get(ITEM, auth=READ, response={200: s.FilingFull, **ERRORS}, operation_id="filing")
def filing(request: HttpRequest, response: HttpResponse, code: Code, number: Number) -> Any:
    """One filing with its fields; its version stands in the header ``ETag``."""
    return shown(request, response, code, number)


@router.patch(
    ITEM,
    auth=HANDLE,
    response={200: s.FilingFull, **ERRORS},
    operation_id="filing_edit",
)
def filing_edit(request: HttpRequest, response: HttpResponse, code: Code, number: Number, body: s.FieldsIn) -> Any:
    """Save fields. The ``ETag`` that was read must be sent as ``If-Match``: 428 without it, 412 if somebody saved since."""
    row = filing_of(request, code, number)
    # Who may not, learns that, and not that a version is missing.
    access.require_handle(caller(request).user, row.incident)
    require_version(request, tag_of(row), needed=True)
    services.filing_edit(filing=row, values=body.values, edition=row.edition, at=clock.now(), by=caller(request).user)
    return shown(request, response, code, number)


@router.post(f"{ITEM}/refilled", auth=HANDLE, response={200: s.FilingFull, **ERRORS}, operation_id="filing_refill")
def filing_refill(request: HttpRequest, response: HttpResponse, code: Code, number: Number) -> Any:
    """Fill what nobody edited by hand again from the facts as now known."""
    row = filing_of(request, code, number)
    services.filing_refill(filing=row, at=clock.now(), by=caller(request).user)
    return shown(request, response, code, number)


@router.post(f"{ITEM}/grounds", auth=HANDLE, response={200: s.FilingFull, **ERRORS}, operation_id="denial_support")
def denial_support(request: HttpRequest, response: HttpResponse, code: Code, number: Number, body: s.GroundIn) -> Any:
    """Name the evidence, or the fact with its source, that a denial in a field rests on."""
    row = filing_of(request, code, number)
    held = row.incident
    services.denial_support(
        filing=row,
        field=body.field,
        evidence=_row(held.evidence_items, body.evidence, "evidence"),
        fact=_row(held.facts, body.fact, "fact"),
        at=clock.now(),
        by=caller(request).user,
    )
    return shown(request, response, code, number)


def _row(rows: Any, number: int | None, field: str) -> Any:
    if number is None:
        return None
    found = rows.filter(number=number).first()
    if found is None:
        raise BadInput(_("There is no such number in this incident."), code="unknown_number", field=field)
    return found


def comment_json(row: FieldComment, zone: str) -> dict[str, Any]:
    """A remark on a field."""
    return {
        "id": row.pk,
        "field": row.field,
        "text": row.text,
        "answers": row.answers_id,
        "privileged": row.privileged,
        "by": name_of(row.by),
        "at": there(row.at, zone),
        "resolved_by": name_of(row.resolved_by),
        "resolved_at": there(row.resolved_at, zone),
    }


@router.get(f"{ITEM}/comments", auth=READ, response={200: list[s.CommentOut], **ERRORS}, operation_id="comments")
def comment_list(request: HttpRequest, code: Code, number: Number) -> Any:
    """The remarks on a filing that the caller may read."""
    row = filing_of(request, code, number)
    return [comment_json(item, row.entity.zone) for item in selectors.comments_for(row, caller(request).user)]


def _comment(request: HttpRequest, row: Filing, wanted: int) -> FieldComment | None:
    return next((item for item in selectors.comments_for(row, caller(request).user) if item.pk == wanted), None)


@router.post(f"{ITEM}/comments", auth=HANDLE, response={201: s.CommentOut, **ERRORS}, operation_id="comment_add")
def comment_add(request: HttpRequest, code: Code, number: Number, body: s.CommentIn) -> Any:
    """Say something about a field, or answer."""
    row = filing_of(request, code, number)
    answers = _comment(request, row, body.answers) if body.answers else None
    if body.answers and answers is None:
        raise BadInput(_("The comment you answer is not in this filing."), code="unknown_comment", field="answers")
    made = comments.comment_add(
        filing=row,
        field=body.field,
        text=body.text,
        answers=answers,
        privileged=body.privileged,
        at=clock.now(),
        by=caller(request).user,
    )
    return Status(201, comment_json(made, row.entity.zone))


@router.post(
    f"{ITEM}/comments/{{comment}}/resolution",
    auth=HANDLE,
    response={200: s.CommentOut, **ERRORS},
    operation_id="comment_resolve",
)
def comment_resolve(request: HttpRequest, code: Code, number: Number, comment: Number) -> Any:
    """The remark is dealt with."""
    row = filing_of(request, code, number)
    held = _comment(request, row, comment)
    if held is None:
        raise Http404
    made = comments.comment_resolve(comment=held, at=clock.now(), by=caller(request).user)
    return comment_json(made, row.entity.zone)


@router.get(f"{ITEM}/document.pdf", auth=READ, response={200: bytes, **ERRORS}, operation_id="filing_pdf")
def document(request: HttpRequest, code: Code, number: Number) -> HttpResponse:
    """The frozen document, or the draft as it would look, marked as one."""
    row = filing_of(request, code, number)
    if row.document is not None:
        reading.note(row, "document", row.document.sha256, at=clock.now(), by=caller(request).user)
        return file_answer(storage.read(row.document), "application/pdf", _name(row, "pdf"), row.document.sha256)
    content = services.preview(row, at=clock.now(), by=caller(request).user)
    return file_answer(content, "application/pdf", _name(row, "draft.pdf"))


def _name(row: Filing, ending: str) -> str:
    safe = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in str(row))
    return f"{safe}.{ending}"


def _frozen(request: HttpRequest, code: str, number: int) -> Filing:
    row = filing_of(request, code, number)
    if row.statement is None:
        raise Http404
    return row


@router.get(f"{ITEM}/statement.json", auth=READ, response={200: dict[str, Any], **ERRORS}, operation_id="statement")
def statement_json(request: HttpRequest, code: Code, number: Number) -> HttpResponse:
    """The statement the document was made from, byte for byte as it is attached inside."""
    row = _frozen(request, code, number)
    reading.note(row, "statement", row.statement_digest, at=clock.now(), by=caller(request).user)
    content = canonical_json(row.statement)
    return file_answer(content, "application/json", _name(row, "json"), row.statement_digest)


@router.get(
    f"{ITEM}/machine.json", auth=READ, response={200: dict[str, Any], **ERRORS}, operation_id="machine_readable"
)
def machine_readable(request: HttpRequest, code: Code, number: Number) -> HttpResponse:
    """The frozen filing in its authority's own format, where it has one."""
    row = _frozen(request, code, number)
    if exports.format_of(row.statement) is None:
        raise Http404
    return file_answer(exports.export(row.statement), "application/json", _name(row, "machine.json"))


@router.get(f"{ITEM}/signed.pdf", auth=READ, response={200: bytes, **ERRORS}, operation_id="signed_pdf")
def signed(request: HttpRequest, code: Code, number: Number) -> HttpResponse:
    """The signed copy of the frozen document."""
    row = filing_of(request, code, number)
    signature = getattr(row, "signature", None)
    if signature is None:
        raise Http404
    reading.note(row, "signed", signature.document.sha256, at=clock.now(), by=caller(request).user)
    content = storage.read(signature.document)
    return file_answer(content, "application/pdf", _name(row, "signed.pdf"), signature.document.sha256)


@router.get(f"{ITEM}/proof", auth=READ, response={200: bytes, **ERRORS}, operation_id="proof")
def proof(request: HttpRequest, code: Code, number: Number) -> HttpResponse:
    """The proof of the hand-over."""
    row = filing_of(request, code, number)
    held = Submission.objects.filter(filing=row, proof__isnull=False).select_related("proof").first()
    if held is None or held.proof is None:
        raise Http404
    try:
        content = storage.read(held.proof)
    except storage.MissingDocument:  # deleted by rule; the digest and the journal say that there was one
        raise Http404 from None
    reading.note(row, "proof", held.proof.sha256, at=clock.now(), by=caller(request).user)
    return file_answer(content, held.proof.media_type, _name(row, "proof"), held.proof.sha256)
