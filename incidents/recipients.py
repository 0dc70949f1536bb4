"""Who is told: roles become people, deputies stand in for those who are away, and rather everybody is told than nobody."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from compliance.engine import Quiet, quiet_until
from compliance.engine.policies import DEPUTY
from compliance.library import get_policies
from compliance.models import Entity, Membership
from incidents import confidential
from incidents.availability import Absence, Preference
from incidents.models import Incident
from incidents.times import reader_zone


@dataclass(slots=True)
class Recipient:
    """A person to be told, and why. ``instead_of``: roles that nobody could be reached in; ``stands_in``: for these.
    ``quiet``: where the quiet hours of this person stand, if there are any."""

    member: Membership
    quiet: Preference | None = None
    instead_of: list[str] = field(default_factory=list)
    stands_in: list[Absence | User] = field(default_factory=list)

    @property
    def user_id(self) -> int:
        """Of the person."""
        return int(self.member.user_id)


@dataclass(frozen=True, slots=True)
class People:
    """The people of one entity as they are at one moment: who is away, who stands in for whom always, who sleeps when."""

    members: Sequence[Membership]
    away: Mapping[int, Absence]
    standing: Mapping[int, int]
    quiet: Mapping[int | None, Preference]


def people_of(entities: Collection[int], *, at: datetime) -> dict[int, People]:
    """The people of each of ``entities`` (primary keys) at ``at``, in three queries however many entities there are."""
    members = Membership.objects.filter(entity__in=entities, user__is_active=True).order_by("pk")
    away = Absence.objects.filter(entity__in=entities, ended_at=None, begins_at__lte=at, ends_at__gt=at)
    held = _by_entity(members.select_related("user__reader", "entity"))
    absences = _by_entity(away.select_related("person"))
    preferences = _by_entity(Preference.objects.filter(entity__in=entities))
    return {
        pk: People(
            held[pk],
            {row.person_id: row for row in absences[pk]},
            {row.person_id: row.deputy_id for row in preferences[pk] if row.deputy_id is not None},
            {row.person_id: row for row in preferences[pk] if row.quiet_from is not None},
        )
        for pk in entities
    }


def _by_entity(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found = defaultdict(list)
    for row in rows:
        found[row.entity_id].append(row)
    return found


def recipients(roles: Sequence[str], entity: Entity, incident: Incident, *, at: datetime) -> list[Recipient]:
    """Everyone with one of ``roles`` in ``entity`` and who stands in for them at ``at``, each person once.

    "owner" is the incident's owner; "deputy" whoever deputises for the others named. A role in which nobody can be
    reached goes to the next rank up that somebody holds; with nobody at all, to all who have a rank, or else to everybody.
    """
    people = people_of([entity.pk], at=at)[entity.pk]
    names = confidential.named(incident) if incident.restricted else ()
    return choose(roles, watchers(people, incident, names), owner=incident.owner_id)


def watchers(people: People, incident: Incident, names: Collection[int]) -> People:
    """Of ``people`` those who may be told of ``incident``: all, or where it is restricted those named in it (``names``);
    with none of them to be reached, the fallback of the policy as well."""
    if not incident.restricted:
        return people
    inside = replace(people, members=[member for member in people.members if member.user_id in names])
    team = _Team(inside, incident.owner_id)
    if any(team.present(member) for member in inside.members):
        return inside
    outside = [member for member in people.members if member.user_id not in names]
    return replace(people, members=[*inside.members, *confidential.fallback(outside, away=people.away)])


def choose(roles: Sequence[str], people: People, *, owner: int | None) -> list[Recipient]:
    """:func:`recipients`, out of people that were read before; ``owner`` of the incident."""
    team = _Team(people, owner)
    for role in roles:
        for member in team.holders(role):
            team.tell(member)
    for role in roles:
        if role != DEPUTY and not team.reached(role, roles):
            team.tell_above(role)
    if not team.anyone_reached():
        team.tell_everybody(roles)
    team.tell_deputies(always=DEPUTY in roles)
    return list(team.told.values())


class _Team:
    """Whom of some people to tell."""

    def __init__(self, people: People, owner: int | None) -> None:
        self.members, self.away, self.standing, self.quiet = people.members, people.away, people.standing, people.quiet
        self.owner = owner
        self.told: dict[int, Recipient] = {}

    def holders(self, role: str) -> list[Membership]:
        """Who has ``role``; of the handlers only the one who owns the incident, as long as that one has the role."""
        held = [member for member in self.members if member.role == role]
        owning = [member for member in held if role == "owner" and member.user_id == self.owner]
        return owning or held

    def tell(self, member: Membership) -> Recipient:
        quiet = self.quiet.get(member.user_id) or self.quiet.get(None)
        return self.told.setdefault(member.user_id, Recipient(member, quiet))

    def present(self, member: Membership) -> bool:
        """Whether the person, or somebody who stands in, is there."""
        return member.user_id not in self.away or self.deputy(member.user_id) is not None

    def deputy(self, person: int) -> Membership | None:
        """Who stands in for ``person``, along the chain of those who are away themselves."""
        seen = {person}
        absence = self.away.get(person)
        following = (absence.deputy_id if absence else None) or self.standing.get(person)
        while following is not None and following not in seen:
            seen.add(following)
            member = next((item for item in self.members if item.user_id == following), None)
            if member is not None and following not in self.away:
                return member
            absence = self.away.get(following)
            following = (absence.deputy_id if absence else None) or self.standing.get(following)
        return None

    def reached(self, role: str, named: Sequence[str]) -> bool:
        """Whether somebody in ``role``, or in another role of its rank that the step names, can be reached."""
        equals = [item for item in _rank(role) if item in named]
        return any(self.present(member) for item in equals for member in self.holders(item))

    def anyone_reached(self) -> bool:
        return any(self.present(item.member) for item in self.told.values())

    def tell_above(self, role: str) -> None:
        ranks = get_policies().ranks
        for rank in ranks[ranks.index(_rank(role)) + 1 :]:
            found = [member for item in rank for member in self.holders(item) if self.present(member)]
            for member in found:
                self._tell_instead(member, [role])
            if found:
                return

    def tell_everybody(self, roles: Sequence[str]) -> None:
        ranked = [role for rank in get_policies().ranks for role in rank]
        somebody = [member for member in self.members if member.role in ranked and self.present(member)]
        for member in somebody or self.members:
            self._tell_instead(member, [role for role in roles if role != DEPUTY])

    def _tell_instead(self, member: Membership, roles: Iterable[str]) -> None:
        known = member.user_id in self.told
        held = self.tell(member)
        if not known or held.instead_of:
            held.instead_of += [role for role in roles if role not in held.instead_of]

    def tell_deputies(self, *, always: bool) -> None:
        """Those away are told all the same; who stands in hears it too, and for whom."""
        for person, held in list(self.told.items()):
            if person not in self.away and not always:
                continue
            deputy = self.deputy(person)
            if deputy is not None:
                stands_for = self.away.get(person) or held.member.user
                self.tell(deputy).stands_in.append(stands_for)


def _rank(role: str) -> tuple[str, ...]:
    return next(rank for rank in get_policies().ranks if role in rank)


def asleep_until(recipient: Recipient, entity: Entity, *, at: datetime) -> datetime | None:
    """The end of the quiet hours that the person is in at ``at``; None outside them."""
    row = recipient.quiet
    if row is None or row.quiet_from is None or row.quiet_until is None:
        return None
    zone = reader_zone(recipient.member) if row.person_id else entity.zone
    return quiet_until(at, Quiet(row.quiet_from, row.quiet_until, zone))
