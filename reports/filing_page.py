"""What the page of one filing shows around its fields: how far it is, what it waits for, what differs from the last one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from compliance.engine import LocalText
from incidents.selectors import Clock, clock_of
from incidents.templatetags.clocks import said
from incidents.word_diff import GONE, NEW, Piece, words_apart
from reports.forms import Form
from reports.models import Filing
from reports.states import FilingState

# The way of a filing; where one of the others ends it, that stands last instead.
_WAY = (
    FilingState.DRAFT,
    FilingState.IN_REVIEW,
    FilingState.APPROVED,
    FilingState.FROZEN,
    FilingState.SUBMITTED,
    FilingState.ACKNOWLEDGED,
)
_ENDS = (FilingState.REFUSED, FilingState.WITHDRAWN, FilingState.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class Step:
    """One state on the way. ``place``: done, here or ahead; ``end``: it went no further by itself."""

    label: str
    place: str
    end: bool = False


def steps(filing: Filing) -> list[Step]:
    """The way of ``filing`` and where it stands on it."""
    if filing.state in _ENDS:
        walked = _walked(filing)
        return [
            *(Step(str(state.label), "done") for state in walked),
            Step(str(filing.get_state_display()), "here", True),
        ]  # type: ignore[attr-defined]
    here = _WAY.index(FilingState(filing.state))
    return [
        Step(str(state.label), "done" if number < here else "here" if number == here else "ahead")
        for number, state in enumerate(_WAY)
    ]


def _walked(filing: Filing) -> Sequence[FilingState]:
    """The states an ended filing certainly went through."""
    if filing.state == FilingState.REFUSED:
        return _WAY[:5]
    if filing.document_id is not None:
        return _WAY[:4]
    return _WAY[:3] if filing.approved_at else _WAY[:2] if filing.round else _WAY[:1]


@dataclass(frozen=True, slots=True)
class Open:
    """Something to settle before the filing goes on, and where on the page that is done. ``stops``: nobody passes it."""

    text: str
    anchor: str
    stops: bool = True


def to_settle(
    filing: Filing, form: Form, missing: Sequence[str], review: Mapping[str, Any], late: Sequence[Any]
) -> list[Open]:
    """What a filing that is not frozen waits for, in the order of the page; empty when nothing does."""
    if filing.document_id is not None or filing.state == FilingState.WITHDRAWN:
        return []
    found = [
        Open(_("Reason for the delay: %(duty)s") % {"duty": said(item["duty"].duty["title"])}, "late") for item in late
    ]
    for denial in review["bare"]:
        words = {"number": denial.field.number, "label": said(denial.field.label)}
        found.append(Open(_("Evidence for what %(number)s. %(label)s denies") % words, "denials"))
    labels = {field.key: field for field in form.fields(filing.stage)}
    for key in missing:
        field = labels[key].at(filing.stage)
        found.append(Open(f"{field.number}. {said(field.label)}: " + _("required and still missing"), f"field-{key}"))
    return found + _softer(review)


def _softer(review: Mapping[str, Any]) -> list[Open]:
    """What a person may pass with a reason."""
    found = []
    if review["conflicts"]:
        words = ngettext_lazy(
            "%(many)d field told differently elsewhere", "%(many)d fields told differently elsewhere", "many"
        )
        found.append(Open(str(words % {"many": len(review["conflicts"])}), "conflicts", stops=False))
    if review["open_threads"]:
        words = ngettext_lazy("%(many)d open comment", "%(many)d open comments", "many")
        found.append(Open(str(words % {"many": review["open_threads"]}), "comments", stops=False))
    return found


def open_threads(threads: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many open comments each field has, by its key."""
    found: dict[str, int] = {}
    for thread in threads:
        if thread["first"].resolved_at is None:
            found[thread["first"].field] = found.get(thread["first"].field, 0) + 1
    return found


def clocks(filing: Filing, *, now: datetime) -> list[Clock]:
    """The clocks of the duties that ``filing`` answers."""
    rows = filing.obligations.select_related("incident", "entity", "late_reason_by").order_by("due_at", "pk")
    return [clock_of(row, now=now) for row in rows]


@dataclass(frozen=True, slots=True)
class Changed:
    """A field that says something else than the addressee was last told, word by word."""

    label: LocalText | Mapping[str, str]
    before: tuple[Piece, ...]
    after: tuple[Piece, ...]


def changed(changes: Sequence[Mapping[str, Any]]) -> list[Changed]:
    """The changes of a filing with what went out marked in the old words and what came in marked in the new ones."""
    found = []
    for change in changes:
        pieces = words_apart(change["before"], change["after"])
        before = tuple(piece for piece in pieces if piece.kind != NEW)
        after = tuple(piece for piece in pieces if piece.kind != GONE)
        found.append(Changed(change["label"], before, after))
    return found
