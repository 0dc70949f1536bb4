"""How severe an incident is by the house's signs (policies): what was adopted and what is recorded. Decides the ladder."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from compliance.library import get_policies
from incidents import journal
from incidents.models import Classification, Incident

journal.register({"incident.severity": _("Severity changed")})


def settle(incident: Incident, sheets: Iterable[Mapping[str, Any]], *, at: datetime) -> bool:
    """Bring the severity of ``incident`` (locked) in line with ``sheets``, the facts of each of its entities.

    Whether it changed, so that the clocks have to climb another ladder.
    """
    found = get_policies().severity_of(_adopted(incident, at=at), sheets)
    if found == incident.severity:
        return False
    journal.write(
        incident=incident,
        at=at,
        by=None,
        action="incident.severity",
        subject=f"incident {incident.code}",
        detail={"was": incident.severity, "is": found},
    )
    incident.severity = found
    Incident.objects.filter(pk=incident.pk).update(severity=found)
    return True


def _adopted(incident: Incident, *, at: datetime) -> list[tuple[str, str]]:
    """The latest level that was adopted, of each method and entity."""
    rows = Classification.objects.filter(incident=incident, adopted_at__lte=at).order_by("adopted_at", "pk")
    latest = {(entity, method): level for entity, method, level in rows.values_list("entity_id", "method", "chosen")}
    return [(method, level) for (_entity, method), level in latest.items()]
