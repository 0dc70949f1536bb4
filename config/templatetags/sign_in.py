"""What pages of signing in ask."""

from django import template
from django.http import HttpRequest

from config.accounts_guard import lacks_second_factor as lacks

register = template.Library()


@register.filter
def lacks_second_factor(request: HttpRequest) -> bool:
    """Whether the person has to set up a second factor before anything else."""
    return lacks(request)
