"""Moments in words: in whose zone a person reads them, and with the weekday and the zone's name."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import translation

from compliance.models import Membership

_WEEKDAYS_KO = "월화수목금토일"


def reader_zone(member: Membership) -> str:
    """The zone in which this person reads times: the own choice, or the entity's."""
    reader = getattr(member.user, "reader", None)
    return (reader.zone if reader else "") or member.entity.zone


def local(at: datetime, zone: str) -> str:
    """``at`` in ``zone``, with weekday and the zone's name, in the language in use."""
    there = at.astimezone(ZoneInfo(zone))
    korean = (translation.get_language() or "").startswith("ko")
    weekday = _WEEKDAYS_KO[there.weekday()] if korean else there.strftime("%a")
    return f"{there:%Y-%m-%d} ({weekday}) {there:%H:%M} {there.tzname()}"
