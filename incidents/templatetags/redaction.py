"""Whether the reader may redact facts of an incident."""

from typing import Any

from django import template

from incidents import access
from incidents.models import Incident

register = template.Library()


@register.simple_tag(takes_context=True)
def may_redact(context: dict[str, Any], incident: Incident) -> bool:
    """Whether the page offers it. A replay is of a published case and stays as it is."""
    return incident.kind != Incident.Kind.REPLAY and access.may_redact(context["request"].user, incident)
