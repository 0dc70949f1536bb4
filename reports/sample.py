"""Every form filled with its sample, without a database: to be looked at, and to be tested."""

from typing import Any

from compliance.engine.strict import read_file
from compliance.library import get_library
from reports import prefill
from reports.forms import Field, Form
from reports.forms.registry import FOLDER
from reports.forms.tailor import CONTENT
from reports.sayings import say
from reports.statement import form_part

FROZEN_AT = "2026-11-02T12:00:00+00:00"  # a sample's own, so that it never changes
ZONES = {"ko": "Asia/Seoul", "ja": "Asia/Tokyo", "en": "UTC"}


def sample_values(form: Form) -> dict[str, Any]:
    """The sample of a form: field key to value. Shared fields bring theirs along; a form's own come before them.

    Raises:
        LawError: a key that the form does not have, or a field without a sample.
    """
    node = read_file(FOLDER / form.key / "sample.yaml", root=FOLDER)
    fields = {item.key: item for section in form.sections for item in section.fields}
    brought = {key: _brought(item, form.language) for key, item in fields.items()}
    own = {key for key, value in brought.items() if value is None}
    given = node.mapping(required=own, optional=set(fields) - own).value or {}
    return {**{key: value for key, value in brought.items() if value is not None}, **given}


def _brought(item: Field, language: str) -> str | None:
    if item.sample is not None:
        return item.sample.get(language)
    if item.source_name == "stage_key":
        return ""
    return say("sample_content", language) if item.key.startswith(CONTENT) else None


def sample_statement(form: Form, stage: str) -> dict[str, Any]:
    """A statement of ``stage`` with every field filled from the sample."""
    values = sample_values(form)
    if "kind" in values:
        values["kind"] = form.stages[stage].get(form.language)
    language = form.language
    return {
        "schema": "breachclock.statement/1",
        "form": form_part(form, stage),
        "filing": "SAMPLE/F1",
        "incident": {"code": "SAMPLE", "kind": "drill"},
        "entity": {"key": "sample", "name": say("sample_company", language), "zone": ZONES[language]},
        "sections": _sections(form, stage, values | _of_stage(form, stage)),
        "obligations": [],
        "late": False,
        "changes": [],
        "previous": None,
        "author": say("sample_author", language),
        "approver": say("sample_approver", language),
        "approved_at": FROZEN_AT,
        "frozen_at": FROZEN_AT,
        "journal_head": "0" * 64,
        "library_digest": get_library().digest,
    }


def _of_stage(form: Form, stage: str) -> dict[str, str]:
    """The choices that say which stage it is."""
    fields = [item for item in form.fields(stage) if item.source_name == "stage_key"]
    return {item.key: item.translate.get(stage, stage) for item in fields}


def _sections(form: Form, stage: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "title": section.title.to_json(),
            "fields": [
                _field(item, values[item.key], form.language, omitted=_comes_later(item, form, stage))
                for item in section.fields
            ],
        }
        for section in form.sections_in(stage)
    ]


# What a first report has nothing to say of.
LATER = frozenset({"first_receipt", "new_facts", "late_reason"})


def _comes_later(item: Field, form: Form, stage: str) -> bool:
    return item.omit_blank and item.source_name in LATER and stage == next(iter(form.stages))


def _field(item: Field, value: Any, language: str, *, omitted: bool) -> dict[str, Any]:
    text = prefill.shown({"value": value}, item, ZONES[language], language)
    return {
        "key": item.key,
        "number": item.number,
        "label": item.label.to_json(),
        "type": item.type,
        "value": value,
        "text": text,
        "status": prefill.GIVEN,
        "printed": text,
        "omitted": omitted,
        "provenance": None,
    }
