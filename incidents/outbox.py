"""What has to be told. Written with the change it tells of; claimed, sent and recorded afterwards.

At least once: a crash between sending and recording sends again, with the same Message-ID (or webhook-id), and leaves an
attempt without an outcome. What does not arrive is tried again, later and later, and never dropped: after some attempts
others are told of it through every channel there is, and the pages show it until it arrives or a person settles it.
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from compliance import clock
from compliance.models import Membership
from incidents import channels, journal
from incidents.channels.models import DeliveryAttempt, Endpoint
from incidents.models import Escalation, Incident, OutboxMessage

logger = logging.getLogger("breachclock.outbox")

# A row that somebody claimed and did not settle in this time is taken again. Longer than any channel's own deadline.
STALE_CLAIM = timedelta(minutes=2)
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=30), timedelta(minutes=30)
SHOUT_AFTER = 4
# So often in a row may one way be found closed before the rest of a run leaves it alone.
UNREACHABLE_LIMIT = 3
DOMAIN = "breachclock"

Undelivered = Callable[[OutboxMessage, datetime], None]
_on_undelivered: list[Undelivered] = []


@dataclass(frozen=True, slots=True)
class Message:
    """The words of one message, in the reader's language, and the same as data for programs.

    ``dedupe`` names it once and for all and ends with the reader's number; what stands before that names what happened.
    """

    dedupe: str
    subject: str
    text: str
    html: str
    # The same for an address that several people read: without a link or a remark that is for one of them alone.
    shared: str
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def event(self) -> str:
        """What happened, whoever is told of it."""
        return self.dedupe.rpartition(":")[0]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message for somebody. ``everywhere``: also to endpoints that are meant for another role."""

    incident: Incident
    member: Membership
    message: Message
    escalation: Escalation | None = None
    everywhere: bool = False


def on_undelivered(handler: Undelivered) -> None:
    """Call ``handler`` once for each message that did not arrive after some attempts, in a transaction of its own."""
    if handler not in _on_undelivered:
        _on_undelivered.append(handler)


def enqueue(
    *, incident: Incident, escalation: Escalation | None, member: Membership, message: Message, at: datetime
) -> None:
    """Write a message in the caller's transaction. A second one of the same ``dedupe`` changes nothing."""
    enqueue_many([Letter(incident, member, message, escalation)], at=at)


def enqueue_many(letters: Sequence[Letter], *, at: datetime) -> None:
    """Write messages in the caller's transaction: to each reader's mailbox and endpoints, and once for each endpoint
    of the entity that is meant. Two queries, however many there are; some more where an incident is restricted.

    A replay's messages are withheld from birth: they reach no real channel.
    """
    if not letters:
        return
    circle = confidential().Circle([letter.incident for letter in letters], at=at)
    letters = circle.redirected(letters)
    people = {letter.member.user_id for letter in letters}
    book = AddressBook({letter.member.entity_id for letter in letters}, people, circle)
    rows = [row for letter in letters for row in book.copies(letter, at=at)]
    OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True)


def confidential() -> Any:
    """Who hears of restricted incidents; it makes letters and so comes after this module."""
    from incidents import confidential as module

    return module


class AddressBook:
    """The endpoints in use of some entities and people (primary keys), read at once. ``circle``: who is named in the
    incidents that letters are about (:class:`incidents.confidential.Circle`)."""

    def __init__(self, entities: Collection[int], people: Collection[int], circle: Any) -> None:
        self._circle = circle
        held = Endpoint.objects.filter(Q(entity__in=entities) | Q(user__in=people), revoked_at=None)
        self._endpoints = list(held)
        self._near: dict[tuple[int, int], list[Endpoint]] = {}

    def _concern(self, member: Membership) -> list[Endpoint]:
        key = (member.entity_id, member.user_id)
        if key not in self._near:
            self._near[key] = [
                endpoint
                for endpoint in self._endpoints
                if endpoint.user_id == member.user_id or endpoint.entity_id == member.entity_id
            ]
        return self._near[key]

    def copies(self, letter: Letter, *, at: datetime) -> Iterator[OutboxMessage]:
        """The unsaved rows of ``letter``: to the reader's mailbox, and for each endpoint that is meant."""
        if letter.incident.restricted:
            fit = self._circle.fitting(letter)
            if fit is None:
                return
            letter = fit
        member, message = letter.member, letter.message
        yield _row(letter, message.dedupe, at=at, recipient_id=member.user_id, address=member.user.email)
        for endpoint in self._concern(member):
            if endpoint.user_id == member.user_id:
                dedupe = f"{message.dedupe}:to:{endpoint.pk}"
                yield _row(letter, dedupe, at=at, recipient_id=member.user_id, endpoint=endpoint)
            elif letter.incident.restricted:
                continue  # several people read there
            elif letter.everywhere or endpoint.role in ("", member.role):
                yield _row(letter, f"{message.event}:to:{endpoint.pk}", at=at, endpoint=endpoint)


def _row(letter: Letter, dedupe: str, *, at: datetime, endpoint: Endpoint | None = None, **to: Any) -> OutboxMessage:
    message = letter.message
    withheld = letter.incident.kind == Incident.Kind.REPLAY
    return OutboxMessage(
        incident_id=letter.incident.pk,
        escalation_id=letter.escalation.pk if letter.escalation else None,
        channel=endpoint.kind if endpoint else channels.MAIL,
        endpoint_id=endpoint.pk if endpoint else None,
        subject=" ".join(message.subject.split())[:300],
        body=_body(message, endpoint, at=at),
        html=message.html if endpoint is None else "",
        dedupe=dedupe,
        message_id=message_id(dedupe),
        state=OutboxMessage.State.WITHHELD if withheld else OutboxMessage.State.PENDING,
        attempt_at=at,
        created_at=at,
        **to,
    )


def _body(message: Message, endpoint: Endpoint | None, *, at: datetime) -> str:
    if endpoint is None or endpoint.user_id is not None:
        return message.text
    return webhook_body(message.data, at=at) if endpoint.kind == channels.WEBHOOK else message.shared


def webhook_body(data: Mapping[str, Any], *, at: datetime) -> str:
    """What a webhook carries: its type, when it came about, the particulars. Fixed at birth: a repeat has the same bytes."""
    rest = {key: value for key, value in data.items() if key != "type"}
    body = {"type": data.get("type", "message"), "timestamp": at.astimezone(UTC).isoformat(), "data": rest}
    return json.dumps(body, ensure_ascii=False, sort_keys=True)


def message_id(dedupe: str) -> str:
    """The Message-ID that a message keeps through every repeated sending."""
    return f"<{hashlib.sha256(dedupe.encode()).hexdigest()[:40]}@{DOMAIN}>"


@dataclass(slots=True)
class SendReport:
    """What one run of the sender did. ``closed`` counts, by way, how often in a row nobody answered."""

    sent: int = 0
    failed: int = 0
    closed: Counter[tuple[str, int | None]] = field(default_factory=Counter)

    def left_alone(self) -> Q:
        """The rows of ways that are closed."""
        found = Q(pk__in=())
        for (channel, endpoint), times in self.closed.items():
            if times >= UNREACHABLE_LIMIT:
                found |= Q(channel=channel, endpoint=endpoint)
        return found


def send_due(*, now: datetime, limit: int = 500) -> SendReport:
    """Send what is pending at ``now`` (aware), oldest first. Safe to run in any number of processes at once."""
    return send_reading(lambda: now, limit=limit)


def send_reading(read: Callable[[], datetime], *, limit: int = 500) -> SendReport:
    """:func:`send_due` for a real run, which may take minutes: the clock is read (aware) for each message.

    A claim that bore the moment at which the run began would look stale while the message is still being sent, and
    another process would send it again.
    """
    report = SendReport()
    while report.sent + report.failed < limit:
        now = clock.require_aware(read())
        row = _claim(now, report.left_alone())
        if row is None:
            break
        way = (row.channel, row.endpoint_id)
        try:
            _send(row, now)
        except Exception as error:  # noqa: BLE001  a refusing server must not stop the others
            unreachable = isinstance(error, channels.Undelivered) and error.unreachable
            report.closed[way] = report.closed[way] + 1 if unreachable else 0
            _failed(row, error, now=now)
            report.failed += 1
        else:
            report.closed[way] = 0
            _sent(row, now=now)
            report.sent += 1
    return report


def _claim(now: datetime, left_alone: Q) -> OutboxMessage | None:
    """The next message, marked as ours by an UPDATE that only one process can win, with its attempt opened."""
    waiting = Q(state=OutboxMessage.State.PENDING, attempt_at__lte=now)
    stale = Q(state=OutboxMessage.State.CLAIMED, claimed_at__lte=now - STALE_CLAIM)
    due = OutboxMessage.objects.filter(waiting | stale).exclude(left_alone).select_related("endpoint")
    while True:
        row = due.order_by("attempt_at", "pk").first()
        if row is None:
            return None
        with transaction.atomic():
            won = OutboxMessage.objects.filter(
                pk=row.pk, state=row.state, claimed_at=row.claimed_at, attempts=row.attempts
            ).update(state=OutboxMessage.State.CLAIMED, claimed_at=now, attempts=F("attempts") + 1)
            if won:
                row.attempts += 1
                DeliveryAttempt.objects.create(message=row, number=row.attempts, at=now)
                return row


def _send(row: OutboxMessage, now: datetime) -> None:
    if row.endpoint is not None and not row.endpoint.active:
        raise channels.Undelivered("address withdrawn", permanent=True)
    channels.channel_of(row.channel).send(row, now)


def _sent(row: OutboxMessage, *, now: datetime) -> None:
    """Guarded by our own claim: if it went stale and another process sent it too, that one recorded it."""
    with transaction.atomic():
        OutboxMessage.objects.filter(pk=row.pk, state=OutboxMessage.State.CLAIMED).update(
            state=OutboxMessage.State.SENT, sent_at=now, last_error=""
        )
        _outcome(row, DeliveryAttempt.Outcome.ACCEPTED)


def _outcome(row: OutboxMessage, outcome: DeliveryAttempt.Outcome, error: str = "") -> None:
    DeliveryAttempt.objects.filter(message=row, number=row.attempts).update(outcome=outcome, error=error)


def _failed(row: OutboxMessage, error: Exception, *, now: datetime) -> None:
    """Push the row ahead and count it; once it has failed often enough, or for good, tell others."""
    known = isinstance(error, channels.Undelivered)
    code = error.code if known else type(error).__name__
    permanent = known and error.permanent
    delay = LONGEST_DELAY if permanent else min(FIRST_DELAY * 2 ** min(row.attempts - 1, 16), LONGEST_DELAY)
    # The code alone: addresses and answers of servers must not be in a log.
    logger.error("message %s not sent by %s at attempt %s: %s", row.pk, row.channel, row.attempts, code)
    with transaction.atomic():
        changed = OutboxMessage.objects.filter(
            pk=row.pk, state=OutboxMessage.State.CLAIMED, attempts=row.attempts
        ).update(state=OutboxMessage.State.PENDING, attempt_at=now + delay, last_error=code)
        _outcome(row, DeliveryAttempt.Outcome.FAILED, code)
    if changed and (permanent or row.attempts >= SHOUT_AFTER):
        _shout(row, now=now)


def _shout(row: OutboxMessage, *, now: datetime) -> None:
    """Once for each message: the journal, the log, and whoever wants to know."""
    with transaction.atomic():
        # The incident first, as everywhere: the other order could deadlock with a firing timer.
        incident = Incident.objects.select_for_update().get(pk=row.incident_id) if row.incident_id else None
        if not OutboxMessage.objects.filter(pk=row.pk, shouted_at=None).update(shouted_at=now):
            return
        journal.write(
            incident=incident,
            at=now,
            by=None,
            action="message.undelivered",
            subject=f"message {row.pk}",
            detail={"attempts": row.attempts, "channel": row.channel},
        )
        for handler in _on_undelivered:
            handler(row, now)
