"""What a page says of roles."""

from typing import Any

from django import template

from compliance.access_policy import Capability
from compliance.models import Role
from incidents import access

register = template.Library()


@register.filter
def role_label(role: str) -> str:
    """What a role is called."""
    return str(Role(role).label)


@register.filter
def administers(user: Any) -> bool:
    """Whether the person changes the people of any entity."""
    return bool(user.is_authenticated and access.may_configure(user))


@register.filter
def keeps_house(user: Any) -> bool:
    """Whether there is anything in daily administration that the person changes."""
    return bool(user.is_authenticated and (access.may_configure(user) or access.may_keep_calendars(user)))


@register.filter
def may_break_glass(user: Any) -> bool:
    """Whether the person has a role that may open restricted incidents with a reason."""
    return bool(user.is_authenticated and access.places(user, Capability.BREAK_GLASS))
