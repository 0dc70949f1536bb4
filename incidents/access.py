"""Who may see and do what. Pages, commands and services ask here; nothing else decides."""

from collections.abc import Collection, Iterable

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from compliance.errors import NotPermitted
from compliance.models import Entity, Membership, Role
from incidents.models import Incident

HANDLES = frozenset({Role.OWNER, Role.COUNSEL, Role.APPROVER, Role.MANAGER, Role.CISO, Role.CPO, Role.EXECUTIVE})
REPORTS = HANDLES | {Role.REPORTER}
DECIDES = frozenset({Role.COUNSEL, Role.APPROVER})
EXPORTS = frozenset({Role.AUDITOR, Role.COUNSEL, Role.MANAGER})
KEEPS_CALENDARS = frozenset({Role.COUNSEL, Role.MANAGER})
KEEPS_CHANNELS = frozenset({Role.COUNSEL, Role.MANAGER})


def visible_incidents(user: User) -> QuerySet[Incident]:
    """The incidents of the entities in which ``user`` has any role."""
    return Incident.objects.filter(entities__memberships__user=user.pk).distinct()


def visible_entities(user: User) -> QuerySet[Entity]:
    """The entities in which ``user`` has any role."""
    return Entity.objects.filter(memberships__user=user.pk).distinct()


def reportable_entities(user: User) -> QuerySet[Entity]:
    """The entities for which ``user`` may report a suspicion."""
    return Entity.objects.filter(memberships__user=user.pk, memberships__role__in=REPORTS).distinct()


def roles_in(user: User, entities: Iterable[Entity]) -> frozenset[str]:
    """The roles ``user`` has in any of ``entities``."""
    held = Membership.objects.filter(user=user.pk, entity__in=[entity.pk for entity in entities])
    return frozenset(held.values_list("role", flat=True))


def may_handle(user: User, incident: Incident) -> bool:
    """Whether ``user`` may record facts and draft filings."""
    return bool(roles_in(user, incident.entities.all()) & HANDLES)


def may_decide(user: User, incident: Incident) -> bool:
    """Whether ``user`` may be the second pair of eyes."""
    return bool(roles_in(user, incident.entities.all()) & DECIDES)


def may_keep_calendars(user: User) -> bool:
    """Whether ``user`` may add days off: counsel or manager of any entity."""
    return Membership.objects.filter(user=user.pk, role__in=KEEPS_CALENDARS).exists()


def require_keep_calendars(user: User) -> None:
    """Refuse unless ``user`` may add days off.

    Raises:
        NotPermitted: the user has no such role.
    """
    if not may_keep_calendars(user):
        raise NotPermitted(_("Only counsel or a manager can add days off."), code="may_not_keep_calendars")


def channel_entities(user: User) -> QuerySet[Entity]:
    """The entities whose webhooks and chat addresses ``user`` may keep: as counsel or manager of them."""
    return Entity.objects.filter(memberships__user=user.pk, memberships__role__in=KEEPS_CHANNELS).distinct()


def require_report(user: User | None, entities: Iterable[Entity]) -> None:
    """Refuse unless ``user`` may report a suspicion for every one of ``entities``. No user means the system itself.

    Raises:
        NotPermitted: the user has no such role.
    """
    if user is None:
        return
    for entity in entities:
        if not roles_in(user, [entity]) & REPORTS:
            raise NotPermitted(
                _("You have no role in %(entity)s that may report an incident."),
                code="may_not_report",
                entity=entity.name,
            )


def require_handle(user: User | None, incident: Incident) -> None:
    """Refuse unless ``user`` may work on ``incident``. No user means the system itself.

    Raises:
        NotPermitted: the user has no such role.
    """
    if user is not None and not may_handle(user, incident):
        raise NotPermitted(
            _("You may read %(incident)s but not change it. An incident handler or counsel of the entity may."),
            code="may_not_handle",
            incident=incident.code,
        )


def require_decide(user: User, incident: Incident) -> None:
    """Refuse unless ``user`` may approve, as counsel or approver of an entity of ``incident``.

    Raises:
        NotPermitted: the user has no such role.
    """
    if not may_decide(user, incident):
        raise NotPermitted(_("Only counsel or an approver of the entity can decide this."), code="may_not_decide")


def may_export(user: User, incident: Incident) -> bool:
    """Whether ``user`` may take the whole record of ``incident`` out of the house."""
    return bool(roles_in(user, incident.entities.all()) & EXPORTS)


def limited(incidents: QuerySet[Incident], entities: Collection[int] | None) -> QuerySet[Incident]:
    """Of ``incidents`` those that concern none but ``entities`` (ids); all of them where there is no limit.

    An API token may be good for some entities only: nothing of another entity is reached through it.
    """
    if entities is None:
        return incidents
    return incidents.exclude(entities__in=Entity.objects.exclude(pk__in=entities))


def scopes_of(user: User) -> frozenset[str]:
    """What a token of ``user`` may be for: read, handle, decide, export. At use the roles are asked again for each incident."""
    held = set(Membership.objects.filter(user=user.pk).values_list("role", flat=True))
    needed = {"read": set(Role.values), "handle": REPORTS, "decide": HANDLES, "export": EXPORTS}
    return frozenset(scope for scope, roles in needed.items() if held & roles)
