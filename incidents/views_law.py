"""The pages of the law: the library, one rule, newer law for running incidents, days off."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from compliance import clock
from compliance.errors import Refused
from compliance.library import get_library
from compliance.models import DayOff
from incidents import access, forms, services
from incidents.law_search import fits
from incidents.models import Incident, Obligation

UNPROCESSABLE = 422


@access.decides("own")
def law(request: HttpRequest) -> HttpResponse:
    """The library: all rules, or those of one jurisdiction, or those that hold a word."""
    library = get_library()
    place, words = request.GET.get("place", "").strip(), request.GET.get("q", "").strip()
    found = [rule for rule in library.rules.values() if fits(rule, place, words)]
    context = {
        "rules": sorted(found, key=lambda rule: (rule.jurisdiction, rule.instrument.en, rule.key)),
        "count": len(library.rules),
        "places": sorted({rule.jurisdiction for rule in library.rules.values()}),
        "place": place,
        "words": words,
        "digest": library.digest,
        "behind": _behind(request),
    }
    return render(request, "incidents/law.html", context)


def _behind(request: HttpRequest) -> list[Incident]:
    """The running incidents the person may see that wait for newer law or a day off."""
    return list(services.law_behind().filter(pk__in=access.visible_incidents(request.user).values("pk")))


@access.decides("own")
def rule(request: HttpRequest, key: str) -> HttpResponse:
    """One rule with its versions."""
    found = get_library().rules.get(key)
    if found is None:
        raise Http404(key)
    relying = Obligation.objects.filter(rule=key, incident__in=access.visible_incidents(request.user))
    codes = sorted(set(relying.values_list("incident__code", flat=True)))
    context = {"rule": found, "versions": list(reversed(found.versions)), "incidents": codes}
    return render(request, "incidents/rule.html", context)


@access.decides("incident")
def law_review(request: HttpRequest, code: str) -> HttpResponse:
    """What the law in use now would change in one running incident, before anybody accepts it."""
    found = get_object_or_404(access.visible_incidents(request.user), code=code)
    now = clock.now()
    form = forms.LawAcceptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.law_accept(incident=found, reason=form.cleaned_data["reason"], at=now, by=request.user)
        except Refused as refused:
            form.add_error("reason" if refused.field == "reason" else None, str(refused))
        else:
            messages.success(request, _("The incident is under the law in use now. Its clocks were computed anew."))
            return redirect("incidents:incident", code=found.code)
    context = {
        "incident": found,
        "zone": found.entities.order_by("pk")[0].zone,
        "effects": services.law_preview(incident=found, at=now),
        "behind": services.law_behind().filter(pk=found.pk).exists(),
        "form": form,
        "may_decide": access.may_decide(request.user, found),
        "digest": get_library().digest,
    }
    return render(request, "incidents/law_review.html", context, status=UNPROCESSABLE if form.errors else 200)


@access.decides("own")
def days_off(request: HttpRequest) -> HttpResponse:
    """Days off that the calendars do not know yet, and a form to add one."""
    if not access.may_keep_calendars(request.user):
        raise PermissionDenied
    form = forms.DayOffForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.day_off_add(**form.cleaned_data, at=clock.now(), by=request.user)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            messages.success(request, _("Added. Running incidents wait for a person to re-time them."))
            return redirect("incidents:days_off")
    context: dict[str, Any] = {
        "days": DayOff.objects.select_related("added_by"),
        "form": form,
        "behind": _behind(request),
    }
    return render(request, "incidents/days_off.html", context, status=UNPROCESSABLE if form.errors else 200)
