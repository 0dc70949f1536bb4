"""The pages of incidents. Thin: read through selectors, change through services."""

import secrets
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from compliance import clock
from compliance.errors import Refused
from compliance.text import number_in
from incidents import access, forms, incident_page, selectors, services
from incidents.models import Incident

UNPROCESSABLE = 422


@access.decides("own")
def report(request: HttpRequest) -> HttpResponse:
    """Report a suspicion."""
    entities = access.reportable_entities(request.user)
    first = entities.first()
    zone = first.zone if first else "Asia/Seoul"
    if request.method == "POST":
        chosen = entities.filter(pk=number_in(request.POST.get("entity"))).first()
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
    """One incident, and everything that is done to it; with ``?at=`` as it stood then, to be read only."""
    found = find(request, code)
    zone = zone_of(found)
    bound: forms.Action | None = None
    at, wrong = None, ""
    if request.method == "POST":
        bound = _bound(request, found, zone)
        if _performed(request, bound):
            return redirect(f"{request.path}#{_anchor(bound)}")
    else:
        at, wrong = _moment(request, found, zone)
    context = incident_page.context(request.user, found, zone, fact=request.GET.get("fact", ""), bound=bound, at=at)
    if isinstance(bound, forms.FactForm) and bound.has_error("value", "fact_conflict"):
        context["fact_conflict"] = _other_word(found, bound)
    status = UNPROCESSABLE if bound or wrong else 200
    return render(request, "incidents/incident.html", {**context, "wrong_moment": wrong}, status=status)


def _moment(request: HttpRequest, found: Incident, zone: str) -> tuple[datetime | None, str]:
    """The past moment that is asked for, or what is wrong with it."""
    try:
        now = found.clock_at or clock.now()
        return incident_page.moment_asked(request.GET.get("at", ""), found, now=now, zone=zone), ""
    except incident_page.WrongMoment as wrong:
        return None, str(wrong)


def _other_word(found: Incident, form: forms.FactForm) -> dict[str, Any]:
    """What somebody else recorded meanwhile. The form takes note that it was seen: sent again, it is recorded."""
    name = form.cleaned_data["name"]
    last = found.facts.filter(name=name).select_related("recorded_by").order_by("-number").first()
    form.data = form.data.copy()
    form.data["seen"] = str(last.number if last else 0)
    return {"theirs": last, "mine": form.cleaned_data}


def zone_of(found: Incident) -> str:
    """The zone in which people of the incident read times: that of its first entity."""
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
        field = refused.field if refused.field in form.fields else None
        kept = dict(form.cleaned_data)
        form.add_error(field, ValidationError(str(refused), code=refused.code))
        form.cleaned_data = kept  # what was typed stands beside what others wrote
        return False
    except ObjectDoesNotExist as error:
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
