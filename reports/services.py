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
from compliance.errors import BadInput, Refused
from compliance.text import clean
from incidents import access, journal
from incidents.models import Evidence, Fact, Incident, Obligation
from incidents.services import is_late, obligation_meet, obligation_reopen
from incidents.services.common import changing, not_in_future, required_text
from reports import approvals, conflicts, prefill, render, statement, storage
from reports.denials import denials
from reports.drawing import drawn_with
from reports.forms import Field, Form, forms_for
from reports.forms.formats import problem
from reports.models import Approval, Dispatch, Document, Filing, Submission
from reports.states import EDITABLE, FILING, FilingState

journal.register(
    {
        "filing.started": _("Filing started"),
        "filing.edited": _("Filing edited"),
        "filing.refilled": _("Filing filled again from the facts"),
        "filing.denial_supported": _("Evidence named for a denial in a filing"),
        "filing.in_review": _("Filing sent to review"),
        "filing.returned": _("Filing returned to its author"),
        "filing.approval_given": _("Filing approved by one of two"),
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
    _require_length(item, text)
    if text and item.type == "instant":
        text = _instant(item, text)
    if text:
        _require_format(item, text)
    by_hand = {"kind": "person", "user": by.get_username(), "at": at.astimezone(UTC).isoformat()}
    return {
        "value": text or None,
        "status": prefill.status_of(text, item, filing.stage, prefill.version_of(filing.obligations.all())),
        "provenance": by_hand if text else None,
        "edited": True,
    }


def _require_length(item: Field, text: str) -> None:
    if len(text) > item.max_length:
        raise BadInput(
            _("%(label)s has %(length)d characters. At most %(most)d fit."),
            code="too_long",
            field=item.key,
            label=_in_language(item.label),
            length=len(text),
            most=item.max_length,
        )


def _require_format(item: Field, text: str) -> None:
    expected = problem(item, text)
    if expected is not None:
        raise BadInput(
            _("%(label)s: %(value)s cannot be used. Expected %(expected)s."),
            code="wrong_format",
            field=item.key,
            label=_in_language(item.label),
            value=text[:60],
            expected=_in_language(expected),
        )


def _require_fit(filing: Filing) -> None:
    """What the record filled must fit as well as what a person typed."""
    for item in prefill.form_of(filing).fields(filing.stage):
        value = (filing.values.get(item.key) or {}).get("value")
        if isinstance(value, str) and value and item.type not in ("instant", "table"):
            _require_length(item, value)
            _require_format(item, value)


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
        held.values = {key: _refilled(before.get(key) or {}, value) for key, value in fresh.items()}
        held.edition += 1
        held.save()
        _journal(held, "filing.refilled", at=at, by=by, old=before, new=held.values)
        return held


def _refilled(before: dict[str, Any], fresh: dict[str, Any]) -> dict[str, Any]:
    """What a person wrote stays; evidence named for a sentence stays with that sentence."""
    if before.get("edited"):
        return before
    same = before.get("value") == fresh["value"] and "rests_on" in before
    return {**fresh, "rests_on": before["rests_on"]} if same else fresh


def denial_support(
    *, filing: Filing, field: str, at: datetime, by: User, evidence: Evidence | None = None, fact: Fact | None = None
) -> Filing:
    """Name what a denial in ``field`` rests on: a piece of evidence of the incident, or a recorded fact with its source.

    Changing the sentence takes it away again.

    Raises:
        BadInput: no denial there, neither or both given, of another incident, or a fact without source.
        Refused: not a draft any more.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        held = _editable(filing)
        if field not in {denial.field.key for denial in denials(held)}:
            raise BadInput(_("This field denies nothing."), code="no_denial", field=field)
        ground = _ground(incident, field, evidence, fact)
        named = {**ground, "by": by.get_username(), "at": at.astimezone(UTC).isoformat()}
        held.values = {**held.values, field: {**held.values[field], "rests_on": named}}
        held.edition += 1
        held.save()
        detail = {"field": field, "kind": ground["kind"], "number": ground["number"]}
        _journal(held, "filing.denial_supported", at=at, by=by, detail=detail)
        return held


def _ground(incident: Incident, field: str, evidence: Evidence | None, fact: Fact | None) -> dict[str, Any]:
    if (evidence is None) == (fact is None):
        raise BadInput(_("Choose one piece of evidence or one fact."), code="evidence_required", field=field)
    row = evidence or fact
    if row is None or row.incident_id != incident.pk:
        raise BadInput(_("It belongs to another incident."), code="wrong_incident", field=field)
    if isinstance(row, Evidence):
        return {"kind": "evidence", "number": row.number, "title": row.title}
    if not row.source and row.evidence_id is None:
        raise BadInput(_("This fact names no source. Expected one that does."), code="fact_without_source", field=field)
    return {"kind": "fact", "number": row.number, "title": row.source or str(row.evidence)}


def filing_send_to_review(*, filing: Filing, at: datetime, by: User) -> Filing:
    """The author is done.

    Raises:
        BadInput: a value is too long or not written as the receiver wants it.
        Refused: required fields are missing, a denial rests on nothing, or the record contradicts it.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        held = _movable(filing, "send_to_review")
        _require_complete(held)
        _require_fit(held)
        _require_grounds(held)
        _require_no_contradiction(held, at=at)
        held.send_to_review()
        held.round += 1
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


def filing_approve(*, filing: Filing, at: datetime, by: User, reason: str = "") -> Filing:
    """A person who did not write it, counsel or approver or the deputy of one, stands behind the draft.

    A filing that denies something or is late needs two of them and stays in review after the first. One that became late
    after its approval takes the second one when it is approved already.

    Raises:
        NotPermitted: one of its writers, or neither counsel nor approver.
        Refused: not in review, a denial rests on nothing, the record contradicts it, or the same person again.
        BadInput: something was told differently elsewhere and no reason is given.
    """
    with changing(filing.incident, at=at):
        held = _approvable(filing, at=at)
        standing_for = approvals.stands_for(held, by, at=at)
        _require_grounds(held)
        _require_no_contradiction(held, at=at)
        found = conflicts.filing_conflicts(held, at=at)
        words = _conflict_reason(found, reason)
        Approval.objects.create(
            filing=held,
            round=held.round,
            by=by,
            standing_for=standing_for,
            at=at,
            conflicts=[conflict.key for conflict in found],
            reason=words,
        )
        enough = not approvals.still_needed(held, at=at)
        if enough and held.state == FilingState.IN_REVIEW:
            held.approve()
        held.approved_by, held.approved_at = by, at
        detail = {
            "conflicts": len(found),
            "standing_for": journal.actor(standing_for) if standing_for else "",
            "approvals": len(approvals.given(held)),
        }
        action = "filing.approved" if enough else "filing.approval_given"
        return _save(held, action, at=at, by=by, new={"values": held.values, "reason": words}, detail=detail)


def _approvable(filing: Filing, *, at: datetime) -> Filing:
    """In review, or approved by fewer people than it needs by now."""
    held = _held(filing)
    if held.state == FilingState.APPROVED and approvals.still_needed(held, at=at):
        return held
    return _movable(filing, "approve")


def _conflict_reason(found: Sequence[conflicts.Conflict], reason: str) -> str:
    words = clean(reason)
    if found and len(words) < 10:
        raise BadInput(
            _(
                "%(label)s is told differently in %(where)s. Approve with a reason of at least 10 characters, or return it."
            ),
            code="conflict_reason_required",
            field="reason",
            label=_in_language(found[0].field.label),
            where=found[0].where,
        )
    return words


def filing_freeze(*, filing: Filing, at: datetime, by: User) -> Filing:
    """Make the document. From here on its content never changes.

    Raises:
        Refused: not approved or by too few, incomplete, a denial rests on nothing, contradicted by the record, late without a
            recorded reason, or told differently elsewhere since it was approved.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        held = _movable(filing, "freeze")
        _require_complete(held)
        _require_grounds(held)
        _require_no_contradiction(held, at=at)
        _require_late_reason(held, at=at)
        _require_approvals(held, at=at)
        _carry_late_reason(held)
        made = statement.build(held, at=at, journal_head=journal.head_of(incident), frozen=True)
        document = storage.store(
            render.to_pdf(made), media_type="application/pdf", name=f"{str(held).replace('/', '-')}.pdf", at=at
        )
        held.freeze()
        held.statement, held.statement_digest = made, digest(made)
        held.document, held.frozen_by, held.frozen_at = document, by, at
        held.drawn_with, held.privileged = drawn_with(held.form), False
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


def _require_approvals(filing: Filing, *, at: datetime) -> None:
    """Enough people, and they saw every conflict there is now."""
    if approvals.still_needed(filing, at=at):
        raise Refused(
            _("A filing that is late or denies something needs two approvers. One is missing."),
            code="second_approval_missing",
        )
    seen = {key for row in approvals.given(filing) for key in row.conflicts}
    new = [item for item in conflicts.filing_conflicts(filing, at=at) if item.key not in seen]
    if new:
        raise Refused(
            _("Since the approval, %(where)s tells it differently. Have it returned and approved again."),
            code="conflict_unseen",
            where=new[0].where,
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
        Refused: not frozen, or a channel of ours has it or may have sent it.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        existing = Submission.objects.filter(filing=filing).first()
        if existing is not None:
            return existing
        held = _movable(filing, "submit")
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
        return _hand_over(_movable(filing, "submit"), submitted_at, channel, at=at, by=by, acting=acting, note=note)


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
    _save(held, "filing.submitted", at=at, by=acting, new=record.receipt_number, detail=detail)
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
            # Only what this hand-over met: another filing may have met it, or opened it again.
            for obligation in held.obligations.filter(met_at=row.submitted_at).order_by("pk"):
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
        require_not_on_its_way(held)
        held.withdraw()
        return _save(held, "filing.withdrawn", at=at, by=by, new=text)


def preview(filing: Filing, *, at: datetime) -> bytes:
    """The draft as PDF as it stands at ``at``, marked as one. Writes nothing."""
    made = statement.build(filing, at=at, journal_head=journal.head_of(filing.incident), frozen=False)
    return render.to_pdf(made)


def _held(filing: Filing) -> Filing:
    return Filing.objects.select_related("incident", "entity").get(pk=filing.pk)


def _editable(filing: Filing) -> Filing:
    held = _held(filing)
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
    held = _held(filing)
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


def _require_grounds(filing: Filing) -> None:
    bare = next((denial for denial in denials(filing) if not denial.supported), None)
    if bare is not None:
        raise Refused(
            _("%(label)s denies something. Name the evidence, or the fact with its source, that this rests on."),
            code="denial_without_evidence",
            field=bare.field.key,
            label=_in_language(bare.field.label),
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
    by: User | None,
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
    by: User | None,
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
