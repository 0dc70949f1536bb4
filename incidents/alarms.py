"""Alarms about the machine itself, to managers and administrators: by mail, never through the timers that may be failing."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from compliance.models import Membership, Role
from incidents.models import Incident, OutboxMessage
from incidents.outbox import message_id

TOLD = (Role.MANAGER, Role.CISO)
# The headline and what to do, in the language that is active when it is called.
Words = Callable[[], tuple[str, str]]


def raise_alarm(name: str, words: Words, *, at: datetime, incident: Incident | None = None) -> int:
    """Write a message to everybody concerned, in the caller's transaction; answers how many. Once a day for each ``name``.

    With ``incident`` its entities' managers are told, without one all managers; administrators always.
    """
    readers = dict(_readers(incident))
    rows = [_row(name, words, user, language, incident, at=at) for user, language in readers.items()]
    OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _readers(incident: Incident | None) -> Iterator[tuple[User, str]]:
    active = get_user_model().objects.filter(is_active=True).exclude(email="")
    yield from ((user, settings.LANGUAGE_CODE) for user in active.filter(is_superuser=True).order_by("pk"))
    held = Membership.objects.filter(role__in=TOLD, user__in=active).select_related("user").order_by("pk")
    if incident is not None:
        held = held.filter(entity__in=incident.entities.all())
    yield from ((member.user, member.language) for member in held)


def _row(
    name: str, words: Words, user: User, language: str, incident: Incident | None, *, at: datetime
) -> OutboxMessage:
    with override(language):
        headline, todo = words()
        path = reverse("incidents:incident", args=[incident.code]) if incident else reverse("health")
        context: dict[str, Any] = {
            "headline": headline,
            "lines": {_("Incident"): str(incident)}.items() if incident else (),
            "todo": todo,
            "notes": (),
            "link": settings.SITE_URL + path,
            "mark": "",
            "language": language,
        }
        text, html = (render_to_string(f"incidents/mail/message.{kind}", context) for kind in ("txt", "html"))
    dedupe = f"alarm:{name}:{at.date().isoformat()}:{user.pk}"
    withheld = incident is not None and incident.kind == Incident.Kind.REPLAY
    return OutboxMessage(
        incident=incident,
        recipient=user,
        address=user.email,
        subject=" ".join(headline.split())[:300],
        body=text,
        html=html,
        dedupe=dedupe,
        message_id=message_id(dedupe),
        state=OutboxMessage.State.WITHHELD if withheld else OutboxMessage.State.PENDING,
        attempt_at=at,
        created_at=at,
    )
