"""Quiet hours: a span of the local clock in which reminders wait."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from compliance.engine.instants import zone_named


@dataclass(frozen=True, slots=True)
class Quiet:
    """From ``begins`` until ``ends`` on the clock of ``zone``, over midnight where the end is earlier. Equal: never."""

    begins: time
    ends: time
    zone: str


def quiet_until(at: datetime, quiet: Quiet) -> datetime | None:
    """When the quiet hours in which ``at`` (aware) lies are over, in UTC; None outside them.

    An end that occurs twice is the next one to come. One that a spring change leaves out comes when the clock has passed it.
    """
    local = at.astimezone(zone_named(quiet.zone))
    wall = local.time()
    over_midnight = quiet.begins > quiet.ends
    inside = (wall >= quiet.begins or wall < quiet.ends) if over_midnight else quiet.begins <= wall < quiet.ends
    if not inside:
        return None
    day = local.date() + timedelta(days=1) if over_midnight and wall >= quiet.begins else local.date()
    return datetime.combine(day, quiet.ends, tzinfo=local.tzinfo).replace(fold=local.fold).astimezone(UTC)
