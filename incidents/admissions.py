"""By name: who may see a restricted incident, with whom another one was shared, and who opened one with a reason."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Admission(models.Model):
    """A person who may see one incident. Ended, never deleted."""

    class Kind(models.TextChoices):
        """``named`` by the owner or counsel, without an end; ``glass``: opened by the person, with a reason and an end."""

        NAMED = "named", _("Named")
        GLASS = "glass", _("Opened with a reason")

    incident = models.ForeignKey("incidents.Incident", models.PROTECT, related_name="admissions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="admissions")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.NAMED)
    reason = models.TextField(_("reason"), blank=True)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    given_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "incidents"
        ordering = ("given_at", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("incident", "person"), condition=Q(kind="named", ended_at=None), name="named_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="named", expires_at=None) | Q(kind="glass", expires_at__isnull=False),
                name="glass_expires",
            ),
        )
        indexes = (models.Index(fields=("person", "incident"), condition=Q(ended_at=None), name="admission_open"),)

    def __str__(self) -> str:
        return f"{self.incident_id} {self.person_id} {self.kind}"


def in_force(at: datetime) -> Q:
    """The admissions that let somebody in at ``at`` (aware)."""
    return Q(ended_at=None) & (Q(expires_at=None) | Q(expires_at__gt=at))
