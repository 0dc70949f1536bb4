"""Who was told what, when, by which way, with what success, and who acknowledged it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from incidents import access
from incidents.handlers import AWAKE
from incidents.models import Escalation, Incident, OutboxMessage, Timer

State = OutboxMessage.State
NOT_ARRIVED = Q(state__in=(State.PENDING, State.CLAIMED), attempts__gt=0) | Q(state=State.FAILED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show: of one duty or one person, or only what did not arrive."""

    duty: int | None = None
    person: int | None = None
    failed: bool = False

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Wanted":
        """From the query of an address. What is no number is left out."""
        return cls(_number(given.get("duty")), _number(given.get("person")), given.get("state") == "failed")


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else None


def messages_of(incident: Incident, wanted: Wanted) -> QuerySet[OutboxMessage]:
    """The messages about ``incident``, newest first."""
    rows = incident.messages.select_related(
        "recipient",
        "endpoint",
        "settled_by",
        "escalation__obligation",
        "escalation__evidence",
        "escalation__acknowledged_by",
    )
    if wanted.duty is not None:
        rows = rows.filter(escalation__obligation=wanted.duty)
    if wanted.person is not None:
        rows = rows.filter(recipient=wanted.person)
    if wanted.failed:
        rows = rows.filter(NOT_ARRIVED)
    return rows.prefetch_related("tries").order_by("-created_at", "-pk")


def duties_told_of(incident: Incident) -> Sequence[Any]:
    """The duties about which somebody was told."""
    return list(incident.obligations.filter(escalations__messages__isnull=False).distinct().order_by("pk"))


def people_told(incident: Incident) -> Sequence[User]:
    """The people to whom something was sent."""
    return list(User.objects.filter(pk__in=incident.messages.values("recipient")).order_by("username"))


def steps_without_anybody(incident: Incident) -> QuerySet[Escalation]:
    """Steps that were reached and of which nobody could be told. A step that waits for people to wake is none."""
    asleep = Timer.objects.filter(kind__in=AWAKE.values(), subject_id=OuterRef("pk"), state=Timer.State.PENDING)
    rows = incident.escalations.filter(~Exists(asleep), messages__isnull=True)
    return rows.select_related("obligation", "evidence").order_by("at")


def undelivered_by_incident(user: User) -> Sequence[Mapping[str, Any]]:
    """How many messages do not arrive although it was tried again and again: ``code`` and ``many`` of each incident
    that ``user`` may see."""
    lost = Q(shouted_at__isnull=False, state__in=(State.PENDING, State.CLAIMED))
    rows = OutboxMessage.objects.filter(lost, incident__in=access.visible_incidents(user).values("pk"))
    return list(rows.order_by().values(code=F("incident__code")).annotate(many=Count("pk")).order_by("code"))


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a message fared, in a word with a tone of the desk."""

    word: str | Promise
    tone: str


def delivery_of(row: OutboxMessage) -> Delivery:
    """Delivered, waiting, tried again, withheld or settled."""
    if row.state == State.SENT:
        repeated = any(item.outcome == "unknown" for item in row.tries.all())
        return Delivery(_("Delivered, perhaps twice") if repeated else _("Delivered"), "met")
    if row.state == State.WITHHELD:
        return Delivery(_("Withheld (replay)"), "open_now")
    if row.state == State.FAILED:
        return Delivery(_("Not delivered; told another way"), "met_late")
    if row.shouted_at is not None:
        return Delivery(_("Does not arrive"), "overdue")
    return Delivery(_("Tried again"), "near") if row.attempts else Delivery(_("Waiting"), "open_now")


def to_json(row: OutboxMessage) -> dict[str, Any]:
    """A message for programs. No addresses: the person or the endpoint is named."""
    step = row.escalation
    return {
        "id": row.pk,
        "message_id": row.message_id,
        "subject": row.subject,
        "duty": _duty(step),
        "step": {"key": step.rung, "kind": step.kind, "roles": step.roles, "at": _utc(step.at)} if step else None,
        "channel": row.channel,
        "person": row.recipient.get_username() if row.recipient else None,
        "endpoint": row.endpoint.label if row.endpoint else None,
        "created_at": _utc(row.created_at),
        "state": row.state,
        "delivered_at": _utc(row.sent_at) if row.state == State.SENT else None,
        "next_attempt_at": _utc(row.attempt_at) if row.state == State.PENDING else None,
        "others_told_at": _utc(row.shouted_at),
        "settled_by": row.settled_by.get_username() if row.settled_by else None,
        "attempts": [
            {"number": item.number, "at": _utc(item.at), "outcome": item.outcome, "error": item.error or None}
            for item in row.tries.all()
        ],
        "acknowledged_at": _utc(step.acknowledged_at) if step else None,
        "acknowledged_by_link": bool(step and step.acknowledged_link),
        "acknowledged_by": step.acknowledged_by.get_username() if step and step.acknowledged_by else None,
    }


def _duty(step: Escalation | None) -> dict[str, Any] | None:
    row = step.obligation if step else None
    if row is None:
        return None
    return {"rule": row.rule, "stage": row.stage, "occurrence": row.occurrence, "title": row.duty["title"]}


def _utc(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None
