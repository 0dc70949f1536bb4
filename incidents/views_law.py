"""The pages of the law: the library, one rule, newer law for running incidents, days off."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from compliance import clock
from compliance.engine import Library, Standing
from compliance.engine.cases import run_rule
from compliance.errors import Refused
from compliance.library import get_library
from compliance.models import DayOff
from incidents import access, forms, law_page, services
from incidents.law_search import AUDIENCE_WORDS, ROWS, Wanted, find
from incidents.models import Incident
from incidents.templatetags.clocks import confidence, standing

UNPROCESSABLE = 422


@access.decides("own")
@require_safe
def law(request: HttpRequest) -> HttpResponse:
    """The library: all rules, or those that fit what the address asks for, a page at a time."""
    library, wanted = get_library(), Wanted.read(request.GET)
    found = find(library, wanted, today=clock.now().date())
    page = Paginator(found, ROWS).get_page(wanted.page)
    context = {
        "page": page,
        "count": len(library.rules),
        "wanted": wanted,
        "places": _places(library),
        "choices": _choices(wanted),
        "next": "?" + wanted.query(page=page.number + 1) if page.has_next() else "",
        "previous": "?" + wanted.query(page=page.number - 1) if page.has_previous() else "",
        "digest": library.digest,
        "behind": _behind(request),
        "keeps": access.may_keep_calendars(request.user),
    }
    return render(request, "incidents/law.html", context)


def _places(library: Library) -> list[str]:
    """The places of the rules, and the countries whose parts have rules of their own."""
    held = {rule.jurisdiction for rule in library.rules.values()}
    return sorted(held | {place.partition("-")[0] for place in held})


def _choices(wanted: Wanted) -> list[dict[str, Any]]:
    lists = (
        ("audience", _("Who is told"), list(AUDIENCE_WORDS.items())),
        ("confidence", _("Confidence"), [(level, confidence(level)) for level in ("high", "medium", "low")]),
        ("standing", _("Standing"), [(item.value, standing(item.value)) for item in Standing]),
    )
    return [
        {"name": name, "words": words, "choices": choices, "chosen": getattr(wanted, name)}
        for name, words, choices in lists
    ]


def _behind(request: HttpRequest) -> list[Incident]:
    """The running incidents the person may see that wait for newer law or a day off."""
    return list(services.law_behind().filter(pk__in=access.visible_incidents(request.user).values("pk")))


@access.decides("own")
@require_safe
def rule(request: HttpRequest, key: str) -> HttpResponse:
    """One rule: its versions on a time axis and in full, how two of them differ, its cases, who relies on it."""
    library = get_library()
    found = library.rules.get(key)
    if found is None:
        raise Http404(key)
    today = clock.now().date()
    pair = law_page.pair(found, request.GET)
    running, ended = law_page.reliances(key, request.user)
    context = {
        "rule": found,
        "versions": list(reversed(found.versions)),
        "current": law_page.version_now(found, today),
        "today": today,
        "axis": law_page.axis(found, today),
        "pair": pair,
        "differences": law_page.differences(*pair) if pair else ((), 0),
        "cases": law_page.worked(run_rule(library, key)),
        "running": running,
        "ended": ended,
        "low": law_page.low(found),
        "leans_on": [library.rules[name] for name in sorted(found.leans_on) if name in library.rules],
    }
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
