"""What the endpoints of incidents take and give. Keys that are not here are refused, so nothing can be set in passing."""

from typing import Annotated, Any, Literal

from django.utils.translation import gettext_lazy as _
from ninja import Schema
from pydantic import Field

from incidents.api.paging import Paging
from incidents.api.reading import Flag, Instant, Key, Line, Moment, Number, Short, Strict, Text, Words, words_of
from incidents.states import EvidenceState, IncidentState, ObligationState

FUTURE = _("Expected a moment that is not in the future.")
Title = words_of(200, 1)
Place = words_of(12)
Count = Annotated[int, Field(ge=0, le=10**12)]


class Named(Schema):
    """A legal entity by its key and names."""

    key: str
    name: Words


class EntityOut(Named):
    """A legal entity as the law sees it, and what the caller is in it."""

    zone: str
    roles: list[str]
    sectors: list[str]
    establishments: list[str]
    main_establishment: str
    markets: list[str] | None
    my_roles: list[str]


class IncidentOut(Schema):
    """An incident. Times carry the offset of ``zone``."""

    code: str
    title: str
    summary: str
    kind: str
    state: str
    state_label: Words
    severity: str
    entities: list[Named]
    owner: str | None
    reported_by: str | None
    reported_at: Instant
    closed_at: Instant | None
    zone: str
    law_digest: str
    may: list[Literal["handle", "decide", "export"]]


class IncidentFilter(Paging):
    """Which incidents."""

    state: IncidentState | None = None
    kind: Literal["real", "drill", "replay"] | None = None
    entity: Key | None = None


class ReportIn(Strict):
    """A suspicion. What is left out or null stays unknown: the duties that depend on it are possible, not absent."""

    title: Title
    summary: Text = ""
    entities: Annotated[list[Key], Field(min_length=1, max_length=50)]
    kind: Literal["real", "drill"] = "real"
    known_at: Moment | None = None
    known_label: words_of(300) = ""
    is_cyber: Flag | None = None
    personal_data: Flag | None = None
    leak_suspected_at: Moment | None = None
    source: Line = ""


Outcome = Literal["preserved", "lost"]


class ReasonIn(Strict):
    """Why."""

    reason: Text


class NoteIn(Strict):
    """A note."""

    note: Text


class OwnerIn(Strict):
    """Who takes it over: the name that person signs in with."""

    owner: words_of(150, 1)


class DecisionIn(Strict):
    """Yes or no, and a note."""

    approve: Flag
    note: Text = ""


class DismissalOut(Schema):
    """A request to call an incident nothing."""

    id: int
    decision: str
    requested_by: str | None
    requested_at: Instant
    decided_by: str | None
    decided_at: Instant | None


Value = Flag | Annotated[int, Field(strict=True)] | Text | list[words_of(100)]


class FactIn(Strict):
    """A fact of the vocabulary. ``value`` has the vocabulary's type; instants are ISO 8601 with offset."""

    name: Key
    value: Value
    entity: Key | None = None
    label: words_of(300) = ""
    arguable: Flag = True
    documented: Flag = True
    source: Line = ""
    note: Text = ""
    occurred_at: Moment | None = None
    evidence: Number | None = None


class FactsIn(Strict):
    """Facts recorded as one change, all or none."""

    facts: Annotated[list[FactIn], Field(min_length=1, max_length=100)]


class FactFilter(Paging):
    """Which facts: of one name; only what was recorded up to a moment."""

    name: Key | None = None
    as_of: Moment | None = None


class FactOut(Schema):
    """A recorded fact. ``standing``: neither taken back nor redacted."""

    number: int
    name: str
    label_of_name: Words | None
    kind: str
    entity: str | None
    value: Any
    label: str
    arguable: bool
    documented: bool
    source: str
    note: str
    evidence: int | None
    supersedes: int | None
    adopts: int | None
    standing: bool
    redacted: bool
    occurred_at: Instant | None
    recorded_at: Instant
    recorded_by: str | None


class PeopleIn(Strict):
    """How many people of one place are affected. null: not known."""

    entity: Key
    residence: Place
    count: Count | None
    categories: Annotated[list[Short], Field(max_length=50)] = []
    encrypted: Flag | None = None
    key_taken: Flag | None = None
    confirmed_at: Moment
    source: Line = ""


class PeopleOut(Schema):
    """The latest count of one place."""

    entity: str
    residence: str
    count: int | None
    categories: list[str]
    encrypted: bool | None
    key_taken: bool | None
    confirmed_at: Instant
    recorded_at: Instant
    recorded_by: str | None


class SystemIn(Strict):
    """An affected system."""

    name: Title
    found_by: Title
    purpose: words_of(200) = ""
    finding: words_of(300) = ""
    found_at: Moment | None = None
    source: Line = ""


class SystemsIn(Strict):
    """Systems, all or none."""

    systems: Annotated[list[SystemIn], Field(min_length=1, max_length=1000)]


class SystemOut(Schema):
    """An affected system."""

    name: str
    purpose: str
    finding: str
    found_at: Instant | None
    found_when: str
    found_by: str
    recorded_at: Instant


class Added(Schema):
    """How many were added."""

    added: int


class EvidenceIn(Strict):
    """A piece of evidence; with ``expires_at`` its preservation has a clock of its own."""

    title: Title
    description: Text = ""
    location: words_of(300) = ""
    expires_at: Moment | None = None
    source: Line = ""


class EvidenceOut(Schema):
    """A piece of evidence."""

    number: int
    title: str
    description: str
    location: str
    state: EvidenceState
    expires_at: Instant | None
    settled_at: Instant | None
    settled_by: str | None
    settled_note: str
    source: str
    recorded_at: Instant
    recorded_by: str | None


class DutyOut(Schema):
    """A duty and its clock. ``due_at`` null: the law sets no number. ``seconds_left`` counts down, negative when late."""

    id: int
    incident: str
    entity: Named
    rule: str
    stage: str
    occurrence: str
    jurisdiction: str
    audience: str
    title: Words
    instrument: Words
    addressees: list[Words]
    state: ObligationState
    state_label: Words
    clock: str
    standard: str
    limit: Words
    starts_at: Instant | None
    due_at: Instant | None
    due_zone: str
    target_at: Instant | None
    seconds_left: int | None
    late: bool
    late_reason: str
    late_reason_missing: bool
    met_at: Instant | None
    opened_at: Instant
    confidence: str
    questions: list[str]


class Assessed(Schema):
    """What the engine says of one duty; the stable form of ``manage.py assess``. Instants carry the offset of ``due_zone``."""

    rule: str
    stage: str
    occurrence: str
    entity: str
    jurisdiction: str
    instrument: Words
    title: Words
    audience: str
    addressees: list[Words]
    status: Literal["required", "possible", "not_required"]
    version: str
    revision: int
    digest: str
    standard: str
    ceiling_of: str | None
    limit: Words
    starts_at: Instant | None
    due_at: Instant | None
    due_zone: str
    provisional: bool
    concerns_entity: bool
    opens_at: Instant | None
    guidance: dict[str, Any] | None
    order: list[Words]
    later_readings: list[dict[str, Any]]
    alternatives: list[dict[str, Any]]
    trace: list[dict[str, Any]]
    because: list[dict[str, Any]]
    questions: list[str]
    citations: list[dict[str, Any]]
    confidence: str
    doubts: Words | None
    note: Words | None
    contents: list[Words]
    exemptions: list[Words]
    penalties: Words


class ExcuseOut(Schema):
    """A request to treat a duty as lawfully excepted."""

    id: int
    duty: int
    provision: str
    reason: str
    approved: bool | None
    requested_by: str | None
    requested_at: Instant
    decided_by: str | None
    decided_at: Instant | None


class DutyFull(DutyOut):
    """A duty with everything a lawyer would ask about it."""

    assessed: dict[str, Any]
    excuses: list[ExcuseOut]


class DutyFilter(Strict):
    """Which duties: of one state or entity; only the open ones."""

    state: ObligationState | None = None
    entity: Key | None = None
    open: bool = False


class BoardFilter(Strict):
    """Which clocks: of real and drill incidents, or of replays."""

    replays: bool = False


class MetIn(Strict):
    """That a duty was done, when, and what shows it."""

    done_at: Moment
    reference: words_of(200, 1)


class ExcuseIn(Strict):
    """The lawful exception that is claimed."""

    provision: words_of(300, 3)
    reason: Text


class ApproveIn(Strict):
    """Yes or no."""

    approve: Flag


class EscalationOut(Schema):
    """A rung that was reached."""

    id: int
    step: str
    kind: str
    roles: list[str]
    duty: int | None
    evidence: int | None
    at: Instant
    fired_at: Instant
    acknowledged_at: Instant | None
    acknowledged_by: str | None


class EntryOut(Schema):
    """An entry of the journal: what was done, by whom, never the content itself."""

    sequence: int
    at: Instant
    actor: str
    action: str
    words: Words
    subject: str
    old: str
    new: str
    detail: dict[str, Any]
    previous: str
    hash: str


class MessagesOut(Schema):
    """Who was told what."""

    incident: str
    count: int
    page: int
    pages: int
    messages: list[dict[str, Any]]


class MessagesFilter(Schema):
    """Which messages. What is no number is left out."""

    duty: Annotated[str, Field(max_length=40)] | None = None
    person: Annotated[str, Field(max_length=40)] | None = None
    state: Annotated[str, Field(max_length=40)] | None = None
    page: Annotated[str, Field(max_length=40)] | None = None


class AssessmentFilter(Strict):
    """For which entity, and as known at which moment."""

    entity: Key | None = None
    as_of: Moment | None = None
    status: Literal["required", "possible", "not_required"] | None = None


class AssessmentOut(Schema):
    """Every duty and non-duty; the stable form of ``manage.py assess``."""

    library: dict[str, str]
    as_of: Instant
    duties: list[Assessed]
    questions: list[str]
    not_in_force: list[dict[str, Any]]


class EffectOut(Schema):
    """What newer law, or an answer, would do to one duty. ``before`` null: it is new; ``after`` null: it is gone."""

    entity: str
    kind: str
    before: Assessed | None
    after: Assessed | None


class PreviewFilter(Schema):
    """Which question."""

    name: Key


class PreviewIn(Strict):
    """An answer to try. ``value`` null: it is not known."""

    name: Key
    value: Value | None
    entity: Key | None = None
    label: words_of(300) = ""
    arguable: Flag = True


class PreviewOut(Schema):
    """What an answer would change: how many duties become certain, appear as possible, lapse or move, and which."""

    name: str
    value: Any
    certain: int
    possible: int
    lapsed: int
    retimed: int
    first_due_at: Instant | None
    effects: list[EffectOut]


class RuleFilter(Paging):
    """Which rules: of one place, or that hold these words."""

    place: Place | None = None
    q: Annotated[str, Field(max_length=100)] | None = None


class RuleOut(Schema):
    """A rule of the library."""

    key: str
    jurisdiction: str
    kind: str
    title: Words
    instrument: Words
    addressees: list[Words]
    who: Words
    versions: list[str]


class StageOut(Schema):
    """One thing a version asks."""

    key: str
    title: Words
    audience: str
    standard: str
    limit: Words
    contents: list[Words]


class VersionOut(Schema):
    """A version of a rule. ``until`` is exclusive."""

    key: str
    start: str | None
    until: str | None
    standing: str
    revision: int
    digest: str
    confidence: str
    doubts: Words | None
    carries_out: Words
    citations: list[dict[str, Any]]
    stages: list[StageOut]
    exemptions: list[Words]
    penalties: Words
    records: Words
    channel: Words


class RuleFull(RuleOut):
    """A rule with its versions, newest first."""

    zone: str
    calendar: str
    versions_in_full: list[VersionOut]


class CalculateFilter(Strict):
    """From which moment which stage is counted; ``version`` (its first day) where it is not that of the moment."""

    stage: Key
    start: Moment
    version: Annotated[str, Field(max_length=10)] | None = None


class DeadlineOut(Schema):
    """A counted period with its steps. ``due_at`` null: the law sets no number."""

    rule: str
    stage: str
    version: str
    standard: str
    limit: Words
    starts_at: Instant | None
    due_at: Instant | None
    due_zone: str
    trace: list[dict[str, Any]]
    later_readings: list[dict[str, Any]]
    citations: list[dict[str, Any]]


class FactName(Schema):
    """A word of the vocabulary."""

    name: str
    type: str
    label: Words
    question: Words
    choices: dict[str, Words]
