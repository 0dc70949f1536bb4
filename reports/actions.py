"""What the page of a filing can be asked to do, by the name of the action. Each calls one service."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from compliance.errors import Refused
from compliance.text import number_in
from incidents.forms import LocalInstant
from incidents.services import late_reason_record
from reports import comments, dispatch, drafting, prefill, requests, services, signing
from reports.forms import Field
from reports.inputs import OutcomeForm, RequestForm, ResolveForm, SubmissionForm
from reports.models import Dispatch, FieldComment, Filing, InformationRequest, Submission

# A form that was not valid, to be shown again; None when it was done.
Action = Callable[[HttpRequest, Filing, datetime], forms.Form | None]


def _simple(service: Any, **names: str) -> Action:
    def act(request: HttpRequest, held: Filing, at: datetime) -> None:
        given = {argument: request.POST.get(field, "") for argument, field in names.items()}
        service(filing=held, at=at, by=request.user, **given)

    return act


def _edit(request: HttpRequest, held: Filing, at: datetime) -> None:
    values: dict[str, Any] = {}
    for item in prefill.form_of(held).fields(held.stage):
        name = f"field-{item.key}"
        if name in request.POST and item.type != "table":
            text = typed_text(request.POST)(item, name)
            if not drafting.untouched(request.POST, item.key, text):
                values[item.key] = _typed(item, text, held)
    changed = {key: value for key, value in values.items() if _differs(held, key, value)}
    edition = number_in(request.POST.get("edition")) or 0
    services.filing_edit(filing=held, values=changed, edition=edition, at=at, by=request.user)


def typed_text(given: Any) -> Callable[[Field, str], str]:
    """How the text of a field is read from what was sent."""

    def read(item: Field, name: str) -> str:
        several = item.type == "choices"
        return ", ".join(filter(None, given.getlist(name))) if several else str(given[name])

    return read


def _typed(item: Field, text: str, held: Filing) -> str | None:
    if item.type == "instant" and text.strip():
        try:
            found = LocalInstant(zone=held.entity.zone).clean(text)
        except forms.ValidationError as error:
            raise Refused(error.messages[0], code="time", field=item.key) from None
        return found.isoformat() if found else None
    return text.strip() or None


def _differs(held: Filing, key: str, value: str | None) -> bool:
    before = (held.values.get(key) or {}).get("value")
    return (before or None) != (value or None) and str(before or "").replace("\r\n", "\n") != str(value or "").replace(
        "\r\n", "\n"
    )


def _submit(request: HttpRequest, held: Filing, at: datetime) -> forms.Form | None:
    form = SubmissionForm(request.POST, request.FILES, filing=held)
    if not form.is_valid():
        return form
    data = form.cleaned_data
    proof = data["proof"]
    services.submission_record(
        filing=held,
        submitted_at=data["submitted_at"],
        channel=data["channel"],
        receipt_number=data["receipt_number"],
        note=data["note"],
        proof=(proof.name, proof.read()) if proof else None,
        at=at,
        by=request.user,
    )
    return None


def _answer(request: HttpRequest, held: Filing, at: datetime) -> forms.Form | None:
    form = OutcomeForm(request.POST, filing=held)
    if not form.is_valid():
        return form
    data = form.cleaned_data
    services.submission_outcome(
        submission=get_object_or_404(Submission.objects.select_related("filing__incident"), filing=held),
        acknowledged=data["outcome"] == "acknowledged",
        outcome_at=data["outcome_at"],
        note=data["note"],
        at=at,
        by=request.user,
    )
    return None


def _send(request: HttpRequest, held: Filing, at: datetime) -> None:
    dispatch.submission_send(
        filing=held,
        channel=request.POST.get("channel", ""),
        target=request.POST.get("target", ""),
        request_key=_key(request, held),
        at=at,
        by=request.user,
    )


def _key(request: HttpRequest, held: Filing) -> str:
    """The key the page carried makes a double click harmless; without one, there is none to make up."""
    given = request.POST.get("request_key", "")
    return f"{held.pk}:{given}"[:64] if given else ""


def _resolve(request: HttpRequest, held: Filing, at: datetime) -> forms.Form | None:
    row = get_object_or_404(Dispatch.objects.filter(filing=held), pk=_number(request, "subject"))
    form = ResolveForm(request.POST, filing=held)
    if not form.is_valid():
        return form
    data = form.cleaned_data
    dispatch.dispatch_resolve(
        dispatch=row,
        sent=data["sent"] == "yes",
        submitted_at=data["submitted_at"],
        note=data["note"],
        at=at,
        by=request.user,
    )
    return None


def _request(request: HttpRequest, held: Filing, at: datetime) -> forms.Form | None:
    form = RequestForm(request.POST, filing=held)
    if not form.is_valid():
        return form
    data = form.cleaned_data
    requests.request_record(filing=held, at=at, by=request.user, request_key=_key(request, held), **data)
    return None


def _answered(request: HttpRequest, held: Filing, at: datetime) -> None:
    row = get_object_or_404(InformationRequest.objects.filter(filing=held), pk=_number(request, "subject"))
    requests.request_answer(request=row, answer=request.POST.get("answer", ""), at=at, by=request.user)


def _support(request: HttpRequest, held: Filing, at: datetime) -> None:
    kind, _sep, number = request.POST.get("ground", "").partition(":")
    wanted = number_in(number)
    rows = held.incident.evidence_items if kind == "evidence" else held.incident.facts
    row = rows.filter(number=wanted).first()
    services.denial_support(
        filing=held,
        field=request.POST.get("field", ""),
        evidence=row if kind == "evidence" else None,
        fact=row if kind == "fact" else None,
        at=at,
        by=request.user,
    )


def _comment(request: HttpRequest, held: Filing, at: datetime) -> None:
    answers = FieldComment.objects.filter(filing=held, pk=_number(request, "answers", 0)).first()
    comments.comment_add(
        filing=held,
        field=request.POST.get("field", ""),
        text=request.POST.get("comment", ""),
        answers=answers,
        privileged=request.POST.get("privileged") == "yes",
        at=at,
        by=request.user,
    )


def _resolve_comment(request: HttpRequest, held: Filing, at: datetime) -> None:
    row = get_object_or_404(
        FieldComment.objects.filter(filing=held).select_related("filing__incident"), pk=_number(request, "subject")
    )
    comments.comment_resolve(comment=row, at=at, by=request.user)


def _privilege(request: HttpRequest, held: Filing, at: datetime) -> None:
    comments.privilege_set(filing=held, privileged=request.POST.get("privileged") == "yes", at=at, by=request.user)


def _late(request: HttpRequest, held: Filing, at: datetime) -> None:
    row = get_object_or_404(held.obligations.select_related("incident"), pk=_number(request, "subject"))
    late_reason_record(obligation=row, reason=request.POST.get("late_reason", ""), at=at, by=request.user)


def _number(request: HttpRequest, name: str, default: int | None = None) -> int:
    number = number_in(request.POST.get(name))
    if number is not None:
        return number
    if default is None:
        raise Http404(name)
    return default


def _ask(request: HttpRequest, held: Filing, at: datetime) -> None:
    """The person is one whom the page offered: members of the incident's entities and their deputies."""
    reviewer = get_object_or_404(User, pk=_number(request, "reviewer", 0), is_active=True)
    passed = held.review_requests.filter(pk=_number(request, "instead_of", 0)).first()
    services.review_ask(
        filing=held, reviewer=reviewer, note=request.POST.get("note", ""), instead_of=passed, at=at, by=request.user
    )


ACTIONS: dict[str, Action] = {
    "edit": _edit,
    "refill": _simple(services.filing_refill),
    "language": _simple(services.filing_language, language="language"),
    "support": _support,
    "comment": _comment,
    "resolve_comment": _resolve_comment,
    "privilege": _privilege,
    "late": _late,
    "review": _simple(services.filing_send_to_review),
    "return": _simple(services.filing_return, note="note"),
    "approve": _simple(services.filing_approve, reason="reason", comments_reason="comments_reason"),
    "ask": _ask,
    "freeze": _simple(services.filing_freeze),
    "sign": _simple(signing.filing_sign),
    "withdraw": _simple(services.filing_withdraw, reason="note"),
    "submit": _submit,
    "send": _send,
    "resolve": _resolve,
    "answer": _answer,
    "request": _request,
    "answered": _answered,
}
