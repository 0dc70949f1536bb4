"""Affected systems: the list, a table to take away, and a whole list in from a spreadsheet or a paste."""

import csv
import io
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from compliance import clock
from compliance.errors import Refused
from incidents import access, bulk
from incidents.export_rows import BOM, neutral
from incidents.models import AffectedSystem, Incident, SystemImport
from incidents.services import systems as services
from incidents.states import SystemState
from incidents.times import local
from incidents.views import UNPROCESSABLE, find, zone_of

ROWS, LONGEST = 100, 100


def _wanted(request: HttpRequest, found: Incident) -> tuple[QuerySet[AffectedSystem], dict[str, str]]:
    """The systems that fit the address, and what narrows them."""
    words = {name: request.GET.get(name, "").replace("\x00", "").strip()[:LONGEST] for name in ("q", "state", "kind")}
    rows = found.systems.select_related("evidence").order_by("pk")
    if words["q"]:
        q = words["q"]
        rows = rows.filter(
            Q(name__icontains=q) | Q(address__icontains=q) | Q(note__icontains=q) | Q(finding__icontains=q)
        )
    if words["state"] in SystemState.values:
        rows = rows.filter(state=words["state"])
    if words["kind"]:
        rows = rows.filter(kind=words["kind"])
    return rows, words


@access.decides("incident")
@require_safe
def systems(request: HttpRequest, code: str) -> HttpResponse:
    """The affected systems, filtered and page by page."""
    found = find(request, code)
    rows, words = _wanted(request, found)
    page = Paginator(rows, ROWS).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "incident": found,
        "zone": zone_of(found),
        "page": page,
        "wanted": words,
        "query": query.urlencode(),
        "states": SystemState.choices,
        "kinds": list(found.systems.exclude(kind="").order_by("kind").values_list("kind", flat=True).distinct()[:200]),
        "may_handle": _may_handle(request, found),
    }
    return render(request, "incidents/systems.html", context)


def _may_handle(request: HttpRequest, found: Incident) -> bool:
    return access.may_handle(request.user, found) and found.kind != Incident.Kind.REPLAY


@access.decides("incident")
@require_safe
def export(request: HttpRequest, code: str) -> HttpResponse:
    """Every system that fits, as CSV in which nothing is a formula."""
    found = find(request, code)
    rows, _words = _wanted(request, found)
    zone, file = zone_of(found), io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(bulk.column_words().values())
    for row in rows:
        seen = local(row.found_at, zone) if row.found_at else row.found_when
        state = row.get_state_display() if row.state else ""
        evidence = f"E{row.evidence.number}" if row.evidence else ""
        cells = (
            row.name, row.address, row.kind, row.purpose, state, row.finding, seen, row.found_by, evidence, row.note, row.source,
        )  # fmt: skip
        writer.writerow([neutral(cell) for cell in cells])
    headers = {
        "Content-Disposition": f'attachment; filename="{found.code}-systems.csv"',
        "Cache-Control": "private, no-store",
    }
    return HttpResponse((BOM + file.getvalue()).encode(), content_type="text/csv; charset=utf-8", headers=headers)


@access.decides("incident")
def bring(request: HttpRequest, code: str) -> HttpResponse:
    """Paste or upload a list."""
    found = find(request, code)
    if not _may_handle(request, found):
        raise PermissionDenied
    error = ""
    if request.method == "POST":
        given = request.FILES.get("file")
        try:
            content = given.read(bulk.MOST_BYTES + 1) if given else request.POST.get("text", "").encode()
            name = given.name if given else _("Pasted text")
            held = services.import_begin(
                incident=found,
                content=content,
                name=name,
                found_by=request.POST.get("found_by", ""),
                at=clock.now(),
                by=request.user,
            )
            return redirect("incidents:systems_imported", code, held.pk)
        except Refused as refused:
            error = str(refused)
    context = {
        "incident": found,
        "error": error,
        "typed": request.POST,
        "columns": bulk.column_words(),
        "states": SystemState.choices,
        "most": {"rows": bulk.MOST_ROWS, "size": bulk.MOST_BYTES // 2**20},
    }
    return render(request, "incidents/systems_import.html", context, status=UNPROCESSABLE if error else 200)


@access.decides("incident")
def imported(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """One list on its way in: its progress, what is wrong with it, or what it would record."""
    found = find(request, code)
    if not _may_handle(request, found):
        raise PermissionDenied
    held = found.system_imports.filter(pk=number, made_by=request.user).select_related("incident").first()
    if held is None:
        raise Http404(number)
    error = ""
    if request.method == "POST":
        try:
            outcome = _step(request, held)
            if outcome is not None:
                return outcome
            held.refresh_from_db()
        except Refused as refused:
            error = str(refused)
            if held.state == SystemImport.State.WAITING:  # it cannot be read at all
                held = services.import_cancel(held=held, at=clock.now(), by=request.user)
    return _shown(request, found, held, error)


def _step(request: HttpRequest, held: SystemImport) -> HttpResponse | None:
    action, at = request.POST.get("action", ""), clock.now()
    if action == "cancel":
        services.import_cancel(held=held, at=at, by=request.user)
    elif action == "adopt":
        services.import_adopt(held=held, at=at, by=request.user)
        return redirect("incidents:systems", held.incident.code)
    elif action == "step":
        row = services.import_step(held=held, at=at, by=request.user)
        # Without scripts one press does all that is left.
        while not request.headers.get("HX-Request") and row.state == SystemImport.State.CHECKING:
            row = services.import_step(held=row, at=at, by=request.user)
        if not request.headers.get("HX-Request"):
            return redirect("incidents:systems_imported", held.incident.code, held.pk)
    else:
        raise Http404(action)
    return None


def _shown(request: HttpRequest, found: Incident, held: SystemImport, error: str) -> HttpResponse:
    State = SystemImport.State  # noqa: N806  a class
    head, first = services.import_first_rows(held) if held.rows else ([], [])
    context: dict[str, Any] = {
        "incident": found,
        "held": held,
        "error": error,
        "going_on": held.state in (State.WAITING, State.CHECKING) and not error,
        "head": head,
        "first": first,
        "errors": [bulk.RowError(**item) for item in held.errors],
        "by_state": {
            str(SystemState(key).label) if key else _("no state given"): many
            for key, many in held.counts.get("state", {}).items()
        },
    }
    wrong = bool(error) and not request.headers.get("HX-Request")
    part = "incidents/_import.html" if request.headers.get("HX-Request") else "incidents/systems_imported.html"
    return render(request, part, context, status=UNPROCESSABLE if wrong else 200)
