"""What is being done about duties, for the boards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse

from incidents.models import Incident
from incidents.selectors import Progress, register_progress
from reports.models import FieldComment, Filing
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


@dataclass(frozen=True, slots=True)
class Exportable:
    """The filings of an incident that may leave the house in an export, and the comments on them."""

    filings: tuple[Filing, ...]
    comments: tuple[FieldComment, ...]


def exportable(incident: Incident, *, privileged: bool = False) -> Exportable:
    """What an export of ``incident`` may hold. Privileged drafts and comments only if ``privileged`` is chosen.

    A filing that was frozen is never privileged; a privileged comment on it still is.
    """
    filings = incident.filings.select_related("entity", "document", "author").order_by("number")
    comments = FieldComment.objects.filter(filing__incident=incident).select_related("filing", "by", "resolved_by")
    if not privileged:
        filings = filings.filter(privileged=False)
        comments = comments.filter(privileged=False, filing__privileged=False)
    return Exportable(tuple(filings), tuple(comments.order_by("filing__number", "at", "pk")))


register_progress(progress)
