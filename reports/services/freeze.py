"""The document: made once, never changed; or the filing withdrawn."""

from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from compliance.engine import digest
from compliance.errors import Refused
from incidents import access, journal
from incidents.services import is_late
from incidents.services.common import changing, required_text
from reports import approvals, comments, conflicts, prefill, render, statement, storage
from reports.drawing import keep
from reports.models import Filing
from reports.services.checks import movable, require_complete, require_grounds, require_no_contradiction, save
from reports.services.submission import require_not_on_its_way

journal.register({"filing.frozen": _("Filing frozen"), "filing.withdrawn": _("Filing withdrawn")})


def filing_freeze(*, filing: Filing, at: datetime, by: User) -> Filing:
    """Make the document. From here on its content never changes.

    Raises:
        Refused: not approved or by too few, incomplete, a denial rests on nothing, contradicted by the record, late without a
            recorded reason, or told differently elsewhere since it was approved.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        held = movable(filing, "freeze", by)
        require_complete(held)
        require_grounds(held)
        require_no_contradiction(held, at=at)
        _require_late_reason(held, at=at)
        _require_approvals(held, at=at)
        _carry_late_reason(held)
        made = statement.build(held, at=at, journal_head=journal.head_of(incident), frozen=True)
        document = storage.store(
            render.to_pdf(made), media_type="application/pdf", name=f"{str(held).replace('/', '-')}.pdf", at=at
        )
        held.freeze()
        held.statement, held.statement_digest = made, digest(made)
        held.document, held.frozen_by, held.frozen_at = document, by, at
        held.drawn_with, held.privileged = keep(held.form, made["form"]["language"], at=at), False
        detail = {"statement": held.statement_digest, "document": document.sha256}
        return save(held, "filing.frozen", at=at, by=by, detail=detail)


def _require_late_reason(filing: Filing, *, at: datetime) -> None:
    late = [row for row in filing.obligations.all() if is_late(row, at=at) and not row.late_reason]
    if late:
        raise Refused(
            _("%(duty)s is past its deadline. Record the reason for the delay before freezing."),
            code="late_reason_missing",
            field="late_reason",
            duty=late[0].duty["title"]["ko"],
        )


def _require_approvals(filing: Filing, *, at: datetime) -> None:
    """Enough people, and they saw every conflict there is now."""
    if approvals.still_needed(filing, at=at):
        raise Refused(
            _("A filing that is late or denies something needs two approvers. One is missing."),
            code="second_approval_missing",
        )
    _require_comments_seen(filing)
    seen = {key for row in approvals.given(filing) for key in row.conflicts}
    new = [item for item in conflicts.filing_conflicts(filing, at=at) if item.key not in seen]
    if new:
        raise Refused(
            _("Since the approval, %(where)s tells it differently. Have it returned and approved again."),
            code="conflict_unseen",
            where=new[0].where,
        )


def _require_comments_seen(filing: Filing) -> None:
    """A remark made after the approval is nothing that anybody approved past."""
    seen = {key for row in approvals.given(filing) for key in row.open_comments}
    if any(comment.pk not in seen for comment in comments.open_threads(filing)):
        raise Refused(
            _("Somebody commented since the approval. Resolve the comment, or have it returned and approved again."),
            code="comment_unseen",
        )


def _carry_late_reason(filing: Filing) -> None:
    """The reason recorded on the duty is printed even if it was recorded after the draft was begun."""
    held = filing.values.get("late_reason")
    reason = "\n".join(dict.fromkeys(row.late_reason for row in filing.obligations.order_by("pk") if row.late_reason))
    if held is not None and reason and not held.get("value"):
        value = {
            "value": reason,
            "status": prefill.GIVEN,
            "provenance": {"kind": "derived", "from": "late_reason"},
            "edited": False,
        }
        filing.values = {**filing.values, "late_reason": value}


def filing_withdraw(*, filing: Filing, reason: str, at: datetime, by: User) -> Filing:
    """It will not be sent.

    Raises:
        BadInput: no reason.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        text = required_text(reason, field="reason", at_least=5)
        held = movable(filing, "withdraw", by)
        require_not_on_its_way(held)
        held.withdraw()
        return save(held, "filing.withdrawn", at=at, by=by, new=text)
