"""What every change of state shares: one transaction, the incident's row locked, the clock of a replay respected."""

import contextlib
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance import clock
from compliance.engine import in_zone
from compliance.errors import BadInput, Refused
from compliance.text import clean
from incidents import standing
from incidents.models import Incident


@contextlib.contextmanager
def changing(incident: Incident, *, at: datetime) -> Iterator[Incident]:
    """Open a transaction, lock the incident's row and yield it freshly read.

    Everything that changes an incident or what hangs on it happens inside such a block, so that changes of one
    incident follow one another and commit with their journal entries or not at all.

    Raises:
        compliance.errors.ClockError: ``at`` is naive.
        Refused: a replayed incident outside its replay.
    """
    clock.require_aware(at)
    with standing.scope(), transaction.atomic():
        locked = Incident.objects.select_for_update().get(pk=incident.pk)
        guard_replay(locked, at=at)
        yield locked


def guard_replay(incident: Incident, *, at: datetime) -> None:
    """Refuse to touch a replayed incident outside its replay; move its clock along inside it."""
    if incident.kind != Incident.Kind.REPLAY:
        return
    if not clock.is_simulated():
        raise Refused(
            _("%(incident)s is a replay of a past case and stands still. It can be read but not changed."),
            code="replay_stands_still",
            incident=incident.code,
        )
    if incident.clock_at is None or incident.clock_at < at:
        incident.clock_at = at
        Incident.objects.filter(pk=incident.pk).update(clock_at=at)


def required_text(value: str, *, field: str, at_least: int = 1) -> str:
    """``value`` without surrounding blanks.

    Raises:
        BadInput: shorter than ``at_least`` characters.
    """
    text = clean(value)
    if len(text) < at_least:
        raise BadInput(
            _("Write a reason of at least %(least)d characters."), code="text_required", field=field, least=at_least
        )
    return text


def zone_of(incident: Incident) -> str:
    """The zone in which people of the incident read times: that of its first entity."""
    return incident.entities.order_by("pk").values_list("zone", flat=True).first() or "UTC"


def not_in_future(instant: datetime, *, at: datetime, field: str, zone: str) -> datetime:
    """``instant`` if it is not after ``at``; the refusal shows both in ``zone``.

    Raises:
        compliance.errors.ClockError: naive.
        BadInput: in the future.
    """
    clock.require_aware(instant)
    if instant > at:
        raise BadInput(
            _("%(value)s lies in the future. Expected a time not after %(now)s."),
            code="in_the_future",
            field=field,
            value=in_zone(instant, zone)[:16].replace("T", " "),
            now=in_zone(at, zone)[:16].replace("T", " "),
        )
    return instant
