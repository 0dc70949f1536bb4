"""What a message says besides the duty itself: why this person, why now, and the link that acknowledges the step."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import override

from compliance.engine import LocalText
from compliance.models import Role
from incidents import access, ack
from incidents.availability import Absence
from incidents.models import Escalation, Incident
from incidents.recipients import Recipient
from incidents.times import local, reader_zone

UNANSWERED = LocalText(ko="이전 알림을 아무도 확인하지 않음", en="Nobody has acknowledged the step before")


@dataclass(frozen=True, slots=True)
class Extra:
    """In the reader's language; ``ack`` is empty for those who may only read."""

    notes: tuple[str, ...] = ()
    ack: str = ""


def extra_for(escalation: Escalation, recipient: Recipient, *, now: datetime) -> Extra:
    """What to add for ``recipient`` in a message sent at ``now``."""
    member = recipient.member
    with override(member.language):
        notes = (*_about_step(escalation, member.language), *_about_reader(recipient))
    handles = member.role in access.handling_roles() and escalation.incident.kind != Incident.Kind.REPLAY
    return Extra(notes, ack.link_for(escalation, member.user, at=now) if handles else "")


def _about_step(escalation: Escalation, language: str) -> Iterator[str]:
    detail = escalation.detail
    if detail.get("found_overdue"):
        yield _("The time was up already when this was found. The steps before could not happen.")
    elif detail.get("merged"):
        steps = ", ".join(LocalText(**name).get(language) for _key, name in detail["merged"])
        yield _("There was no time for these steps, so this message stands for them too: %(steps)s.") % {"steps": steps}
    if detail.get("unanswered"):
        yield _("It comes sooner because nobody has acknowledged the message before it.")


def _about_reader(recipient: Recipient) -> Iterator[str]:
    if recipient.instead_of:
        roles = ", ".join(str(Role(role).label) for role in recipient.instead_of)
        yield _("You are told because nobody can be reached in the role it is meant for (%(roles)s).") % {
            "roles": roles
        }
    for item in recipient.stands_in:
        if isinstance(item, Absence):
            until = local(item.ends_at, reader_zone(recipient.member))
            yield _("You stand in for %(name)s, who is away until %(until)s.") % {
                "name": named(item.person),
                "until": until,
            }
        else:
            yield _("You are told as the deputy of %(name)s.") % {"name": named(item)}


def named(user: User) -> str:
    """How people call a person."""
    return user.get_full_name() or user.get_username()
