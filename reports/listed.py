"""The filings of an incident as lines of its page, now or as they stood at a past moment."""

from datetime import datetime

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.translation import gettext as _

from incidents.incident_page import Filed, register_filings
from incidents.models import Incident, JournalEntry
from reports import privilege
from reports.models import Filing
from reports.states import FilingState

# What the journal calls the step that led to a state.
_AFTER = {
    "filing.started": FilingState.DRAFT,
    "filing.in_review": FilingState.IN_REVIEW,
    "filing.returned": FilingState.DRAFT,
    "filing.approved": FilingState.APPROVED,
    "filing.frozen": FilingState.FROZEN,
    "filing.submitted": FilingState.SUBMITTED,
    "filing.acknowledged": FilingState.ACKNOWLEDGED,
    "filing.refused": FilingState.REFUSED,
    "filing.superseded": FilingState.SUPERSEDED,
    "filing.withdrawn": FilingState.WITHDRAWN,
}


def filings_of(incident: Incident, user: User, at: datetime | None) -> list[Filed]:
    """The filings that ``user`` may read, and of privileged drafts of others only that there are some."""
    rows = incident.filings.select_related("document", "incident").order_by("number")
    if at is not None:
        rows = rows.filter(created_at__lte=at)
    found = list(rows)
    hidden = privilege.hidden_filings(incident, user) if any(row.privileged for row in found) else set()
    then = _states(incident, at) if at is not None else {}
    return [_line(row, hidden, then, at) for row in found]


def _line(row: Filing, hidden: set[int], then: dict[str, FilingState], at: datetime | None) -> Filed:
    state = then.get(f"filing F{row.number}", FilingState.DRAFT) if at is not None else FilingState(row.state)
    if row.pk in hidden:
        return Filed(f"F{row.number} {_('Privileged draft')}", str(state.label))
    frozen = row.document is not None and row.frozen_at is not None and (at is None or row.frozen_at <= at)
    return Filed(
        f"F{row.number} {row.form} / {row.stage}",
        str(state.label),
        reverse("reports:filing", args=[row.incident.code, row.number]),
        row.frozen_at if frozen else None,
        row.document.sha256 if frozen and row.document else "",
    )


def _states(incident: Incident, at: datetime) -> dict[str, FilingState]:
    entries = JournalEntry.objects.filter(chain=incident.code, at__lte=at, action__in=_AFTER).order_by("sequence")
    return {subject: _AFTER[action] for subject, action in entries.values_list("subject", "action")}


register_filings(filings_of)
