"""Where messages go besides a mailbox, each attempt to send one, private calendar links, and how a person reads times."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from compliance.fields import EncryptedTextField
from compliance.models import Entity, Role


class Endpoint(models.Model):
    """A chat, pager or SMS address, or a webhook: of an entity (and perhaps one role in it), or of one person.

    ``target`` and ``secret`` are for the sender alone: never shown again after saving, never logged.
    """

    class Kind(models.TextChoices):
        """What it is."""

        CHAT = "apprise", _("Chat, pager or SMS (Apprise)")
        WEBHOOK = "webhook", _("Signed webhook")

    entity = models.ForeignKey(Entity, models.PROTECT, null=True, related_name="endpoints")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="endpoints")
    # Empty: whatever is told to anybody of the entity. Otherwise what is told to this role.
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    label = models.CharField(_("name"), max_length=80)
    target = EncryptedTextField(_("address"))
    secret = EncryptedTextField(max_length=120, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "incidents"
        ordering = ("label", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(entity__isnull=False, user__isnull=True) | Q(entity__isnull=True, user__isnull=False),
                name="endpoint_of_entity_or_person",
            ),
        )

    def __str__(self) -> str:
        return self.label

    @property
    def active(self) -> bool:
        """Whether messages go there."""
        return self.revoked_at is None


class DeliveryAttempt(models.Model):
    """One attempt to send a message. Without an outcome: the process died between sending and recording."""

    class Outcome(models.TextChoices):
        """What the other side said."""

        UNKNOWN = "unknown", _("Not recorded (perhaps delivered)")
        ACCEPTED = "accepted", _("Accepted")
        FAILED = "failed", _("Failed")

    message = models.ForeignKey("incidents.OutboxMessage", models.PROTECT, related_name="tries")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.UNKNOWN)
    error = models.CharField(max_length=120, blank=True)

    class Meta:
        app_label = "incidents"
        ordering = ("message", "number")
        constraints = (models.UniqueConstraint(fields=("message", "number"), name="attempt_once"),)

    def __str__(self) -> str:
        return f"{self.message_id}/{self.number} {self.outcome}"


class CalendarLink(models.Model):
    """A private address under which a calendar program reads a person's clocks. Only the digest of its token is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="calendar_links")
    # Null: every incident the person may see at the moment of asking.
    incident = models.ForeignKey("incidents.Incident", models.PROTECT, null=True, related_name="calendar_links")
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "incidents"
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"calendar link {self.pk}"

    def opens_at(self, at: datetime) -> bool:
        """Whether the link is good at ``at``."""
        return self.revoked_at is None and at < self.expires_at


class Reader(models.Model):
    """How one person reads times, where it is not as in the entity."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reader")
    zone = models.CharField(_("time zone"), max_length=60, blank=True)

    class Meta:
        app_label = "incidents"

    def __str__(self) -> str:
        return f"{self.user_id} {self.zone}"
