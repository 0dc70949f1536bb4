"""The frozen input of a form: everything that is printed, and nothing that could change later."""

from datetime import UTC, datetime
from typing import Any

from compliance.library import get_library
from incidents.models import Incident, Obligation
from incidents.services.obligations import is_late
from reports import prefill
from reports.forms import Form, get_form
from reports.models import Filing


def build(filing: Filing, *, at: datetime, journal_head: str, frozen: bool) -> dict[str, Any]:
    """The statement of ``filing`` at ``at``. A draft's has no frozen moment and is printed as a draft."""
    form = get_form(filing.form)
    obligations = list(filing.obligations.order_by("pk"))
    return {
        "schema": "breachclock.statement/1",
        "form": {
            "key": form.key,
            "version": form.version,
            "stage": filing.stage,
            "title": form.title.to_json(),
            "stage_title": form.stages[filing.stage].to_json(),
            "addressee": form.addressee.to_json(),
            "basis": form.basis.to_json(),
            "note": form.note.to_json(),
            "language": form.language,
        },
        "filing": str(filing),
        "incident": {"code": filing.incident.code, "kind": filing.incident.kind},
        "entity": {"key": filing.entity.key, "name": filing.entity.name, "zone": filing.entity.zone},
        "sections": _sections(filing, form),
        "obligations": [_obligation(row, at=at) for row in obligations],
        "late": any(is_late(row, at=at) for row in obligations),
        "changes": changes(filing),
        "previous": str(filing.previous) if filing.previous else None,
        "author": _name(filing.author),
        "approver": _name(filing.approved_by),
        "approved_at": _iso(filing.approved_at),
        "frozen_at": _iso(at) if frozen else None,
        "journal_head": journal_head,
        "library_digest": get_library().digest,
    }


def _sections(filing: Filing, form: Form) -> list[dict[str, Any]]:
    sections = []
    version = prefill.version_of(filing.obligations.all())
    for section in form.sections:
        fields = [item for item in section.fields if item.needed(filing.stage)]
        if fields:
            sections.append(
                {
                    "title": section.title.to_json(),
                    "fields": [_field(filing, form, item.key, version) for item in fields],
                }
            )
    return sections


def _field(filing: Filing, form: Form, key: str, version: str) -> dict[str, Any]:
    item = form.field(key)
    value = filing.values.get(key) or {"value": None, "status": prefill.status_of(None, item, filing.stage, version)}
    return {
        "key": key,
        "number": item.number,
        "label": item.label.to_json(),
        "type": item.type,
        "value": value.get("value"),
        "text": prefill.shown(value, item, filing.entity.zone),
        "status": value["status"],
        "provenance": value.get("provenance"),
    }


def _obligation(row: Obligation, *, at: datetime) -> dict[str, Any]:
    late = is_late(row, at=at)
    return {
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


def changes(filing: Filing) -> list[dict[str, Any]]:
    """What differs from the last filing of this form to the same addressee, field by field."""
    before = filing.previous
    if before is None or before.statement is None:
        return []
    form = get_form(filing.form)
    told = {field["key"]: field for section in before.statement["sections"] for field in section["fields"]}
    found = []
    for item in form.fields(filing.stage):
        value = filing.values.get(item.key)
        if item.key not in told or value is None or item.key in _NOT_COMPARED:
            continue
        now = prefill.shown(value, item, filing.entity.zone)
        if now != told[item.key]["text"] and now:
            found.append(
                {"key": item.key, "label": item.label.to_json(), "before": told[item.key]["text"], "after": now}
            )
    return found


_NOT_COMPARED = frozenset({"kind", "first_receipt", "new_facts", "late_reason"})


def missing(filing: Filing) -> list[str]:
    """The keys of required fields that have no value."""
    form = get_form(filing.form)
    held, version = filing.values, prefill.version_of(filing.obligations.all())
    return [
        item.key
        for item in form.fields(filing.stage)
        if held.get(item.key, {"status": prefill.status_of(None, item, filing.stage, version)})["status"]
        == prefill.MISSING
    ]


def _name(user: Any) -> str:
    return (user.get_full_name() or user.get_username()) if user else ""


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def mark_of(kind: str) -> str:
    """The mark that a drill's or a replay's pages carry."""
    return {Incident.Kind.DRILL.value: "모의훈련 (DRILL)", Incident.Kind.REPLAY.value: "사례 재현 (REPLAY)"}.get(
        kind, ""
    )
