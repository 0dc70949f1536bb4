"""Words of the law's pages."""

from django import template

from incidents.law_search import AUDIENCE_WORDS

register = template.Library()


@register.filter
def audience_words(audience: str) -> str:
    """Who is told: a supervisory authority, data subjects, ..."""
    return str(AUDIENCE_WORDS.get(audience, audience))
