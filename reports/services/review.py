"""Review: sent, returned, approved."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from compliance.errors import BadInput, Refused
from compliance.text import clean
from incidents import access, journal
from incidents.services.common import changing, required_text
from reports import approvals, comments, conflicts, privilege
from reports.models import Approval, FieldComment, Filing
from reports.services.checks import (
    held_now,
    in_language,
    movable,
    require_complete,
    require_fit,
    require_grounds,
    require_no_contradiction,
    save,
)
from reports.states import FilingState

journal.register(
    {
        "filing.in_review": _("Filing sent to review"),
        "filing.returned": _("Filing returned to its author"),
        "filing.approval_given": _("Filing approved by one of two"),
        "filing.approved": _("Filing approved"),
    }
)


def filing_send_to_review(*, filing: Filing, at: datetime, by: User) -> Filing:
    """The author is done.

    Raises:
        BadInput: a value is too long or not written as the receiver wants it.
        Refused: required fields are missing, a denial rests on nothing, or the record contradicts it.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        held = movable(filing, "send_to_review", by)
        require_complete(held)
        require_fit(held)
        require_grounds(held)
        require_no_contradiction(held, at=at)
        held.send_to_review()
        held.round += 1
        return save(held, "filing.in_review", at=at, by=by)


def filing_return(*, filing: Filing, note: str, at: datetime, by: User) -> Filing:
    """Back to the author, with what is wanted.

    Raises:
        BadInput: no note.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        text = required_text(note, field="note", at_least=5)
        held = movable(filing, "return_to_author", by)
        held.return_to_author()
        held.review_note, held.approved_by, held.approved_at = text, None, None
        return save(held, "filing.returned", at=at, by=by, new=text)


def filing_approve(*, filing: Filing, at: datetime, by: User, reason: str = "", comments_reason: str = "") -> Filing:
    """A person who did not write it, counsel or approver or the deputy of one, stands behind the draft.

    A filing that denies something or is late needs two of them and stays in review after the first. One that became late
    after its approval takes the second one when it is approved already. ``reason``: why it goes out though something is told
    differently elsewhere; ``comments_reason``: why comments that are still open need no answer. Both are kept.

    Raises:
        NotPermitted: one of its writers, neither counsel nor approver, or a privileged draft that is not for them.
        Refused: not in review, a denial rests on nothing, the record contradicts it, the same person again, or an open comment
            that ``by`` may not read.
        BadInput: something was told differently elsewhere, or a comment is open, and no reason is given.
    """
    with changing(filing.incident, at=at):
        held = _approvable(filing, at=at, by=by)
        standing_for = approvals.stands_for(held, by, at=at)
        require_grounds(held)
        require_no_contradiction(held, at=at)
        found = conflicts.filing_conflicts(held, at=at)
        words = _conflict_reason(found, reason)
        left_open = comments.open_threads(held)
        why_open = _comments_reason(left_open, comments_reason, by)
        Approval.objects.create(
            filing=held,
            round=held.round,
            by=by,
            standing_for=standing_for,
            at=at,
            conflicts=[conflict.key for conflict in found],
            reason=words,
            open_comments=[comment.pk for comment in left_open],
            comments_reason=why_open,
        )
        enough = not approvals.still_needed(held, at=at)
        if enough and held.state == FilingState.IN_REVIEW:
            held.approve()
        held.approved_by, held.approved_at = by, at
        detail = {
            "conflicts": len(found),
            "open_comments": len(left_open),
            "standing_for": journal.actor(standing_for) if standing_for else "",
            "approvals": len(approvals.given(held)),
        }
        action = "filing.approved" if enough else "filing.approval_given"
        return save(
            held,
            action,
            at=at,
            by=by,
            new={"values": held.values, "reason": words, "comments_reason": why_open},
            detail=detail,
        )


def _approvable(filing: Filing, *, at: datetime, by: User) -> Filing:
    """In review, or approved by fewer people than it needs by now."""
    held = held_now(filing)
    privilege.require_sees(held, by)
    if held.state == FilingState.APPROVED and approvals.still_needed(held, at=at):
        return held
    return movable(filing, "approve", by)


def _conflict_reason(found: Sequence[conflicts.Conflict], reason: str) -> str:
    words = clean(reason)
    if found and len(words) < 10:
        raise BadInput(
            _(
                "%(label)s is told differently in %(where)s. Approve with a reason of at least 10 characters, or return it."
            ),
            code="conflict_reason_required",
            field="reason",
            label=in_language(found[0].field.label),
            where=found[0].where,
        )
    return words


def _comments_reason(left_open: Sequence[FieldComment], reason: str, by: User) -> str:
    """Nobody approves past a question by not looking: it is resolved, or a reason says why it needs no answer."""
    words = clean(reason) if left_open else ""
    if any(not privilege.sees_comment(comment, by) for comment in left_open):
        raise Refused(
            _("An open comment is privileged and not for you. Ask counsel to resolve it, or to ask you to review."),
            code="open_comment_hidden",
        )
    if left_open and len(words) < 10:
        raise BadInput(
            _("%(count)d comments are open. Resolve them, or approve with a reason of at least 10 characters."),
            code="comments_open",
            field="comments_reason",
            count=len(left_open),
        )
    return words
