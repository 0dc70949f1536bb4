"""Every form filled with its sample, without a database: to be looked at, and to be tested."""

from typing import Any

from compliance.engine.strict import read_file
from compliance.library import get_library
from reports import prefill
from reports.forms import Field, Form
from reports.forms.registry import FOLDER

FROZEN_AT = "2026-11-02T12:00:00+00:00"  # a sample's own, so that it never changes


def sample_values(form: Form) -> dict[str, Any]:
    """The sample of a form: field key to value.

    Raises:
        LawError: a key that the form does not have.
    """
    node = read_file(FOLDER / form.key / "sample.yaml", root=FOLDER)
    keys = {item.key for section in form.sections for item in section.fields}
    return dict(node.mapping(required=keys).value)


def sample_statement(form: Form, stage: str) -> dict[str, Any]:
    """A statement of ``stage`` with every field filled from the sample."""
    values = sample_values(form)
    if "kind" in values:
        values["kind"] = form.stages[stage].get(form.language)
    return {
        "schema": "breachclock.statement/1",
        "form": {
            "key": form.key,
            "version": form.version,
            "stage": stage,
            "title": form.title.to_json(),
            "stage_title": form.stages[stage].to_json(),
            "addressee": form.addressee.to_json(),
            "basis": form.basis.to_json(),
            "note": form.note.to_json(),
            "language": form.language,
        },
        "filing": "SAMPLE/F1",
        "incident": {"code": "SAMPLE", "kind": "drill"},
        "entity": {"key": "sample", "name": "한빛통신 주식회사", "zone": "Asia/Seoul"},
        "sections": _sections(form, stage, values),
        "obligations": [],
        "late": False,
        "changes": [],
        "previous": None,
        "author": "작성자",
        "approver": "승인자",
        "approved_at": FROZEN_AT,
        "frozen_at": FROZEN_AT,
        "journal_head": "0" * 64,
        "library_digest": get_library().digest,
    }


def _sections(form: Form, stage: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"title": section.title.to_json(), "fields": [_field(item, values[item.key]) for item in section.fields]}
        for section in form.sections_in(stage)
    ]


def _field(item: Field, value: Any) -> dict[str, Any]:
    text = prefill.shown({"value": value}, item, "Asia/Seoul")
    return {
        "key": item.key,
        "number": item.number,
        "label": item.label.to_json(),
        "type": item.type,
        "value": value,
        "text": text,
        "status": prefill.GIVEN,
        "printed": text,
        "omitted": False,
        "provenance": None,
    }
