"""What happened, what is due, who was told, and the record of all of it.

Rows that are evidence (facts, counts, journal) are only ever added. Corrections point at what they replace.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.utils.translation import gettext_lazy as _

from compliance.fields import EncryptedJSONField, EncryptedTextField
from compliance.library import get_library
from compliance.models import Entity
from incidents.admissions import Admission  # noqa: F401  its table belongs to this app
from incidents.availability import Absence, Preference  # noqa: F401  their tables belong to this app
from incidents.channels.models import Endpoint
from incidents.holds import LegalHold  # noqa: F401  its table belongs to this app
from incidents.machine import FSMField, Machine, moves
from incidents.states import (
    EVIDENCE,
    INCIDENT,
    OBLIGATION,
    EvidenceState,
    IncidentState,
    ObligationState,
    SystemState,
)
from incidents.tokens import ApiToken  # noqa: F401  its table belongs to this app

WALL_CLOCK = "wall"


class Incident(Machine):
    """A suspected or confirmed incident, from the first word of it to its end."""

    class Kind(models.TextChoices):
        """Real from the first moment, or never."""

        REAL = "real", _("Real")
        DRILL = "drill", _("Drill")
        REPLAY = "replay", _("Replay")

    code = models.CharField(_("number"), max_length=40, unique=True)
    title = models.CharField(_("title"), max_length=200)
    summary = models.TextField(_("what happened"), blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.REAL)
    state = FSMField(default=IncidentState.REPORTED, choices=IncidentState.choices, protected=True)
    entities = models.ManyToManyField(Entity, related_name="incidents")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="owned_incidents")
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reported_at = models.DateTimeField(_("reported at"))
    closed_at = models.DateTimeField(null=True)
    # A replayed incident stands still at this instant; null for the others.
    clock_at = models.DateTimeField(null=True)
    # What a double click or a repeated request carries, so that it makes one incident and not two.
    request_key = models.CharField(max_length=64, null=True, unique=True)
    # The release of the law library that speaks about it, and the moment up to which added days off count.
    law_digest = models.CharField(max_length=64, blank=True)
    law_at = models.DateTimeField(null=True)
    # By the house's signs (policies); decides which ladder its clocks climb. Empty: none shows.
    severity = models.CharField(max_length=30, blank=True)
    # For the people named alone (incidents.admissions); nobody else learns that it exists.
    restricted = models.BooleanField(_("restricted"), default=False)

    class Meta:
        ordering = ("-reported_at", "-pk")

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    @property
    def timer_clock(self) -> str:
        """Which clock fires this incident's timers: the wall's, or the replay's own."""
        return f"replay:{self.code}" if self.kind == self.Kind.REPLAY else WALL_CLOCK

    @moves(state, INCIDENT["begin_assessment"])
    def begin_assessment(self) -> None:
        """Somebody has taken it up."""

    @moves(state, INCIDENT["confirm"])
    def confirm(self) -> None:
        """It did happen."""

    @moves(state, INCIDENT["dismiss"])
    def dismiss(self) -> None:
        """It was nothing; two people say so."""

    @moves(state, INCIDENT["close"])
    def close(self) -> None:
        """Nothing is owed any more."""

    @moves(state, INCIDENT["reopen"])
    def reopen(self) -> None:
        """It was not over."""


class Dismissal(models.Model):
    """A request to call an incident nothing; needs a reason and a second person."""

    class Decision(models.TextChoices):
        """What the second person said."""

        PENDING = "pending", _("Waiting for a second person")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="dismissals")
    reason = models.TextField(_("reason"))
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    decision = models.CharField(max_length=10, choices=Decision.choices, default=Decision.PENDING)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_note = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("incident",), condition=Q(decision="pending"), name="one_pending_dismissal"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")),
                name="dismissal_by_second_person",
            ),
        )

    def __str__(self) -> str:
        return f"{self.incident_id} {self.decision}"


class Fact(models.Model):
    """Something known, since when it was so and since when we know it. Never changed; the latest word counts.

    ``kind`` value: the latest not retracted one holds. candidate: one of several contested instants, all kept.
    adoption: a person chose candidate ``adopts`` as the one that counts. event: a repeatable happening, all kept.
    retraction: ``supersedes`` no longer holds (unknown again, unless another word stands).
    """

    class Kind(models.TextChoices):
        """How the row takes part in what is known."""

        VALUE = "value", _("Value")
        CANDIDATE = "candidate", _("Candidate")
        ADOPTION = "adoption", _("Adoption")
        EVENT = "event", _("Event")
        RETRACTION = "retraction", _("Retraction")

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="facts")
    # Null: the fact is the incident's. Otherwise it is this entity's alone (each has its own awareness).
    entity = models.ForeignKey(Entity, models.PROTECT, null=True, related_name="+")
    # Position within the incident: a stable name of the row that no other database changes.
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    # Sealed at rest where it is words; choices, moments and figures of the vocabulary stay readable for the database.
    value = EncryptedJSONField(null=True, when="personal")
    label = EncryptedTextField(max_length=300, blank=True)
    arguable = models.BooleanField(default=True)
    documented = models.BooleanField(default=True)
    source = EncryptedTextField(_("source"), max_length=500, blank=True)
    note = EncryptedTextField(_("reason"), blank=True)
    evidence = models.ForeignKey("Evidence", models.PROTECT, null=True, related_name="facts")
    supersedes = models.ForeignKey("self", models.PROTECT, null=True, related_name="superseded_by")
    adopts = models.ForeignKey("self", models.PROTECT, null=True, related_name="adoptions")
    occurred_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # What the journal holds of it: the digest of its content with its salt. Redaction destroys content and salt and
    # leaves the digest, which nobody can then guess.
    salt = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    redacted_at = models.DateTimeField(null=True)
    redacted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    redaction_reason = models.TextField(_("reason"), blank=True)

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("incident", "number"), name="fact_number_once"),)

    def __str__(self) -> str:
        return f"{self.incident_id}#{self.number} {self.name}"

    @property
    def personal(self) -> bool:
        """Whether the value may name people: words do, and so may what the vocabulary does not know (any more)."""
        definition = get_library().facts.get(self.name)
        return definition is None or definition.type == "text"


class PeopleCount(models.Model):
    """How many people of one place of residence are affected, as known at ``recorded_at``; the latest row counts."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="people_counts")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    residence = models.CharField(_("residence"), max_length=12)
    count = models.PositiveBigIntegerField(_("people"), null=True)
    categories = models.JSONField(_("data categories"), default=list)
    # All of these people's data was unreadable; the key was taken with it. Null: not known.
    encrypted = models.BooleanField(_("encrypted"), null=True)
    key_taken = models.BooleanField(_("key taken"), null=True)
    source = models.CharField(max_length=500, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed at"))
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("recorded_at", "pk")

    def __str__(self) -> str:
        return f"{self.residence} {self.count}"


class RuleDecision(models.Model):
    """A person's word on a rule of low confidence: follow it as hard law in this incident, or don't. The latest counts."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="rule_decisions")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    rule = models.CharField(max_length=120)
    follow = models.BooleanField(_("follow it"))
    reason = models.TextField(_("reason"))
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ("decided_at", "pk")

    def __str__(self) -> str:
        return f"{self.rule} {'followed' if self.follow else 'not followed'}"


class Classification(models.Model):
    """What a person adopted of a severity or classification method, with the answers and the whole working. Never changed,
    but for redaction; the latest row of an entity and method counts.

    ``answers`` is what was answered, as the method reads it. ``proposal`` is what came of it, with every level there was.
    """

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="classifications")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    method = models.CharField(max_length=40)
    # Of the method's data, so that a later reader can tell by which text it was worked out.
    digest = models.CharField(max_length=64)
    answers = models.JSONField()
    proposal = models.JSONField()
    chosen = models.CharField(max_length=40)
    reason = models.TextField(_("reason"), blank=True)
    adopted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    adopted_at = models.DateTimeField()
    # What the journal's digest of answers, working and reason was made with. Redaction empties them and destroys it.
    salt = models.CharField(max_length=64, blank=True)
    redacted_at = models.DateTimeField(null=True)
    redacted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    redaction_reason = models.TextField(_("reason"), blank=True)

    class Meta:
        ordering = ("adopted_at", "pk")

    def __str__(self) -> str:
        return f"{self.method} {self.chosen}"

    @property
    def departs(self) -> bool:
        """Whether the person chose otherwise than was proposed, or chose where nothing was."""
        proposed = self.proposal["level"]
        return proposed is None or proposed["key"] != self.chosen

    @property
    def level(self) -> dict[str, Any]:
        """The level that was chosen, as the method had it."""
        return next(level for level in self.proposal["levels"] if level["key"] == self.chosen)


class AffectedSystem(models.Model):
    """One affected system: when it was found and by whom."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="systems")
    name = models.CharField(_("system"), max_length=200)
    address = models.CharField(_("address"), max_length=200, blank=True)
    kind = models.CharField(_("kind of system"), max_length=100, blank=True)
    state = models.CharField(_("state"), max_length=20, choices=SystemState.choices, blank=True)
    note = models.TextField(_("note"), blank=True)
    evidence = models.ForeignKey("Evidence", models.PROTECT, null=True, related_name="systems")
    purpose = models.CharField(_("purpose"), max_length=200, blank=True)
    finding = models.CharField(_("finding"), max_length=300, blank=True)
    found_at = models.DateTimeField(_("found at"), null=True)
    # Sources often give a month only: then this says so and found_at stays null.
    found_when = models.CharField(_("found (as documented)"), max_length=100, blank=True)
    found_by = models.CharField(_("found by"), max_length=200)
    source = models.CharField(max_length=500, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("incident", "name"), name="system_once"),)

    def __str__(self) -> str:
        return self.name


class SystemImport(models.Model):
    """A list of affected systems on its way in: read and checked step by step, and taken over whole or not at all.

    Not a record: what is taken over is written in the journal, and the list itself is emptied then.
    """

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", _("Waiting to be read")
        CHECKING = "checking", _("Being checked")
        READY = "ready", _("Ready to be taken over")
        REFUSED = "refused", _("Has errors")
        DONE = "done", _("Taken over")
        CANCELLED = "cancelled", _("Cancelled")

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="system_imports")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    found_by = models.CharField(max_length=200, blank=True)
    content = models.BinaryField(null=True)
    # The cells, as compressed JSON.
    rows = models.BinaryField(null=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    total = models.PositiveIntegerField(default=0)
    checked = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    errors = models.JSONField(default=list)
    error_count = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.name


class Evidence(Machine):
    """A log source, file or record. One that will be overwritten has a clock of its own."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="evidence_items")
    number = models.PositiveIntegerField()
    title = models.CharField(_("evidence"), max_length=200)
    description = EncryptedTextField(_("description"), blank=True)
    location = EncryptedTextField(_("where it is"), max_length=300, blank=True)
    state = FSMField(default=EvidenceState.AT_RISK, choices=EvidenceState.choices, protected=True)
    expires_at = models.DateTimeField(_("preserve before"), null=True)
    expired_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    settled_note = EncryptedTextField(blank=True)
    generation = models.PositiveIntegerField(default=1)
    source = models.CharField(max_length=500, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("incident", "number"), name="evidence_number_once"),)

    def __str__(self) -> str:
        return self.title

    @moves(state, EVIDENCE["preserve"])
    def preserve(self) -> None:
        """It is safe."""

    @moves(state, EVIDENCE["lose"])
    def lose(self) -> None:
        """It is gone."""


COUNTED = (
    "state", "incident", "entity", "jurisdiction", "authority", "due_at", "target_at", "opened_at", "starts_at", "met_at", "id",
)  # fmt: skip


class Obligation(Machine):
    """One duty: an incident, an entity, a rule, a stage, an addressee and an occurrence. Computed, never typed in."""

    # A duty is certain or only possible from its first moment.
    begins_in = frozenset({ObligationState.RUNNING})

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="obligations")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="obligations")
    rule = models.CharField(max_length=120)
    stage = models.CharField(max_length=60)
    # Empty for a duty that exists once; otherwise the key of the event that opened it ("fact:12").
    occurrence = models.CharField(max_length=60, blank=True)
    audience = models.CharField(max_length=20)
    jurisdiction = models.CharField(max_length=12)
    state = FSMField(default=ObligationState.POSSIBLE, choices=ObligationState.choices, protected=True)
    version = models.CharField(max_length=20)
    revision = models.PositiveIntegerField()
    rule_digest = models.CharField(max_length=64)
    standard = models.CharField(max_length=30)
    starts_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    due_zone = models.CharField(max_length=60)
    # House policy for vague standards; never law.
    target_at = models.DateTimeField(null=True)
    # The assessed duty as the engine gave it (Duty.to_json): reasons, questions, trace, alternatives, citations.
    duty = models.JSONField()
    # The first addressee's English name, taken out of ``duty`` by the database, so that boards filter and count by it.
    authority = models.GeneratedField(
        expression=KT("duty__addressees__0__en"),
        output_field=models.CharField(max_length=300, null=True),
        db_persist=True,
    )
    generation = models.PositiveIntegerField(default=1)
    # The ladder that the present generation climbs, by its key in the house policy.
    ladder = models.CharField(max_length=40, blank=True)
    opened_at = models.DateTimeField()
    overdue_at = models.DateTimeField(null=True)
    met_at = models.DateTimeField(null=True)
    late_reason = models.TextField(_("reason for lateness"), blank=True)
    late_reason_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    late_reason_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("due_at", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("incident", "entity", "rule", "stage", "occurrence"), name="obligation_once"
            ),
        )
        indexes = (
            models.Index(
                fields=("due_at",), condition=Q(state__in=("possible", "running", "overdue")), name="open_obligations"
            ),
            # What the board and the manager's view count and sort by, without the rows themselves. Not partial: SQLite does
            # not see that a bound value fits a condition.
            models.Index(fields=COUNTED, name="duties_by_state"),
        )

    def __str__(self) -> str:
        return f"{self.incident_id} {self.rule}/{self.stage} {self.occurrence}".strip()

    @property
    def identity(self) -> tuple[str, str, str]:
        """What the engine calls this duty."""
        return (self.rule, self.stage, self.occurrence)

    @moves(state, OBLIGATION["harden"])
    def harden(self) -> None:
        """The open question was answered: it is required."""

    @moves(state, OBLIGATION["soften"])
    def soften(self) -> None:
        """A fact it rested on is unknown again."""

    @moves(state, OBLIGATION["lapse"])
    def lapse(self) -> None:
        """The facts say that it does not apply."""

    @moves(state, OBLIGATION["revive"])
    def revive(self) -> None:
        """The facts say that it applies after all."""

    @moves(state, OBLIGATION["revive_as_possible"])
    def revive_as_possible(self) -> None:
        """The facts say that it may apply after all."""

    @moves(state, OBLIGATION["mark_overdue"])
    def mark_overdue(self) -> None:
        """The due moment has passed."""

    @moves(state, OBLIGATION["extend"])
    def extend(self) -> None:
        """The due moment was moved behind now by a fact."""

    @moves(state, OBLIGATION["meet"])
    def meet(self) -> None:
        """Done in time."""

    @moves(state, OBLIGATION["meet_late"])
    def meet_late(self) -> None:
        """Done after the due moment."""

    @moves(state, OBLIGATION["judge_late"])
    def judge_late(self) -> None:
        """It was done, but after the due moment as now known."""

    @moves(state, OBLIGATION["judge_timely"])
    def judge_timely(self) -> None:
        """It was done before the due moment as now known."""

    @moves(state, OBLIGATION["excuse"])
    def excuse(self) -> None:
        """A lawful exception applies; two people say so."""

    @moves(state, OBLIGATION["reopen"])
    def reopen(self) -> None:
        """What was sent did not count."""


class Excuse(models.Model):
    """A request to treat a duty as lawfully excepted: cited, reasoned, and decided by a second person."""

    obligation = models.ForeignKey(Obligation, models.PROTECT, related_name="excuses")
    provision = models.CharField(_("provision"), max_length=300)
    reason = models.TextField(_("reason"))
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    approved = models.BooleanField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("obligation",), condition=Q(approved__isnull=True), name="one_pending_excuse"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")), name="excuse_by_second_person"
            ),
        )

    def __str__(self) -> str:
        return f"{self.obligation_id} {self.provision}"


class Timer(models.Model):
    """An instant at which something must happen. The due instant never changes: re-timing inserts a new generation."""

    class State(models.TextChoices):
        """What became of it."""

        PENDING = "pending", _("Pending")
        FIRED = "fired", _("Fired")
        OBSOLETE = "obsolete", _("Obsolete")

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="timers")
    clock = models.CharField(max_length=60, default=WALL_CLOCK)
    kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    key = models.CharField(max_length=60)
    generation = models.PositiveIntegerField()
    payload = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    attempt_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    fired_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("due_at", "pk")
        constraints = (models.UniqueConstraint(fields=("kind", "subject_id", "generation", "key"), name="timer_once"),)
        indexes = (
            models.Index(fields=("clock", "attempt_at", "id"), condition=Q(state="pending"), name="pending_timers"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}/{self.generation} {self.key}"


class Escalation(models.Model):
    """A rung of a ladder that was reached. One per timer, so none can happen twice."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="escalations")
    timer = models.OneToOneField(Timer, models.PROTECT, related_name="escalation")
    obligation = models.ForeignKey(Obligation, models.PROTECT, null=True, related_name="escalations")
    evidence = models.ForeignKey(Evidence, models.PROTECT, null=True, related_name="escalations")
    rung = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    roles = models.JSONField(default=list)
    at = models.DateTimeField()
    fired_at = models.DateTimeField()
    # What else is to be said of it: steps merged into it, that it came sooner, that the duty was found overdue.
    detail = models.JSONField(default=dict)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # Empty: signed in. Otherwise the short name of the link, which was sent to ``acknowledged_by`` and used by its holder.
    acknowledged_link = models.CharField(max_length=16, blank=True)

    class Meta:
        ordering = ("at", "pk")
        indexes = (models.Index(fields=("obligation", "at", "acknowledged_at"), name="escalations_of_obligation"),)

    def __str__(self) -> str:
        return f"{self.incident_id} {self.rung}"

    @property
    def late_seconds(self) -> int:
        """How many whole seconds after its instant it happened."""
        return max(0, int((self.fired_at - self.at).total_seconds()))


class OutboxMessage(models.Model):
    """Something to be told. Written with the change it tells of; sent afterwards, at least once, with one Message-ID."""

    class State(models.TextChoices):
        """Where it is. ``withheld``: a replay's, which reaches no real channel."""

        PENDING = "pending", _("Pending")
        CLAIMED = "claimed", _("Being sent")
        SENT = "sent", _("Sent")
        WITHHELD = "withheld", _("Withheld (replay)")
        FAILED = "failed", _("Settled by a person")

    incident = models.ForeignKey(Incident, models.PROTECT, null=True, related_name="messages")
    escalation = models.ForeignKey(Escalation, models.PROTECT, null=True, related_name="messages")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    channel = models.CharField(max_length=20, default="email")
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=300)
    body = EncryptedTextField()
    html = EncryptedTextField(blank=True)
    dedupe = models.CharField(max_length=200, unique=True)
    message_id = models.CharField(max_length=200, unique=True)
    # Where it goes when that is no mailbox; the address itself is never copied.
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, null=True, related_name="messages")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    attempt_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    # When others were told that it does not arrive; and who said that this person was told another way.
    shouted_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("created_at", "pk")
        indexes = (
            models.Index(
                fields=("attempt_at", "id"), condition=Q(state__in=("pending", "claimed")), name="unsent_messages"
            ),
        )

    def __str__(self) -> str:
        return self.dedupe


class JournalHead(models.Model):
    """The newest entry of a chain; locking it serialises writers of the chain."""

    chain = models.CharField(max_length=60, unique=True)
    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence}"


class JournalEntry(models.Model):
    """What was done, by whom, when, over which subject. The database refuses to change or delete it."""

    # Of the format of the entry: 1 as first written, 2 with salted digests and a primary key that follows from its place.
    version = models.PositiveSmallIntegerField(default=1)
    chain = models.CharField(max_length=60)
    sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    actor = models.CharField(max_length=60)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    old = models.CharField(max_length=64, blank=True)
    new = models.CharField(max_length=64, blank=True)
    # What ``old`` and ``new`` were digested with, unless the value keeps a salt of its own.
    salt = models.CharField(max_length=64, blank=True)
    # Short particulars without personal data: codes, rule ids, instants, digests.
    detail = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ("chain", "sequence")
        constraints = (models.UniqueConstraint(fields=("chain", "sequence"), name="journal_sequence_once"),)

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence} {self.action}"


class Heartbeat(models.Model):
    """When a watcher was last alive."""

    name = models.CharField(max_length=60, unique=True)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name
