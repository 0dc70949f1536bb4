"""Asking a person to review, and passing that on: a name, a message, and no right that the person did not have before."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from compliance.errors import BadInput, NotPermitted, Refused
from compliance.models import Membership
from compliance.text import clean
from incidents import access, journal, notices
from incidents.services.common import changing
from incidents.wording import named
from reports import approvals, privilege, record
from reports.models import Filing, ReviewRequest
from reports.services.checks import held_now
from reports.states import FilingState

journal.register({"filing.review_asked": _("Review of a filing asked for")})
MOST = 1000


def review_ask(
    *,
    filing: Filing,
    reviewer: User,
    at: datetime,
    by: User,
    note: str = "",
    instead_of: ReviewRequest | None = None,
) -> ReviewRequest:
    """Ask ``reviewer``, who could approve ``filing``, to review it; a message goes out. Asking again answers the first request.

    ``instead_of``: the request to ``by`` that is passed on. Whoever is asked sees a privileged draft.

    Raises:
        NotPermitted: may not work on it, or passes on what was asked of another.
        Refused: not in review.
        BadInput: the person cannot approve it (wrote it, has no such role, has approved), or the note is too long.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        held = _reviewed(filing, by)
        words = _note(note)
        passed = _own(held, instead_of, by)
        made = ReviewRequest.objects.filter(filing=held, round=held.round, reviewer=reviewer).first()
        if made is not None:
            return made
        _require_able(held, reviewer, at=at)
        row = ReviewRequest.objects.create(
            filing=held, round=held.round, reviewer=reviewer, asked_by=by, asked_at=at, note=words, instead_of=passed
        )
        detail = {
            "reviewer": journal.actor(reviewer),
            "instead_of": journal.actor(passed.reviewer) if passed else "",
        }
        record.write(held, "filing.review_asked", at=at, by=by, new=words, detail=detail)
        _tell(row, at=at)
        return row


def _reviewed(filing: Filing, by: User) -> Filing:
    held = held_now(filing)
    privilege.require_sees(held, by)
    if held.state not in (FilingState.IN_REVIEW, FilingState.APPROVED):
        raise Refused(
            _("%(filing)s is “%(state)s”: this cannot be done now."),
            code="wrong_state",
            filing=str(held),
            state=FilingState(held.state).label,
        )
    return held


def _note(note: str) -> str:
    words = clean(note)
    if len(words) > MOST:
        raise BadInput(_("Write at most %(most)d characters."), code="note_too_long", field="note", most=MOST)
    return words


def _own(filing: Filing, given: ReviewRequest | None, by: User) -> ReviewRequest | None:
    if given is None:
        return None
    held = filing.review_requests.filter(pk=given.pk, round=filing.round).select_related("reviewer").first()
    if held is None or held.reviewer_id != by.pk:
        raise NotPermitted(_("Only whoever was asked can pass the review on."), code="not_asked")
    if ReviewRequest.objects.filter(instead_of=held).exists():
        raise Refused(_("It was passed on already."), code="passed_on")
    return held


def _require_able(filing: Filing, reviewer: User, *, at: datetime) -> None:
    try:
        approvals.stands_for(filing, reviewer, at=at)
    except Refused:
        raise BadInput(
            _("This person cannot approve it. Expected counsel or an approver who did not write it."),
            code="cannot_review",
            field="reviewer",
        ) from None


def asked(filing: Filing) -> Sequence[ReviewRequest]:
    """Who is asked in the present round, but for those who passed it on."""
    rows = filing.review_requests.filter(round=filing.round, passed_on=None)
    return list(rows.select_related("reviewer", "asked_by", "instead_of__reviewer"))


def _tell(row: ReviewRequest, *, at: datetime) -> None:
    """Nothing of the draft or of the note goes into the message: mail leaves the house."""
    filing = row.filing
    members = Membership.objects.filter(user=row.reviewer, entity__in=filing.incident.entities.all())
    found = members.select_related("user__reader", "entity").order_by("pk")
    notices.tell(found, incident=filing.incident, key=f"review:{row.pk}", words=lambda _member: _words(row), at=at)


def _words(row: ReviewRequest) -> notices.Words:
    said = {"filing": str(row.filing), "name": named(row.asked_by)}
    return notices.Words(
        gettext("%(filing)s: you are asked to review it") % said,
        {gettext("Filing"): said["filing"], gettext("Asked by"): said["name"]},
        gettext("Read it on the filing's page, then approve it, return it, or pass the review on."),
        "filing.review_asked",
    )
