"""The pages of filings: fields and PDF side by side, and every step to the receipt."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_GET, require_POST

from compliance import clock
from compliance.errors import Refused
from incidents import access
from incidents.forms import InstantForm, LocalInstant
from incidents.models import Incident
from incidents.views import UNPROCESSABLE, find
from reports import prefill, services, statement, storage, typography
from reports.forms import Field
from reports.models import Filing, Submission
from reports.states import FILING


def _filing(request: HttpRequest, code: str, number: int) -> Filing:
    incident = find(request, code)
    try:
        return incident.filings.select_related(
            "incident", "entity", "author", "approved_by", "document", "previous"
        ).get(number=number)
    except Filing.DoesNotExist:
        raise Http404(f"{code}/F{number}") from None


@login_required
@require_POST
def start(request: HttpRequest, code: str) -> HttpResponse:
    """Begin a filing for one duty."""
    incident = find(request, code)
    row = incident.obligations.filter(pk=request.POST.get("obligation") or 0).select_related("entity").first()
    if row is None:
        raise Http404
    # Supplements that wait for the same form go out together.
    rows = [row]
    if row.occurrence:
        rows = list(
            incident.obligations.filter(
                rule=row.rule, stage=row.stage, entity=row.entity, met_at=None, state__in=("running", "overdue")
            ).select_related("entity")
        )
    # The key the page carried makes a double click harmless; the duty keeps two drafts of one page apart.
    key = f"{request.user.pk}:{row.pk}:{request.POST.get('request_key', '')}"[:64]
    try:
        filing = services.filing_start(
            incident=incident, obligations=rows or [row], at=clock.now(), by=request.user, request_key=key
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("incidents:incident", code)
    return redirect("reports:filing", code, filing.number)


class SubmissionForm(InstantForm):
    """How it was handed over."""

    submitted_at = LocalInstant(label=gettext_lazy("Handed over at"))
    channel = forms.ChoiceField(label=gettext_lazy("Channel"))
    receipt_number = forms.CharField(label=gettext_lazy("Receipt number"), max_length=100, required=False)
    proof = forms.FileField(label=gettext_lazy("Proof (PDF, PNG or JPEG)"), required=False)
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=2000)

    def __init__(self, *args: Any, filing: Filing, **options: Any) -> None:
        super().__init__(*args, **options)
        language = get_language() or "en"
        channels = prefill.form_of(filing).channels
        self.fields["channel"].choices = [(key, text.get(language)) for key, text in channels.items()]
        self.fields["submitted_at"].zone = filing.entity.zone


class OutcomeForm(InstantForm):
    """What came back."""

    outcome = forms.ChoiceField(
        label=gettext_lazy("Answer"),
        choices=(("acknowledged", gettext_lazy("Acknowledged")), ("refused", gettext_lazy("Refused"))),
    )
    outcome_at = LocalInstant(label=gettext_lazy("Answered at"))
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=2000)

    def __init__(self, *args: Any, filing: Filing, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["outcome_at"].zone = filing.entity.zone


@login_required
def filing(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """One filing; a POST says what to do with it."""
    held = _filing(request, code, number)
    if request.method == "POST":
        outcome = _act(request, held)
        if isinstance(outcome, HttpResponse):
            return outcome
        return render(request, "reports/filing.html", _context(request, held, **outcome), status=UNPROCESSABLE)
    return render(request, "reports/filing.html", _context(request, held))


def _act(request: HttpRequest, held: Filing) -> HttpResponse | dict[str, Any]:
    """Do what the form asks. A redirect when it was done, otherwise what the page must show."""
    action = request.POST.get("action", "")
    if action not in _ACTIONS:
        raise Http404(action)
    try:
        failed = _ACTIONS[action](request, held, clock.now())
    except Refused as refused:
        return {"error": refused, "typed": request.POST}
    if failed is not None:
        return {"failed": failed, "typed": request.POST}
    messages.success(request, _("Saved."))
    return redirect("reports:filing", held.incident.code, held.number)


def _edit(request: HttpRequest, held: Filing, at: datetime) -> None:
    values: dict[str, Any] = {}
    for item in prefill.form_of(held).fields(held.stage):
        name = f"field-{item.key}"
        if name in request.POST and item.type != "table":
            values[item.key] = _typed(item, request.POST[name], held)
    changed = {key: value for key, value in values.items() if _differs(held, key, value)}
    edition = request.POST.get("edition", "0")
    services.filing_edit(
        filing=held, values=changed, edition=int(edition) if edition.isdigit() else 0, at=at, by=request.user
    )


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
        submission=Submission.objects.select_related("filing__incident").get(filing=held),
        acknowledged=data["outcome"] == "acknowledged",
        outcome_at=data["outcome_at"],
        note=data["note"],
        at=at,
        by=request.user,
    )
    return None


def _simple(service: Any, **names: str) -> Any:
    def act(request: HttpRequest, held: Filing, at: datetime) -> None:
        given = {argument: request.POST.get(field, "") for argument, field in names.items()}
        service(filing=held, at=at, by=request.user, **given)

    return act


_ACTIONS: dict[str, Any] = {
    "edit": _edit,
    "refill": _simple(services.filing_refill),
    "review": _simple(services.filing_send_to_review),
    "return": _simple(services.filing_return, note="note"),
    "approve": _simple(services.filing_approve),
    "freeze": _simple(services.filing_freeze),
    "withdraw": _simple(services.filing_withdraw, reason="note"),
    "submit": _submit,
    "answer": _answer,
}


def _context(
    request: HttpRequest,
    held: Filing,
    *,
    error: Refused | None = None,
    failed: forms.Form | None = None,
    typed: Any = None,
) -> dict[str, Any]:
    held = _filing(request, held.incident.code, held.number)
    form = prefill.form_of(held)
    submission = Submission.objects.filter(filing=held).select_related("proof", "recorded_by").first()
    real = held.incident.kind != Incident.Kind.REPLAY
    now, moves = clock.now(), {name for name, move in FILING.items() if held.state in move.source}
    sections = _sections(held, typed if error and typed and typed.get("action") == "edit" else None)
    return {
        "incident": held.incident,
        "filing": held,
        "form": form,
        "stage": form.stages[held.stage],
        "sections": sections,
        "unprintable": typography.unprintable(item["text"] for section in sections for item in section["fields"]),
        "missing": [form.field(key).at(held.stage).label for key in statement.missing(held)]
        if held.document_id is None
        else [],
        "contradictions": [item.says for item in statement.contradictions(held, at=now)] if "withdraw" in moves else [],
        "changes": statement.changes(held, at=now),
        "obligations": held.obligations.select_related("incident", "entity"),
        "moves": moves,
        "editable": held.state == "draft" and access.may_handle(request.user, held.incident) and real,
        "may_handle": access.may_handle(request.user, held.incident) and real,
        "may_decide": access.may_decide(request.user, held.incident) and real,
        "own": request.user.pk in (held.author_id, held.edited_by_id),
        "submission": submission,
        "submission_form": failed
        if isinstance(failed, SubmissionForm)
        else SubmissionForm(typed if error and typed and typed.get("action") == "submit" else None, filing=held),
        "outcome_form": failed if isinstance(failed, OutcomeForm) else OutcomeForm(filing=held),
        "error": error,
        "zone": held.entity.zone,
        "now": now,
    }


def _sections(held: Filing, typed: Any) -> list[dict[str, Any]]:
    form = prefill.form_of(held)
    version = prefill.version_of(held.obligations.all())
    return [
        {
            "title": section.title,
            "fields": [_shown(held, item, typed, version) for item in section.fields],
        }
        for section in form.sections_in(held.stage)
    ]


def _shown(held: Filing, item: Field, typed: Any, version: str) -> dict[str, Any]:
    value = held.values.get(item.key) or {"value": None, "status": prefill.status_of(None, item, held.stage, version)}
    text = prefill.shown(value, item, held.entity.zone)
    raw = text
    if item.type == "instant" and value.get("value"):
        raw = text[:16].replace(" ", "T")
    if typed is not None and f"field-{item.key}" in typed:
        raw = typed[f"field-{item.key}"]
    return {"field": item, "value": value, "text": text, "raw": raw, "need": item.needed(held.stage, version)}


@login_required
@require_GET
@csp_override({})  # the browser's own PDF viewer, not a page of ours
def pdf(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The frozen document, or the draft as it would look."""
    held = _filing(request, code, number)
    content = storage.read(held.document) if held.document else services.preview(held, at=clock.now())
    return _file(content, "application/pdf", f"{code}-F{number}.pdf", inline=True)


@login_required
@require_GET
def proof(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The proof of a submission."""
    held = _filing(request, code, number)
    record = Submission.objects.filter(filing=held, proof__isnull=False).select_related("proof").first()
    if record is None or record.proof is None:
        raise Http404
    return _file(storage.read(record.proof), record.proof.media_type, f"{code}-F{number}-proof", inline=False)


def _file(content: bytes, media_type: str, name: str, *, inline: bool) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    how = "inline" if inline else "attachment"
    response["Content-Disposition"] = f'{how}; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
