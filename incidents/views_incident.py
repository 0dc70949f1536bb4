"""What belongs to an incident's page but stands beside it: the effect of an answer, and the whole journal."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from compliance import clock
from compliance.errors import Refused
from incidents import access, forms, incident_page, journal
from incidents.models import Incident, JournalEntry
from incidents.services.preview import Preview
from incidents.views import UNPROCESSABLE, find, zone_of

ENTRIES = 100


@access.decides("incident")
@require_POST
def effect(request: HttpRequest, code: str) -> HttpResponse:
    """What recording the posted fact or figure would change. Nothing is written; a second button records it."""
    found = find(request, code)
    zone = zone_of(found)
    name = request.POST.get("action", "")
    kind = {"fact": forms.FactForm, "people": forms.PeopleForm}.get(name)
    if kind is None:
        raise Http404(name)
    form = kind(request.POST, incident=found, zone=zone)
    item = _tried(form, found, request)
    context: dict[str, Any] = {
        "incident": found,
        "form": form,
        "item": item,
        "several": len(found.entities.all()) > 1,
        "zone": zone,
        "action": name,
        "may_handle": access.may_handle(request.user, found) and found.kind != Incident.Kind.REPLAY,
    }
    part = "incidents/_effect_said.html" if request.headers.get("HX-Request") else "incidents/effect.html"
    # htmx puts only what succeeded into the page; what is wrong is said there too.
    wrong = item is None and not request.headers.get("HX-Request")
    return render(request, part, context, status=UNPROCESSABLE if wrong else 200)


def _tried(form: forms.FactForm | forms.PeopleForm, found: Incident, request: HttpRequest) -> Preview | None:
    if not form.is_valid():
        return None
    try:
        return form.preview(at=found.clock_at or clock.now())
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return None


@access.decides("incident")
@require_safe
def whole_journal(request: HttpRequest, code: str) -> HttpResponse:
    """Every entry of the incident's chain, newest first, and whether the chain holds, walked anew."""
    found = find(request, code)
    entries = JournalEntry.objects.filter(chain=found.code).order_by("-sequence")
    given = request.GET.get("page", "1")
    page = Paginator(entries, ENTRIES).get_page(given)
    verified = incident_page.verified(found, again=True)
    context = {
        "incident": found,
        "zone": zone_of(found),
        "page": page,
        "entries": [(entry, journal.message(entry.action)) for entry in page],
        "verified": verified,
        "faults": verified.faults,
        "may_export": access.may_export(request.user, found),
    }
    return render(request, "incidents/journal.html", context)
