"""The monthly report as a document."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from compliance import clock
from incidents import access
from incidents.display import display_of
from incidents.listing import month_named
from reports.monthly import monthly_pdf


@access.decides("own")
@require_safe
def monthly(request: HttpRequest) -> HttpResponse:
    """The manager's report on the month in the address (2026-10), from what the person may see."""
    zone = display_of(request).zone or "UTC"
    month = month_named(request.GET.get("month", ""), zone)
    if month is None:
        raise Http404
    pdf = monthly_pdf(request.user, month, at=clock.now(), zone=zone)
    headers = {
        "Content-Disposition": f'inline; filename="deadlines-{month.key}.pdf"',
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)
