"""What has to happen when somebody is let in no more: ends of every way in, incidents handed over, gaps told of."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from compliance.models import Entity, Invitation, Membership, Role
from incidents import access, journal, notices
from incidents.admissions import Admission
from incidents.channels.models import CalendarLink, Endpoint
from incidents.letters import language_of, letter
from incidents.models import Incident, OutboxMessage
from incidents.services.law import ENDED
from incidents.tokens import ApiToken

UNSENT = (OutboxMessage.State.PENDING, OutboxMessage.State.CLAIMED)


def cut_off(person: User, *, at: datetime, by: User | None) -> dict[str, int]:
    """End what lets ``person`` in without a password, or carries messages out; answers how many of each.

    The session ends with the password. Names in restricted incidents stay in the record, and end.
    """
    gone = list(Endpoint.objects.filter(user=person, revoked_at=None).values_list("pk", flat=True))
    OutboxMessage.objects.filter(endpoint__in=gone, state__in=UNSENT).update(
        state=OutboxMessage.State.FAILED, settled_by=by, settled_at=at
    )
    return {
        "tokens": ApiToken.objects.filter(user=person, revoked_at=None).update(revoked_at=at),
        "calendars": CalendarLink.objects.filter(user=person, revoked_at=None).update(revoked_at=at),
        "addresses": Endpoint.objects.filter(pk__in=gone).update(revoked_at=at, revoked_by=by),
        "invitations": Invitation.objects.filter(user=person, used_at=None, withdrawn_at=None).update(withdrawn_at=at),
        "admissions": Admission.objects.filter(person=person, ended_at=None).update(ended_at=at, ended_by=by),
    }


def running_of(person: User) -> QuerySet[Incident]:
    """The running incidents that ``person`` owns."""
    running = Incident.objects.filter(owner=person).exclude(state__in=ENDED).exclude(kind=Incident.Kind.REPLAY)
    return running.order_by("pk")


def hand_over(incidents: Iterable[Incident], *, person: User, successor: User | None, at: datetime) -> None:
    """Give each incident to ``successor``; where the successor may not work on it, tell those who see to it.

    Done by the system: whoever deactivates people need not be able to read what they worked on.
    """
    for incident in incidents:
        locked = Incident.objects.select_for_update().get(pk=incident.pk)
        if successor is not None and access.may_handle(successor, locked, at=at):
            locked.owner = successor
            locked.save(update_fields=["owner"])
            journal.write(
                incident=locked,
                at=at,
                by=None,
                action="incident.owner_changed",
                subject=f"user:{successor.pk}",
                detail={"because": "person.deactivated", "was": f"user:{person.pk}"},
            )
        else:
            _tell_ownerless(locked, person, at=at)


def _tell_ownerless(incident: Incident, person: User, *, at: datetime) -> None:
    roles = (Role.COUNSEL, Role.MANAGER, Role.OWNER)
    members = Membership.objects.filter(entity__in=incident.entities.all(), role__in=roles, user__is_active=True)

    def words(member: Membership) -> notices.Words:
        return notices.Words(
            headline=_("%(code)s has no handler any more") % {"code": incident.code},
            lines={_("Incident"): incident.code},
            todo=_("The person who handled it was deactivated. Give it to another handler. Until then all are told."),
            type="incident.ownerless",
        )

    found = members.select_related("user", "entity").order_by("pk")
    notices.tell(found, incident=incident, key=f"ownerless:{person.pk}:{at.isoformat()}", words=words, at=at)


def tell_of_gaps(entity: Entity, roles: list[str], *, at: datetime) -> None:
    """Tell managers and administrators of ``entity`` that nobody holds ``roles``, which ladders name."""
    readers = User.objects.filter(
        memberships__entity=entity,
        memberships__role__in=(Role.ADMINISTRATOR, Role.MANAGER, Role.CISO),
        is_active=True,
    ).distinct()
    for reader in readers.order_by("pk"):
        with override(language_of(reader)):
            letter(
                reader,
                key=f"unheld:{entity.key}:{'+'.join(roles)}:{at.isoformat()}:{reader.pk}",
                headline=_("Nobody holds a role that ladders name: %(roles)s")
                % {"roles": ", ".join(str(Role(role).label) for role in roles)},
                lines={_("Entity"): entity.name},
                todo=_("Give the role to somebody. Until then the next rank up is told instead."),
                path=reverse("access:people"),
                at=at,
            )
