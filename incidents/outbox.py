"""What has to be told. Written with the change it tells of; claimed, sent and recorded afterwards.

At least once: a crash between sending and recording sends again, with the same Message-ID.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F, Q

from compliance import clock
from compliance.models import Membership
from incidents import journal
from incidents.models import Escalation, Incident, OutboxMessage

logger = logging.getLogger("breachclock.outbox")

STALE_CLAIM = timedelta(minutes=2)
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=30), timedelta(minutes=30)
GIVE_UP_AFTER = 12
DOMAIN = "breachclock"

Given = Callable[[OutboxMessage, datetime], None]
_on_given_up: list[Given] = []


@dataclass(frozen=True, slots=True)
class Message:
    """The words of one message, in the reader's language. ``dedupe`` names it once and for all."""

    dedupe: str
    subject: str
    text: str
    html: str


def on_given_up(handler: Given) -> None:
    """Call ``handler`` when a message could not be delivered after all attempts."""
    if handler not in _on_given_up:
        _on_given_up.append(handler)


def enqueue(
    *, incident: Incident, escalation: Escalation | None, member: Membership, message: Message, at: datetime
) -> None:
    """Write a message in the caller's transaction. A second one of the same ``dedupe`` changes nothing.

    A replay's messages are withheld from birth: they reach no real channel.
    """
    withheld = incident.kind == Incident.Kind.REPLAY
    row = OutboxMessage(
        incident=incident,
        escalation=escalation,
        recipient=member.user,
        address=member.user.email,
        subject=" ".join(message.subject.split())[:300],
        body=message.text,
        html=message.html,
        dedupe=message.dedupe,
        message_id=message_id(message.dedupe),
        state=OutboxMessage.State.WITHHELD if withheld else OutboxMessage.State.PENDING,
        attempt_at=at,
        created_at=at,
    )
    OutboxMessage.objects.bulk_create([row], ignore_conflicts=True)


def message_id(dedupe: str) -> str:
    """The Message-ID that a message keeps through every repeated sending."""
    return f"<{hashlib.sha256(dedupe.encode()).hexdigest()[:40]}@{DOMAIN}>"


@dataclass(slots=True)
class SendReport:
    """What one run of the sender did."""

    sent: int = 0
    failed: int = 0


def send_due(*, now: datetime, limit: int = 500) -> SendReport:
    """Send what is pending at ``now`` (aware), oldest first. Safe to run in any number of processes at once."""
    clock.require_aware(now)
    report = SendReport()
    while report.sent + report.failed < limit:
        row = _claim(now)
        if row is None:
            break
        try:
            _send(row)
        except Exception as error:  # noqa: BLE001  a refusing server must not stop the others
            _failed(row, error, now=now)
            report.failed += 1
        else:
            # Guarded by our own claim: if it went stale and another process sent it too, that one recorded it.
            OutboxMessage.objects.filter(pk=row.pk, state=OutboxMessage.State.CLAIMED).update(
                state=OutboxMessage.State.SENT, sent_at=now, last_error=""
            )
            report.sent += 1
    return report


def _claim(now: datetime) -> OutboxMessage | None:
    """The next message, marked as ours by an UPDATE that only one process can win."""
    waiting = Q(state=OutboxMessage.State.PENDING, attempt_at__lte=now)
    stale = Q(state=OutboxMessage.State.CLAIMED, claimed_at__lte=now - STALE_CLAIM)
    while True:
        row = OutboxMessage.objects.filter(waiting | stale).order_by("attempt_at", "pk").first()
        if row is None:
            return None
        won = OutboxMessage.objects.filter(
            pk=row.pk, state=row.state, claimed_at=row.claimed_at, attempts=row.attempts
        ).update(state=OutboxMessage.State.CLAIMED, claimed_at=now, attempts=F("attempts") + 1)
        if won:
            row.attempts += 1
            return row


def _send(row: OutboxMessage) -> None:
    email = EmailMultiAlternatives(
        subject=row.subject, body=row.body, to=[row.address], headers={"Message-ID": row.message_id}
    )
    if row.html:
        email.attach_alternative(row.html, "text/html")
    email.send()


def _failed(row: OutboxMessage, error: Exception, *, now: datetime) -> None:
    delay = min(FIRST_DELAY * 2 ** min(row.attempts - 1, 16), LONGEST_DELAY)
    given_up = row.attempts >= GIVE_UP_AFTER
    name = type(error).__name__
    logger.error("message %s not sent at attempt %s: %s", row.pk, row.attempts, name)
    with transaction.atomic():
        state = OutboxMessage.State.FAILED if given_up else OutboxMessage.State.PENDING
        changed = OutboxMessage.objects.filter(pk=row.pk, state=OutboxMessage.State.CLAIMED).update(
            state=state, attempt_at=now + delay, last_error=name
        )
        if given_up and changed:
            _give_up(row, now=now)


def _give_up(row: OutboxMessage, *, now: datetime) -> None:
    incident = Incident.objects.select_for_update().get(pk=row.incident_id) if row.incident_id else None
    journal.write(
        incident=incident,
        at=now,
        by=None,
        action="message.given_up",
        subject=f"message {row.pk}",
        detail={"attempts": row.attempts, "channel": row.channel},
    )
    for handler in _on_given_up:
        handler(row, now)
