"""How a severity or classification looks on the page: its working, its facts, what was adopted last."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import template
from django.utils.translation import get_language

from compliance.engine.scoring import Method
from compliance.engine.scoring.method import Weights
from compliance.engine.scoring.types import TRUTH_TEXT
from compliance.library import get_library, get_methods
from incidents.models import Classification, Incident
from incidents.templatetags.clocks import said

register = template.Library()

TRUTHS = {truth.value: text for truth, text in TRUTH_TEXT.items()}


@dataclass(frozen=True, slots=True)
class Shown:
    """One step of the working in the reader's language."""

    text: str
    value: str
    unknown: bool
    plain: bool
    details: tuple[str, ...]
    source: Mapping[str, Any] | None
    confidence: str
    house: bool


def working_of(proposal: Mapping[str, Any], answers: Mapping[str, Any]) -> list[Shown]:
    """The steps of a kept proposal, with the answers and reasons they rest on."""
    method, reasons = get_methods().get(proposal["method"]), answers.get("reasons") or {}
    return [
        Shown(
            text=said(step["text"]),
            value=said(TRUTHS[step["value"]]) if step["value"] in TRUTHS else step["value"],
            unknown=step["value"] == "unknown" or ".." in step["value"],
            plain=step["value"] == "false",
            details=tuple(_details(step, method, reasons)),
            source=step["source"],
            confidence=step["confidence"],
            house=step["house"],
        )
        for step in proposal["working"]
    ]


def _details(step: Mapping[str, Any], method: Method | None, reasons: Mapping[str, str]) -> list[str]:
    """The comparisons that were made, or else the answers; and the reasons that were given."""
    answered = {key: value for key, value in step["answers"].items() if value is not None}
    found = [said(text) for text in step["detail"]]
    if method and isinstance(method.procedure, Weights) and step["key"].startswith("datasets["):
        asked = [said(method.procedure.ask[part]) for part in ("category", "adjustment", "identification")]
        found = [f"{question} {text}" for question, text in zip(asked, found, strict=False)]
    if not found and method:
        found = [_answer(method, key, value) for key, value in answered.items()]
    return found + [f"{_question(method, key)} ← {reasons[key]}" for key in answered if reasons.get(key)]


def _question(method: Method | None, key: str) -> str:
    question = method.questions.get(key) if method else None
    return question.text.get(get_language() or "en") if question else key


def _answer(method: Method, key: str, value: Any) -> str:
    question = method.questions.get(key)
    words = _yes_no(value) if isinstance(value, bool) else None
    if words is None and question and isinstance(value, str) and value in question.choices:
        words = question.choices[value].get(get_language() or "en")
    return f"{_question(method, key)} {words if words is not None else number_words(value)}"


def _yes_no(value: bool) -> str:
    return said(TRUTHS["true" if value else "false"])


@register.filter
def number_words(value: Any) -> str:
    """An exact number, or the two ends of a range; an open end stays open."""
    if isinstance(value, Mapping):
        return f"{value['lowest']}..{value['highest'] or ''}"
    return str(value)


@register.filter
def facts_words(proposes: Mapping[str, Any]) -> str:
    """The facts of a level: what each is called, and its value."""
    return ", ".join(f"{_label(name)}: {_value(name, value)}" for name, value in proposes.items())


def _label(name: str) -> str:
    definition = get_library().facts.get(name)
    return definition.label.get(get_language() or "en") if definition else name


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return _yes_no(value)
    definition = get_library().facts.get(name)
    return said(definition.choices[value]) if definition and value in definition.choices else str(value)


@register.filter
def level_of(proposal: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """The level ``key`` of a proposal."""
    return next((level for level in proposal["levels"] if level["key"] == key), None)


@register.inclusion_tag("incidents/_severity.html")
def severity(incident: Incident, zone: str, past: datetime | None = None) -> dict[str, Any]:
    """Every method with what was adopted last (by the moment ``past``), for each entity of the incident."""
    entities = sorted(incident.entities.all(), key=lambda entity: entity.pk)
    adopted = incident.classifications.select_related("adopted_by")
    if past is not None:
        adopted = adopted.filter(adopted_at__lte=past)
    latest: dict[tuple[int, str], Classification] = {(row.entity_id, row.method): row for row in adopted}
    rows = [
        {"entity": entity, "method": method, "last": latest.get((entity.pk, key))}
        for entity in entities
        for key, method in get_methods().items()
    ]
    return {"incident": incident, "zone": zone, "rows": rows, "several": len(entities) > 1}
