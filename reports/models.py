"""What we file: drafts, frozen documents, submissions and what came back."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from compliance.fields import EncryptedJSONField, EncryptedTextField
from compliance.models import Entity
from incidents.machine import FSMField, Machine, moves
from incidents.models import Evidence, Fact, Incident, Obligation, OutboxMessage
from reports.states import FILING, FilingState


class Document(models.Model):
    """Bytes stored once, by their SHA-256, outside the web root; never changed."""

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=100)
    # The name to offer on download; the path on disk comes from the digest alone.
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.sha256[:12]


class Filing(Machine):
    """One form for one authority (or for the people), from draft to receipt."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="filings")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="filings")
    # Position within the incident; "KT-2025-02/F3" is incident code and number.
    number = models.PositiveIntegerField()
    form = models.CharField(max_length=60)
    form_version = models.CharField(max_length=20)
    stage = models.CharField(max_length=60)
    obligations = models.ManyToManyField(Obligation, related_name="filings")
    state = FSMField(default=FilingState.DRAFT, choices=FilingState.choices, protected=True)
    # field key -> {"value": ..., "status": "given|unknown|missing|blank", "provenance": {...} | null, "edited": bool}
    values = EncryptedJSONField(default=dict)
    # Raised by every saved edit; an edit made on an older one is refused, and nothing is lost.
    edition = models.PositiveIntegerField(default=1)
    previous = models.ForeignKey("self", models.PROTECT, null=True, related_name="followers")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    edited_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    review_note = EncryptedTextField(blank=True)
    # Raised each time it is sent to review; approvals of an earlier round no longer count.
    round = models.PositiveIntegerField(default=0)
    # Of the document, where the form is written in several; empty: the form's own.
    language = models.CharField(_("language"), max_length=5, blank=True)
    # A draft that lawyers keep to themselves: not seen by others, and not in an export unless counsel chooses it.
    privileged = models.BooleanField(default=False)
    frozen_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    frozen_at = models.DateTimeField(null=True)
    # The frozen input of the document; canonical JSON of it has ``statement_digest``.
    statement = EncryptedJSONField(null=True)
    statement_digest = models.CharField(max_length=64, blank=True)
    document = models.ForeignKey(Document, models.PROTECT, null=True, related_name="filings")
    # What the document was drawn with (digests of template, styles and fonts; versions), to tell later why a drawing differs.
    drawn_with = models.JSONField(null=True)
    request_key = models.CharField(max_length=64, null=True, unique=True)

    class Meta:
        ordering = ("incident", "number")
        constraints = (
            models.UniqueConstraint(fields=("incident", "number"), name="filing_number_once"),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("author")), name="approved_by_another"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("draft", "in_review", "approved", "withdrawn")) | Q(document__isnull=False),
                name="frozen_has_document",
            ),
        )

    def __str__(self) -> str:
        return f"{self.incident.code}/F{self.number}"

    @moves(state, FILING["send_to_review"])
    def send_to_review(self) -> None:
        """The author is done."""

    @moves(state, FILING["return_to_author"])
    def return_to_author(self) -> None:
        """It needs more work."""

    @moves(state, FILING["approve"])
    def approve(self) -> None:
        """Somebody other than the author stands behind it."""

    @moves(state, FILING["freeze"])
    def freeze(self) -> None:
        """The document exists and never changes."""

    @moves(state, FILING["submit"])
    def submit(self) -> None:
        """It left the house."""

    @moves(state, FILING["acknowledge"])
    def acknowledge(self) -> None:
        """The authority has it."""

    @moves(state, FILING["refuse"])
    def refuse(self) -> None:
        """The authority did not take it: the duty is open again."""

    @moves(state, FILING["supersede"])
    def supersede(self) -> None:
        """A later filing takes its place."""

    @moves(state, FILING["withdraw"])
    def withdraw(self) -> None:
        """It will not be sent."""


class Submission(models.Model):
    """That, when, how and by whom a filing was handed over, and what came back."""

    class Outcome(models.TextChoices):
        """What the addressee said."""

        PENDING = "pending", _("No answer yet")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        REFUSED = "refused", _("Refused")

    filing = models.OneToOneField(Filing, models.PROTECT, related_name="submission")
    submitted_at = models.DateTimeField(_("submitted at"))
    channel = models.CharField(_("channel"), max_length=40)
    receipt_number = models.CharField(_("receipt number"), max_length=100, blank=True)
    proof = models.ForeignKey(Document, models.PROTECT, null=True, related_name="+")
    note = EncryptedTextField(blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    outcome = models.CharField(max_length=15, choices=Outcome.choices, default=Outcome.PENDING)
    outcome_at = models.DateTimeField(null=True)
    outcome_note = EncryptedTextField(blank=True)

    def __str__(self) -> str:
        return f"{self.filing_id} {self.submitted_at.isoformat()}"


class Approval(models.Model):
    """That a person stands behind a filing as it was in one round of review. Never changed."""

    filing = models.ForeignKey(Filing, models.PROTECT, related_name="approvals")
    round = models.PositiveIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    # The approver who is away and named ``by`` as deputy.
    standing_for = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    # The conflicts that were open and shown, by key, and why it goes out all the same.
    conflicts = models.JSONField(default=list)
    reason = models.TextField(_("reason"), blank=True)
    # The comments that were open, by primary key, and why it goes out without an answer to them.
    open_comments = models.JSONField(default=list)
    comments_reason = models.TextField(_("reason"), blank=True)

    class Meta:
        ordering = ("at", "pk")
        constraints = (models.UniqueConstraint(fields=("filing", "round", "by"), name="approval_once_a_round"),)

    def __str__(self) -> str:
        return f"{self.filing_id}/{self.round} {self.by_id}"


class ReviewRequest(models.Model):
    """That a person was asked to review a filing in one round; whoever was asked can pass it on to another."""

    filing = models.ForeignKey(Filing, models.PROTECT, related_name="review_requests")
    round = models.PositiveIntegerField()
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    note = models.TextField(_("note"), blank=True)
    # The request that this one takes the place of: its reviewer passed it on.
    instead_of = models.OneToOneField("self", models.PROTECT, null=True, related_name="passed_on")

    class Meta:
        ordering = ("asked_at", "pk")
        constraints = (
            models.UniqueConstraint(fields=("filing", "round", "reviewer"), name="review_asked_once_a_round"),
        )

    def __str__(self) -> str:
        return f"{self.filing_id}/{self.round} {self.reviewer_id}"


class FieldComment(models.Model):
    """What somebody says about one field; an answer points at the first comment of its thread."""

    filing = models.ForeignKey(Filing, models.PROTECT, related_name="comments")
    field = models.CharField(max_length=60)
    text = EncryptedTextField(_("comment"))
    answers = models.ForeignKey("self", models.PROTECT, null=True, related_name="replies")
    privileged = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return f"{self.filing_id} {self.field}"


class PublicStatement(models.Model):
    """What the company said in public, kept as evidence, with the figures it quoted: topic to words."""

    evidence = models.OneToOneField(Evidence, models.PROTECT, related_name="public_statement")
    published_at = models.DateTimeField(_("published at"))
    figures = models.JSONField(default=dict)

    def __str__(self) -> str:
        return str(self.evidence)


class Dispatch(models.Model):
    """A frozen filing on its way through a channel of ours. Sent once: what is not certain waits for a person."""

    class State(models.TextChoices):
        """What is known of it."""

        WAITING = "waiting", _("Waiting to be sent")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        UNCERTAIN = "uncertain", _("Uncertain: sent or not?")
        NOT_SENT = "not_sent", _("Not sent")

    filing = models.ForeignKey(Filing, models.PROTECT, related_name="dispatches")
    channel = models.CharField(max_length=40)
    target = models.CharField(max_length=254)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    request_key = models.CharField(max_length=64, unique=True)
    message = models.OneToOneField(OutboxMessage, models.PROTECT, null=True, related_name="dispatch")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    resolution = models.TextField(blank=True)

    class Meta:
        ordering = ("requested_at", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("filing",), condition=~Q(state="not_sent"), name="one_dispatch_that_may_have_left"
            ),
        )

    def __str__(self) -> str:
        return f"{self.filing_id} {self.channel} {self.state}"


class InformationRequest(models.Model):
    """An authority asks for more after a filing. Its own due moment is watched until it is answered."""

    filing = models.ForeignKey(Filing, models.PROTECT, related_name="requests")
    text = EncryptedTextField(_("what is asked"))
    received_at = models.DateTimeField(_("received at"))
    due_at = models.DateTimeField(_("to be answered by"), null=True)
    # The happening recorded for it; duties that a law attaches to such requests are opened by that.
    event = models.ForeignKey(Fact, models.PROTECT, related_name="+")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    answer = EncryptedTextField(blank=True)
    request_key = models.CharField(max_length=64, null=True, unique=True)

    class Meta:
        ordering = ("received_at", "pk")

    def __str__(self) -> str:
        return f"{self.filing_id} {self.received_at.isoformat()}"


class Signature(models.Model):
    """The signed copy of a frozen document. The unsigned bytes stay as they are."""

    filing = models.OneToOneField(Filing, models.PROTECT, related_name="signature")
    document = models.ForeignKey(Document, models.PROTECT, related_name="+")
    # The certificate: whose it is and its SHA-256.
    subject = models.CharField(max_length=300)
    fingerprint = models.CharField(max_length=64)
    # Of PAdES: B-B, B-T (time-stamped) or B-LT (with the revocation lists); empty for those made before this was kept.
    level = models.CharField(max_length=5, blank=True)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.filing_id} {self.subject}"
