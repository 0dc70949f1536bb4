"""What a person may see: the clocks, computed at the moment of asking. Overdue is derived here from the due moment,
so that a dispatcher that stands still hides nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.contrib.auth.models import User
from django.db.models import Prefetch, QuerySet
from django.utils.functional import Promise

from compliance.engine import LocalText
from incidents import access
from incidents.models import Escalation, Incident, Obligation
from incidents.services.obligations import is_late
from incidents.states import OPEN_OBLIGATION, ObligationState

# How far ahead of its due moment a clock is shown as near. A matter of display, not of law.
NEAR = timedelta(hours=24)


class Tone(StrEnum):
    """The kinds of clock, each with a word, a shape and a colour of its own."""

    OVERDUE = "overdue"
    NEAR = "near"
    RUNNING = "running"
    POSSIBLE = "possible"
    OPEN_NOW = "open_now"
    MET = "met"
    MET_LATE = "met_late"
    NOT_REQUIRED = "not_required"
    EXCUSED = "excused"


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being done about a duty, from the room above: words and where to go on."""

    label: str | Promise
    url: str


ProgressSource = Callable[[Sequence[int]], Mapping[int, Progress]]
_progress_sources: list[ProgressSource] = []


def register_progress(source: ProgressSource) -> None:
    """Let a room above say what is being done about duties (by obligation id)."""
    if source not in _progress_sources:
        _progress_sources.append(source)


def progress_of(obligations: Iterable[Obligation]) -> dict[int, Progress]:
    """What the registered sources say about these duties."""
    ids = [row.pk for row in obligations]
    found: dict[int, Progress] = {}
    for source in _progress_sources:
        found.update(source(ids))
    return found


Panel = Callable[[Incident, User, datetime], str]
_panels: list[Panel] = []


def register_panel(panel: Panel) -> None:
    """Let a room above add safe HTML to the page of an incident, below its filings: for whom, as known at which moment."""
    if panel not in _panels:
        _panels.append(panel)


def panels_of(incident: Incident, user: User, *, now: datetime) -> list[str]:
    """What the registered panels show."""
    return [html for panel in _panels if (html := panel(incident, user, now))]


@dataclass(frozen=True, slots=True)
class Clock:
    """One duty as it stands at ``now``. ``delta`` is the time left (positive) or late (negative); None without a limit."""

    obligation: Obligation
    now: datetime
    tone: Tone
    delta: timedelta | None
    # For vague standards: the same against the house target.
    target_delta: timedelta | None
    late_reason_missing: bool
    past_due: bool

    @property
    def title(self) -> LocalText:
        """The duty's title in both languages."""
        return LocalText(**self.obligation.duty["title"])

    @property
    def addressees(self) -> list[LocalText]:
        """To whom it is owed."""
        return [LocalText(**name) for name in self.obligation.duty["addressees"]]

    @property
    def question(self) -> str | None:
        """The name of the fact that decides a possible duty most."""
        questions = self.obligation.duty.get("questions", [])
        return questions[0] if questions else None

    @property
    def sort_key(self) -> tuple[int, datetime, int]:
        """Overdue first, then by statutory moment; what has only a house target comes after, by that."""
        row = self.obligation
        if row.due_at is not None:
            return (0 if self.tone == Tone.OVERDUE else 1, row.due_at, row.pk)
        return (2, row.target_at or row.opened_at, row.pk)


_SETTLED = {
    ObligationState.MET: Tone.MET,
    ObligationState.MET_LATE: Tone.MET_LATE,
    ObligationState.NOT_REQUIRED: Tone.NOT_REQUIRED,
    ObligationState.EXCUSED: Tone.EXCUSED,
}


def clock_of(row: Obligation, *, now: datetime) -> Clock:
    """How ``row`` stands at ``now``. A replayed incident is seen at the moment at which it stands still."""
    moment = row.incident.clock_at or now
    late = is_late(row, at=moment)
    reference = row.met_at or moment
    return Clock(
        obligation=row,
        now=moment,
        tone=_tone(row, late=late, now=moment),
        delta=row.due_at - reference if row.due_at else None,
        target_delta=row.target_at - reference if row.target_at else None,
        late_reason_missing=late and row.state != ObligationState.POSSIBLE and not row.late_reason,
        past_due=late,
    )


def _tone(row: Obligation, *, late: bool, now: datetime) -> Tone:
    settled = _SETTLED.get(row.state)
    if settled is not None:
        return settled
    if row.state == ObligationState.POSSIBLE:
        return Tone.POSSIBLE
    if row.due_at is None:
        return Tone.OPEN_NOW
    if late:
        return Tone.OVERDUE
    return Tone.NEAR if row.due_at - now <= NEAR else Tone.RUNNING


@dataclass(frozen=True, slots=True)
class Board:
    """All clocks a person may see, for programs. Pages read :mod:`incidents.board`."""

    clocks: list[Clock]
    replays: list[Clock]

    def count(self, *tones: Tone) -> int:
        """How many real or drill clocks have one of ``tones``."""
        return sum(clock.tone in tones for clock in self.clocks)


def board(user: User, *, now: datetime) -> Board:
    """The open clocks of every incident ``user`` may see, overdue first, then by due moment."""
    rows = (
        Obligation.objects.filter(incident__in=access.visible_incidents(user), state__in=OPEN_OBLIGATION)
        .select_related("incident", "incident__owner", "entity")
        .order_by("due_at", "pk")
    )
    clocks = sorted((clock_of(row, now=now) for row in rows), key=lambda clock: clock.sort_key)
    replay = Incident.Kind.REPLAY
    return Board(
        clocks=[clock for clock in clocks if clock.obligation.incident.kind != replay],
        replays=[clock for clock in clocks if clock.obligation.incident.kind == replay],
    )


def incident_for(user: User, code: str) -> Incident:
    """The incident ``code`` if ``user`` may see it.

    Raises:
        Incident.DoesNotExist: there is none, or the user may not know of it.
    """
    return (
        access.visible_incidents(user)
        .select_related("owner", "reported_by")
        .prefetch_related("entities")
        .get(code=code)
    )


def incidents_of(user: User) -> QuerySet[Incident]:
    """The incidents ``user`` may see, newest first."""
    return access.visible_incidents(user).select_related("owner").prefetch_related("entities")


def clocks_of(incident: Incident, *, now: datetime) -> list[Clock]:
    """Every duty of ``incident``, open ones first."""
    escalations = Prefetch("escalations", Escalation.objects.select_related("acknowledged_by").order_by("at", "pk"))
    rows = incident.obligations.select_related("incident", "entity", "late_reason_by").prefetch_related(escalations)
    clocks = [clock_of(row, now=now) for row in rows]
    return sorted(clocks, key=lambda clock: (clock.obligation.state not in OPEN_OBLIGATION, clock.sort_key))
