"""Messages on the pages: what became of them, and a warning where some do not arrive."""

from typing import Any

from django import template

from incidents import channels, told
from incidents.channels.models import Endpoint
from incidents.messages import way_of
from incidents.models import OutboxMessage

register = template.Library()


@register.simple_tag
def undelivered_by_incident(user: Any) -> Any:
    """How many messages do not arrive, by incident, of those that ``user`` may see."""
    return told.undelivered_by_incident(user)


@register.filter
def delivery(row: OutboxMessage) -> told.Delivery:
    """How a message fared."""
    return told.delivery_of(row)


@register.filter
def way(row: OutboxMessage) -> str:
    """By what a message goes."""
    return way_of(row)


@register.filter
def target_shown(endpoint: Endpoint) -> str:
    """The little of an address that may be shown."""
    return channels.channel_of(endpoint.kind).shown(endpoint.target)
