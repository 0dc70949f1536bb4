"""May a person do this? ``may_`` answers, ``require_`` refuses. ``at`` is the moment of asking; without it, now."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from compliance.access_policy import Capability
from compliance.errors import NotPermitted
from compliance.models import Entity
from incidents import standing
from incidents.access.rights import Right, absent_behind, places, rights_of, through
from incidents.models import Incident


def may_read(user: User, incident: Incident, *, at: datetime | None = None) -> bool:
    """Whether ``user`` may see ``incident`` at all."""
    return bool(through(user, incident, Capability.READ, at=at))


def may_handle(user: User, incident: Incident, *, at: datetime | None = None) -> bool:
    """Whether ``user`` may record facts and draft filings."""
    return bool(through(user, incident, Capability.HANDLE, at=at))


def may_decide(user: User, incident: Incident, *, at: datetime | None = None) -> bool:
    """Whether ``user`` may be the second pair of eyes, in the own right or as a deputy."""
    return bool(through(user, incident, Capability.DECIDE, at=at))


def may_decide_alone(user: User, incident: Incident, *, at: datetime | None = None) -> bool:
    """Whether ``user`` may be the second pair of eyes in the own right."""
    return any(right.instead_of is None for right in through(user, incident, Capability.DECIDE, at=at))


def may_export(user: User, incident: Incident, *, at: datetime | None = None) -> bool:
    """Whether ``user`` may take the whole record of ``incident`` out of the house."""
    return bool(through(user, incident, Capability.EXPORT, at=at))


def may_redact(user: User, incident: Incident, *, at: datetime | None = None) -> bool:
    """Whether ``user`` may destroy the words of a fact."""
    return bool(through(user, incident, Capability.REDACT, at=at))


def may_see_privileged(user: User, incident: Incident, *, at: datetime | None = None) -> bool:
    """Whether ``user`` may read drafts and comments that lawyers keep to themselves."""
    return bool(through(user, incident, Capability.PRIVILEGED, at=at))


def may_restrict(user: User, incident: Incident, *, at: datetime | None = None) -> bool:
    """Whether ``user`` may say by name who sees ``incident``: counsel, or the handler who owns it."""
    if incident.owner_id == user.pk and may_handle(user, incident, at=at):
        return True
    return bool(through(user, incident, Capability.RESTRICT, at=at))


def may_break_glass(user: User, incident: Incident, *, at: datetime | None = None) -> bool:
    """Whether a role of ``user``, in the own right, would let ``user`` open ``incident`` with a reason if it is restricted."""
    entities = {entity.pk for entity in incident.entities.all()}
    wanted = {Capability.READ, Capability.BREAK_GLASS}
    return incident.restricted and any(
        right.entity in entities and right.instead_of is None and wanted <= right.capabilities
        for right in rights_of(user, at=at)
    )


def may_keep(user: User, entity: Entity, *, at: datetime | None = None) -> bool:
    """Whether ``user`` may keep the channels of ``entity`` and the absences of its people."""
    return entity.pk in places(user, Capability.KEEP, at=at)


def may_keep_calendars(user: User) -> bool:
    """Whether ``user`` may add days off: counsel or manager of any entity."""
    return bool(places(user, Capability.KEEP))


def may_configure(user: User, entity: Entity | None = None) -> bool:
    """Whether ``user`` may change the people and the profile of ``entity``, or of any without one."""
    held = places(user, Capability.CONFIGURE)
    return bool(held) if entity is None else entity.pk in held


def require_keep_calendars(user: User) -> None:
    """Refuse unless ``user`` may add days off.

    Raises:
        NotPermitted: the user has no such role.
    """
    if not may_keep_calendars(user):
        raise NotPermitted(_("Only counsel or a manager can add days off."), code="may_not_keep_calendars")


def require_configure(user: User | None, entity: Entity | None = None) -> None:
    """Refuse unless ``user`` administers ``entity``, or any without one. No user means the system itself.

    Raises:
        NotPermitted: the user is no administrator there.
    """
    if user is not None and not may_configure(user, entity):
        raise NotPermitted(_("Only an administrator of the entity can do this."), code="may_not_configure")


def require_report(user: User | None, entities: Iterable[Entity], *, at: datetime | None = None) -> None:
    """Refuse unless ``user`` may report a suspicion for every one of ``entities``. No user means the system itself.

    Raises:
        NotPermitted: the user has no such role.
    """
    if user is None:
        return
    held = places(user, Capability.REPORT, at=at)
    for entity in entities:
        if entity.pk not in held:
            raise NotPermitted(
                _("You have no role in %(entity)s that may report an incident."),
                code="may_not_report",
                entity=entity.name,
            )


def require_handle(user: User | None, incident: Incident, *, at: datetime | None = None) -> None:
    """Refuse unless ``user`` may work on ``incident``. No user means the system itself.

    Raises:
        NotPermitted: the user has no such role.
    """
    if user is None:
        return
    rights = through(user, incident, Capability.HANDLE, at=at)
    if not rights:
        raise NotPermitted(
            _("You may read %(incident)s but not change it. An incident handler or counsel of the entity may."),
            code="may_not_handle",
            incident=incident.code,
        )
    standing.note(user.pk, absent_behind(rights))


def require_decide(
    user: User, incident: Incident, *, at: datetime | None = None, besides: Collection[int | None] = ()
) -> None:
    """Refuse unless ``user`` may approve, as counsel or approver of an entity of ``incident``.

    ``besides``: who asked or wrote, by number. Standing in for one of them gives no second pair of eyes.

    Raises:
        NotPermitted: the user has no such role.
    """
    rights = _not_for(through(user, incident, Capability.DECIDE, at=at), besides)
    if not rights:
        raise NotPermitted(_("Only counsel or an approver of the entity can decide this."), code="may_not_decide")
    standing.note(user.pk, absent_behind(rights))


def _not_for(rights: Iterable[Right], people: Collection[int | None]) -> list[Right]:
    return [right for right in rights if right.instead_of is None or right.instead_of not in people]


def require_redact(user: User, incident: Incident, *, at: datetime | None = None) -> None:
    """Refuse unless ``user`` may destroy the words of a fact.

    Raises:
        NotPermitted: the user has no such role.
    """
    rights = through(user, incident, Capability.REDACT, at=at)
    if not rights:
        raise NotPermitted(_("Only counsel, an approver or a manager of the entity can redact."), code="may_not_redact")
    standing.note(user.pk, absent_behind(rights))


def require_restrict(user: User, incident: Incident, *, at: datetime | None = None) -> None:
    """Refuse unless ``user`` may say by name who sees ``incident``.

    Raises:
        NotPermitted: neither counsel nor the handler who owns it.
    """
    if not may_restrict(user, incident, at=at):
        raise NotPermitted(
            _("Only the handler who owns the incident, or counsel, can decide who sees it."), code="may_not_restrict"
        )
