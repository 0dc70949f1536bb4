"""What is being done about duties, for the boards; and what a person sees of filings: privileged rows never reach others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident
from incidents.selectors import Progress, register_progress
from reports import privilege
from reports.models import FieldComment, Filing
from reports.states import FilingState


def progress(obligations: Sequence[int]) -> Mapping[int, Progress]:
    """The newest filing of each duty, by obligation id."""
    through = Filing.obligations.through.objects.filter(obligation_id__in=obligations)
    rows = through.exclude(filing__state=FilingState.WITHDRAWN).order_by("filing_id")
    found: dict[int, Progress] = {}
    columns = ("obligation_id", "filing__incident__code", "filing__number", "filing__state", "filing__privileged")
    for duty, code, number, state, privileged in rows.values_list(*columns):
        url = reverse("reports:filing", args=[code, number])
        # Boards are read by everybody: of a privileged one only that there is one. Its page opens for whoever may read it.
        words = str(_("Privileged draft")) if privileged else f"F{number} · {FilingState(state).label}"
        found[duty] = Progress(words, url)
    return found


def filings_for(incident: Incident, user: User) -> QuerySet[Filing]:
    """The filings of ``incident`` that ``user``, who sees the incident, may read."""
    rows = incident.filings.exclude(pk__in=privilege.hidden_filings(incident, user))
    return rows.select_related("incident", "entity", "author", "approved_by", "document", "previous")


def filing_for(incident: Incident, number: int, user: User) -> Filing:
    """One of :func:`filings_for`.

    Raises:
        Filing.DoesNotExist: no such filing, or none for ``user``.
    """
    return filings_for(incident, user).get(number=number)


def comments_for(filing: Filing, user: User) -> list[FieldComment]:
    """The comments on ``filing``, answers among them, that ``user`` may read."""
    rows = filing.comments.select_related("by", "resolved_by", "filing__incident")
    return privilege.seen_comments(rows, user)


@dataclass(frozen=True, slots=True)
class Exportable:
    """The filings of an incident that may leave the house in an export, and the comments on them.

    ``privileged``: how many privileged ones there are, whether they are among these or left out.
    """

    filings: tuple[Filing, ...]
    comments: tuple[FieldComment, ...]
    privileged: int


def exportable(incident: Incident, *, privileged: bool = False) -> Exportable:
    """What an export of ``incident`` may hold. Privileged drafts and comments only if ``privileged`` is chosen.

    A filing that was frozen is never privileged; a privileged comment on it still is.
    """
    filings = incident.filings.select_related("entity", "document", "author").order_by("number")
    comments = FieldComment.objects.filter(filing__incident=incident).select_related("filing", "by", "resolved_by")
    kept = filings.filter(privileged=True).count()
    kept += comments.filter(Q(privileged=True) | Q(filing__privileged=True)).count()
    if not privileged:
        filings = filings.filter(privileged=False)
        comments = comments.filter(privileged=False, filing__privileged=False)
    return Exportable(tuple(filings), tuple(comments.order_by("filing__number", "at", "pk")), kept)


register_progress(progress)
