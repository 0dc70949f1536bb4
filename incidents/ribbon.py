"""The incident drawn to scale: events, awareness, the window of each duty, what was filed, who was told, and now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from compliance.cli import duration, width
from compliance.engine import LocalText
from incidents.models import Fact, Incident
from incidents.selectors import Clock, Tone
from incidents.services import sheets

WIDTH, LEFT, RIGHT, TOP = 1200, 190, 20, 46
LANE, ROW = 44, 17
STEPS = [timedelta(minutes=10), timedelta(hours=1), timedelta(hours=3), timedelta(hours=6), timedelta(hours=12)]
DAYS = [1, 2, 7, 14, 30, 91, 182, 365]
MOST_TICKS, SHADE_UNTIL = 20, timedelta(days=150)
LETTER = 6.4


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing drawn. ``kind`` chooses the shape; ``words`` stand beside it, ``tip`` is read on focus."""

    kind: str
    x: float
    y: float
    words: str = ""
    tip: str = ""
    width: float = 0
    anchor: str = "start"

    @property
    def label_x(self) -> float:
        """Where the words begin (or end)."""
        return self.x - 6 if self.anchor == "end" else self.x + self.width + 9


@dataclass(slots=True)
class Lane:
    """One line of the drawing."""

    title: str
    subtitle: str
    y: float
    height: float
    marks: list[Mark] = field(default_factory=list)

    @property
    def middle(self) -> float:
        """Where bars lie."""
        return self.y + 16


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the time axis."""

    x: float
    words: str
    under: str
    holiday: bool


@dataclass(frozen=True, slots=True)
class Ribbon:
    """Everything the template draws."""

    width: int
    height: float
    left: int
    lanes: list[Lane]
    ticks: list[Tick]
    shades: list[tuple[float, float]]
    now_x: float
    top: int


class _Scale:
    def __init__(self, start: datetime, end: datetime, zone: str) -> None:
        margin = max((end - start) * 0.04, timedelta(minutes=30))
        self.start, self.end = start - margin, end + margin * 3
        self.zone = ZoneInfo(zone)
        self.span = self.end - self.start

    def x(self, at: datetime) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * ((at - self.start) / self.span), 1)


def draw(incident: Incident, clocks: Sequence[Clock], facts: Sequence[Fact], *, now: datetime, zone: str) -> Ribbon:
    """The picture of ``incident`` at ``now``, its days those of ``zone``."""
    instants = list(_instants(incident, clocks, facts, now))
    scale = _Scale(min(instants), max(instants), zone)
    lanes: list[Lane] = []
    y = float(TOP)
    for build in (_events, _awareness):
        lane = build(facts, scale, y)
        if lane.marks:
            lanes.append(lane)
            y += lane.height
    shown = [clock for clock in clocks if clock.tone != Tone.NOT_REQUIRED and clock.obligation.starts_at]
    for clock in sorted(shown, key=lambda clock: clock.obligation.starts_at or now):
        lanes.append(_duty(clock, scale, y, now=now))
        y += LANE
    told = _told(clocks, scale, y)
    if told.marks:
        lanes.append(told)
        y += told.height
    return Ribbon(WIDTH, y + 14, LEFT, lanes, list(_ticks(scale)), list(_shades(scale)), scale.x(now), TOP)


def _instants(incident: Incident, clocks: Sequence[Clock], facts: Sequence[Fact], now: datetime) -> Iterator[datetime]:
    yield incident.reported_at
    yield now
    for clock in clocks:
        row = clock.obligation
        yield from (at for at in (row.starts_at, row.due_at, row.met_at) if at)
    for fact in facts:
        if fact.kind in (Fact.Kind.CANDIDATE, Fact.Kind.EVENT):
            yield sheets.instant_of(fact)


def _placed(marks: list[Mark], y: float) -> list[Mark]:
    """Put words that would run into one another on further rows."""
    ends: list[float] = []
    placed = []
    for mark in sorted(marks, key=lambda mark: mark.x):
        size = width(mark.words) * LETTER + 22
        anchor = "end" if mark.x + size > WIDTH else "start"
        left = mark.x - size if anchor == "end" else mark.x - 4
        row = next((number for number, end in enumerate(ends) if end <= left), len(ends))
        if row == len(ends):
            ends.append(0)
        ends[row] = left + size
        placed.append(Mark(mark.kind, mark.x, y + row * ROW, mark.words, mark.tip, mark.width, anchor))
    return placed


def _lane(title: str, subtitle: str, marks: list[Mark], y: float) -> Lane:
    placed = _placed(marks, y + 14)
    rows = max((round((mark.y - y - 14) / ROW) for mark in placed), default=0) + 1
    return Lane(title, subtitle, y, max(LANE, 22 + rows * ROW), placed)


def _events(facts: Sequence[Fact], scale: _Scale, y: float) -> Lane:
    marks = [
        Mark("event", scale.x(sheets.instant_of(fact)), y, fact.label) for fact in facts if fact.kind == Fact.Kind.EVENT
    ]
    return _lane(_("Events"), _("recorded facts"), marks, y)


def _awareness(facts: Sequence[Fact], scale: _Scale, y: float) -> Lane:
    adopted = {fact.adopts_id for fact in facts if fact.kind == Fact.Kind.ADOPTION}
    marks = [
        Mark("adopted" if fact.pk in adopted else "candidate", scale.x(sheets.instant_of(fact)), y, fact.label)
        for fact in facts
        if fact.kind == Fact.Kind.CANDIDATE
    ]
    return _lane(_("Awareness"), _("adopted ▶ others ▷"), marks, y)


def _duty(clock: Clock, scale: _Scale, y: float, *, now: datetime) -> Lane:
    row = clock.obligation
    language = get_language() or "en"
    limit = LocalText(**row.duty["limit"]).get(language)
    lane = Lane(clock.title.get(language), f"{clock.addressees[0].get(language)} · {limit}", y, LANE)
    start = row.starts_at or now
    end = row.due_at or row.met_at or now
    middle = lane.middle
    kind = {Tone.POSSIBLE: "possible", Tone.OPEN_NOW: "open"}.get(clock.tone, "window" if row.due_at else "open")
    done = row.met_at or clock.now
    lane.marks.append(_bar(kind, scale, start, min(end, max(done, end)), middle))
    if row.due_at and done > row.due_at and clock.tone != Tone.EXCUSED:
        lane.marks.append(_bar("late", scale, row.due_at, done, middle))
    lane.marks.append(_outcome(clock, scale, middle, language))
    return lane


def _bar(kind: str, scale: _Scale, start: datetime, end: datetime, y: float) -> Mark:
    left = scale.x(start)
    return Mark(kind, left, y - 7, width=max(scale.x(end) - left, 2))


def _outcome(clock: Clock, scale: _Scale, y: float, language: str) -> Mark:
    row = clock.obligation
    at = row.met_at or max(clock.now, row.due_at or clock.now)
    x = scale.x(min(at, scale.end))
    words = _words(clock, language)
    anchor = "end" if x + width(words) * LETTER + 30 > WIDTH else "start"
    kind = "paper" if row.met_at else "state"
    tone = "late" if clock.past_due else "fine" if row.met_at else "open"
    return Mark(f"{kind} {tone}", x, y, words, width=0, anchor=anchor)


def _words(clock: Clock, language: str) -> str:
    row = clock.obligation
    time_said = duration(clock.delta, language) if clock.delta is not None else ""
    if row.met_at:
        return _filed(clock, time_said)
    if clock.tone == Tone.POSSIBLE:
        return _("possible: to be decided")
    if clock.tone == Tone.OPEN_NOW:
        passed = clock.now - (row.starts_at or row.opened_at)
        return _("not done, open for %(time)s") % {"time": duration(passed, language)}
    if clock.tone == Tone.EXCUSED:
        return _("excused")
    return (
        _("not filed, late by %(time)s") % {"time": time_said}
        if clock.past_due
        else _("%(time)s left") % {"time": time_said}
    )


def _filed(clock: Clock, time_said: str) -> str:
    if clock.delta is None:
        return _("filed")
    return _("filed, late by %(time)s") % {"time": time_said} if clock.past_due else _("filed in time")


def _told(clocks: Sequence[Clock], scale: _Scale, y: float) -> Lane:
    lane = Lane(_("Escalations"), _("acknowledged ▲ not ▼"), y, LANE)
    seen: set[tuple[float, str]] = set()
    for clock in clocks:
        for item in clock.obligation.escalations.all():
            kind = "acknowledged" if item.acknowledged_at else "unheard"
            x = scale.x(item.at)
            if (x, kind) not in seen:
                seen.add((x, kind))
                lane.marks.append(Mark(kind, x, lane.middle, tip=item.rung))
    return lane


def _ticks(scale: _Scale) -> Iterator[Tick]:
    language = get_language() or "en"
    step = next((step for step in STEPS if scale.span / step <= MOST_TICKS), None)
    if step is not None:
        yield from _short_ticks(scale, step)
        return
    days = next((days for days in DAYS if scale.span / timedelta(days=days) <= MOST_TICKS), DAYS[-1])
    day = scale.start.astimezone(scale.zone).date() + timedelta(days=1)
    while (at := _midnight(day, scale.zone)) < scale.end:
        weekday = "월화수목금토일"[day.weekday()] if language.startswith("ko") else day.strftime("%a")
        words = f"{day.month}/{day.day}" if days < 91 else f"{day:%Y-%m}"
        yield Tick(
            scale.x(at), words, weekday if days < 7 else (str(day.year) if days < 91 else ""), day.weekday() == 6
        )
        day += timedelta(days=days)


def _short_ticks(scale: _Scale, step: timedelta) -> Iterator[Tick]:
    at = _midnight(scale.start.astimezone(scale.zone).date(), scale.zone)
    while at < scale.end:
        if at >= scale.start:
            there = at.astimezone(scale.zone)
            yield Tick(scale.x(at), f"{there:%H:%M}", f"{there.month}/{there.day}", there.weekday() == 6)
        at += step


def _shades(scale: _Scale) -> Iterator[tuple[float, float]]:
    """Weekends, which the hours run through and people forget."""
    if scale.span > SHADE_UNTIL:
        return
    day: date = scale.start.astimezone(scale.zone).date()
    while _midnight(day, scale.zone) < scale.end:
        if day.weekday() >= 5:
            left = max(scale.x(_midnight(day, scale.zone)), LEFT)
            right = min(scale.x(_midnight(day + timedelta(days=1), scale.zone)), WIDTH - RIGHT)
            if right > left:
                yield left, round(right - left, 1)
        day += timedelta(days=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone).astimezone(UTC)
