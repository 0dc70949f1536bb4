"""Links that acknowledge one step: signed, expiring, for one person, of use once. They open nothing else."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from compliance.errors import Refused
from compliance.library import get_policies
from incidents.models import Escalation

_SALT = "breachclock.acknowledge"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link says: which step, sent to whom, of use until when. ``name``: short, for the record."""

    escalation: Escalation
    person: User
    expires_at: datetime
    name: str


def link_for(escalation: Escalation, person: User, *, at: datetime) -> str:
    """The address that lets ``person`` acknowledge ``escalation`` without signing in, counted from ``at`` (aware)."""
    until = at + get_policies().link_valid
    token = _signer().sign_object({"step": escalation.pk, "to": person.pk, "until": int(until.timestamp())})
    return str(settings.SITE_URL) + reverse("incidents:acknowledge", args=[token])


def read(token: str, *, at: datetime) -> Ticket:
    """What ``token`` stands for at ``at`` (aware).

    Raises:
        Refused: changed or of another site, expired, or of a person who is not active any more.
    """
    try:
        held = _signer().unsign_object(token)
        step, person, until = int(held["step"]), int(held["to"]), int(held["until"])
    except (BadSignature, ValueError, TypeError, KeyError):
        raise Refused(_("This link is not complete, or was changed."), code="link_broken") from None
    expires_at = datetime.fromtimestamp(until, UTC)
    if at >= expires_at:
        raise Refused(_("This link has expired. Sign in to acknowledge the step."), code="link_expired")
    escalation = Escalation.objects.select_related("incident", "obligation", "evidence").filter(pk=step).first()
    user = User.objects.filter(pk=person, is_active=True).first()
    if escalation is None or user is None:
        raise Refused(_("This link is not of use any more."), code="link_dead")
    return Ticket(escalation, user, expires_at, hashlib.sha256(token.encode()).hexdigest()[:12])


def _signer() -> Signer:
    return Signer(salt=_SALT)
