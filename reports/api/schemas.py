"""What the endpoints of filings take and give."""

from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

from incidents.api.reading import Flag, Instant, Key, Moment, Number, Strict, Text, Words, words_of
from incidents.api.schemas import Named
from reports.states import FilingState

Receipt = words_of(100)
Short = words_of(2000)


class FilingOut(Schema):
    """A filing in a list."""

    name: str
    number: int
    form: str
    form_title: Words
    stage: str
    stage_title: Words
    entity: Named
    state: FilingState
    state_label: Words
    duties: list[int]
    author: str | None
    created_at: Instant
    privileged: bool
    edition: int
    frozen_at: Instant | None
    sha256: str | None
    statement_digest: str | None
    submitted_at: Instant | None


class FieldOut(Schema):
    """One field of the form: what stands in it, where it came from, and whether this stage needs it."""

    key: str
    number: str
    label: Words
    type: str
    need: str | None
    value: Any
    status: Literal["given", "unknown", "missing", "blank"]
    provenance: dict[str, Any] | None
    edited: bool
    options: dict[str, Words]
    max_length: int


class ApprovalOut(Schema):
    """That a person stands behind it."""

    by: str | None
    standing_for: str | None
    at: Instant
    reason: str


class SubmissionOut(Schema):
    """The hand-over and what came back."""

    submitted_at: Instant
    channel: str
    receipt_number: str
    note: str
    proof: bool
    recorded_by: str | None
    recorded_at: Instant
    outcome: Literal["pending", "acknowledged", "refused"]
    outcome_at: Instant | None
    outcome_note: str


class DispatchOut(Schema):
    """A frozen filing on its way through a channel of this house."""

    id: int
    channel: str
    state: Literal["waiting", "sending", "sent", "uncertain", "not_sent"]
    requested_by: str | None
    requested_at: Instant
    ended_at: Instant | None
    error: str


class RequestOut(Schema):
    """An authority asks for more."""

    id: int
    text: str
    received_at: Instant
    due_at: Instant | None
    answered_at: Instant | None
    answer: str


class FilingFull(FilingOut):
    """A filing with its fields and everything that was done to it."""

    form_version: str
    previous: int | None
    fields: list[FieldOut]
    missing: list[str]
    edited_by: str | None
    edited_at: Instant | None
    review_note: str
    approvals: list[ApprovalOut]
    approvals_missing: int
    frozen_by: str | None
    channels: dict[str, Words]
    submission: SubmissionOut | None
    dispatches: list[DispatchOut]
    requests: list[RequestOut]
    moves: list[str]


class DraftIn(Strict):
    """Which duties the filing answers: of one entity and one form."""

    duties: Annotated[list[Number], Field(min_length=1, max_length=200)]
    form: Key | None = None


class FieldsIn(Strict):
    """New values by field key; null: not known yet. A choice is given by its key, several separated by commas; an instant
    in ISO 8601 with offset."""

    values: Annotated[dict[words_of(60), Text | None], Field(min_length=1, max_length=500)]


class GroundIn(Strict):
    """What a denial in a field rests on: a piece of evidence or a fact, by its number."""

    field: Key
    evidence: Number | None = None
    fact: Number | None = None


class CommentIn(Strict):
    """A remark on a field, or an answer to one."""

    field: Key
    text: Text
    answers: Number | None = None
    privileged: Flag = False


class CommentOut(Schema):
    """A remark on a field."""

    id: int
    field: str
    text: str
    answers: int | None
    privileged: bool
    by: str | None
    at: Instant
    resolved_by: str | None
    resolved_at: Instant | None


class ApproveIn(Strict):
    """Why it goes out although it differs from what was told elsewhere, or although remarks are open."""

    reason: Text = ""
    comments_reason: Text = ""


class ReturnIn(Strict):
    """What is wanted."""

    note: Text


class ReasonIn(Strict):
    """Why."""

    reason: Text


class PrivilegeIn(Strict):
    """Whether lawyers keep the draft to themselves."""

    privileged: Flag


class ProofIn(Strict):
    """A proof of the hand-over: PDF, PNG or JPEG in base64. Larger ones go through the page."""

    name: words_of(200, 1)
    base64: words_of(4_800_000, 1)


class SubmissionIn(Strict):
    """That a person handed the filing over."""

    submitted_at: Moment
    channel: Key
    receipt_number: Receipt = ""
    note: Short = ""
    proof: ProofIn | None = None


class OutcomeIn(Strict):
    """What came back. A refusal needs a note."""

    outcome: Literal["acknowledged", "refused"]
    outcome_at: Moment
    note: Short = ""


class DispatchIn(Strict):
    """Through which channel of this house, to which address."""

    channel: Key
    target: words_of(254)


class ResolveIn(Strict):
    """What a person found out about an uncertain hand-over, and how it is known."""

    sent: Flag
    submitted_at: Moment | None = None
    note: Short


class RequestIn(Strict):
    """What an authority asks for."""

    text: words_of(4000)
    received_at: Moment
    due_at: Moment | None = None


class AnswerIn(Strict):
    """How it was answered."""

    answer: Short
