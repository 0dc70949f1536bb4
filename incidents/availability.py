"""When people are away, who stands in for them, and in which hours of the night reminders wait."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from compliance.models import Entity


class Absence(models.Model):
    """A person is away from ``begins_at`` until ``ends_at`` (not included). Taken back, never deleted."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="absences")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="absences")
    begins_at = models.DateTimeField(_("away from"))
    ends_at = models.DateTimeField(_("back at"))
    # Nobody: whoever deputises for the person all the time, or else the next rank up is told.
    deputy = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("deputy")
    )
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "incidents"
        ordering = ("begins_at", "pk")
        constraints = (
            models.CheckConstraint(condition=Q(begins_at__lt=F("ends_at")), name="absence_begins_before_it_ends"),
            models.CheckConstraint(
                condition=Q(deputy__isnull=True) | ~Q(deputy=F("person")), name="absence_deputy_is_another"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person_id} {self.entity_id}"

    def covers(self, at: datetime) -> bool:
        """Whether the person is away at ``at`` (aware)."""
        return self.ended_at is None and self.begins_at <= at < self.ends_at


class Preference(models.Model):
    """Quiet hours on the local clock, of a person in an entity or, without a person, of the entity; and a standing deputy.

    A person's own hours count before the entity's. The same begin and end: no quiet hours. No begin: not stated.
    """

    entity = models.ForeignKey(Entity, models.PROTECT, related_name="preferences")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    quiet_from = models.TimeField(_("quiet from"), null=True)
    quiet_until = models.TimeField(_("quiet until"), null=True)
    deputy = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("deputy")
    )
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        app_label = "incidents"
        constraints = (
            models.UniqueConstraint(fields=("entity", "person"), name="preference_once"),
            models.UniqueConstraint(
                fields=("entity",), condition=Q(person__isnull=True), name="preference_of_entity_once"
            ),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="preference_quiet_from_and_until",
            ),
            models.CheckConstraint(
                condition=Q(deputy__isnull=True) | (Q(person__isnull=False) & ~Q(deputy=F("person"))),
                name="preference_deputy_is_another",
            ),
        )

    def __str__(self) -> str:
        return f"{self.entity_id} {self.person_id}"
