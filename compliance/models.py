"""Legal entities, the people who act for them, and the rule versions ever relied on."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a person is to an entity. Ladders name roles, never people."""

    REPORTER = "reporter", _("Reporter")
    OWNER = "owner", _("Incident handler")
    COUNSEL = "counsel", _("Counsel")
    APPROVER = "approver", _("Approver")
    MANAGER = "manager", _("Manager")
    CISO = "ciso", _("CISO")
    CPO = "cpo", _("Privacy officer (CPO)")
    EXECUTIVE = "executive", _("Executive")
    AUDITOR = "auditor", _("Auditor")
    ADMINISTRATOR = "administrator", _("Administrator")


class Entity(models.Model):
    """A legal entity: the one that owes the duty. Its profile decides which rules speak to it."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=200)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    zone = models.CharField(_("time zone"), max_length=60, default="Asia/Seoul")
    establishments = models.JSONField(_("establishments"), default=list)
    main_establishment = models.CharField(_("main establishment"), max_length=6, blank=True)
    # Places where people live whose data it holds. Null: not stated, so that every place may be concerned.
    markets = models.JSONField(_("places of the people whose data it holds"), null=True, blank=True)
    roles = models.JSONField(_("roles in law"), default=list)
    sectors = models.JSONField(_("sectors"), default=list)
    # What forms print about the filer: business number, representative, address, contacts, by form field name.
    particulars = models.JSONField(_("particulars"), default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)
        verbose_name = _("entity")
        verbose_name_plural = _("entities")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in an entity."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    entity = models.ForeignKey(Entity, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    language = models.CharField(max_length=5, default="ko")
    # The identity provider that gave the role and takes it away again; empty where a person gave it.
    source = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "entity", "role"), name="one_role_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} {self.entity_id}"


class Invitation(models.Model):
    """The way in for a person who has an account but no password: one link, of use once, until a moment."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="invitations")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-made_at", "-pk")

    def __str__(self) -> str:
        return f"invitation {self.pk}"


class RuleSnapshot(models.Model):
    """The full text of a rule version as it was when an obligation first relied on it; never changed."""

    digest = models.CharField(max_length=64, unique=True)
    rule = models.CharField(max_length=120)
    version = models.CharField(max_length=20)
    revision = models.PositiveIntegerField()
    content = models.JSONField()
    first_used_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.rule} {self.version} r{self.revision}"


class LawRelease(models.Model):
    """The whole library as it was when an incident was first assessed under it; never changed.

    A running incident stays on its release until a person accepts another (:mod:`compliance.releases`).
    """

    digest = models.CharField(max_length=64, unique=True)
    # The files as plain data, canonical JSON, compressed.
    content = models.BinaryField()
    first_used_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest[:16]


class DayOff(models.Model):
    """A day off that the calendars do not know yet, such as a holiday declared at short notice.

    It counts for incidents that begin after it was added; a person re-times the running ones that it touches.
    """

    calendar = models.CharField(_("calendar"), max_length=12)
    on = models.DateField(_("day"))
    name = models.CharField(_("name"), max_length=120)
    source = models.CharField(_("source"), max_length=300)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ("-on", "calendar")
        constraints = (models.UniqueConstraint(fields=("calendar", "on"), name="one_day_off_once"),)
        verbose_name = _("day off")
        verbose_name_plural = _("days off")

    def __str__(self) -> str:
        return f"{self.calendar} {self.on} {self.name}"


class AuthorityContact(models.Model):
    """How an authority is reached, as one entity found out: for handing over by hand, for letters, for the telephone."""

    entity = models.ForeignKey(Entity, models.PROTECT, related_name="authority_contacts", verbose_name=_("entity"))
    # The English name by which the law library and the duties name it.
    authority = models.CharField(_("authority"), max_length=300)
    portal = models.URLField(_("portal"), max_length=500, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("telephone"), max_length=60, blank=True)
    address = models.TextField(_("postal address"), max_length=500, blank=True)
    source = models.CharField(_("source"), max_length=300)
    # On the entity's clock.
    checked_on = models.DateField(_("checked on"))
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ("entity", "authority")
        constraints = (models.UniqueConstraint(fields=("entity", "authority"), name="one_contact_once"),)
        verbose_name = _("contact data of an authority")
        verbose_name_plural = _("contact data of authorities")

    def __str__(self) -> str:
        return f"{self.entity_id} {self.authority}"
