"""What is being done about duties, for the boards."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from incidents.selectors import Progress, register_progress
from reports.models import Filing
from reports.states import FilingState


def progress(obligations: Sequence[int]) -> Mapping[int, Progress]:
    """The newest filing of each duty, by obligation id."""
    rows = Filing.obligations.through.objects.filter(obligation_id__in=obligations).order_by("filing_id")
    filings = (
        Filing.objects.select_related("incident")
        .exclude(state=FilingState.WITHDRAWN)
        .in_bulk([row.filing_id for row in rows])
    )
    found: dict[int, Progress] = {}
    for row in rows:
        filing = filings.get(row.filing_id)
        if filing is not None:
            url = reverse("reports:filing", args=[filing.incident.code, filing.number])
            found[row.obligation_id] = Progress(f"F{filing.number} · {filing.get_state_display()}", url)
    return found


register_progress(progress)
