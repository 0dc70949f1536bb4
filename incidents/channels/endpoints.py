"""Adding, trying and withdrawing addresses; sending a message again; saying that somebody was told another way."""

import secrets
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.clock import require_aware
from compliance.errors import BadInput, NotPermitted, Refused
from compliance.models import Entity
from compliance.text import clean
from incidents import access, channels, journal, outbox
from incidents.channels import webhook
from incidents.channels.models import Endpoint
from incidents.models import Incident, OutboxMessage
from incidents.services.common import changing, required_text

journal.register(
    {
        "endpoint.added": gettext_lazy("Address for messages added"),
        "endpoint.revoked": gettext_lazy("Address for messages withdrawn"),
        "endpoint.tried": gettext_lazy("Test message sent"),
        "message.undelivered": gettext_lazy("Message does not arrive; others were told"),
        "message.again": gettext_lazy("Message sent again by a person"),
        "message.settled": gettext_lazy("Told another way"),
    }
)

_UNSENT = (OutboxMessage.State.PENDING, OutboxMessage.State.CLAIMED)


def endpoints_of(user: User) -> QuerySet[Endpoint]:
    """The addresses ``user`` may keep: the own ones, and those of the entities where that is the user's office."""
    mine = Q(user=user.pk) | Q(entity__in=access.channel_entities(user).values("pk"))
    return Endpoint.objects.filter(mine).select_related("entity", "user", "created_by", "revoked_by").distinct()


def endpoint_add(
    *, entity: Entity | None, role: str = "", kind: str, label: str, target: str, at: datetime, by: User
) -> Endpoint:
    """Add an address of ``entity`` (to which what is told to ``role`` goes, or everything), or of ``by`` alone.

    A webhook gets a fresh secret, which the caller shows once.

    Raises:
        NotPermitted: neither counsel nor manager of the entity.
        BadInput: no name, or an address that cannot be right or lies inside the house.
    """
    require_aware(at)
    _require_office(entity, by)
    if entity is None and kind == channels.WEBHOOK:
        raise BadInput(_("A webhook belongs to a company, not to a person."), code="webhook_of_person", field="kind")
    address = clean(target)
    channels.channel_of(kind).check(address)
    row = Endpoint(
        entity=entity,
        user=None if entity else by,
        role=role if entity else "",
        kind=kind,
        label=" ".join(required_text(label, field="label").split())[:80],
        target=address,
        secret=webhook.new_secret() if kind == channels.WEBHOOK else "",
        created_by=by,
        created_at=at,
    )
    with transaction.atomic():
        row.save(force_insert=True)
        _write(row, "endpoint.added", at=at, by=by)
    return row


def endpoint_revoke(*, endpoint: Endpoint, at: datetime, by: User) -> None:
    """Withdraw an address. What waits for it is settled by that. Repeating changes nothing.

    Raises:
        NotPermitted: neither one's own nor in one's office.
    """
    require_aware(at)
    _require_keeper(endpoint, by)
    with transaction.atomic():
        if Endpoint.objects.filter(pk=endpoint.pk, revoked_at=None).update(revoked_at=at, revoked_by=by):
            OutboxMessage.objects.filter(endpoint=endpoint, state__in=_UNSENT).update(
                state=OutboxMessage.State.FAILED, settled_by=by, settled_at=at
            )
            _write(endpoint, "endpoint.revoked", at=at, by=by)


def endpoint_try(*, endpoint: Endpoint, at: datetime, by: User) -> OutboxMessage:
    """Send a test message through the outbox, as every other.

    Raises:
        NotPermitted: neither one's own nor in one's office.
        Refused: withdrawn.
    """
    require_aware(at)
    _require_keeper(endpoint, by)
    if not endpoint.active:
        raise Refused(_("This address was withdrawn."), code="withdrawn")
    words = _("Test message of Breachclock to “%(label)s”. Nothing has happened.") % {"label": endpoint.label}
    dedupe = f"test:{endpoint.pk}:{secrets.token_hex(8)}"
    data = {"type": "endpoint.test", "text": words}
    with transaction.atomic():
        _write(endpoint, "endpoint.tried", at=at, by=by)
        return OutboxMessage.objects.create(
            channel=endpoint.kind,
            endpoint=endpoint,
            subject=words,
            body=outbox.webhook_body(data, at=at) if endpoint.kind == channels.WEBHOOK else words,
            dedupe=dedupe,
            message_id=outbox.message_id(dedupe),
            attempt_at=at,
            created_at=at,
        )


def message_again(*, message: OutboxMessage, at: datetime, by: User) -> None:
    """Send a message again, delivered or not, with the same id and the same words.

    Raises:
        NotPermitted: the person may not work on the incident.
        Refused: withheld, being sent at the moment, or its address was withdrawn.
    """
    with changing(_incident(message), at=at) as incident:
        access.require_handle(by, incident, at=at)
        if message.endpoint is not None and not message.endpoint.active:
            raise Refused(_("This address was withdrawn."), code="withdrawn")
        settled = (OutboxMessage.State.SENT, OutboxMessage.State.FAILED, OutboxMessage.State.PENDING)
        moved = OutboxMessage.objects.filter(pk=message.pk, state__in=settled).update(
            state=OutboxMessage.State.PENDING, attempt_at=at, settled_by=None, settled_at=None
        )
        if not moved:
            raise Refused(_("This message cannot be sent again now."), code="not_now")
        _note(message, "message.again", at=at, by=by)


def message_settle(*, message: OutboxMessage, at: datetime, by: User) -> None:
    """Say that the person was told another way: no further attempts.

    Raises:
        NotPermitted: the person may not work on the incident.
        Refused: it arrived, or was withheld.
    """
    with changing(_incident(message), at=at) as incident:
        access.require_handle(by, incident, at=at)
        moved = OutboxMessage.objects.filter(pk=message.pk, state__in=_UNSENT).update(
            state=OutboxMessage.State.FAILED, settled_by=by, settled_at=at
        )
        if not moved:
            raise Refused(_("This message is not waiting."), code="not_waiting")
        _note(message, "message.settled", at=at, by=by)


def _incident(message: OutboxMessage) -> Incident:
    if message.incident is None:
        raise Refused(_("This message belongs to no incident."), code="no_incident")
    return message.incident


def _note(message: OutboxMessage, action: str, *, at: datetime, by: User) -> None:
    detail = {"channel": message.channel, "attempts": message.attempts}
    subject = f"message {message.pk}"
    journal.write(incident=message.incident, at=at, by=by, action=action, subject=subject, detail=detail)


def _write(endpoint: Endpoint, action: str, *, at: datetime, by: User) -> None:
    detail = {"kind": endpoint.kind, "role": endpoint.role, "entity": endpoint.entity.key if endpoint.entity else ""}
    journal.write(incident=None, at=at, by=by, action=action, subject=f"endpoint {endpoint.pk}", detail=detail)


def _require_office(entity: Entity | None, by: User) -> None:
    if entity is not None and not access.channel_entities(by).filter(pk=entity.pk).exists():
        raise NotPermitted(_("Only counsel or a manager of the company can do this."), code="may_not_keep_channels")


def _require_keeper(endpoint: Endpoint, by: User) -> None:
    if not endpoints_of(by).filter(pk=endpoint.pk).exists():
        raise NotPermitted(_("Only counsel or a manager of the company can do this."), code="may_not_keep_channels")
