"""How answers and their effects look on the page of an incident."""

from typing import Any

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from compliance.library import get_library
from incidents.templatetags.clocks import at_place

register = template.Library()


@register.filter
def categories_words(row: Any) -> str:
    """The kinds of data of a figure, in words where the vocabulary knows them."""
    known = get_library().facts["people.categories"].choices
    return ", ".join(known[item].get(get_language() or "en") if item in known else item for item in row.categories)


@register.filter
def people_sum(rows: Any) -> int:
    """The people of all places with a figure."""
    return sum(row.count or 0 for row in rows)


@register.filter
def some_unknown(rows: Any) -> bool:
    """Whether a place has no figure."""
    return any(row.count is None for row in rows)


@register.filter
def answer_words(preview: Any, zone: str) -> str:
    """An answer as people read it: yes, no, a choice, a moment, "don't know"."""
    value = preview.value
    if value is None:
        return _("Don't know")
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    definition = get_library().facts.get(preview.name)
    if definition is None:
        return str(value)
    if definition.type in ("instant", "contested_instant", "event"):
        return at_place(value, zone)
    picked = value if isinstance(value, list) else [value]
    words = [
        definition.choices[item].get(get_language() or "en") if item in definition.choices else str(item)
        for item in picked
    ]
    return ", ".join(words)


@register.filter
def typed_words(form: Any, zone: str) -> str:
    """What was typed into a form of a fact, as it would be read once recorded."""
    value = form.cleaned_data.get("value")
    kind = form.definition.type
    if kind == "bool":
        return _("Yes") if value == "yes" else _("No")
    if kind in ("choice", "choices"):
        picked = value if isinstance(value, list) else [value]
        return ", ".join(form.definition.choices[item].get(get_language() or "en") for item in picked)
    return at_place(value, zone) if kind == "instant" else str(value)
