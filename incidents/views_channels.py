"""Ways to reach people: one's own and the company's addresses, calendar addresses, and who was told what."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from compliance import clock
from compliance.errors import Refused
from compliance.text import number_in
from incidents import access, feeds, told
from incidents.channels import endpoints
from incidents.channels.models import CalendarLink, Endpoint, Reader
from incidents.forms_channels import EndpointForm, LinkForm, ZoneForm
from incidents.models import Incident, OutboxMessage
from incidents.views import find

UNPROCESSABLE = 422
SHOWN = 100


@access.decides("own")
def my_channels(request: HttpRequest) -> HttpResponse:
    """How I am reached, and, for counsel and managers, where the company's messages go."""
    forms = _forms(request)
    done: dict[str, str] = {}
    if request.method == "POST":
        action = _ACTIONS.get(request.POST.get("action", ""))
        if action is None:
            raise Http404
        try:
            shown = action(request, forms)
        except Refused as refused:
            shown = None
            messages.error(request, str(refused))
        if shown == {}:
            return redirect("incidents:channels")
        # A secret or an address that is shown once: no redirect, or it would have to be kept somewhere.
        done = shown or {}
    context = {
        "forms": forms,
        "endpoints": endpoints.endpoints_of(request.user).filter(revoked_at=None),
        "withdrawn": endpoints.endpoints_of(request.user).exclude(revoked_at=None),
        "links": request.user.calendar_links.select_related("incident"),
        "now": clock.now(),
        "done": done,
        "keeps": access.channel_entities(request.user).exists(),
    }
    failed = request.method == "POST" and not done
    response = render(request, "incidents/channels.html", context, status=UNPROCESSABLE if failed else 200)
    response["Cache-Control"] = "no-store"
    return response


Forms = dict[str, Any]


def _forms(request: HttpRequest) -> Forms:
    given = {request.POST.get("action", ""): request.POST} if request.method == "POST" else {}
    reader = Reader.objects.filter(user=request.user).first()
    incidents = access.visible_incidents(request.user).exclude(kind=Incident.Kind.REPLAY)
    return {
        "endpoint": EndpointForm(given.get("endpoint"), entities=access.channel_entities(request.user)),
        "link": LinkForm(given.get("link"), incidents=incidents),
        "zone": ZoneForm(given.get("zone"), initial={"zone": reader.zone if reader else ""}),
    }


def _endpoint(request: HttpRequest, forms: Forms) -> dict[str, str] | None:
    form = forms["endpoint"]
    if not form.is_valid():
        return None
    data = {"entity": None, "role": "", **form.cleaned_data}
    try:
        row = endpoints.endpoint_add(**data, at=clock.now(), by=request.user)
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return None
    messages.success(request, _("Added. Send a test message to see whether it arrives."))
    forms["endpoint"] = EndpointForm(entities=access.channel_entities(request.user))
    return {"secret": row.secret, "label": row.label} if row.secret else {}


def _link(request: HttpRequest, forms: Forms) -> dict[str, str] | None:
    form = forms["link"]
    if not form.is_valid():
        return None
    _row, token = feeds.link_make(user=request.user, **form.cleaned_data, at=clock.now())
    return {"address": request.build_absolute_uri(reverse("incidents:calendar", args=[token]))}


def _zone(request: HttpRequest, forms: Forms) -> dict[str, str] | None:
    form = forms["zone"]
    if not form.is_valid():
        return None
    Reader.objects.update_or_create(user=request.user, defaults={"zone": form.cleaned_data["zone"]})
    messages.success(request, _("Saved."))
    return {}


def _chosen(request: HttpRequest, rows: Any) -> Any:
    row = rows.filter(pk=number_in(request.POST.get("subject"))).first()
    if row is None:
        raise Http404
    return row


def _try(request: HttpRequest, forms: Forms) -> dict[str, str]:
    row: Endpoint = _chosen(request, endpoints.endpoints_of(request.user))
    endpoints.endpoint_try(endpoint=row, at=clock.now(), by=request.user)
    messages.success(request, _("A test message is on its way. Reload the page in a moment to see how it fared."))
    return {}


def _revoke(request: HttpRequest, forms: Forms) -> dict[str, str]:
    row: Endpoint = _chosen(request, endpoints.endpoints_of(request.user))
    endpoints.endpoint_revoke(endpoint=row, at=clock.now(), by=request.user)
    messages.success(request, _("Withdrawn."))
    return {}


def _unlink(request: HttpRequest, forms: Forms) -> dict[str, str]:
    row: CalendarLink = _chosen(request, request.user.calendar_links)
    feeds.link_revoke(link=row, at=clock.now(), by=request.user)
    messages.success(request, _("Withdrawn."))
    return {}


_ACTIONS: dict[str, Callable[[HttpRequest, Forms], dict[str, str] | None]] = {
    "endpoint": _endpoint, "link": _link, "zone": _zone, "try": _try, "revoke": _revoke, "unlink": _unlink,
}  # fmt: skip


@access.decides("token")
@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """A person's clocks for a calendar program. Whoever has the address may read it, as the person could now."""
    link = feeds.link_for(token)
    if link is None:
        raise Http404
    now = clock.now()
    CalendarLink.objects.filter(pk=link.pk).update(read_at=now)
    response = HttpResponse(feeds.calendar(link, at=now), content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


@access.decides("incident")
def who_was_told(request: HttpRequest, code: str) -> HttpResponse:
    """Who was told what about an incident, when, by which way, with what success."""
    found = find(request, code)
    if request.method == "POST":
        _handle(request, found)
        return redirect(request.get_full_path())
    wanted = told.Wanted.read(request.GET)
    page = Paginator(told.messages_of(found, wanted), SHOWN).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "incident": found,
        "zone": next((entity.zone for entity in found.entities.all()), "UTC"),
        "page": page,
        "wanted": wanted,
        "query": query.urlencode(),
        "duties": told.duties_told_of(found),
        "people": told.people_told(found),
        "unheard": told.steps_without_anybody(found),
        "may_handle": access.may_handle(request.user, found) and found.kind != Incident.Kind.REPLAY,
    }
    return render(request, "incidents/messages.html", context)


def _handle(request: HttpRequest, found: Incident) -> None:
    row: OutboxMessage = _chosen(request, found.messages)
    does = {"again": endpoints.message_again, "settle": endpoints.message_settle}.get(request.POST.get("action", ""))
    if does is None:
        raise Http404
    try:
        does(message=row, at=clock.now(), by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Saved."))
