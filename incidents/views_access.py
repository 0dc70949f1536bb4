"""Who sees an incident by name, opening a restricted one with a reason, and what a changed profile does to running ones."""

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from compliance import clock
from compliance.access_policy import Capability, get_access_policy
from compliance.errors import Refused
from compliance.text import number_in
from incidents import access
from incidents.admissions import Admission
from incidents.forms_access import GlassForm, NamesForm
from incidents.models import Incident
from incidents.selectors import register_panel
from incidents.services import entities, restriction
from incidents.views import UNPROCESSABLE, find

# So many incidents are assessed for one page; the rest follow as these are done.
LOOKED_AT = 20


@access.decides("incident")
@never_cache
def names(request: HttpRequest, code: str) -> HttpResponse:
    """Who sees one incident, and why; the owner and counsel change it."""
    found = find(request, code)
    form = NamesForm(request.POST if "reason" in request.POST else None, incident=found)
    now = clock.now()
    if request.method == "POST":
        if "end" in request.POST:
            return _end(request, found)
        if form.is_valid() and _named(request, found, form):
            return redirect("access:names", found.code)
    context = {
        "incident": found,
        "form": form,
        "named": restriction.named_in(found),
        "opened": restriction.opened_by(found, at=now),
        "may_restrict": access.may_restrict(request.user, found) and found.kind != Incident.Kind.REPLAY,
        "zone": next((entity.zone for entity in found.entities.all()), "UTC"),
        "fallback": get_access_policy().fallback,
    }
    failed = request.method == "POST"
    return render(request, "incidents/names.html", context, status=UNPROCESSABLE if failed else 200)


def _named(request: HttpRequest, found: Incident, form: NamesForm) -> bool:
    try:
        restriction.incident_name(incident=found, **form.cleaned_data, at=clock.now(), by=request.user)
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return False
    messages.success(request, _("Saved."))
    return True


def _end(request: HttpRequest, found: Incident) -> HttpResponse:
    rows = found.admissions.filter(kind=Admission.Kind.GLASS).select_related("incident")
    row = get_object_or_404(rows, pk=number_in(request.POST["end"]))
    try:
        restriction.glass_end(admission=row, at=clock.now(), by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Ended."))
    # Whoever ends the own access sees nothing of it any more.
    return redirect("access:names", found.code) if row.person_id != request.user.pk else redirect("incidents:board")


@access.decides("own")
@never_cache
def glass(request: HttpRequest) -> HttpResponse:
    """Open a restricted incident by its number, with a reason. The page says the same whether there is one or not."""
    if not access.places(request.user, Capability.BREAK_GLASS):
        raise Http404
    form = GlassForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row = restriction.glass_break(**form.cleaned_data, at=clock.now(), by=request.user)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            messages.success(
                request, _("Open to you for a while. The owner and counsel have been told, with your reason.")
            )
            return redirect("incidents:incident", row.incident.code)
    hours = get_access_policy().glass_for.total_seconds() / 3600
    context = {"form": form, "hours": f"{hours:g}"}
    return render(request, "incidents/glass.html", context, status=UNPROCESSABLE if form.errors else 200)


@access.decides("own")
def entity_incidents(request: HttpRequest, key: str) -> HttpResponse:
    """What the present profile of an entity would change in its running incidents that the person sees."""
    found = get_object_or_404(access.visible_entities(request.user), key=key)
    now = clock.now()
    running = access.visible_incidents(request.user).filter(pk__in=entities.running_in(found).values("pk"))
    running = running.prefetch_related("entities").order_by("code")
    if request.method == "POST":
        incident = get_object_or_404(running, code=request.POST.get("incident", ""))
        try:
            entities.incident_reassess(incident=incident, at=now, by=request.user)
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("Assessed anew. Its clocks follow the profile."))
        return redirect("access:entity_incidents", found.key)
    rows = [
        {"incident": incident, "changes": changes, "may": access.may_handle(request.user, incident)}
        for incident in running[:LOOKED_AT]
        if (changes := entities.would_change(incident, found, at=now))
    ]
    context = {"entity": found, "rows": rows, "count": running.count(), "looked_at": LOOKED_AT}
    return render(request, "incidents/entity_incidents.html", context)


def panel(incident: Incident, user: User, now: datetime) -> str:
    """On the page of an incident: that it is restricted, who looks at it through a broken glass, for whom one acts."""
    rights = access.allowed(user, incident)
    context = {
        "incident": incident,
        "opened": restriction.opened_by(incident, at=clock.now()) if incident.restricted else [],
        "absent": restriction.people([right.instead_of for right in rights if right.instead_of is not None]),
    }
    html: SafeString = render_to_string("incidents/_seen.html", context)
    return html


register_panel(panel)
