"""What moves a filing from draft to receipt. Each asks the service, which decides who may and when."""

import base64
import binascii
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Router, Status

from compliance import clock
from compliance.errors import BadInput
from incidents.api.callers import DECIDE, HANDLE, caller, one
from incidents.api.problems import ERRORS
from incidents.api.reading import Code, Number
from incidents.api.repeats import request_key, require_version
from incidents.models import Incident
from reports import comments, dispatch, requests, services, signing
from reports.api import schemas as s
from reports.api.filings import ITEM, dispatch_json, filing_of, request_json, shown, tag_of
from reports.models import Submission

router = Router(tags=["filings"])
DONE = {200: s.FilingFull, **ERRORS}


def move(
    request: HttpRequest, response: HttpResponse, code: str, number: int, service: Any, **given: Any
) -> dict[str, Any]:
    """Do it if the caller saw the version there is (where ``If-Match`` says which), and answer the filing as it is then."""
    with transaction.atomic():
        row = filing_of(request, code, number)
        if "If-Match" in request.headers:
            # Held until the step is taken, so that nobody saves in between.
            Incident.objects.select_for_update().get(pk=row.incident_id)
            row = filing_of(request, code, number)
            require_version(request, tag_of(row))
        service(filing=row, at=clock.now(), by=caller(request).user, **given)
    return shown(request, response, code, number)


@router.post(f"{ITEM}/review", auth=HANDLE, response=DONE, operation_id="filing_review")
def review(request: HttpRequest, response: HttpResponse, code: Code, number: Number) -> Any:
    """The author is done."""
    return move(request, response, code, number, services.filing_send_to_review)


@router.post(f"{ITEM}/return", auth=HANDLE, response=DONE, operation_id="filing_return")
def send_back(request: HttpRequest, response: HttpResponse, code: Code, number: Number, body: s.ReturnIn) -> Any:
    """Back to the author, with what is wanted."""
    return move(request, response, code, number, services.filing_return, note=body.note)


@router.post(f"{ITEM}/approval", auth=DECIDE, response=DONE, operation_id="filing_approve")
def approve(request: HttpRequest, response: HttpResponse, code: Code, number: Number, body: s.ApproveIn) -> Any:
    """Stand behind it, as a person who did not write it. Denials and late filings need two."""
    return move(request, response, code, number, services.filing_approve, **body.dict())


@router.post(f"{ITEM}/freeze", auth=HANDLE, response=DONE, operation_id="filing_freeze")
def freeze(request: HttpRequest, response: HttpResponse, code: Code, number: Number) -> Any:
    """Make the document. From here on its content never changes."""
    return move(request, response, code, number, services.filing_freeze)


@router.post(f"{ITEM}/signature", auth=HANDLE, response=DONE, operation_id="filing_sign")
def sign(request: HttpRequest, response: HttpResponse, code: Code, number: Number) -> Any:
    """Make a signed copy, where this house has a certificate."""
    return move(request, response, code, number, signing.filing_sign)


@router.post(f"{ITEM}/withdrawal", auth=HANDLE, response=DONE, operation_id="filing_withdraw")
def withdraw(request: HttpRequest, response: HttpResponse, code: Code, number: Number, body: s.ReasonIn) -> Any:
    """It will not be sent."""
    return move(request, response, code, number, services.filing_withdraw, reason=body.reason)


@router.put(f"{ITEM}/privilege", auth=DECIDE, response=DONE, operation_id="filing_privilege")
def privilege(request: HttpRequest, response: HttpResponse, code: Code, number: Number, body: s.PrivilegeIn) -> Any:
    """Keep a draft among the lawyers, or not."""
    return move(request, response, code, number, comments.privilege_set, privileged=body.privileged)


@router.post(f"{ITEM}/submission", auth=HANDLE, response=DONE, operation_id="filing_submit")
def submit(request: HttpRequest, response: HttpResponse, code: Code, number: Number, body: s.SubmissionIn) -> Any:
    """Record that a person handed it over; the duties it answers are met at that moment. Repeating changes nothing."""
    given = {**body.dict(exclude={"proof"}), "proof": _proof(body.proof)}
    return move(request, response, code, number, services.submission_record, **given)


def _proof(given: s.ProofIn | None) -> tuple[str, bytes] | None:
    if given is None:
        return None
    try:
        return given.name, base64.b64decode(given.base64, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput(_("Expected the file in base64."), code="not_base64", field="proof") from None


@router.post(f"{ITEM}/outcome", auth=HANDLE, response=DONE, operation_id="filing_outcome")
def outcome(request: HttpRequest, response: HttpResponse, code: Code, number: Number, body: s.OutcomeIn) -> Any:
    """Record what came back. A refusal opens the duties again with their old due moments."""
    row = filing_of(request, code, number)
    held = Submission.objects.filter(filing=row).select_related("filing__incident").first()
    if held is None:
        raise Http404
    given = {"acknowledged": body.outcome == "acknowledged", "outcome_at": body.outcome_at, "note": body.note}
    services.submission_outcome(submission=held, at=clock.now(), by=caller(request).user, **given)
    return shown(request, response, code, number)


@router.post(
    f"{ITEM}/dispatches",
    auth=HANDLE,
    response={201: s.DispatchOut, **ERRORS},
    operation_id="filing_send",
)
def send(request: HttpRequest, code: Code, number: Number, body: s.DispatchIn) -> Any:
    """Have a channel of this house hand it over, once. Needs an ``Idempotency-Key``: repeated, it answers the first."""
    row = filing_of(request, code, number)
    made = dispatch.submission_send(
        filing=row,
        channel=body.channel,
        target=body.target,
        request_key=request_key(request) or "",
        at=clock.now(),
        by=caller(request).user,
    )
    return Status(201, dispatch_json(made, row.entity.zone))


@router.post(
    f"{ITEM}/dispatches/{{dispatch_id}}/resolution",
    auth=HANDLE,
    response={200: s.DispatchOut, **ERRORS},
    operation_id="dispatch_resolve",
)
def resolve(request: HttpRequest, code: Code, number: Number, dispatch_id: Number, body: s.ResolveIn) -> Any:
    """Say of an uncertain hand-over whether it left."""
    row = filing_of(request, code, number)
    held = one(row.dispatches.select_related("filing__incident"), pk=dispatch_id)
    made = dispatch.dispatch_resolve(dispatch=held, at=clock.now(), by=caller(request).user, **body.dict())
    return dispatch_json(made, row.entity.zone)


@router.post(f"{ITEM}/requests", auth=HANDLE, response={201: s.RequestOut, **ERRORS}, operation_id="request_record")
def request_record(request: HttpRequest, code: Code, number: Number, body: s.RequestIn) -> Any:
    """An authority asks for more. A repeated ``Idempotency-Key`` answers the first record."""
    row = filing_of(request, code, number)
    made = requests.request_record(
        filing=row, request_key=request_key(request), at=clock.now(), by=caller(request).user, **body.dict()
    )
    return Status(201, request_json(made, row.entity.zone))


@router.post(
    f"{ITEM}/requests/{{request_id}}/answer",
    auth=HANDLE,
    response={200: s.RequestOut, **ERRORS},
    operation_id="request_answer",
)
def request_answer(request: HttpRequest, code: Code, number: Number, request_id: Number, body: s.AnswerIn) -> Any:
    """The request was answered, and how."""
    row = filing_of(request, code, number)
    held = one(row.requests.select_related("filing__incident"), pk=request_id)
    made = requests.request_answer(request=held, answer=body.answer, at=clock.now(), by=caller(request).user)
    return request_json(made, row.entity.zone)
