"""The pages of filings: fields and PDF side by side, and every step to the receipt."""

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_GET, require_POST

from compliance import clock
from compliance.engine import LocalText, canonical_json
from compliance.errors import Refused
from compliance.text import number_in
from incidents import access
from incidents.models import Incident
from incidents.services import contacts
from incidents.views import UNPROCESSABLE, find
from reports import (
    drafting,
    exports,
    filing_page,
    page,
    prefill,
    public,
    reading,
    selectors,
    services,
    statement,
    storage,
    typography,
)
from reports.actions import ACTIONS, typed_text
from reports.channels import portal
from reports.forms import Field, Form
from reports.forms.formats import chosen
from reports.inputs import OutcomeForm, PublicStatementForm, RequestForm, ResolveForm, SubmissionForm
from reports.models import Filing, PublicStatement, Submission
from reports.states import FILING


def _filing(request: HttpRequest, code: str, number: int) -> Filing:
    incident = find(request, code)
    try:
        return selectors.filing_for(incident, number, request.user)
    except Filing.DoesNotExist:
        raise Http404(f"{code}/F{number}") from None


@access.decides("incident")
@require_POST
def start(request: HttpRequest, code: str) -> HttpResponse:
    """Begin a filing for one duty."""
    incident = find(request, code)
    row = incident.obligations.filter(pk=number_in(request.POST.get("obligation"))).select_related("entity").first()
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


@access.decides("incident")
def filing(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """One filing; a POST says what to do with it."""
    held = _filing(request, code, number)
    if request.method == "POST" and request.headers.get("X-Autosave"):
        return drafting.autosave(request, held, edit=ACTIONS["edit"], sections=lambda row: _sections(row, None))
    if request.method == "POST":
        outcome = _act(request, held)
        if isinstance(outcome, HttpResponse):
            return outcome
        return render(request, "reports/filing.html", _context(request, held, **outcome), status=UNPROCESSABLE)
    return render(request, "reports/filing.html", _context(request, held))


def _act(request: HttpRequest, held: Filing) -> HttpResponse | dict[str, Any]:
    """Do what the form asks. A redirect when it was done, otherwise what the page must show."""
    action = request.POST.get("action", "")
    if action not in ACTIONS:
        raise Http404(action)
    try:
        failed = ACTIONS[action](request, held, clock.now())
    except Refused as refused:
        return {"error": refused, "typed": request.POST}
    if failed is not None:
        return {"failed": failed, "typed": request.POST}
    messages.success(request, _("Saved."))
    return redirect("reports:filing", held.incident.code, held.number)


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
    stored = _sections(held, None)
    refused_edit = typed if error and typed and typed.get("action") == "edit" else None
    sections = _sections(held, _touched(held, refused_edit)) if refused_edit else stored
    handles = access.may_handle(request.user, held.incident) and real
    missing = statement.missing(held) if held.document_id is None else []
    review = page.review(held, request.user, at=now, real=real)
    review["open_threads"] = sum(filing_page.open_threads(review["threads"]).values())
    late = page.late(held, at=now) if handles else []
    to_settle = filing_page.to_settle(held, form, missing, review, late)
    return {
        "incident": held.incident,
        "filing": held,
        "form": form,
        "heading": _heading(held, form),
        "sections": sections,
        "base": drafting.base_of(stored),
        "clashes": drafting.clashes(stored, drafting.mine(held, refused_edit, typed_text(refused_edit)))
        if error and error.code == drafting.EDITION_CONFLICT
        else [],
        "steps": filing_page.steps(held),
        "clocks": filing_page.clocks(held, now=now),
        "to_settle": to_settle,
        "stopped": any(item.stops for item in to_settle),
        "commented": filing_page.open_threads(review["threads"]),
        "unprintable": typography.unprintable(item["text"] for section in sections for item in section["fields"]),
        "contradictions": [item.says for item in statement.contradictions(held, at=now)] if "withdraw" in moves else [],
        "changes": filing_page.changed(statement.changes(held, at=now)),
        "moves": moves,
        "editable": held.state == "draft" and handles,
        "may_handle": handles,
        "may_decide": access.may_decide(request.user, held.incident) and real,
        "submission": submission,
        "mailbox": _mailbox(held),
        "channel_name": form.channels.get(submission.channel) if submission else None,
        **_forms(held, failed, typed if error else None),
        **review,
        **page.ways(held, at=now),
        **page.language(held),
        "late": late,
        "hindsight": page.hindsight(held, at=now),
        "request_key": secrets.token_urlsafe(16),
        "error": error,
        "error_label": _label_of(form, error),
        "typed": typed or {},
        "zone": held.entity.zone,
        "now": now,
    }


def _touched(held: Filing, given: Any) -> Any:
    """Of what was sent, the fields that the person changed; the others show what is stored."""
    kept = given.copy()
    changed = drafting.mine(held, given, typed_text(given))
    for name in [name for name in kept if name.startswith("field-") and name.removeprefix("field-") not in changed]:
        del kept[name]
    return kept


def _mailbox(held: Filing) -> str:
    """The address kept for the first authority of the filing that has one; a person reads it before it is used."""
    if held.state != "frozen":
        return ""
    duties = held.obligations.order_by("pk").values_list("duty", flat=True)
    names = [name["en"] for duty in duties for name in duty["addressees"]]
    kept = {row.authority: row.email for row in contacts.contacts_of(held.entity, names)}
    return next((kept[name] for name in names if kept.get(name)), "")


def _label_of(form: Form, error: Refused | None) -> LocalText | None:
    """The name of the field that a refusal is about."""
    if error is None or not error.field:
        return None
    try:
        return form.field(error.field).label
    except KeyError:
        return None


def _forms(held: Filing, failed: forms.Form | None, typed: Any) -> dict[str, forms.Form]:
    """The page's forms, filled with what was typed where it was refused."""
    kinds: dict[str, Any] = {
        "submit": SubmissionForm,
        "answer": OutcomeForm,
        "request": RequestForm,
        "resolve": ResolveForm,
    }
    action = typed.get("action") if typed else None
    return {
        f"{name}_form": failed if isinstance(failed, kind) else kind(typed if action == name else None, filing=held)
        for name, kind in kinds.items()
    }


def _heading(held: Filing, form: Form) -> dict[str, Any]:
    """Title, addressee and the like: of a frozen filing as they were filed, whatever the form says since."""
    filed = (held.statement or {}).get("form")
    if filed:
        return {**filed, "stage": filed["stage_title"]}
    named = {name: getattr(form, name) for name in ("title", "addressee", "basis", "note")}
    return {**named, "stage": form.stages[held.stage]}


def _filed(held: Filing) -> list[dict[str, Any]]:
    """What stands in the frozen document, as it was named then."""
    return [
        {
            "title": section["title"],
            "fields": [
                {"field": field, "value": {**held.values.get(field["key"], {}), **field}, "text": field["text"]}
                for field in section["fields"]
                if not field["omitted"]
            ],
        }
        for section in (held.statement or {}).get("sections", [])
    ]


def _sections(held: Filing, typed: Any) -> list[dict[str, Any]]:
    if held.statement is not None:
        return _filed(held)
    form = prefill.form_of(held)
    version = prefill.version_of(held.obligations.all())
    return [
        {
            "title": section.title,
            "fields": [_shown(held, item, typed, version, form.language) for item in section.fields],
        }
        for section in form.sections_in(held.stage)
    ]


def _shown(held: Filing, item: Field, typed: Any, version: str, language: str) -> dict[str, Any]:
    value = held.values.get(item.key) or {"value": None, "status": prefill.status_of(None, item, held.stage, version)}
    text = prefill.shown(value, item, held.entity.zone, language)
    raw = str(value.get("value") or "") if item.type != "table" else ""
    if item.type == "instant" and value.get("value"):
        raw = text[:16].replace(" ", "T")
    name = f"field-{item.key}"
    if typed is not None and name in typed:
        raw = ", ".join(typed.getlist(name)) if item.type == "choices" else typed[name]
    need = item.needed(held.stage, version)
    return {"field": item, "value": value, "text": text, "raw": raw, "need": need, "options": _options(item, raw)}


_YES_NO = {"true": LocalText("예", "Yes"), "false": LocalText("아니요", "No")}


def _options(item: Field, raw: str) -> list[tuple[str, LocalText, bool]]:
    """What can be chosen, and what is."""
    options = _YES_NO if item.type == "boolean" else item.options
    picked = chosen(raw) if item.type == "choices" else [raw]
    return [(key, words, key in picked) for key, words in options.items()]


@access.decides("incident")
@require_GET
@csp_override({})  # the browser's own PDF viewer, not a page of ours
def pdf(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The frozen document, or the draft as it would look."""
    held = _filing(request, code, number)
    content = storage.read(held.document) if held.document else services.preview(held, at=clock.now(), by=request.user)
    if held.document:
        reading.note(held, "document", held.document.sha256, at=clock.now(), by=request.user)
    return _file(content, "application/pdf", f"{code}-F{number}.pdf", inline=True)


@access.decides("incident")
@require_GET
def proof(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The proof of a submission."""
    held = _filing(request, code, number)
    record = Submission.objects.filter(filing=held, proof__isnull=False).select_related("proof").first()
    if record is None or record.proof is None:
        raise Http404
    try:
        content = storage.read(record.proof)
    except storage.MissingDocument:  # deleted by rule; the digest and the journal say that there was one
        raise Http404 from None
    reading.note(held, "proof", record.proof.sha256, at=clock.now(), by=request.user)
    ending = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg"}.get(record.proof.media_type, "")
    return _file(content, record.proof.media_type, f"{code}-F{number}-proof{ending}", inline=False)


def _file(content: bytes, media_type: str, name: str, *, inline: bool) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    how = "inline" if inline else "attachment"
    if not inline:  # never a page of ours, whatever is in it
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Content-Disposition"] = f'{how}; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@access.decides("incident")
@require_GET
def signed(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The signed copy of the frozen document."""
    held = _filing(request, code, number)
    signature = getattr(held, "signature", None)
    if signature is None:
        raise Http404
    reading.note(held, "signed", signature.document.sha256, at=clock.now(), by=request.user)
    return _file(storage.read(signature.document), "application/pdf", f"{code}-F{number}-signed.pdf", inline=False)


@access.decides("incident")
@require_GET
def statement_json(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The statement the document was made from, as it is attached inside."""
    held = _filing(request, code, number)
    if held.statement is None:
        raise Http404
    reading.note(held, "statement", held.statement_digest, at=clock.now(), by=request.user)
    return _file(canonical_json(held.statement), "application/json", f"{code}-F{number}.json", inline=False)


@access.decides("incident")
@require_GET
def by_hand(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """What to enter at a portal, read out or write: field by field, and what to attach."""
    held = _filing(request, code, number)
    if held.statement is None:
        raise Http404
    form = prefill.form_of(held)
    context = {
        "incident": held.incident,
        "filing": held,
        "heading": _heading(held, form),
        "sections": list(portal.lines(held)),
        "channels": [(words, portal.link_in(words.ko) or portal.link_in(words.en)) for words in form.channels.values()],
        "law_says": page.channel_words(held),
        **_contacts(request, held),
        "signature": getattr(held, "signature", None),
        "zone": held.entity.zone,
        **page.language(held),
    }
    return render(request, "reports/by_hand.html", context)


def _contacts(request: HttpRequest, held: Filing) -> dict[str, Any]:
    """How the entity reaches the authorities of this filing, what to check again, and for whom nothing is kept."""
    now = clock.now()
    duties = held.obligations.order_by("pk").values_list("duty", flat=True)
    names = {name["en"]: LocalText(**name) for duty in duties for name in duty["addressees"]}
    kept = contacts.contacts_of(held.entity, names)
    without = [names[name] for name in names.keys() - {row.authority for row in kept}]
    return {
        "contacts": [(names[row.authority], row, contacts.is_stale(row, at=now)) for row in kept],
        "unreached": sorted(without, key=lambda name: name.en),
        "keeps_contacts": contacts.may_change(request.user, held.entity),
    }


FIGURES = 5


@access.decides("incident")
def public_statements(request: HttpRequest, code: str) -> HttpResponse:
    """What the company said in public, and a form to keep one more."""
    incident = find(request, code)
    zone = incident.entities.order_by("pk").values_list("zone", flat=True).first() or "UTC"
    form = PublicStatementForm(request.POST or None, zone=zone)
    refused = None
    if request.method == "POST" and form.is_valid():
        figures = {request.POST.get(f"topic-{n}", ""): request.POST.get(f"said-{n}", "") for n in range(FIGURES)}
        figures.pop("", None)
        try:
            public.public_statement_record(
                incident=incident, figures=figures, at=clock.now(), by=request.user, **form.cleaned_data
            )
        except Refused as error:
            refused = error
        else:
            messages.success(request, _("Saved."))
            return redirect("reports:public_statements", code)
    context = {
        "incident": incident,
        "rows": PublicStatement.objects.filter(evidence__incident=incident).select_related("evidence__recorded_by"),
        "topics": public.topics(),
        "lines": [(n, request.POST.get(f"topic-{n}", ""), request.POST.get(f"said-{n}", "")) for n in range(FIGURES)],
        "form": form,
        "error": refused,
        "may_handle": access.may_handle(request.user, incident) and incident.kind != Incident.Kind.REPLAY,
        "zone": zone,
    }
    wrong = refused is not None or (request.method == "POST" and bool(form.errors))
    return render(request, "reports/public.html", context, status=UNPROCESSABLE if wrong else 200)


@access.decides("incident")
@require_GET
def machine_readable(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The frozen filing in its authority's own format, as it is attached inside."""
    held = _filing(request, code, number)
    name = exports.format_of(held.statement) if held.statement is not None else None
    if name is None:
        raise Http404
    content = exports.export(held.statement)
    return _file(content, "application/json", f"{code}-F{number}-{name}.json", inline=False)
