"""From draft to receipt: one function per change of state, each in one transaction with its journal entry."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Max
from django.utils.functional import lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from compliance.clock import require_aware
from compliance.engine import LocalText, digest
from compliance.errors import BadInput, NotPermitted, Refused
from compliance.text import clean
from incidents import access, journal
from incidents.models import Incident, Obligation
from incidents.services import is_late, obligation_meet, obligation_reopen
from incidents.services.common import changing, not_in_future, required_text
from reports import prefill, render, statement, storage
from reports.forms import Field, Form, forms_for
from reports.models import Document, Filing, Submission
from reports.states import EDITABLE, FILING, FilingState

journal.register(
    {
        "filing.started": _("Filing started"),
        "filing.edited": _("Filing edited"),
        "filing.refilled": _("Filing filled again from the facts"),
        "filing.in_review": _("Filing sent to review"),
        "filing.returned": _("Filing returned to its author"),
        "filing.approved": _("Filing approved"),
        "filing.frozen": _("Filing frozen"),
        "filing.submitted": _("Filing submitted"),
        "filing.acknowledged": _("Filing acknowledged"),
        "filing.refused": _("Filing refused"),
        "filing.withdrawn": _("Filing withdrawn"),
    }
)


def filing_start(
    *,
    incident: Incident,
    obligations: Sequence[Obligation],
    at: datetime,
    by: User,
    form: str | None = None,
    request_key: str | None = None,
) -> Filing:
    """Begin a draft that answers ``obligations`` (of one entity and one form), filled from the facts.

    A repeated ``request_key`` answers the draft it made the first time.

    Raises:
        BadInput: no obligation, of several entities, or without a common form.
    """
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked)
        if request_key and (made := Filing.objects.filter(request_key=request_key).first()):
            return made
        chosen, stage = _common_form(obligations, form)
        entity = obligations[0].entity
        source = prefill.Source(locked, entity, chosen, stage, obligations, at)
        filing = Filing.objects.create(
            incident=locked,
            entity=entity,
            number=(locked.filings.aggregate(last=Max("number"))["last"] or 0) + 1,
            form=chosen.key,
            form_version=chosen.version,
            stage=stage,
            values=prefill.prefill(source),
            previous=prefill.last_filing(locked, entity, chosen.key, obligations),
            author=by,
            created_at=at,
            request_key=request_key or None,
        )
        filing.obligations.set(obligations)
        detail = {
            "form": chosen.key,
            "stage": stage,
            "duties": [f"{o.rule}/{o.stage} {o.occurrence}".strip() for o in obligations],
        }
        _journal(filing, "filing.started", at=at, by=by, new=filing.values, detail=detail)
        return filing


def _common_form(obligations: Sequence[Obligation], wanted: str | None) -> tuple[Form, str]:
    if not obligations or len({row.entity_id for row in obligations}) > 1:
        raise BadInput(_("Choose one or more duties of one entity."), code="obligations_required", field="obligations")
    found = [
        [(form, stage) for form, stage in forms_for(row.rule, row.stage, row.duty) if wanted in (None, form.key)]
        for row in obligations
    ]
    shared = [pair for pair in found[0] if all(pair in options for options in found)]
    if not shared:
        raise BadInput(
            _("There is no form that answers these duties together."), code="no_common_form", field="obligations"
        )
    return shared[0]


def filing_edit(*, filing: Filing, values: Mapping[str, Any], edition: int, at: datetime, by: User) -> Filing:
    """Save edited fields: key to value, or to None for "not known yet".

    Raises:
        Refused: not a draft any more, or somebody saved since (``edition`` is older than the stored one).
        BadInput: an unknown field or a value that is too long.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        held = _editable(filing)
        if held.edition != edition:
            raise Refused(
                _("Somebody else saved this draft while you were editing. Your text is below; compare and save again."),
                code="edition_conflict",
            )
        form = prefill.form_of(held)
        before = held.values
        changed = {
            key: _edited(form.field(key).at(held.stage), value, held, at=at, by=by)
            for key, value in _known(form, held, values)
        }
        changed = {
            key: value
            for key, value in changed.items()
            if value["value"] != (before.get(key) or {}).get("value")
            or value["status"] != (before.get(key) or {}).get("status")
        }
        if not changed:
            return held
        held.values = {**before, **changed}
        held.edition += 1
        held.edited_by, held.edited_at = by, at
        held.save()
        detail = {"fields": sorted(changed), "edition": held.edition}
        _journal(held, "filing.edited", at=at, by=by, old=before, new=held.values, detail=detail)
        return held


def _known(form: Form, filing: Filing, values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    allowed = {item.key for item in form.fields(filing.stage) if item.type != "table"}
    for key in values:
        if key not in allowed:
            raise BadInput(_("%(key)s is not a field of this form."), code="unknown_field", field=key, key=key)
    return list(values.items())


def _edited(item: Field, value: Any, filing: Filing, *, at: datetime, by: User) -> dict[str, Any]:
    text = clean(str(value)) if value is not None else ""
    if len(text) > item.max_length:
        raise BadInput(
            _("%(label)s has %(length)d characters. At most %(most)d fit."),
            code="too_long",
            field=item.key,
            label=item.label.get("ko"),
            length=len(text),
            most=item.max_length,
        )
    if text and item.type == "instant":
        text = _instant(item, text)
    by_hand = {"kind": "person", "user": by.get_username(), "at": at.astimezone(UTC).isoformat()}
    return {
        "value": text or None,
        "status": prefill.status_of(text, item, filing.stage, prefill.version_of(filing.obligations.all())),
        "provenance": by_hand if text else None,
        "edited": True,
    }


def _instant(item: Field, text: str) -> str:
    try:
        return require_aware(datetime.fromisoformat(text)).astimezone(UTC).isoformat()
    except ValueError:
        raise BadInput(
            _("%(label)s: %(value)s is not a date and time with zone."),
            code="wrong_instant",
            field=item.key,
            label=item.label.get("ko"),
            value=text[:60],
        ) from None


def filing_refill(*, filing: Filing, at: datetime, by: User) -> Filing:
    """Fill the fields that nobody edited by hand again from the facts as now known.

    Raises:
        Refused: not a draft any more.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        held = _editable(filing)
        obligations = list(held.obligations.order_by("pk"))
        source = prefill.Source(incident, held.entity, prefill.form_of(held), held.stage, obligations, at)
        before = held.values
        fresh = prefill.prefill(source)
        held.values = {key: before[key] if before.get(key, {}).get("edited") else value for key, value in fresh.items()}
        held.edition += 1
        held.save()
        _journal(held, "filing.refilled", at=at, by=by, old=before, new=held.values)
        return held


def filing_send_to_review(*, filing: Filing, at: datetime, by: User) -> Filing:
    """The author is done.

    Raises:
        Refused: required fields are missing, or the record contradicts it.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        held = _movable(filing, "send_to_review")
        _require_complete(held)
        _require_no_contradiction(held, at=at)
        held.send_to_review()
        return _save(held, "filing.in_review", at=at, by=by)


def filing_return(*, filing: Filing, note: str, at: datetime, by: User) -> Filing:
    """Back to the author, with what is wanted.

    Raises:
        BadInput: no note.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        text = required_text(note, field="note", at_least=5)
        held = _movable(filing, "return_to_author")
        held.return_to_author()
        held.review_note, held.approved_by, held.approved_at = text, None, None
        return _save(held, "filing.returned", at=at, by=by, new=text)


def filing_approve(*, filing: Filing, at: datetime, by: User) -> Filing:
    """A second person, counsel or approver and not an author of it, stands behind the draft.

    Raises:
        NotPermitted: the author or last editor, or neither counsel nor approver.
        Refused: not in review, or the record contradicts it.
    """
    with changing(filing.incident, at=at) as incident:
        held = _movable(filing, "approve")
        if by.pk in (held.author_id, held.edited_by_id):
            raise NotPermitted(_("You wrote this filing. Another person must approve it."), code="own_filing")
        access.require_decide(by, incident)
        _require_no_contradiction(held, at=at)
        held.approve()
        held.approved_by, held.approved_at = by, at
        return _save(held, "filing.approved", at=at, by=by, new=held.values)


def filing_freeze(*, filing: Filing, at: datetime, by: User) -> Filing:
    """Make the document. From here on its content never changes.

    Raises:
        Refused: not approved, incomplete, contradicted by the record, or late without a recorded reason.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        held = _movable(filing, "freeze")
        _require_complete(held)
        _require_no_contradiction(held, at=at)
        _require_late_reason(held, at=at)
        _carry_late_reason(held)
        made = statement.build(held, at=at, journal_head=journal.head_of(incident), frozen=True)
        document = storage.store(
            render.to_pdf(made), media_type="application/pdf", name=f"{str(held).replace('/', '-')}.pdf", at=at
        )
        held.freeze()
        held.statement, held.statement_digest = made, digest(made)
        held.document, held.frozen_by, held.frozen_at = document, by, at
        detail = {"statement": held.statement_digest, "document": document.sha256}
        return _save(held, "filing.frozen", at=at, by=by, detail=detail)


def _require_late_reason(filing: Filing, *, at: datetime) -> None:
    late = [row for row in filing.obligations.all() if is_late(row, at=at) and not row.late_reason]
    if late:
        raise Refused(
            _("%(duty)s is past its deadline. Record the reason for the delay before freezing."),
            code="late_reason_missing",
            field="late_reason",
            duty=late[0].duty["title"]["ko"],
        )


def _carry_late_reason(filing: Filing) -> None:
    """The reason recorded on the duty is printed even if it was recorded after the draft was begun."""
    held = filing.values.get("late_reason")
    reason = "\n".join(dict.fromkeys(row.late_reason for row in filing.obligations.order_by("pk") if row.late_reason))
    if held is not None and reason and not held.get("value"):
        value = {
            "value": reason,
            "status": prefill.GIVEN,
            "provenance": {"kind": "derived", "from": "late_reason"},
            "edited": False,
        }
        filing.values = {**filing.values, "late_reason": value}


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
        Refused: not frozen.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        existing = Submission.objects.filter(filing=filing).first()
        if existing is not None:
            return existing
        held = _movable(filing, "submit")
        _check_submission(held, submitted_at, channel, at=at)
        document = _proof(proof, at=at)
        record = Submission.objects.create(
            filing=held,
            submitted_at=submitted_at,
            channel=channel,
            receipt_number=clean(receipt_number)[:100],
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
        _save(held, "filing.submitted", at=at, by=by, new=record.receipt_number, detail=detail)
        for obligation in held.obligations.order_by("pk"):
            obligation_meet(obligation=obligation, done_at=submitted_at, at=at, by=by, reference=str(held))
        return record


def _check_submission(filing: Filing, submitted_at: datetime, channel: str, *, at: datetime) -> None:
    not_in_future(submitted_at, at=at, field="submitted_at", zone=filing.entity.zone)
    if filing.frozen_at and submitted_at < filing.frozen_at.replace(second=0, microsecond=0):
        raise BadInput(
            _("%(value)s is before the document was frozen (%(frozen)s). Expected the time it was handed over."),
            code="before_frozen",
            field="submitted_at",
            value=prefill.local_text(submitted_at, filing.entity.zone),
            frozen=prefill.local_text(filing.frozen_at, filing.entity.zone),
        )
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
    media_type = proof_type(content)
    return storage.store(content, media_type=media_type, name=name[-200:] or "proof", at=at)


_SIGNATURES = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
PROOF_MAX_BYTES = 20 * 1024 * 1024


def proof_type(content: bytes) -> str:
    """The media type of a proof file, told from its content.

    Raises:
        BadInput: empty, too large, or neither PDF nor PNG nor JPEG.
    """
    if not content or len(content) > PROOF_MAX_BYTES:
        raise BadInput(_("Expected a file of at most 20 MB."), code="proof_size", field="proof")
    for signature, media_type in _SIGNATURES.items():
        if content.startswith(signature):
            return media_type
    raise BadInput(_("Expected a PDF, PNG or JPEG file."), code="proof_type", field="proof")


def submission_outcome(
    *, submission: Submission, acknowledged: bool, outcome_at: datetime, note: str, at: datetime, by: User
) -> Submission:
    """Record what came back. A refusal opens the duties again with their old due moments.

    Raises:
        BadInput: in the future, or a refusal without a note.
        Refused: an answer is recorded already.
    """
    with changing(submission.filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        not_in_future(outcome_at, at=at, field="outcome_at", zone=submission.filing.entity.zone)
        text = clean(note) if acknowledged else required_text(note, field="note", at_least=5)
        held = _movable(submission.filing, "acknowledge" if acknowledged else "refuse")
        row = Submission.objects.get(pk=submission.pk)
        row.outcome = Submission.Outcome.ACKNOWLEDGED if acknowledged else Submission.Outcome.REFUSED
        row.outcome_at, row.outcome_note = outcome_at, text
        row.save()
        (held.acknowledge if acknowledged else held.refuse)()
        _save(held, "filing.acknowledged" if acknowledged else "filing.refused", at=at, by=by, new=text)
        if not acknowledged:
            for obligation in held.obligations.order_by("pk"):
                obligation_reopen(obligation=obligation, reason=text, at=at, by=by)
        return row


def filing_withdraw(*, filing: Filing, reason: str, at: datetime, by: User) -> Filing:
    """It will not be sent.

    Raises:
        BadInput: no reason.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        text = required_text(reason, field="reason", at_least=5)
        held = _movable(filing, "withdraw")
        held.withdraw()
        return _save(held, "filing.withdrawn", at=at, by=by, new=text)


def preview(filing: Filing, *, at: datetime) -> bytes:
    """The draft as PDF as it stands at ``at``, marked as one. Writes nothing."""
    made = statement.build(filing, at=at, journal_head=journal.head_of(filing.incident), frozen=False)
    return render.to_pdf(made)


def _editable(filing: Filing) -> Filing:
    held = Filing.objects.select_related("incident", "entity").get(pk=filing.pk)
    if held.document_id is not None:
        raise Refused(
            _("%(filing)s is frozen and never changes. Start a supplement or another filing instead."),
            code="filing_frozen",
            filing=str(held),
        )
    if held.state not in EDITABLE:
        raise Refused(
            _("%(filing)s is “%(state)s”. Have it returned to its author before editing."),
            code="not_a_draft",
            filing=str(held),
            state=held.get_state_display(),
        )
    return held


def _movable(filing: Filing, move: str) -> Filing:
    held = Filing.objects.select_related("incident", "entity").get(pk=filing.pk)
    if held.state not in FILING[move].source:
        raise Refused(
            _("%(filing)s is “%(state)s”: this cannot be done now."),
            code="wrong_state",
            filing=str(held),
            state=FilingState(held.state).label,
        )
    return held


def _require_complete(filing: Filing) -> None:
    keys = statement.missing(filing)
    if keys:
        form = prefill.form_of(filing)
        raise Refused(
            _("Required and still missing: %(fields)s."),
            code="fields_missing",
            field=keys[0],
            fields=", ".join(form.field(key).at(filing.stage).label.ko for key in keys),
        )


def _require_no_contradiction(filing: Filing, *, at: datetime) -> None:
    found = statement.contradictions(filing, at=at)
    if found:
        raise Refused(
            _("The record contradicts this filing: %(words)s"), code="contradiction", words=_in_language(found[0].says)
        )


def _words(text: LocalText) -> str:
    return text.get(get_language() or "en")


# Read in the language of whoever is shown the refusal, as the sentence around it is.
_in_language = lazy(_words, str)


def _save(
    filing: Filing,
    action: str,
    *,
    at: datetime,
    by: User,
    new: object = None,
    detail: Mapping[str, Any] | None = None,
) -> Filing:
    filing.save()
    _journal(filing, action, at=at, by=by, new=new, detail=detail)
    return filing


def _journal(
    filing: Filing,
    action: str,
    *,
    at: datetime,
    by: User,
    old: object = None,
    new: object = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    journal.write(
        incident=filing.incident,
        at=at,
        by=by,
        action=action,
        subject=f"filing F{filing.number}",
        old=old,
        new=new,
        detail=detail,
    )
