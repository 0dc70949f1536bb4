"""Downloading the evidence bundle of an incident."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from compliance import clock
from compliance.errors import NotPermitted
from incidents import access
from incidents.export.bundle import export_incident
from incidents.views import find


@access.decides("incident")
@require_POST
def export(request: HttpRequest, code: str) -> HttpResponse:
    """The bundle as a file, for auditors, counsel and managers. A POST, because it leaves a trace in the journal."""
    incident = find(request, code)
    if not access.may_export(request.user, incident):
        raise PermissionDenied
    privileged = request.POST.get("privileged") == "yes"
    try:
        bundle = export_incident(incident, at=clock.now(), by=request.user, privileged=privileged)
    except NotPermitted:
        raise PermissionDenied from None
    headers = {
        "Content-Disposition": f'attachment; filename="{bundle.name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return HttpResponse(bundle.content, content_type="application/zip", headers=headers)
