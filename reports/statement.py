"""The frozen input of a form: everything that is printed, and nothing that could change later."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from compliance.engine import LocalText, Truth
from compliance.engine.conditions import Situation
from compliance.library import get_library
from incidents.models import Obligation
from incidents.services import sheets
from incidents.services.obligations import is_late
from reports import approvals, prefill
from reports.forms import Contradiction, Field, Form
from reports.forms.formats import chosen
from reports.forms.registry import EVERY_STAGE
from reports.forms.tailor import CONTENT
from reports.models import Filing


def build(filing: Filing, *, at: datetime, journal_head: str, frozen: bool) -> dict[str, Any]:
    """The statement of ``filing`` at ``at``. A draft's has no frozen moment and is printed as a draft."""
    form = prefill.form_of(filing)
    obligations = list(filing.obligations.order_by("pk"))
    return {
        "schema": "breachclock.statement/1",
        "form": form_part(form, filing.stage),
        "filing": str(filing),
        "incident": {"code": filing.incident.code, "kind": filing.incident.kind},
        "entity": {"key": filing.entity.key, "name": filing.entity.name, "zone": filing.entity.zone},
        "sections": _sections(filing, form),
        "obligations": [_obligation(row, at=at) for row in obligations],
        "late": any(is_late(row, at=at) for row in obligations),
        "changes": changes(filing, at=at),
        "previous": str(filing.previous) if filing.previous else None,
        "author": _name(filing.author),
        "approver": ", ".join(_name(row.by) for row in approvals.given(filing)) or _name(filing.approved_by),
        "approved_at": _iso(filing.approved_at),
        "frozen_at": _iso(at) if frozen else None,
        "journal_head": journal_head,
        "library_digest": get_library().digest,
    }


def form_part(form: Form, stage: str) -> dict[str, Any]:
    """What a statement says of its form: every word that is printed, so that a later change of the form reaches nothing."""
    return {
        "key": form.key,
        "version": form.version,
        "stage": stage,
        "audience": form.audience,
        "title": form.title.to_json(),
        "stage_title": form.stages[stage].to_json(),
        "addressee": form.addressee.to_json(),
        "basis": form.basis.to_json(),
        "note": form.note.to_json(),
        "opening": _sentence(form.opening, stage),
        "closing": _sentence(form.closing, stage),
        "language": form.language,
    }


def _sentence(sentences: Mapping[str, LocalText], stage: str) -> dict[str, str] | None:
    found = sentences.get(stage) or sentences.get(EVERY_STAGE)
    return found.to_json() if found else None


def _sections(filing: Filing, form: Form) -> list[dict[str, Any]]:
    version = prefill.version_of(filing.obligations.all())
    return [
        {
            "title": section.title.to_json(),
            "fields": [_field(filing, item, version, form.language) for item in section.fields],
        }
        for section in form.sections_in(filing.stage)
    ]


def _field(filing: Filing, item: Field, version: str, language: str) -> dict[str, Any]:
    value = _value(filing, item, version)
    text = prefill.shown(value, item, filing.entity.zone, language)
    return {
        "key": item.key,
        "number": item.number,
        "label": item.label.to_json(),
        "type": item.type,
        "value": value.get("value"),
        "text": text,
        "status": value["status"],
        "printed": prefill.printed(value["status"], text, language),
        "omitted": item.omit_blank and value["status"] == prefill.BLANK,
        "provenance": value.get("provenance"),
    }


def _value(filing: Filing, item: Field, version: str) -> dict[str, Any]:
    empty = {"value": None, "status": prefill.status_of(None, item, filing.stage, version), "provenance": None}
    return filing.values.get(item.key) or empty


def _obligation(row: Obligation, *, at: datetime) -> dict[str, Any]:
    late = is_late(row, at=at)
    return {
        "title": row.duty["title"],
        "rule": row.rule,
        "stage": row.stage,
        "occurrence": row.occurrence,
        "version": row.version,
        "revision": row.revision,
        "rule_digest": row.rule_digest,
        "starts_at": row.duty["starts_at"],
        "due_at": row.duty["due_at"],
        "starts_text": prefill.local_text(row.starts_at, row.due_zone) if row.starts_at else "",
        "due_text": prefill.local_text(row.due_at, row.due_zone) if row.due_at else row.duty["limit"]["ko"],
        "limit": row.duty["limit"],
        "citations": [citation["provision"] for citation in row.duty["citations"]],
        "late": late,
        "late_reason": row.late_reason if late else "",
    }


def changes(filing: Filing, *, at: datetime) -> list[dict[str, Any]]:
    """What differs from what the addressee was last told, field by field; of a frozen filing what was printed.

    A field that this stage does not ask for counts too, if the fact that filled it has been replaced since: an awareness
    moment that moved must not go unsaid.
    """
    if filing.statement is not None:
        return list(filing.statement["changes"])
    if filing.previous is None:
        return []
    before_it, form = told(filing.previous), prefill.form_of(filing)
    version = prefill.version_of(filing.obligations.all())
    asked = {item.key: (item, _value(filing, item, version)) for item in form.fields(filing.stage)}
    found = []
    for key, (before, teller) in before_it.items():
        if not _same_item(form, before):
            continue
        item, now = asked.get(key) or _unasked(teller, form.field(key), before, at=at)
        if now is not None and key not in _NOT_COMPARED and item.source_name != "stage_key":
            found.append(_change(item, before, now, filing.entity.zone, form.language))
    return [change for change in found if change is not None]


def _same_item(form: Form, before: Mapping[str, Any]) -> bool:
    """Whether ``form`` has the field told of in ``before``: the items of two stages' own lists differ under one key."""
    try:
        item = form.field(before["key"])
    except KeyError:
        return False
    return not item.key.startswith(CONTENT) or item.label.to_json() == before["label"]


def told(filing: Filing) -> dict[str, tuple[dict[str, Any], Filing]]:
    """What the addressee was last told of each field, over all filings of the form up to ``filing``, and in which one
    it was asked for."""
    found = told(filing.previous) if filing.previous else {}
    if filing.statement is not None:
        found |= {change["key"]: (change["now"], found[change["key"]][1]) for change in filing.statement["changes"]}
        found |= {
            field["key"]: (field, filing) for section in filing.statement["sections"] for field in section["fields"]
        }
    return found


def _unasked(
    teller: Filing, item: Field, before: dict[str, Any], *, at: datetime
) -> tuple[Field, dict[str, Any] | None]:
    """The value a field would have today that only an earlier stage asks for, if another fact stands behind it now."""
    if (before.get("provenance") or {}).get("kind") != "fact":
        return item, None
    now = prefill.value_now(item, teller, prefill.form_of(teller), at=at)
    moved = now["provenance"] is None or now["provenance"].get("fact") != before["provenance"]["fact"]
    return item, now if moved else None


def _change(
    item: Field, before: dict[str, Any], now: dict[str, Any], zone: str, language: str
) -> dict[str, Any] | None:
    text = prefill.shown(now, item, zone, language)
    given = prefill.GIVEN in (before["status"], now["status"])
    if not given or (before["value"], before["status"]) == (now.get("value"), now["status"]):
        return None
    after = prefill.printed(now["status"], text, language)
    if item.type == "table":
        after = "\n".join((after, prefill.table_changes(before["value"] or [], now.get("value") or [], language)))
    kept = {key: now.get(key) for key in ("value", "status", "provenance")}
    return {
        "key": item.key,
        "label": item.label.to_json(),
        "before": prefill.printed(before["status"], before["text"], language),
        "after": after,
        "now": {**kept, "text": text},
    }


_NOT_COMPARED = frozenset(
    {"kind", "first_receipt", "new_facts", "late_reason", "clock_start", "times", "other_filings"}
)


def missing(filing: Filing) -> list[str]:
    """The keys of required fields that have no value, those included that another field's value makes required."""
    form = prefill.form_of(filing)
    held, version = filing.values, prefill.version_of(filing.obligations.all())
    fields = form.fields(filing.stage)
    status = {
        item.key: held.get(item.key, {"status": prefill.status_of(None, item, filing.stage, version)})["status"]
        for item in fields
    }
    return [
        item.key
        for item in fields
        if status[item.key] == prefill.MISSING or (status[item.key] != prefill.GIVEN and _asked_for(item, held))
    ]


def _asked_for(item: Field, held: Mapping[str, Any]) -> bool:
    """Whether the value of another field makes ``item`` required."""
    return any(
        not values.isdisjoint(chosen(str((held.get(key) or {}).get("value") or "")))
        for key, values in item.required_when.items()
    )


def contradictions(filing: Filing, *, at: datetime) -> list[Contradiction]:
    """What the record at ``at`` says against this filing. What is unknown says nothing against it."""
    asked = [item for item in prefill.form_of(filing).contradictions if filing.stage in item.stages]
    if not asked:
        return []
    sheet = sheets.fact_sheet(filing.incident, filing.entity, as_of=at)
    situation = Situation(sheet, sheets.profile(filing.entity))
    return [item for item in asked if item.when(situation).truth == Truth.TRUE]


def _name(user: Any) -> str:
    return (user.get_full_name() or user.get_username()) if user else ""


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None
