"""Legal holds: while one is in force nothing of the incident is deleted, however old it is."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class LegalHold(models.Model):
    """That, why and by whom deletion was stopped. Lifted, never deleted."""

    incident = models.ForeignKey("incidents.Incident", models.PROTECT, related_name="holds")
    reason = models.TextField(_("reason"))
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "incidents"
        ordering = ("placed_at", "pk")
        constraints = (
            models.UniqueConstraint(fields=("incident",), condition=Q(lifted_at=None), name="one_hold_in_force"),
        )

    def __str__(self) -> str:
        return f"{self.incident_id} {self.placed_at.isoformat()}"
