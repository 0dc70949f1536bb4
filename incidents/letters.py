"""Messages to one person that no incident is about: an invitation, a role that nobody holds any more. Through the outbox."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.utils.translation import override

from compliance.models import Membership
from incidents.models import OutboxMessage
from incidents.outbox import message_id


def language_of(user: User) -> str:
    """The language in which ``user`` is written to: that of the first role."""
    found = Membership.objects.filter(user=user).order_by("pk").values_list("language", flat=True).first()
    return found or settings.LANGUAGE_CODE


def letter(
    user: User, *, key: str, headline: str, lines: Mapping[str, str], todo: str, path: str, at: datetime
) -> OutboxMessage:
    """Write a message to ``user`` in the caller's transaction, in the language that is active. ``key`` names it for good."""
    language = language_of(user)
    context = {
        "headline": headline,
        "lines": lines.items(),
        "todo": todo,
        "notes": (),
        "link": settings.SITE_URL + path,
        "mark": "",
        "language": language,
    }
    with override(language):
        text, html = (render_to_string(f"incidents/mail/message.{kind}", context) for kind in ("txt", "html"))
    return OutboxMessage.objects.create(
        recipient=user,
        address=user.email,
        subject=" ".join(headline.split())[:300],
        body=text,
        html=html,
        dedupe=key,
        message_id=message_id(key),
        attempt_at=at,
        created_at=at,
    )
