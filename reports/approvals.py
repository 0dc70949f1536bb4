"""Who may stand behind a filing, how many it takes, and who approves for whom.

One person who did not write it; two where it denies something or goes out late. An approver who is away may have named a
deputy for that time, who then approves in that person's stead.
"""

from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from compliance.errors import NotPermitted, Refused
from incidents import access
from incidents.services import is_late
from reports.denials import denials
from reports.models import Approval, Filing

ORDINARY, GRAVE = 1, 2


def needed(filing: Filing, *, at: datetime) -> int:
    """How many people must approve ``filing`` as it stands at ``at``."""
    late = any(is_late(row, at=at) for row in filing.obligations.all())
    return GRAVE if late or denials(filing) else ORDINARY


def given(filing: Filing) -> list[Approval]:
    """The approvals that count: those since it was last sent to review."""
    return list(filing.approvals.filter(round=filing.round).select_related("by", "standing_for"))


def still_needed(filing: Filing, *, at: datetime) -> int:
    """How many approvals are missing."""
    return max(0, needed(filing, at=at) - len(given(filing)))


def writers(filing: Filing) -> set[int]:
    """Who wrote it: the author, the last editor, and everyone whose words stand in a field."""
    found = {filing.author_id, filing.edited_by_id}
    names = {(value.get("provenance") or {}).get("user") for value in filing.values.values()} - {None}
    found |= set(User.objects.filter(username__in=names).values_list("pk", flat=True))
    return {pk for pk in found if pk is not None}


def stands_for(filing: Filing, by: User, *, at: datetime) -> User | None:
    """In whose stead ``by`` approves; None in the own right.

    Raises:
        NotPermitted: wrote it, approves neither in the own right nor as a deputy, or only for somebody who wrote it.
        Refused: has approved, or stands for somebody who has.
    """
    wrote = writers(filing)
    if by.pk in wrote:
        raise NotPermitted(_("You wrote this filing. Another person must approve it."), code="own_filing")
    approved = {person for row in given(filing) for person in (row.by_id, row.standing_for_id) if person}
    if by.pk in approved:
        raise Refused(_("You have approved it. Another person must approve it too."), code="approved_already")
    if access.may_decide_alone(by, filing.incident, at=at):
        return None
    away = [person for person in _deputised(filing, by, at=at) if person.pk not in wrote]
    if not away:
        access.require_decide(by, filing.incident, at=at, besides=wrote)
    free = next((person for person in away if person.pk not in approved), None)
    if free is None:
        raise Refused(_("You have approved it. Another person must approve it too."), code="approved_already")
    return free


def _deputised(filing: Filing, by: User, *, at: datetime) -> list[User]:
    """The approvers who are away at ``at`` and for whom ``by`` stands in, in the order of their numbers."""
    rights = access.through(by, filing.incident, access.Capability.DECIDE, at=at)
    absent = {right.instead_of for right in rights} - {None}
    return list(User.objects.filter(pk__in=absent).order_by("pk"))


def may_approve(filing: Filing, by: User, *, at: datetime) -> bool:
    """Whether ``by`` could approve now, for the page."""
    try:
        stands_for(filing, by, at=at)
    except Refused:
        return False
    return True
