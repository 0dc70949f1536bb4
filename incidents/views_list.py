"""The list of incidents."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from compliance import clock
from incidents import access, listing
from incidents.display import display_of
from incidents.listing import ROWS, Wanted
from incidents.models import Incident
from incidents.states import IncidentState


@access.decides("own")
@require_safe
def incident_list(request: HttpRequest) -> HttpResponse:
    """The incidents the person may see, newest first."""
    now, desk, wanted = clock.now(), display_of(request), Wanted.read(request.GET)
    rows = listing.incidents(request.user, wanted, zone=desk.zone or "UTC")
    page = Paginator(rows, ROWS).get_page(wanted.page)
    found = list(page)
    duties = listing.duties_of(found, now=now)
    context = {
        "page": page,
        "rows": [(incident, _zone(incident), duties.get(incident.pk, listing.Duties())) for incident in found],
        "wanted": wanted,
        "choices": _choices(request, wanted),
        "more": {name: value for name, value in wanted.chosen.items() if name in ("outcome", "month", "authority")},
        "outcome_words": outcome_words().get(wanted.outcome, ""),
        "next": "?" + wanted.query(page=page.number + 1) if page.has_next() else "",
        "previous": "?" + wanted.query(page=page.number - 1) if page.has_previous() else "",
        "now": now,
    }
    return render(request, "incidents/list.html", context)


def outcome_words() -> dict[str, str]:
    """How a duty was met, in words."""
    return {"in_time": _("met in time"), "late": _("met late"), "near": _("met just in time")}


def _zone(incident: Incident) -> str:
    return next((entity.zone for entity in incident.entities.all()), "UTC")


def _choices(request: HttpRequest, wanted: Wanted) -> list[dict[str, Any]]:
    entities = [(entity.key, entity.name) for entity in access.visible_entities(request.user)]
    lists = (
        ("state", _("State"), [("open", _("Not closed")), *IncidentState.choices]),
        ("kind", _("Kind"), list(Incident.Kind.choices)),
        ("entity", _("Entity"), entities),
        ("owner", _("Owner"), listing.owners(request.user)),
    )
    return [
        {"name": name, "words": words, "choices": choices, "chosen": getattr(wanted, name)}
        for name, words, choices in lists
    ]
