"""Sending a frozen filing through a channel of ours: asked for once, handed over once, and uncertain rather than twice.

The request writes a row of the outbox and a :class:`Dispatch` in one transaction. The outbox's sender calls :func:`send`:
*waiting* becomes *sending* and is committed, then the channel hands over, then *sent* is committed with the submission. Whoever
dies in between leaves *sending* behind; the outbox takes its row again, finds that, and makes it *uncertain*. A person then says
whether it left. Nothing is ever handed over a second time by itself.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from compliance.engine import LocalText
from compliance.errors import BadInput, Refused
from compliance.models import Membership, Role
from incidents import access, journal, notices, outbox
from incidents import channels as outgoing
from incidents.models import Incident, OutboxMessage
from incidents.services.common import changing, required_text
from reports import channels, prefill, record, services
from reports.models import Dispatch, Filing, Submission
from reports.states import FilingState

logger = logging.getLogger("breachclock.filings")

# How the outbox knows these rows.
KIND = "filing"
KEEPERS = (Role.OWNER, Role.COUNSEL, Role.MANAGER)

journal.register(
    {
        "dispatch.requested": _("Filing given to a channel"),
        "dispatch.sent": _("Filing handed over by a channel"),
        "dispatch.not_sent": _("Filing could not be handed over"),
        "dispatch.uncertain": _("Uncertain whether a filing was handed over"),
        "dispatch.resolved": _("A person said whether a filing was handed over"),
    }
)


def submission_send(*, filing: Filing, channel: str, target: str, request_key: str, at: datetime, by: User) -> Dispatch:
    """Ask for a frozen filing to be handed over through ``channel`` to ``target``. A repeated ``request_key`` answers the first.

    Raises:
        BadInput: no such channel here, a target that cannot be right, no request key.
        Refused: not frozen, on its way already, or a drill's, which never reaches an authority.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        if made := Dispatch.objects.filter(request_key=request_key).first():
            return made
        held = Filing.objects.select_related("incident", "entity").get(pk=filing.pk)
        way = channels.way_of(channel)
        _check(held, way, request_key)
        if way is None:
            raise RuntimeError(channel)
        address = way.check(target)
        row = Dispatch.objects.create(
            filing=held,
            channel=channel,
            target=address,
            request_key=request_key,
            requested_by=by,
            requested_at=at,
        )
        row.message = _outbox_row(row, at=at)
        row.save(update_fields=["message"])
        record.write(held, "dispatch.requested", at=at, by=by, new=address, detail=_said(row))
        return row


def _check(filing: Filing, way: channels.Way | None, request_key: str) -> None:
    if not request_key:
        raise BadInput(_("A request key is missing."), code="request_key", field="request_key")
    if way is None or not way.offered():
        known = ", ".join(item.kind for item in channels.offered())
        raise BadInput(
            _("This house has no such channel. Expected one of %(expected)s."),
            code="unknown_channel",
            field="channel",
            expected=known,
        )
    if filing.incident.kind != Incident.Kind.REAL:
        raise Refused(_("A drill or replay never reaches an authority. Record the hand-over by hand."), code="drill")
    services.require_not_on_its_way(filing)
    if filing.state != FilingState.FROZEN:
        raise Refused(
            _("%(filing)s is “%(state)s”: this cannot be done now."),
            code="wrong_state",
            filing=str(filing),
            state=FilingState(filing.state).label,
        )


def _outbox_row(row: Dispatch, *, at: datetime) -> OutboxMessage:
    filing, form = row.filing, prefill.form_of(row.filing)
    language = form.language if form.language in ("ko", "en") else "en"
    title, stage = form.title.get(language), form.stages[filing.stage].get(language)
    words = LocalText(
        ko=f"{filing.entity.name}의 {title}({stage}) {filing}을(를) 붙임과 같이 제출합니다.",
        en=f"{filing.entity.name_en or filing.entity.name} submits {title} ({stage}), our reference {filing}, as attached.",
    )
    key = f"dispatch:{row.pk}"
    return OutboxMessage.objects.create(
        incident=filing.incident,
        recipient=None,
        channel=KIND,
        address=row.target,
        subject=" ".join(f"{title} ({stage}) {filing}".split())[:300],
        body=words.get(language) + f"\n\nSHA-256: {filing.document.sha256 if filing.document else ''}\n",
        dedupe=key,
        message_id=outbox.message_id(key),
        attempt_at=at,
        created_at=at,
    )


def send(message: OutboxMessage, now: datetime) -> None:
    """What the outbox does with the row of a filing: hand it over if nobody has begun to, else say that nobody knows.

    Raises:
        incidents.channels.Undelivered: it was not, or perhaps not, handed over; the row is settled and not taken again.
    """
    row = Dispatch.objects.select_related("filing__incident", "filing__entity", "filing__document", "message").get(
        message=message
    )
    way = channels.way_of(row.channel)
    if way is None or not _begin(row, at=now):
        return _found_begun(row, way, at=now)
    try:
        way.deliver(row, now)
    except channels.NotSent as refused:
        _end(row, Dispatch.State.NOT_SENT, at=now, error=refused.code)
    except Exception as error:  # noqa: BLE001  whatever it was, nobody knows how far it came
        _end(row, Dispatch.State.UNCERTAIN, at=now, error=type(error).__name__)
    else:
        return _sent(row, submitted_at=now, at=now)
    raise outgoing.Undelivered(Dispatch.objects.get(pk=row.pk).error[:60] or "not sent", permanent=True)


def _begin(row: Dispatch, *, at: datetime) -> bool:
    """Mark it as being sent, in a transaction that only one process can win and only while the filing may leave."""
    with transaction.atomic():
        Incident.objects.select_for_update().get(pk=row.filing.incident_id)
        frozen = Filing.objects.filter(pk=row.filing_id, state=FilingState.FROZEN).exists()
        waiting = Dispatch.objects.filter(pk=row.pk, state=Dispatch.State.WAITING)
        return frozen and waiting.update(state=Dispatch.State.SENDING, begun_at=at) == 1


def _found_begun(row: Dispatch, way: channels.Way | None, *, at: datetime) -> None:
    """Somebody began and did not come back, or it was settled meanwhile."""
    held = Dispatch.objects.get(pk=row.pk)
    if held.state == Dispatch.State.SENDING:
        if way is not None and way.arrived is not None and way.arrived(row):
            return _sent(row, submitted_at=held.begun_at or at, at=at)
        _end(row, Dispatch.State.UNCERTAIN, at=at, error="interrupted")
    elif held.state == Dispatch.State.WAITING:
        _end(row, Dispatch.State.NOT_SENT, at=at, error="no longer frozen")
    if Dispatch.objects.get(pk=row.pk).state == Dispatch.State.SENT:
        return None
    raise outgoing.Undelivered("interrupted", permanent=True)


def _sent(row: Dispatch, *, submitted_at: datetime, at: datetime) -> None:
    """The channel has it: the submission is recorded with it, or neither is."""
    with changing(row.filing.incident, at=at):
        open_ = (Dispatch.State.SENDING, Dispatch.State.UNCERTAIN)
        if not Dispatch.objects.filter(pk=row.pk, state__in=open_).update(
            state=Dispatch.State.SENT, ended_at=at, error=""
        ):
            return
        record.write(row.filing, "dispatch.sent", at=at, by=None, detail=_said(row))
        services.record_handed_over(
            filing=row.filing,
            submitted_at=submitted_at,
            channel=row.channel,
            note=row.target,
            at=at,
            by=row.requested_by,
            acting=None,
        )


def _end(row: Dispatch, state: Dispatch.State, *, at: datetime, error: str) -> None:
    """It did not go, or nobody knows: written down, and people are told. The outbox does not take its row again."""
    with transaction.atomic():
        incident = Incident.objects.select_for_update().get(pk=row.filing.incident_id)
        going = (Dispatch.State.SENDING, Dispatch.State.WAITING)
        if not Dispatch.objects.filter(pk=row.pk, state__in=going).update(state=state, ended_at=at, error=error[:300]):
            return
        _settle_message(row, at=at, by=None)
        record.write(row.filing, f"dispatch.{state}", at=at, by=None, detail=_said(row, error=error[:60]))
        logger.error("dispatch %s of %s: %s (%s)", row.pk, row.filing, state, error[:60])
        members = Membership.objects.filter(entity=row.filing.entity_id, role__in=KEEPERS)
        words = _words(row, uncertain=state == Dispatch.State.UNCERTAIN)
        found = members.select_related("user__reader", "entity").order_by("pk")
        if not notices.tell(found, incident=incident, key=f"dispatch-{state}:{row.pk}", words=words, at=at):
            logger.critical("nobody to tell about dispatch %s of %s", row.pk, row.filing)


def _settle_message(row: Dispatch, *, at: datetime, by: User | None) -> None:
    OutboxMessage.objects.filter(pk=row.message_id).exclude(state=OutboxMessage.State.SENT).update(
        state=OutboxMessage.State.FAILED, settled_at=at, settled_by=by
    )


def _words(row: Dispatch, *, uncertain: bool) -> Callable[[Membership], notices.Words]:
    def words(member: Membership) -> notices.Words:
        said = {"filing": str(row.filing)}
        headline = (
            gettext("%(filing)s: uncertain whether it reached the authority") % said
            if uncertain
            else gettext("%(filing)s could not be handed over and is still with us") % said
        )
        todo = (
            gettext(
                "Ask the addressee whether it arrived, then say so on the filing's page. It is not sent again by itself."
            )
            if uncertain
            else gettext("Send it again or hand it over another way. The clock runs on.")
        )
        lines = {gettext("Filing"): str(row.filing), gettext("Channel"): row.channel, gettext("To"): row.target}
        return notices.Words(headline, lines, todo, f"dispatch.{'uncertain' if uncertain else 'not_sent'}")

    return words


def dispatch_resolve(
    *, dispatch: Dispatch, sent: bool, note: str, at: datetime, by: User, submitted_at: datetime | None = None
) -> Dispatch:
    """Say of an uncertain one whether it left: then it counts as handed over at ``submitted_at`` (when it was begun, if None).

    Repeating the same answer changes nothing.

    Raises:
        BadInput: no note on how this is known, or a moment in the future or before the document existed.
        Refused: not uncertain, or answered otherwise already.
    """
    with changing(dispatch.filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        held = Dispatch.objects.select_related("filing__incident", "filing__entity", "requested_by").get(pk=dispatch.pk)
        wanted = Dispatch.State.SENT if sent else Dispatch.State.NOT_SENT
        if held.resolved_by_id is not None and held.state == wanted:
            return held
        text = required_text(note, field="note", at_least=5)
        if held.state != Dispatch.State.UNCERTAIN:
            raise Refused(_("Only an uncertain submission is resolved by a person."), code="not_uncertain")
        held.state, held.resolved_by, held.resolution, held.ended_at = wanted, by, text, at
        held.save(update_fields=["state", "resolved_by", "resolution", "ended_at"])
        _settle_message(held, at=at, by=by)
        record.write(held.filing, "dispatch.resolved", at=at, by=by, new=text, detail=_said(held, sent=sent))
        if sent:
            _record_resolved(held, submitted_at or held.begun_at or at, text, at=at, by=by)
        return held


def _record_resolved(held: Dispatch, submitted_at: datetime, note: str, *, at: datetime, by: User) -> Submission:
    return services.record_handed_over(
        filing=held.filing,
        submitted_at=submitted_at,
        channel=held.channel,
        note=note,
        at=at,
        by=held.requested_by,
        acting=by,
    )


def _said(row: Dispatch, **more: object) -> dict[str, object]:
    """What the journal keeps of ``row``."""
    begun = row.begun_at.astimezone(UTC).isoformat() if row.begun_at else None
    return {"dispatch": row.pk, "channel": row.channel, "begun_at": begun, **more}


def _nothing(target: str) -> None:
    """Targets are checked by the ways."""


outgoing.register(outgoing.Channel(KIND, send, _nothing, lambda target: target))
