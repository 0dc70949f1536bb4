"""Who sees drafts and comments that lawyers keep to themselves. Pages, services and exports ask here; nothing else decides.

A privileged draft: counsel, whoever wrote it, whoever was asked to review it, and whoever approved it. A privileged comment:
the same people of its filing, and whoever wrote in its thread. Freezing ends a filing's privilege, not that of its comments.
"""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from compliance.errors import NotPermitted
from incidents import access
from incidents.models import Incident
from reports import approvals
from reports.models import FieldComment, Filing


def named(filing: Filing) -> set[int]:
    """Who has to do with ``filing`` by name: its writers, those asked to review it, those who approved it."""
    people = set(filing.review_requests.values_list("reviewer_id", "asked_by_id"))
    approved = set(filing.approvals.values_list("by_id", flat=True))
    return approvals.writers(filing) | {person for pair in people for person in pair} | approved


def sees(filing: Filing, user: User) -> bool:
    """Whether ``user``, who sees the incident, sees ``filing`` too."""
    return not filing.privileged or _initiated(filing, user)


def _initiated(filing: Filing, user: User) -> bool:
    return access.may_see_privileged(user, filing.incident) or user.pk in named(filing)


def sees_comment(comment: FieldComment, user: User) -> bool:
    """Whether ``user``, who sees the incident, sees ``comment`` (an answer is as privileged as its thread)."""
    if not sees(comment.filing, user):
        return False
    if not comment.privileged or _initiated(comment.filing, user):
        return True
    first = comment.answers_id or comment.pk
    thread = comment.filing.comments.filter(pk=first) | comment.filing.comments.filter(answers=first)
    return thread.filter(by=user.pk).exists()


def hidden_filings(incident: Incident, user: User) -> set[int]:
    """The primary keys of the filings of ``incident`` that ``user`` does not see."""
    return {row.pk for row in incident.filings.filter(privileged=True) if not sees(row, user)}


def seen_comments(comments: Iterable[FieldComment], user: User) -> list[FieldComment]:
    """Those of ``comments`` that ``user`` sees."""
    return [row for row in comments if sees_comment(row, user)]


def require_sees(filing: Filing, user: User | None) -> None:
    """Refuse to work on what ``user`` may not see. No user means the system itself.

    Raises:
        NotPermitted: a privileged draft of others.
    """
    if user is not None and not sees(filing, user):
        raise NotPermitted(
            _("%(filing)s is privileged: counsel, its writers and whoever was asked to review it work on it."),
            code="privileged",
            filing=str(filing),
        )
