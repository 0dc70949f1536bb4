"""Tokens by which programs act for a person: whose, what for, until when. Only the digest of the secret is kept."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from compliance.models import Entity


class Scope(models.TextChoices):
    """What a token is for. None of them gives more than the person's own roles."""

    READ = "read", _("Read")
    HANDLE = "handle", _("Report, record and draft")
    DECIDE = "decide", _("Approve and decide")
    EXPORT = "export", _("Take evidence bundles out")


class ApiToken(models.Model):
    """A token of one person. ``hint`` is its end, by which a person tells tokens apart; the rest is shown once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="api_tokens")
    label = models.CharField(_("name"), max_length=80)
    scopes = models.JSONField(_("what it is for"), default=list)
    # None: all of the person's entities. Otherwise only incidents that concern none but these.
    entities = models.ManyToManyField(Entity, related_name="+", blank=True)
    limited = models.BooleanField(default=False)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # Written at most once a minute.
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "incidents"
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"token {self.pk}"

    @property
    def scopes_said(self) -> list[str]:
        """What it is for, in words."""
        return [str(Scope(scope).label) for scope in self.scopes]

    def works_at(self, at: datetime) -> bool:
        """Whether the token is good at ``at``."""
        return self.revoked_at is None and at < self.expires_at
