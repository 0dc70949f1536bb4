"""What a token of the API reaches: never more than the roles of its person, and sometimes less."""

from collections.abc import Collection

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet

from compliance.access_policy import Capability
from incidents.access.rights import rights_of
from incidents.models import Incident

# A reporter reads the own reports.
_ALLOWED_BY = {
    "read": {Capability.READ, Capability.REPORT},
    "handle": {Capability.HANDLE, Capability.REPORT},
    "decide": {Capability.DECIDE},
    "export": {Capability.EXPORT},
}


def scopes_of(user: User) -> frozenset[str]:
    """What a token of ``user`` may be made for. When it is used, the roles are asked again for each incident."""
    held = {capability for right in rights_of(user) for capability in right.capabilities}
    return frozenset(scope for scope, capabilities in _ALLOWED_BY.items() if held & capabilities)


def limited(incidents: QuerySet[Incident], entities: Collection[int] | None) -> QuerySet[Incident]:
    """Of ``incidents`` those that concern none but ``entities`` (numbers); all of them where there is no limit.

    A token may be good for some entities only: nothing of another entity is reached through it.
    """
    if entities is None:
        return incidents
    links = Incident.entities.through.objects.filter(incident=OuterRef("pk"))
    return incidents.filter(~Exists(links.exclude(entity__in=entities)))
