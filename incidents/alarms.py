"""Alarms about the machine itself, to managers and administrators: never through the timers that may be failing, and by
every way there is, since a dead mail server cannot announce itself by mail.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from compliance.models import Membership, Role
from incidents import channels, confidential
from incidents.channels.models import Endpoint
from incidents.models import Incident, OutboxMessage
from incidents.outbox import message_id, webhook_body

TOLD = (Role.MANAGER, Role.CISO)
# The headline and what to do, in the language that is active when it is called.
Words = Callable[[], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is wrong (``name``), in which words, since when it is told, and about which incident, if one."""

    name: str
    words: Words
    at: datetime
    incident: Incident | None

    @property
    def dedupe(self) -> str:
        """Once a day."""
        return f"alarm:{self.name}:{self.at.date().isoformat()}"

    @property
    def link(self) -> str:
        """The page to look at."""
        path = reverse("incidents:incident", args=[self.incident.code]) if self.incident else reverse("health")
        return str(settings.SITE_URL) + path


def raise_alarm(name: str, words: Words, *, at: datetime, incident: Incident | None = None) -> int:
    """Write a message to everybody concerned, in the caller's transaction; answers how many. Once a day for each ``name``.

    With ``incident`` its entities' managers are told, without one all managers; administrators always. Each of them by mail
    and at the own addresses for chat and pagers; and the entities' chats and webhooks. Of a restricted incident the people
    named hear alone; with none of them there the managers do, and only its number.
    """
    restricted = incident is not None and incident.restricted
    named = list(_named(incident)) if incident is not None and restricted else []
    members = named or list(_members(incident))
    alarm = Alarm(name, words, at, incident if named or not restricted else None)
    administrators = () if restricted else _administrators()
    readers = dict.fromkeys(administrators, settings.LANGUAGE_CODE) | {m.user: m.language for m in members}
    rows = [_mail(alarm, user, language) for user, language in readers.items() if user.email]
    endpoints = [row for row in _endpoints(incident, list(readers)) if row.user_id or not restricted]
    rows += [_elsewhere(alarm, endpoint, readers, members) for endpoint in endpoints]
    OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _administrators() -> Iterator[User]:
    yield from get_user_model().objects.filter(is_active=True, is_superuser=True).order_by("pk")


def _members(incident: Incident | None) -> Iterator[Membership]:
    held = Membership.objects.filter(role__in=TOLD, user__is_active=True).select_related("user").order_by("pk")
    yield from held.filter(entity__in=incident.entities.all()) if incident is not None else held


def _named(incident: Incident) -> Iterator[Membership]:
    held = Membership.objects.filter(entity__in=incident.entities.all(), user__in=confidential.named(incident))
    yield from held.filter(user__is_active=True).select_related("user").order_by("pk")


def _endpoints(incident: Incident | None, readers: Sequence[User]) -> list[Endpoint]:
    """The readers' own, and of each entity those for everybody or for the ones who are told; where it has none, all it has."""
    concerned = Q(user__in=readers) | Q(entity__isnull=False)
    if incident is not None:
        concerned = Q(user__in=readers) | Q(entity__in=incident.entities.all())
    found = list(Endpoint.objects.filter(concerned, revoked_at=None).order_by("pk"))
    meant = {row.entity_id for row in found if row.entity_id and row.role in ("", *TOLD)}
    return [row for row in found if row.entity_id not in meant or row.role in ("", *TOLD)]


def _mail(alarm: Alarm, user: User, language: str) -> OutboxMessage:
    with override(language):
        headline, context = _laid_out(alarm, language)
        text, html = (render_to_string(f"incidents/mail/message.{kind}", context) for kind in ("txt", "html"))
    return _row(alarm, str(user.pk), headline, text, html=html, recipient=user, address=user.email)


def _elsewhere(
    alarm: Alarm, endpoint: Endpoint, readers: dict[User, str], members: Sequence[Membership]
) -> OutboxMessage:
    """To a chat, a pager or a program: in the language of whoever reads it, for programs in both."""
    own = next((language for user, language in readers.items() if user.pk == endpoint.user_id), None)
    shared = next((member.language for member in members if member.entity_id == endpoint.entity_id), None)
    language = own or shared or settings.LANGUAGE_CODE
    with override(language):
        headline, context = _laid_out(alarm, language)
        body = str(render_to_string("incidents/mail/message.txt", context))
    if endpoint.kind == channels.WEBHOOK:
        body = webhook_body(_data(alarm), at=alarm.at)
    to: dict[str, Any] = {"channel": endpoint.kind, "endpoint": endpoint, "recipient": endpoint.user}
    return _row(alarm, f"to:{endpoint.pk}", headline, body, **to)


def _laid_out(alarm: Alarm, language: str) -> tuple[str, dict[str, Any]]:
    headline, todo = alarm.words()
    return headline, {
        "headline": headline,
        "lines": {_("Incident"): str(alarm.incident)}.items() if alarm.incident else (),
        "todo": todo,
        "notes": (),
        "link": alarm.link,
        "mark": "",
        "language": language,
    }


def _data(alarm: Alarm) -> dict[str, Any]:
    """The same for programs."""
    said: dict[str, dict[str, str]] = {"headline": {}, "todo": {}}
    for language, _name in settings.LANGUAGES:
        with override(language):
            said["headline"][language], said["todo"][language] = alarm.words()
    incident = alarm.incident
    return {
        "type": "machine.alarm",
        "alarm": alarm.name,
        "link": alarm.link,
        "incident": {"code": incident.code, "title": incident.title, "kind": str(incident.kind)} if incident else None,
        **said,
    }


def _row(alarm: Alarm, to: str, headline: str, body: str, **given: Any) -> OutboxMessage:
    dedupe = f"{alarm.dedupe}:{to}"
    withheld = alarm.incident is not None and alarm.incident.kind == Incident.Kind.REPLAY
    return OutboxMessage(
        incident=alarm.incident,
        subject=" ".join(headline.split())[:300],
        body=body,
        dedupe=dedupe,
        message_id=message_id(dedupe),
        state=OutboxMessage.State.WITHHELD if withheld else OutboxMessage.State.PENDING,
        attempt_at=alarm.at,
        created_at=alarm.at,
        **given,
    )
