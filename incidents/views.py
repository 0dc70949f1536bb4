"""The pages of incidents. Thin: read through selectors, change through services."""

import secrets
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from compliance import clock
from compliance.engine import FactDef, Library, assess
from compliance.errors import Refused
from compliance.library import get_library
from incidents import access, forms, journal, selectors, services
from incidents.models import Fact, Incident, JournalEntry, Obligation
from incidents.ribbon import draw
from incidents.services import sheets
from incidents.services.hindsight import ACTION as HINDSIGHT

UNPROCESSABLE = 422
JOURNAL_SHOWN = 200


@access.decides("own")
def report(request: HttpRequest) -> HttpResponse:
    """Report a suspicion."""
    entities = access.reportable_entities(request.user)
    first = entities.first()
    zone = first.zone if first else "Asia/Seoul"
    if request.method == "POST":
        chosen = entities.filter(pk=request.POST.get("entity") or 0).first()
        form = forms.ReportForm(request.POST, entities=entities, zone=chosen.zone if chosen else zone)
        if form.is_valid() and (incident := _report(request, form)):
            return redirect("incidents:incident", incident.code)
        return render(request, "incidents/report.html", {"form": form, "entities": entities}, status=UNPROCESSABLE)
    initial = {"request_key": secrets.token_urlsafe(24), "entity": first.pk if first else None}
    form = forms.ReportForm(entities=entities, zone=zone, initial=initial)
    return render(request, "incidents/report.html", {"form": form, "entities": entities})


def _report(request: HttpRequest, form: forms.ReportForm) -> Incident | None:
    data = form.cleaned_data
    answers = {"yes": True, "no": False, "unknown": None}
    kind = Incident.Kind.DRILL if data["drill"] else Incident.Kind.REAL
    try:
        return services.incident_report(
            title=data["title"],
            summary=data["summary"],
            entities=[data["entity"]],
            kind=kind,
            known_at=data["known_at"],
            is_cyber=answers[data["is_cyber"]],
            personal_data=answers[data["personal_data"]],
            leak_suspected_at=None if data["personal_data"] == "no" else data["known_at"],
            request_key=f"{request.user.pk}:{data['request_key']}",
            at=clock.now(),
            by=request.user,
        )
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return None


def find(request: HttpRequest, code: str) -> Incident:
    """The incident ``code``, if the person may know of it.

    Raises:
        Http404: there is none, or it is not for this person.
    """
    try:
        return selectors.incident_for(request.user, code)
    except Incident.DoesNotExist:
        raise Http404(code) from None


@access.decides("incident")
def incident(request: HttpRequest, code: str) -> HttpResponse:
    """One incident, and everything that is done to it."""
    found = find(request, code)
    zone = _zone(found)
    bound: forms.Action | None = None
    if request.method == "POST":
        bound = _bound(request, found, zone)
        if _performed(request, bound):
            return redirect(f"{request.path}#{_anchor(bound)}")
    context = _incident_context(request, found, zone, bound)
    return render(request, "incidents/incident.html", context, status=UNPROCESSABLE if bound else 200)


def _zone(found: Incident) -> str:
    return next((entity.zone for entity in found.entities.all()), "Asia/Seoul")


def _bound(request: HttpRequest, found: Incident, zone: str) -> forms.Action:
    name = request.POST.get("action", "")
    if name not in forms.ACTIONS:
        raise Http404(name)
    return forms.ACTIONS[name](request.POST, incident=found, zone=zone)


def _performed(request: HttpRequest, form: forms.Action) -> bool:
    """Whether the action was done; otherwise its errors stand beside its fields."""
    if not form.is_valid():
        return False
    try:
        form.perform(at=clock.now(), by=request.user)
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return False
    except (Fact.DoesNotExist, Obligation.DoesNotExist) as error:
        raise Http404 from error
    messages.success(request, _("Saved."))
    return True


_ANCHORS = {
    "fact": "facts", "adopt": "awareness", "retract": "facts", "people": "people", "systems": "systems",
    "evidence": "evidence", "settle": "evidence", "late": "clocks", "acknowledge": "escalations",
}  # fmt: skip


def _anchor(form: forms.Action) -> str:
    name = next(key for key, kind in forms.ACTIONS.items() if type(form) is kind)
    return _ANCHORS.get(name, "top")


def _incident_context(request: HttpRequest, found: Incident, zone: str, bound: forms.Action | None) -> dict[str, Any]:
    now = found.clock_at or clock.now()
    clocks = selectors.clocks_of(found, now=now)
    known = sheets.read(found, as_of=now)
    entity = found.entities.all()[0]
    standing = sheets.standing(found, entity, as_of=now)
    shown = [fact for rows in standing.values() for fact in rows]
    library = services.library_of(found)
    asked = assess(library, sheets.fact_sheet(found, entity, as_of=now, known=known), sheets.profile(entity), now)
    fact = request.GET.get("fact") or (asked.questions[0] if asked.questions else "")
    entries = JournalEntry.objects.filter(chain=found.code).order_by("-sequence")
    return {
        "incident": found,
        "entity": entity,
        "zone": zone,
        "now": now,
        "clocks": clocks,
        "progress": selectors.progress_of([item.obligation for item in clocks]),
        "ribbon": draw(found, clocks, shown, now=now, zone=zone),
        "questions": asked.questions,
        "not_required": [duty for duty in asked.duties if duty.status == "not_required" and duty.concerns_entity],
        "for_others": len({duty.rule for duty in asked.duties if not duty.concerns_entity}),
        "told_by": {name: rows[-1] for name, rows in standing.items()},
        "law_behind": found.kind != Incident.Kind.REPLAY and services.law_behind().filter(pk=found.pk).exists(),
        "fact_form": _fact_form(found, zone, fact, bound),
        "bound": bound,
        "forms": _empty_forms(found, zone, bound),
        "values": [rows[-1] for rows in standing.values() if rows[-1].kind == Fact.Kind.VALUE],
        "contested": _contested(standing),
        "events": [fact for fact in shown if fact.kind == Fact.Kind.EVENT],
        "history": list(reversed(known.facts)),
        "vocabulary": _vocabulary(library, {duty.rule for duty in asked.duties if duty.concerns_entity}),
        "people": _latest_people(known),
        "systems": list(found.systems.order_by("pk")),
        "evidence": list(found.evidence_items.select_related("settled_by")),
        "escalations": list(
            found.escalations.select_related("acknowledged_by", "obligation", "evidence")
            .prefetch_related("messages__recipient")
            .order_by("-at", "-pk")[:JOURNAL_SHOWN]
        ),
        "dismissal": found.dismissals.filter(decision="pending").select_related("requested_by").first(),
        "entries": [(entry, journal.message(entry.action)) for entry in entries[:JOURNAL_SHOWN]],
        "entry_count": entries.count(),
        "hindsight": list(entries.filter(action=HINDSIGHT)),
        "panels": selectors.panels_of(found, request.user, now=now),
        "journal_valid": not list(journal.verify(found.code)),
        "request_key": secrets.token_urlsafe(16),
        "may_handle": access.may_handle(request.user, found) and found.kind != Incident.Kind.REPLAY,
        "may_export": access.may_export(request.user, found),
        "may_export_privileged": access.may_see_privileged(request.user, found),
        "may_decide": access.may_decide(request.user, found) and found.kind != Incident.Kind.REPLAY,
    }


def _vocabulary(library: Library, rules: set[str]) -> list[FactDef]:
    """The facts that rules speaking to the entity rest on, and those that only feed filings."""
    used = set().union(*(library.rules[key].facts for key in rules)) if rules else set()
    return [
        item
        for item in library.facts.values()
        if item.type not in ("people", "profile") and (item.name in used or not item.legal)
    ]


def _latest_people(known: sheets.Known) -> list[Any]:
    latest = {(row.entity_id, row.residence): row for row in known.people}
    return [latest[key] for key in sorted(latest)]


def _contested(standing: dict[str, list[Fact]]) -> list[dict[str, Any]]:
    """Candidates side by side, the adopted one marked."""
    groups = []
    for name, rows in standing.items():
        candidates = sorted((row for row in rows if row.kind == Fact.Kind.CANDIDATE), key=sheets.instant_of)
        if not candidates:
            continue
        adoptions = [row for row in rows if row.kind == Fact.Kind.ADOPTION]
        adopted = adoptions[-1] if adoptions else None
        groups.append(
            {
                "name": name,
                "candidates": candidates,
                "adopted": adopted.adopts_id if adopted else None,
                "reason": adopted.note if adopted else "",
            }
        )
    return groups


def _fact_form(found: Incident, zone: str, name: str, bound: forms.Action | None) -> forms.FactForm | None:
    if isinstance(bound, forms.FactForm):
        return bound
    definition = get_library().facts.get(name)
    if definition is None or definition.type in ("people", "profile"):
        return None
    return forms.FactForm(incident=found, zone=zone, fact=name)


def _empty_forms(found: Incident, zone: str, bound: forms.Action | None) -> dict[str, django_forms.Form]:
    made: dict[str, django_forms.Form] = {}
    for name, kind in forms.ACTIONS.items():
        if name != "fact":
            made[name] = bound if type(bound) is kind and bound is not None else kind(incident=found, zone=zone)
    return made
