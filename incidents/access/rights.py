"""What a person may do where: own roles, and those of people away for whom the person stands in."""

import contextlib
from collections.abc import Collection, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from compliance import clock
from compliance.access_policy import Capability, get_access_policy
from compliance.models import Entity, Membership, Role
from incidents.admissions import Admission, in_force
from incidents.availability import Absence, Preference
from incidents.models import Incident

_memory: ContextVar[dict[Any, Any] | None] = ContextVar("access_memory", default=None)


@contextlib.contextmanager
def remembering() -> Iterator[None]:
    """Ask the database once for each person and incident inside the block: for one request, never longer."""
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def forget() -> None:
    """Roles, absences or admissions have changed: ask again."""
    held = _memory.get()
    if held is not None:
        held.clear()


def _remembered[T](key: tuple[Any, ...], read: Any) -> T:
    held = _memory.get()
    if held is None:
        return read()  # type: ignore[no-any-return]
    if key not in held:
        held[key] = read()
    return held[key]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Right:
    """A role in an entity. ``instead_of``: the number of the person away for whom it is held; None in the own right."""

    entity: int
    role: str
    capabilities: frozenset[Capability]
    instead_of: int | None = None


def rights_of(user: User, *, at: datetime | None = None) -> tuple[Right, ...]:
    """Every right of ``user`` at ``at`` (aware; without it, now). Nobody who was deactivated has any."""
    if not user.is_active or user.pk is None:
        return ()
    return _remembered(("rights", user.pk), lambda: _rights(user, at or clock.now()))


def _rights(user: User, at: datetime) -> tuple[Right, ...]:
    own = list(Membership.objects.filter(user=user.pk).order_by("pk").values_list("entity", "role"))
    table = get_access_policy().roles
    # Whoever configures an entity decides nothing in it, whatever other role was given.
    barred = {entity: frozenset({Capability.DECIDE}) for entity, role in own if role == Role.ADMINISTRATOR}
    rights = [Right(entity, role, table[role] - barred.get(entity, frozenset())) for entity, role in own]
    working = {right.entity for right in rights if Capability.HANDLE in right.capabilities}
    return (*rights, *_inherited(user, working, barred, at))


def _inherited(
    user: User, entities: Collection[int], barred: dict[int, frozenset[Capability]], at: datetime
) -> Iterator[Right]:
    """The rights of those away at ``at`` in ``entities`` for whom ``user`` stands in."""
    away = _absent_for(user, entities, at)
    if not away:
        return
    policy = get_access_policy()
    found = Membership.objects.filter(user__in={person for _entity, person in away}, user__is_active=True)
    for entity, person, role in found.order_by("pk").values_list("entity", "user", "role"):
        if (entity, person) in away:
            held = policy.roles[role] - policy.not_inherited - barred.get(entity, frozenset())
            yield Right(entity, role, held, instead_of=person)


def _absent_for(user: User, entities: Collection[int], at: datetime) -> set[tuple[int, int]]:
    """Entity and person, for each person away for whom ``user`` stands in, along the chain of those away themselves."""
    if not entities:
        return set()
    rows = Absence.objects.filter(entity__in=entities, ended_at=None, begins_at__lte=at, ends_at__gt=at)
    away = {(entity, person): deputy for entity, person, deputy in rows.values_list("entity", "person", "deputy")}
    if not away:
        return set()
    standing = Preference.objects.filter(entity__in=entities, person__isnull=False, deputy__isnull=False)
    always = {(entity, person): deputy for entity, person, deputy in standing.values_list("entity", "person", "deputy")}
    return {place for place in away if _follow(place, away, always) == user.pk}


def _follow(
    place: tuple[int, int], away: dict[tuple[int, int], int | None], always: dict[tuple[int, int], int]
) -> int | None:
    """Who stands in at the end of the chain; None where it ends with nobody or bites its own tail."""
    entity, person = place
    seen = {person}
    while (entity, person) in away:
        following = away[entity, person] or always.get((entity, person))
        if following is None or following in seen:
            return None
        seen.add(following)
        person = following
    return person


def places(user: User, capability: Capability, *, at: datetime | None = None) -> frozenset[int]:
    """The entities (numbers) in which ``user`` has ``capability``, also as a deputy."""
    return frozenset(right.entity for right in rights_of(user, at=at) if capability in right.capabilities)


def roles_in(user: User, entities: Iterable[Entity]) -> frozenset[str]:
    """The roles that ``user`` has in any of ``entities`` in the own right."""
    wanted = {entity.pk for entity in entities}
    return frozenset(right.role for right in rights_of(user) if right.entity in wanted and right.instead_of is None)


def entities_of(incident: Incident) -> frozenset[int]:
    """The numbers of the entities that ``incident`` belongs to."""
    return _remembered(("entities", incident.pk), lambda: frozenset(entity.pk for entity in incident.entities.all()))


def admissions_to(incident: Incident, user: User, *, at: datetime | None = None) -> frozenset[str]:
    """By which kinds of admission ``user`` may see ``incident``."""
    return _remembered(
        ("admitted", incident.pk, user.pk),
        lambda: frozenset(
            Admission.objects.filter(in_force(at or clock.now()), incident=incident.pk, person=user.pk).values_list(
                "kind", flat=True
            )
        ),
    )


# What a broken glass lets a person do, as far as the roles allow it: look, and name the people that are needed.
THROUGH_GLASS = frozenset({Capability.READ, Capability.RESTRICT})


def allowed(user: User, incident: Incident, *, at: datetime | None = None) -> tuple[Right, ...]:
    """The rights that count in ``incident``: those in its entities, cut down by restriction, widened by name.

    A restricted incident gives nothing to whoever is not named in it, and a deputy is not named by standing in. Whoever
    reported one that is not restricted, or with whom it was shared, may read it.
    """
    entities = entities_of(incident)
    rights = tuple(right for right in rights_of(user, at=at) if right.entity in entities)
    if not rights:
        return ()
    if incident.restricted:
        own = tuple(right for right in rights if right.instead_of is None)
        kinds = admissions_to(incident, user, at=at)
        if Admission.Kind.NAMED in kinds:
            return tuple(_with_reading(right) for right in own)
        if Admission.Kind.GLASS in kinds:
            return tuple(_only(right, THROUGH_GLASS) for right in own)
        return ()
    if any(Capability.READ in right.capabilities for right in rights):
        return rights
    reported = incident.reported_by_id == user.pk and any(Capability.REPORT in right.capabilities for right in rights)
    if reported or Admission.Kind.NAMED in admissions_to(incident, user, at=at):
        return tuple(_with_reading(right) for right in rights)
    return ()


def _with_reading(right: Right) -> Right:
    return Right(right.entity, right.role, right.capabilities | {Capability.READ}, right.instead_of)


def _only(right: Right, capabilities: frozenset[Capability]) -> Right:
    return Right(right.entity, right.role, right.capabilities & capabilities, right.instead_of)


def through(user: User, incident: Incident, capability: Capability, *, at: datetime | None = None) -> list[Right]:
    """The rights by which ``user`` has ``capability`` in ``incident``."""
    return [right for right in allowed(user, incident, at=at) if capability in right.capabilities]


def absent_behind(rights: Iterable[Right]) -> frozenset[int]:
    """For whom somebody acts who has just these rights; nobody where one of them is the person's own."""
    held = list(rights)
    if any(right.instead_of is None for right in held):
        return frozenset()
    return frozenset(right.instead_of for right in held if right.instead_of is not None)
