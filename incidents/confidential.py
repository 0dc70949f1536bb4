"""Who hears of a restricted incident: the people named in it, each alone. A clock is never unwatched: see :func:`fallback`."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from django.conf import settings
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
    rows = Admission.objects.filter(incident=incident.pk, kind=Admission.Kind.NAMED, ended_at=None)
    return frozenset(rows.values_list("person", flat=True))


def fallback(members: Sequence[Membership], *, away: Collection[int]) -> list[Membership]:
    """Who is told when nobody named can be reached: the first role of the policy that somebody present holds."""
    for role in get_access_policy().fallback:
        held = [member for member in members if member.role == role and member.user_id not in away]
        if held:
            return held
    return []


def fitting(letter: Letter, *, at: datetime) -> Letter | None:
    """``letter`` as its reader may have it: whole for people named, neutral for the fallback, for nobody else at all."""
    incident, member = letter.incident, letter.member
    names = named(incident)
    if member.user_id in names:
        return letter
    if member.role not in get_access_policy().fallback or _watched(incident, names, member, at=at):
        return None
    return replace(letter, message=_neutral(letter.message, incident, member), everywhere=False)


def _watched(incident: Incident, names: Collection[int], member: Membership, *, at: datetime) -> bool:
    """Whether somebody named with a role in the entity is there."""
    away = Absence.objects.filter(entity=member.entity_id, ended_at=None, begins_at__lte=at, ends_at__gt=at)
    held = Membership.objects.filter(entity=member.entity_id, user__in=names, user__is_active=True)
    return held.exclude(user__in=away.values("person")).exists()


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


def redirected(letters: Sequence[Letter]) -> list[Letter]:
    """``letters``, and where those of a restricted incident reach nobody named, the same words to all who are named."""
    found = list(letters)
    for incident in {letter.incident.pk: letter.incident for letter in letters if letter.incident.restricted}.values():
        names, mine = named(incident), [letter for letter in letters if letter.incident.pk == incident.pk]
        if any(letter.member.user_id in names for letter in mine):
            continue
        members = Membership.objects.filter(entity=mine[0].member.entity_id, user__in=names, user__is_active=True)
        readers = {member.user_id: member for member in members.select_related("user", "entity").order_by("-pk")}
        found += [
            replace(mine[0], member=member, message=replace(mine[0].message, dedupe=f"{mine[0].message.event}:{pk}"))
            for pk, member in readers.items()
        ]
    return found
