"""What a manager asks: what is late or soon due, who carries it, and how well past deadlines were kept.

Real incidents only: drills and replays count for nothing here. Counted by the database; nothing is read row by row.
"""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    FloatField,
    Func,
    IntegerField,
    Q,
    QuerySet,
    StringAgg,
    Value,
    When,
)
from django.db.models.functions import Cast

from incidents import access, board
from incidents.board import Combination, Counts, Filters
from incidents.models import Incident, Obligation
from incidents.selectors import Tone
from incidents.states import ObligationState

MONTHS = 12
# Met in time, but within the last tenth of the period: what nearly went wrong. A house measure, not law.
NEAR_MISS_SHARE = 0.1
REAL = Filters(kind=Incident.Kind.REAL)
SETTLED = (ObligationState.MET, ObligationState.MET_LATE)


class Seconds(Func):
    """Seconds from the second instant to the first, worked out where the rows are on both databases."""

    output_field = FloatField()
    arity = 2

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """PostgreSQL knows intervals."""
        return self.as_sql(
            compiler, connection, template="EXTRACT(EPOCH FROM (%(expressions)s))", arg_joiner=" - ", **context
        )

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """SQLite keeps instants as text in UTC; both are turned into days."""
        parts, values = [], []
        for source in self.source_expressions:
            sql, given = compiler.compile(source)
            parts.append(f"julianday({sql})")
            values.extend(given)
        return f"(({parts[0]} - {parts[1]}) * 86400.0)", values


@dataclass(slots=True)
class Kept:
    """How deadlines were kept: met in time, of these nearly not, met late; and the median time from start to filing."""

    in_time: int = 0
    late: int = 0
    near: int = 0
    # Seconds from start to filing, of each duty whose start is known.
    taken: list[int] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All duties that were met."""
        return self.in_time + self.late

    @property
    def rate(self) -> float | None:
        """The share met in time, in percent; None where nothing was met."""
        return 100 * self.in_time / self.total if self.total else None

    @property
    def median(self) -> timedelta | None:
        """The median time from the start of the clock to filing; None where no start is known."""
        return timedelta(seconds=statistics.median(self.taken)) if self.taken else None

    def add(self, other: "Kept") -> None:
        """Count ``other`` in."""
        self.in_time += other.in_time
        self.late += other.late
        self.near += other.near
        self.taken += other.taken


@dataclass(slots=True)
class Load:
    """What one person carries. ``username`` is empty where nobody owns the incident."""

    username: str
    name: str
    overdue: int = 0
    near: int = 0
    later: int = 0
    possible: int = 0

    @property
    def total(self) -> int:
        """All open clocks."""
        return self.overdue + self.near + self.later + self.possible


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month in the reader's zone: from ``begin`` to ``end`` (not included)."""

    begin: datetime
    end: datetime

    @property
    def key(self) -> str:
        """As addresses name it: 2026-10."""
        return f"{self.begin:%Y-%m}"


@dataclass(slots=True)
class Overview:
    """The manager's figures at ``now``."""

    now: datetime
    counts: Counts
    load: list[Load]
    incidents: dict[str, int]
    reasons_missing: int
    unacknowledged: int
    months: list[tuple[Month, Kept]]
    authorities: list[tuple[str, Kept]]
    # By authority and month key.
    cells: dict[str, dict[str, Kept]] = field(default_factory=dict)
    whole: Kept = field(default_factory=Kept)


def months_before(now: datetime, zone: str, count: int = MONTHS) -> list[Month]:
    """The last ``count`` calendar months up to and with that of ``now``, on the clocks of ``zone``, oldest first."""
    there = now.astimezone(ZoneInfo(zone))
    found = []
    year, month = there.year, there.month
    for _ in range(count):
        found.append(month_of(year, month, zone))
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return found[::-1]


def month_of(year: int, month: int, zone: str) -> Month:
    """One calendar month on the clocks of ``zone``."""
    after = (year, month + 1) if month < 12 else (year + 1, 1)
    return Month(datetime(year, month, 1, tzinfo=ZoneInfo(zone)), datetime(*after, 1, tzinfo=ZoneInfo(zone)))


def overview(user: User, *, now: datetime, zone: str) -> Overview:
    """The figures over everything ``user`` may see; months as ``zone`` has them."""
    found = list(board.combinations(user, REAL, now=now))
    months = months_before(now, zone)
    cells = kept_by(user, months)
    return Overview(
        now=now,
        counts=board.counted(found, REAL),
        load=_load(found),
        incidents=_incidents(user),
        reasons_missing=_without_reason(user, now=now),
        unacknowledged=_unacknowledged(user),
        months=[(month, _together(row.get(month.key) for row in cells.values())) for month in months],
        authorities=sorted(
            ((name, _together(row.values())) for name, row in cells.items()), key=lambda item: (-item[1].total, item[0])
        ),
        cells=cells,
        whole=_together(kept for row in cells.values() for kept in row.values()),
    )


def _load(found: Sequence[Combination]) -> list[Load]:
    people: dict[str, Load] = {}
    for item in found:
        if item.values["kind"] != Incident.Kind.REAL:
            continue
        key = item.values["owner"]
        row = people.setdefault(key, Load(key, item.labels["owner"]))
        place = {Tone.OVERDUE: "overdue", Tone.NEAR: "near", Tone.POSSIBLE: "possible"}.get(
            Tone(item.values["state"]), "later"
        )
        setattr(row, place, getattr(row, place) + item.count)
    return sorted(people.values(), key=lambda row: (-row.overdue, -row.near, -row.total, row.name))


def _incidents(user: User) -> dict[str, int]:
    rows = access.visible_incidents(user).filter(kind=Incident.Kind.REAL).order_by().values_list("state")
    return dict(rows.annotate(many=Count("pk")))


def _without_reason(user: User, *, now: datetime) -> int:
    rows = board.open_duties(user, REAL).filter(incident__kind=Incident.Kind.REAL)
    return rows.exclude(state=ObligationState.POSSIBLE).filter(due_at__lt=now, late_reason="").count()


def _unacknowledged(user: User) -> int:
    rows = board.open_duties(user, Filters(missing="acknowledgement"))
    return rows.filter(incident__kind=Incident.Kind.REAL).count()


def settled(user: User) -> QuerySet[Obligation]:
    """The duties of real incidents that ``user`` may see and that were met."""
    return Obligation.objects.filter(
        incident__in=access.visible_incidents(user).values("pk"),
        incident__kind=Incident.Kind.REAL,
        state__in=SETTLED,
    ).order_by()


def near_miss() -> Q:
    """Met in time, but within the last tenth of its period. Needs ``left`` and ``period`` (see :func:`with_times`)."""
    return Q(state=ObligationState.MET, left__gte=0) & Q(left__lt=F("period") * NEAR_MISS_SHARE)


def with_times(rows: QuerySet[Obligation]) -> QuerySet[Obligation]:
    """With ``left`` (from meeting to the due moment) and ``period`` (from start to due moment), in seconds."""
    return rows.annotate(left=Seconds("due_at", "met_at"), period=Seconds("due_at", "starts_at"))


def _in_months(months: Sequence[Month]) -> Q:
    return Q(met_at__gte=months[0].begin.astimezone(UTC), met_at__lt=months[-1].end.astimezone(UTC))


def _month_case(months: Sequence[Month]) -> Case:
    return Case(
        *[When(met_at__lt=item.end.astimezone(UTC), then=Value(item.key)) for item in months], default=Value("")
    )


def kept_by(user: User, months: Sequence[Month]) -> dict[str, dict[str, Kept]]:
    """How deadlines were kept in ``months`` (which follow one another), by authority and month key."""
    rows = with_times(settled(user).filter(_in_months(months))).annotate(month=_month_case(months))
    taken = Cast(Cast(Seconds("met_at", "starts_at"), IntegerField()), CharField())
    counts = rows.values_list("authority", "month").annotate(
        timely=Count("pk", filter=Q(state=ObligationState.MET)),
        late=Count("pk", filter=Q(state=ObligationState.MET_LATE)),
        close=Count("pk", filter=near_miss()),
        taken=StringAgg(taken, Value(","), filter=Q(starts_at__isnull=False, met_at__gte=F("starts_at"))),
    )
    found: dict[str, dict[str, Kept]] = defaultdict(dict)
    for authority, month, timely, late, close, seconds in counts:
        times = [int(word) for word in seconds.split(",")] if seconds else []
        found[authority or ""][month] = Kept(timely, late, close, times)
    return dict(found)


def _together(parts: Iterable[Kept | None]) -> Kept:
    whole = Kept()
    for part in parts:
        if part is not None:
            whole.add(part)
    return whole
