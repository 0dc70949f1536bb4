"""The page on absence, deputies and quiet hours of one entity."""

from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from compliance import clock
from compliance.errors import Refused
from compliance.models import Entity
from incidents import access, forms_absence
from incidents.services.absence import may_keep_for_others

UNPROCESSABLE = 422


@access.decides("own")
def availability(request: HttpRequest) -> HttpResponse:
    """Who is away and when it is quiet; the forms that change it."""
    entities = access.visible_entities(request.user)
    entity = entities.filter(key=request.GET["entity"]).first() if "entity" in request.GET else entities.first()
    if entity is None:
        raise Http404
    bound: django_forms.Form | None = None
    if request.method == "POST":
        kind = forms_absence.ACTIONS.get(request.POST.get("action", ""))
        if kind is None:
            raise Http404
        bound = kind(request.POST, entity=entity, user=request.user)
        if _performed(request, bound):
            return redirect(request.get_full_path())
    context = {"entities": entities, **_context(request, entity, bound)}
    return render(request, "incidents/availability.html", context, status=UNPROCESSABLE if bound else 200)


def _performed(request: HttpRequest, form: Any) -> bool:
    if not form.is_valid():
        return False
    try:
        form.perform(at=clock.now(), by=request.user)
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return False
    messages.success(request, _("Saved."))
    return True


def _context(request: HttpRequest, entity: Entity, bound: django_forms.Form | None) -> dict[str, Any]:
    now = clock.now()
    absences = entity.absences.filter(ended_at=None, ends_at__gt=now).select_related("person", "deputy")
    made = {
        name: bound if type(bound) is kind else kind(entity=entity, user=request.user)
        for name, kind in forms_absence.ACTIONS.items()
        if name != "back"
    }
    return {
        "entity": entity,
        "now": now,
        "absences": absences,
        "preferences": entity.preferences.select_related("person", "deputy").order_by("person__username", "pk"),
        "forms": made,
        "bound": bound,
        "keeps": may_keep_for_others(request.user, entity),
    }
