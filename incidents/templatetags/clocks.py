"""How times, durations and bilingual texts look on the page."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from compliance.cli import duration
from compliance.library import get_library
from incidents.messages import local

register = template.Library()


def _language() -> str:
    return get_language() or "en"


@register.filter
def said(text: Any) -> str:
    """A bilingual text (LocalText or its JSON) in the reader's language."""
    if text is None:
        return ""
    if isinstance(text, dict):
        return str(text["ko"] if _language().startswith("ko") else text["en"])
    return str(text.get(_language()))


@register.filter
def elapsed(delta: timedelta | None) -> str:
    """A duration, without its sign."""
    return duration(delta, _language()) if delta is not None else ""


@register.filter
def at_place(at: datetime | str | None, zone: str) -> str:
    """An instant in a zone, with weekday and the zone's name: 2025-09-16 (화) 14:00 KST."""
    if not at:
        return ""
    return local(datetime.fromisoformat(at) if isinstance(at, str) else at, zone)


@register.filter
def fact_label(name: str) -> str:
    """What a fact of the vocabulary is called."""
    definition = get_library().facts.get(name)
    return definition.label.get(_language()) if definition else name


@register.filter
def fact_question(name: str) -> str:
    """The question that settles a fact."""
    definition = get_library().facts.get(name)
    return definition.question.get(_language()) if definition else name


@register.filter
def fact_value(fact: Any, zone: str) -> str:
    """A recorded value as people read it."""
    definition = get_library().facts[fact.name]
    value = fact.value
    if definition.type in ("instant", "contested_instant", "event"):
        return at_place(value, zone)
    if definition.type == "bool":
        korean = _language().startswith("ko")
        return ("예" if korean else "yes") if value else ("아니요" if korean else "no")
    if definition.type == "choice":
        return definition.choices[value].get(_language())
    if definition.type == "choices":
        return ", ".join(definition.choices[item].get(_language()) for item in value)
    return str(value)


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """``mapping[key]``, or None."""
    return mapping.get(key) if mapping else None


@register.filter
def person(user: Any) -> str:
    """A person's name as shown, or nothing."""
    return (user.get_full_name() or user.get_username()) if user else ""


_CONFIDENCE = {"high": _("high"), "medium": _("medium"), "low": _("low")}


@register.filter
def confidence(level: str) -> str:
    """How sure we are of a reading of the law."""
    return str(_CONFIDENCE.get(level, level))


_STANDING = {
    "in_force": _("in force"),
    "proposed": _("proposed"),
    "not_in_force": _("not in force"),
    "not_confirmed": _("not confirmed to be in force"),
}


@register.filter
def standing(value: str) -> str:
    """Whether a text is law."""
    return str(_STANDING.get(value, value))


_EFFECTS = {
    "open": _("new duty"),
    "retime": _("other due moment"),
    "harden": _("possible becomes required"),
    "soften": _("required becomes possible"),
    "lapse": _("no longer applies"),
    "vanish": _("no longer applies"),
    "revive": _("applies again"),
    "reworded": _("other words, same clock"),
}


@register.filter
def law_effect(kind: str) -> str:
    """What newer law would do to a duty."""
    return str(_EFFECTS.get(kind, kind))


@register.filter
def start_words(start: Any) -> str:
    """What starts a clock: a fact, an act, or several of them."""
    if start.kind == "fact":
        return fact_label(start.name)
    if start.kind == "submitted":
        return str(_("when %(stage)s was done") % {"stage": start.name})
    if start.kind == "due":
        return str(_("the end of the period of %(stage)s") % {"stage": start.name})
    words = _("the earliest of: %(parts)s") if start.kind == "earliest" else _("the latest of: %(parts)s")
    return str(words % {"parts": ", ".join(start_words(part) for part in start.parts)})


@register.filter
def grouped(number: int) -> str:
    """A whole number with its thousands apart: 13,908."""
    return f"{number:,}"
