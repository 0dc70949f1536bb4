"""A draft: begun, filled from the facts, edited, and what its denials rest on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from compliance.clock import require_aware
from compliance.errors import BadInput, Refused
from compliance.text import clean
from incidents import access, journal
from incidents.models import Evidence, Fact, Incident, Obligation
from incidents.services.common import changing
from reports import prefill, privilege, record, render, statement
from reports.denials import denials
from reports.forms import Field, Form, forms_for, get_form, languages_of
from reports.models import Filing
from reports.services.checks import editable, require_format, require_length

journal.register(
    {
        "filing.started": _("Filing started"),
        "filing.edited": _("Filing edited"),
        "filing.refilled": _("Filing filled again from the facts"),
        "filing.language_chosen": _("Language of a filing chosen"),
        "filing.denial_supported": _("Evidence named for a denial in a filing"),
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
        record.write(filing, "filing.started", at=at, by=by, new=filing.values, detail=detail)
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
        held = editable(filing, by)
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
        record.write(held, "filing.edited", at=at, by=by, old=before, new=held.values, detail=detail)
        return held


def _known(form: Form, filing: Filing, values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    allowed = {item.key for item in form.fields(filing.stage) if item.type != "table"}
    for key in values:
        if key not in allowed:
            raise BadInput(_("%(key)s is not a field of this form."), code="unknown_field", field=key, key=key)
    return list(values.items())


def _edited(item: Field, value: Any, filing: Filing, *, at: datetime, by: User) -> dict[str, Any]:
    text = clean(str(value)) if value is not None else ""
    require_length(item, text)
    if text and item.type == "instant":
        text = _instant(item, text)
    if text:
        require_format(item, text)
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
        held = editable(filing, by)
        before = held.values
        _fill_again(held, at=at)
        record.write(held, "filing.refilled", at=at, by=by, old=before, new=held.values)
        return held


def filing_language(*, filing: Filing, language: str, at: datetime, by: User) -> Filing:
    """Write the document in ``language``, one of :func:`reports.forms.languages_of`. What people wrote stays as they wrote it.

    Raises:
        BadInput: the form is not written in that language.
        Refused: not a draft any more.
    """
    with changing(filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        held = editable(filing, by)
        form = get_form(held.form)
        if language not in languages_of(form):
            raise BadInput(
                _("This form is not written in %(value)s. Expected one of %(expected)s."),
                code="unknown_language",
                field="language",
                value=language[:20],
                expected=", ".join(languages_of(form)),
            )
        wanted = "" if language == form.language else language
        if held.language != wanted:
            before, held.language = held.values, wanted
            _fill_again(held, at=at)
            detail = {"language": language}
            record.write(held, "filing.language_chosen", at=at, by=by, old=before, new=held.values, detail=detail)
        return held


def _fill_again(held: Filing, *, at: datetime) -> None:
    obligations = list(held.obligations.order_by("pk"))
    source = prefill.Source(held.incident, held.entity, prefill.form_of(held), held.stage, obligations, at)
    fresh = prefill.prefill(source)
    held.values = {key: _refilled(held.values.get(key) or {}, value) for key, value in fresh.items()}
    held.edition += 1
    held.save()


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
        held = editable(filing, by)
        if field not in {denial.field.key for denial in denials(held)}:
            raise BadInput(_("This field denies nothing."), code="no_denial", field=field)
        ground = _ground(incident, field, evidence, fact)
        named = {**ground, "by": by.get_username(), "at": at.astimezone(UTC).isoformat()}
        held.values = {**held.values, field: {**held.values[field], "rests_on": named}}
        held.edition += 1
        held.save()
        detail = {"field": field, "kind": ground["kind"], "number": ground["number"]}
        record.write(held, "filing.denial_supported", at=at, by=by, detail=detail)
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


def preview(filing: Filing, *, at: datetime, by: User) -> bytes:
    """The draft as PDF as it stands at ``at``, marked as one, for ``by`` to read. Writes nothing.

    Raises:
        NotPermitted: privileged, and not for ``by``.
    """
    privilege.require_sees(filing, by)
    made = statement.build(filing, at=at, journal_head=journal.head_of(filing.incident), frozen=False)
    return render.to_pdf(made)
