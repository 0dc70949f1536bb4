"""What a person may see, as queries: subqueries that the database works out once for all rows, without DISTINCT."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from compliance import clock
from compliance.access_policy import Capability, get_access_policy
from compliance.models import Entity
from incidents.access.rights import Right, places, rights_of
from incidents.admissions import Admission, in_force
from incidents.models import Incident


def visible_incidents(user: User, *, at: datetime | None = None) -> QuerySet[Incident]:
    """The incidents that ``user`` may know of at ``at`` (aware; without it, now).

    Those of the entities in which a role reads, unless restricted; those the person reported, unless restricted; those in
    which the person is named or which the person opened with a reason, as long as a role in an entity of theirs remains.
    """
    at = at or clock.now()
    rights = rights_of(user, at=at)
    if not rights:
        return Incident.objects.none()
    read = _where(rights, Capability.READ)
    report = _where(rights, Capability.REPORT) - read
    own = frozenset(right.entity for right in rights if right.instead_of is None)
    seen = Q(restricted=False) & _of(read) if read else Q(pk__in=())
    if report:
        seen |= Q(restricted=False, reported_by=user.pk) & _of(report)
    admitted = Admission.objects.filter(in_force(at), person=user.pk)
    seen |= Q(pk__in=admitted.values("incident")) & _of(own)
    return Incident.objects.filter(seen)


def _where(rights: Iterable[Right], capability: Capability) -> frozenset[int]:
    return frozenset(right.entity for right in rights if capability in right.capabilities)


def _of(entities: frozenset[int]) -> Q:
    links = Incident.entities.through.objects.filter(entity__in=entities)
    return Q(pk__in=links.values("incident"))


def visible_entities(user: User) -> QuerySet[Entity]:
    """The entities in which ``user`` has any role, also as a deputy."""
    return Entity.objects.filter(pk__in={right.entity for right in rights_of(user)})


def reportable_entities(user: User) -> QuerySet[Entity]:
    """The entities for which ``user`` may report a suspicion."""
    return Entity.objects.filter(pk__in=places(user, Capability.REPORT))


def channel_entities(user: User) -> QuerySet[Entity]:
    """The entities whose webhooks and chat addresses ``user`` may keep."""
    return Entity.objects.filter(pk__in=places(user, Capability.KEEP))


def configurable_entities(user: User) -> QuerySet[Entity]:
    """The entities whose people and profile ``user`` may change."""
    return Entity.objects.filter(pk__in=places(user, Capability.CONFIGURE))


def handling_roles() -> frozenset[str]:
    """The roles that work on incidents."""
    return get_access_policy().roles_with(Capability.HANDLE)


def deciding_roles() -> frozenset[str]:
    """The roles that may be a second pair of eyes."""
    return get_access_policy().roles_with(Capability.DECIDE)
