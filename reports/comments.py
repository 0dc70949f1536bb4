"""Comments on the fields of a filing: one thread a remark, answered and resolved, each step in the journal."""

from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from compliance.errors import BadInput, NotPermitted, Refused
from incidents import access, journal
from incidents.services.common import changing, required_text
from reports import approvals, prefill, privilege, record
from reports.models import FieldComment, Filing

MOST = 4000

journal.register(
    {
        "filing.commented": _("Filing commented on"),
        "filing.comment_resolved": _("Comment on a filing resolved"),
        "filing.privilege_changed": _("Privilege of a filing changed"),
    }
)


def comment_add(
    *,
    filing: Filing,
    field: str,
    text: str,
    at: datetime,
    by: User,
    answers: FieldComment | None = None,
    privileged: bool = False,
) -> FieldComment:
    """Say something about ``field``. An answer joins the thread of the comment it ``answers`` and its privilege.

    Raises:
        BadInput: no text, too long, a field the filing does not have, or an answer to another filing's comment.
        NotPermitted: may not work on the incident, nor approve as a deputy.
    """
    with changing(filing.incident, at=at) as incident:
        held = Filing.objects.select_related("incident", "entity").get(pk=filing.pk)
        access.require_handle(by, incident)
        privilege.require_sees(held, by)
        words = required_text(text, field="comment", at_least=2)
        if len(words) > MOST:
            raise BadInput(_("Write at most %(most)d characters."), code="comment_too_long", field="comment", most=MOST)
        if field not in {item.key for item in prefill.form_of(held).fields(held.stage)}:
            raise BadInput(_("%(key)s is not a field of this form."), code="unknown_field", field="comment", key=field)
        first = answers and FieldComment.objects.filter(pk=answers.pk, filing=held, field=field, answers=None).first()
        if answers is not None and (first is None or not privilege.sees_comment(first, by)):
            raise BadInput(_("The comment you answer is not in this filing."), code="unknown_comment", field="comment")
        row = FieldComment.objects.create(
            filing=held,
            field=field,
            text=words,
            answers=first,
            privileged=first.privileged if first else privileged,
            by=by,
            at=at,
        )
        detail = {"field": field, "answer": first is not None, "privileged": row.privileged}
        record.write(held, "filing.commented", at=at, by=by, new=words, detail=detail)
        return row


def comment_resolve(*, comment: FieldComment, at: datetime, by: User) -> FieldComment:
    """The remark is dealt with: said by who made it, by an author of the filing, or by an approver. Repeating changes nothing.

    Raises:
        NotPermitted: somebody else.
        Refused: an answer, which has no end of its own.
    """
    with changing(comment.filing.incident, at=at) as incident:
        held = FieldComment.objects.select_related("filing__incident").get(pk=comment.pk)
        access.require_handle(by, incident)
        require_sees_comment(held, by)
        if held.answers_id is not None:
            raise Refused(_("Resolve the comment that began the thread."), code="not_a_thread")
        if not may_resolve(held, by):
            raise NotPermitted(
                _("Whoever made the comment, the author of the filing or an approver can resolve it."),
                code="may_not_resolve",
            )
        if held.resolved_at is None:
            held.resolved_at, held.resolved_by = at, by
            held.save(update_fields=["resolved_at", "resolved_by"])
            record.write(held.filing, "filing.comment_resolved", at=at, by=by, detail={"field": held.field})
        return held


def open_threads(filing: Filing) -> list[FieldComment]:
    """The remarks on ``filing`` that nobody has dealt with yet."""
    return list(filing.comments.filter(answers=None, resolved_at=None).select_related("by", "filing__incident"))


def require_sees_comment(comment: FieldComment, user: User) -> None:
    """Refuse to touch what ``user`` may not read.

    Raises:
        NotPermitted: a privileged comment of others.
    """
    if not privilege.sees_comment(comment, user):
        raise NotPermitted(_("This comment is privileged."), code="privileged")


def may_resolve(comment: FieldComment, by: User) -> bool:
    """Who made it, who wrote the filing, who decides."""
    filing = comment.filing
    return by.pk == comment.by_id or by.pk in approvals.writers(filing) or access.may_decide(by, filing.incident)


def privilege_set(*, filing: Filing, privileged: bool, at: datetime, by: User) -> Filing:
    """Mark a draft as privileged, or not: only those of :mod:`reports.privilege` then see it, and exports leave it out.

    Raises:
        NotPermitted: neither counsel nor approver.
        Refused: frozen already; what has left the house is no secret of the lawyers.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_decide(by, incident)
        held = Filing.objects.select_related("incident").get(pk=filing.pk)
        privilege.require_sees(held, by)
        if held.document_id is not None and privileged:
            raise Refused(_("%(filing)s is frozen and cannot become privileged."), code="frozen", filing=str(held))
        if held.privileged != privileged:
            held.privileged = privileged
            held.save(update_fields=["privileged"])
            record.write(held, "filing.privilege_changed", at=at, by=by, detail={"privileged": privileged})
        return held
