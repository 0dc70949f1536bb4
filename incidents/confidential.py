"""Who hears of a restricted incident: the people named in it, each alone. A clock is never unwatched: see :func:`fallback`."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from compliance.access_policy import get_access_policy
from compliance.models import Membership
from incidents.admissions import Admission
from incidents.availability import Absence
from incidents.models import Incident
from incidents.outbox import Letter, Message


def named(incident: Incident) -> frozenset[int]:
    """The numbers of the people named in ``incident``."""
    return frozenset(_named([incident.pk])[incident.pk])


def _named(incidents: Collection[int]) -> dict[int, set[int]]:
    rows = Admission.objects.filter(incident__in=incidents, kind=Admission.Kind.NAMED, ended_at=None)
    found: dict[int, set[int]] = defaultdict(set)
    for incident, person in rows.values_list("incident", "person"):
        found[incident].add(person)
    return found


def fallback(members: Sequence[Membership], *, away: Collection[int]) -> list[Membership]:
    """Who is told when nobody named can be reached: the first role of the policy that somebody present holds."""
    for role in get_access_policy().fallback:
        held = [member for member in members if member.role == role and member.user_id not in away]
        if held:
            return held
    return []


class Circle:
    """Who is named in the restricted ones of ``incidents``, and who of them is there at ``at``: two queries at most, and none
    where nothing is restricted."""

    def __init__(self, incidents: Iterable[Incident], *, at: datetime) -> None:
        restricted = {incident.pk for incident in incidents if incident.restricted}
        self.at, self._people = at, _named(restricted) if restricted else {}

    def named(self, incident: Incident) -> Collection[int]:
        """As :func:`named`."""
        return self._people.get(incident.pk, ())

    def fitting(self, letter: Letter) -> Letter | None:
        """``letter`` as its reader may have it: whole for people named, neutral for the fallback, for nobody else at all."""
        incident, member = letter.incident, letter.member
        if member.user_id in self.named(incident):
            return letter
        watched = not self._present[member.entity_id].isdisjoint(self.named(incident))
        if watched or member.role not in get_access_policy().fallback:
            return None
        return replace(letter, message=_neutral(letter.message, incident, member), everywhere=False)

    @cached_property
    def _present(self) -> dict[int, set[int]]:
        """By entity, those named anywhere who have a role in it and are there."""
        away = Absence.objects.filter(
            entity=OuterRef("entity"),
            person=OuterRef("user"),
            ended_at=None,
            begins_at__lte=self.at,
            ends_at__gt=self.at,
        )
        people = set().union(*self._people.values())
        held = Membership.objects.filter(~Exists(away), user__in=people, user__is_active=True)
        found: dict[int, set[int]] = defaultdict(set)
        for entity, user in held.values_list("entity", "user"):
            found[entity].add(user)
        return found

    def redirected(self, letters: Sequence[Letter]) -> list[Letter]:
        """``letters``, and where those of a restricted incident reach nobody named, the same words to all who are named."""
        found = list(letters)
        for incident in {item.incident.pk: item.incident for item in letters if item.incident.restricted}.values():
            names, mine = self.named(incident), [item for item in letters if item.incident.pk == incident.pk]
            if any(letter.member.user_id in names for letter in mine):
                continue
            members = Membership.objects.filter(entity=mine[0].member.entity_id, user__in=names, user__is_active=True)
            readers = {member.user_id: member for member in members.select_related("user", "entity").order_by("-pk")}
            found += [
                replace(
                    mine[0], member=member, message=replace(mine[0].message, dedupe=f"{mine[0].message.event}:{pk}")
                )
                for pk, member in readers.items()
            ]
        return found


def _neutral(message: Message, incident: Incident, member: Membership) -> Message:
    """That a restricted incident needs somebody, and its number; no title, no duty, nothing that acknowledges."""
    with override(member.language):
        headline = _("A restricted incident needs attention: %(code)s") % {"code": incident.code}
        context = {
            "headline": headline,
            "lines": (),
            "todo": _(
                "None of the people named in it can be reached while a clock runs. Open it with a reason and see to it."
            ),
            "notes": (),
            "link": settings.SITE_URL + reverse("access:glass"),
            "mark": "",
            "language": member.language,
        }
        text, html = (render_to_string(f"incidents/mail/message.{kind}", context) for kind in ("txt", "html"))
    data = {"type": "incident.unwatched", "incident": {"code": incident.code}}
    return Message(dedupe=message.dedupe, subject=headline, text=text, html=html, shared=text, data=data)
