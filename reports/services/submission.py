"""A frozen filing handed over, by a person or by a channel of ours."""

from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from compliance.errors import BadInput, Refused
from compliance.text import clean
from incidents import access, journal, uploads
from incidents.services import obligation_meet
from incidents.services.common import changing, not_in_future
from reports import prefill, storage
from reports.models import Dispatch, Document, Filing, Submission
from reports.services.checks import movable, save

journal.register({"filing.submitted": _("Filing submitted")})

PROOF_MAX_BYTES = 20 * 1024 * 1024


def submission_record(
    *,
    filing: Filing,
    submitted_at: datetime,
    channel: str,
    receipt_number: str,
    at: datetime,
    by: User,
    note: str = "",
    proof: tuple[str, bytes] | None = None,
) -> Submission:
    """Record that a person handed the frozen filing over. The duties it answers are met at ``submitted_at``.

    Repeating it answers the first record and changes nothing.

    Raises:
        BadInput: in the future, before the document existed, or by an unknown channel.
        Refused: not frozen, or a channel of ours has it or may have sent it.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        existing = Submission.objects.filter(filing=filing).first()
        if existing is not None:
            return existing
        held = movable(filing, "submit", by)
        require_not_on_its_way(held)
        _check_channel(held, channel)
        return _hand_over(
            held, submitted_at, channel, at=at, by=by, acting=by, receipt=receipt_number, note=note, proof=proof
        )


def record_handed_over(
    *, filing: Filing, submitted_at: datetime, channel: str, note: str, at: datetime, by: User, acting: User | None
) -> Submission:
    """What :mod:`reports.dispatch` records once a channel of ours has handed the filing over, or a person says it has.

    ``by`` asked for it; ``acting`` is who records it, None for the channel itself. Repeating it answers the first record.

    Raises:
        BadInput: in the future or before the document existed.
        Refused: not frozen.
    """
    with changing(filing.incident, at=at):
        existing = Submission.objects.filter(filing=filing).first()
        if existing is not None:
            return existing
        return _hand_over(
            movable(filing, "submit", acting), submitted_at, channel, at=at, by=by, acting=acting, note=note
        )


def _hand_over(
    held: Filing,
    submitted_at: datetime,
    channel: str,
    *,
    at: datetime,
    by: User,
    acting: User | None,
    receipt: str = "",
    note: str = "",
    proof: tuple[str, bytes] | None = None,
) -> Submission:
    _check_moment(held, submitted_at, at=at)
    document = _proof(proof, at=at)
    record = Submission.objects.create(
        filing=held,
        submitted_at=submitted_at,
        channel=channel,
        receipt_number=clean(receipt)[:100],
        proof=document,
        note=clean(note),
        recorded_by=by,
        recorded_at=at,
    )
    held.submit()
    detail = {
        "submitted_at": submitted_at.astimezone(UTC).isoformat(),
        "channel": channel,
        "proof": document.sha256 if document else "",
    }
    save(held, "filing.submitted", at=at, by=acting, new=record.receipt_number, detail=detail)
    for obligation in held.obligations.order_by("pk"):
        obligation_meet(obligation=obligation, done_at=submitted_at, at=at, by=acting, reference=str(held))
    return record


def require_not_on_its_way(filing: Filing) -> None:
    """Refuse while a channel of ours has ``filing``, or may have sent it.

    Raises:
        Refused: it waits, is being sent, or is uncertain.
    """
    if filing.dispatches.exclude(state__in=(Dispatch.State.SENT, Dispatch.State.NOT_SENT)).exists():
        raise Refused(
            _("%(filing)s is with a channel. Wait for its answer, or say whether it was sent."),
            code="on_its_way",
            filing=str(filing),
        )


def _check_moment(filing: Filing, submitted_at: datetime, *, at: datetime) -> None:
    not_in_future(submitted_at, at=at, field="submitted_at", zone=filing.entity.zone)
    if filing.frozen_at and submitted_at < filing.frozen_at.replace(second=0, microsecond=0):
        raise BadInput(
            _("%(value)s is before the document was frozen (%(frozen)s). Expected the time it was handed over."),
            code="before_frozen",
            field="submitted_at",
            value=prefill.local_text(submitted_at, filing.entity.zone),
            frozen=prefill.local_text(filing.frozen_at, filing.entity.zone),
        )


def _check_channel(filing: Filing, channel: str) -> None:
    channels = prefill.form_of(filing).channels
    if channel not in channels:
        raise BadInput(
            _("%(value)s is not a channel of this form. Expected one of %(expected)s."),
            code="unknown_channel",
            field="channel",
            value=channel,
            expected=", ".join(channels),
        )


def _proof(proof: tuple[str, bytes] | None, *, at: datetime) -> Document | None:
    if proof is None:
        return None
    name, content = proof
    held = uploads.examine(name, content, most=PROOF_MAX_BYTES)
    return storage.store(held.content, media_type=held.media_type, name=held.name, at=at)
