"""The board: every open clock a person may see, filtered, counted, sorted and cut into pages by the database.

One query counts, grouped by what can be filtered by; the figures, the number of pages and the choices with their counts
all come from it, so that they cannot contradict one another. A second one reads the rows of one page.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import (
    Case,
    Count,
    F,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.utils.translation import get_language

from compliance.engine import LocalText
from compliance.library import get_library
from incidents import access
from incidents.models import Escalation, Incident, Obligation
from incidents.selectors import NEAR, Clock, Tone, clock_of
from incidents.states import OPEN_OBLIGATION, ObligationState

ROWS = 100
WALL_ROWS = 12
# Further ahead than "near": what the manager's view counts beside it. A matter of display, not of law.
SOON = timedelta(hours=72)
TONES = (Tone.OVERDUE, Tone.NEAR, Tone.RUNNING, Tone.POSSIBLE, Tone.OPEN_NOW)
# What can be chosen from a list with counts, and by what the rows can be grouped.
FACETS = ("state", "entity", "country", "authority", "owner", "kind")
GROUPS = {
    "incident": "incident__code",
    "authority": "authority",
    "country": "jurisdiction",
    "entity": "entity__name",
    "owner": "incident__owner__username",
    "kind": "incident__kind",
}
NOBODY = "-"
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """What to show, as the address says it. ``within``: certain duties due in so many hours. ``missing``: "reason" for the
    late ones without a reason, "acknowledgement" for those whose last step nobody acknowledged."""

    q: str = ""
    incident: str = ""
    state: str = ""
    entity: str = ""
    country: str = ""
    authority: str = ""
    owner: str = ""
    kind: str = ""
    within: str = ""
    missing: str = ""
    group: str = ""
    page: int = 1
    wall: bool = False

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Filters":
        """From the query of an address. What is not understood is left out, so that an old link still shows something."""
        words = {name: given.get(name, "").replace("\x00", "").strip()[:LONGEST] for name in _WORDS}
        allowed = {"within": ("24", "72"), "missing": ("reason", "acknowledgement"), "group": tuple(GROUPS)}
        allowed |= {"state": tuple(TONES), "kind": tuple(Incident.Kind.values)}
        for name, known in allowed.items():
            if words[name] not in known:
                words[name] = ""
        page = given.get("page", "")
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
        return cls(**words, page=max(1, number), wall=given.get("wall") == "1")

    @property
    def rows(self) -> int:
        """How many rows make a page."""
        return WALL_ROWS if self.wall else ROWS

    @property
    def chosen(self) -> dict[str, str]:
        """What narrows the board, by name."""
        return {name: value for name in _NARROWS if (value := getattr(self, name))}

    def query(self, **changes: Any) -> str:
        """The query string of these filters with ``changes``; a change of filter begins at the first page again."""
        if changes and "page" not in changes:
            changes["page"] = 1
        new = replace(self, **changes)
        pairs = {name: getattr(new, name) for name in _WORDS if getattr(new, name)}
        if new.page > 1:
            pairs["page"] = str(new.page)
        if new.wall:
            pairs["wall"] = "1"
        return urlencode(pairs)


_WORDS = tuple(item.name for item in fields(Filters) if item.type in ("str", str))
_NARROWS = tuple(name for name in _WORDS if name != "group")


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a facet, with how many clocks it would leave."""

    value: str
    label: Any
    count: int


@dataclass(slots=True)
class Counts:
    """How many clocks there are: in all, of each tone, due within hours, and of each value of each facet."""

    total: int = 0
    replays: int = 0
    tones: Counter[str] = field(default_factory=Counter)
    within_72: int = 0
    facets: dict[str, list[Choice]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """The last step of a duty: when, who was told, and who has acknowledged it."""

    at: datetime
    people: tuple[str, ...]
    acknowledged_at: datetime | None
    acknowledged_by: str


@dataclass(frozen=True, slots=True)
class Board:
    """One page of the board. Replays stand apart and count for nothing."""

    filters: Filters
    now: datetime
    counts: Counts
    clocks: list[Clock]
    replays: list[Clock]
    told: dict[int, Told]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.counts.total // self.filters.rows))


def board(user: User, filters: Filters, *, now: datetime) -> Board:
    """The page of open clocks that ``filters`` ask for, of the incidents ``user`` may see, overdue first."""
    counts = count(user, filters, now=now)
    pages = max(1, -(-counts.total // filters.rows))
    filters = replace(filters, page=min(filters.page, pages))
    begin = (filters.page - 1) * filters.rows
    wanted = narrowed(open_duties(user, filters), filters, now=now)
    clocks = _read(wanted, filters, now=now, begin=begin, end=begin + filters.rows) if counts.total else []
    shown = counts.replays and filters.page == 1 and not (filters.wall or filters.state or filters.within)
    replays = _replays(user, filters, now) if shown else []
    told = last_told([item.obligation.pk for item in (*clocks, *replays)])
    return Board(filters, now, counts, clocks, replays, told)


def open_duties(user: User, filters: Filters) -> QuerySet[Obligation]:
    """The open duties ``user`` may see, replays too, narrowed by what has no list of choices: words, incident, what is
    missing."""
    rows = Obligation.objects.filter(
        incident__in=access.visible_incidents(user).values("pk"), state__in=OPEN_OBLIGATION
    )
    if filters.q:
        rows = rows.filter(Q(incident__code__icontains=filters.q) | Q(incident__title__icontains=filters.q))
    if filters.incident:
        rows = rows.filter(incident__code=filters.incident)
    if filters.missing == "acknowledgement":
        rows = rows.filter(pk__in=unacknowledged())
    return rows.order_by()


def unacknowledged() -> QuerySet[Any]:
    """The ids of duties of which somebody was told, and nobody acknowledged the last step."""
    steps = Escalation.objects.filter(obligation__isnull=False).order_by().values("obligation")
    steps = steps.annotate(last=Max("at"), heard=Max("at", filter=Q(acknowledged_at__isnull=False)))
    return steps.filter(Q(heard=None) | Q(heard__lt=F("last"))).values("obligation")


def narrowed(rows: QuerySet[Obligation], filters: Filters, *, now: datetime) -> QuerySet[Obligation]:
    """The real duties and drills among ``rows`` that fit every filter."""
    rows = _by_lists(rows.exclude(incident__kind=Incident.Kind.REPLAY), filters)
    certain, possible = ~Q(state=ObligationState.POSSIBLE), Q(state=ObligationState.POSSIBLE)
    by_tone = {
        Tone.OVERDUE: certain & Q(due_at__lt=now),
        Tone.NEAR: certain & Q(due_at__gte=now, due_at__lte=now + NEAR),
        Tone.RUNNING: certain & Q(due_at__gt=now + NEAR),
        Tone.POSSIBLE: possible,
        Tone.OPEN_NOW: certain & Q(due_at=None),
    }
    if filters.state:
        rows = rows.filter(by_tone[Tone(filters.state)])
    if filters.within:
        rows = rows.filter(certain & Q(due_at__gte=now, due_at__lte=now + timedelta(hours=int(filters.within))))
    if filters.missing == "reason":
        rows = rows.filter(by_tone[Tone.OVERDUE], late_reason="")
    return rows


def _by_lists(rows: QuerySet[Obligation], filters: Filters) -> QuerySet[Obligation]:
    columns = {"entity": "entity__key", "country": "jurisdiction", "authority": "authority", "kind": "incident__kind"}
    chosen = {column: value for name, column in columns.items() if (value := getattr(filters, name))}
    rows = rows.filter(**chosen)
    if filters.owner == NOBODY:
        return rows.filter(incident__owner=None)
    return rows.filter(incident__owner__username=filters.owner) if filters.owner else rows


# Grouped by the short columns; the names come along as one of each group.
_COUNTED = ("state_now", "entity_id", "jurisdiction", "authority", "incident__owner_id", "incident__kind")
_NAMES = {
    "key": "entity__key", "entity_name": "entity__name", "username": "incident__owner__username",
    "first": "incident__owner__first_name", "last": "incident__owner__last_name",
}  # fmt: skip


def count(user: User, filters: Filters, *, now: datetime) -> Counts:
    """How many clocks fit, and for each facet how many would if only this facet were chosen otherwise."""
    return counted(combinations(user, filters, now=now), filters)


def counted(found: Iterable["Combination"], filters: Filters) -> Counts:
    """:func:`count` of what was read already."""
    counts, seen, labels = Counts(), {name: Counter() for name in FACETS}, {name: {} for name in FACETS}
    for combination in found:
        if combination.values["kind"] == Incident.Kind.REPLAY:
            counts.replays += combination.count
            continue
        differs = [name for name in FACETS if _differs(filters, name, combination.values[name])]
        if len(differs) > 1:
            continue
        for name in differs or FACETS:
            value = combination.values[name]
            seen[name][value] += combination.count
            labels[name][value] = combination.labels[name]
        if not differs:
            counts.total += combination.count
            counts.tones[combination.values["state"]] += combination.count
            counts.within_72 += combination.count if combination.within_72 else 0
    counts.facets = {name: _choices(name, seen[name], labels[name]) for name in FACETS}
    return counts


def _differs(filters: Filters, name: str, value: str) -> bool:
    wanted = getattr(filters, name)
    return bool(wanted) and wanted != value


def _choices(name: str, seen: Counter[str], labels: Mapping[str, Any]) -> list[Choice]:
    if name == "state":
        return [Choice(tone, tone, seen[tone]) for tone in TONES if seen[tone]]
    return [Choice(value, labels[value], seen[value]) for value in sorted(seen, key=lambda item: str(labels[item]))]


@dataclass(frozen=True, slots=True)
class Combination:
    """So many clocks with the same value of every facet."""

    values: dict[str, str]
    labels: dict[str, Any]
    within_72: bool
    count: int


def combinations(user: User, filters: Filters, *, now: datetime) -> Iterator[Combination]:
    """The open clocks ``user`` may see, counted by the values of all facets at once. The tones of replays mean nothing."""
    rows = open_duties(user, filters)
    if filters.missing == "reason" or filters.within:
        rows = narrowed(rows, Filters(missing=filters.missing, within=filters.within), now=now)
    names = {name: Min(column) for name, column in _NAMES.items()}
    found = rows.annotate(state_now=_tone_in_sql(now)).values_list(*_COUNTED).annotate(many=Count("pk"), **names)
    for state, _entity, country, authority, _owner, kind, many, key, entity, username, first, last in found:
        tone, soon, _ = state.partition("+")
        name = authority or ""
        values = {"state": tone, "entity": key, "country": country, "authority": name, "owner": username or NOBODY}
        labels = {"entity": entity, "country": country, "authority": authority_name(name), "kind": kind}
        labels |= {"state": tone, "owner": _name(first, last, username) or NOBODY}
        yield Combination({**values, "kind": kind}, labels, within_72=bool(soon), count=many)


def _tone_in_sql(now: datetime) -> Case:
    """The tone at ``now``; "+" marks what is due within 72 hours. As :func:`incidents.selectors.clock_of` says it."""
    return Case(
        When(state=ObligationState.POSSIBLE, then=Value(Tone.POSSIBLE.value)),
        When(due_at=None, then=Value(Tone.OPEN_NOW.value)),
        When(due_at__lt=now, then=Value(Tone.OVERDUE.value)),
        When(due_at__lte=now + NEAR, then=Value(f"{Tone.NEAR}+")),
        When(due_at__lte=now + SOON, then=Value(f"{Tone.RUNNING}+")),
        default=Value(Tone.RUNNING.value),
    )


@cache
def _authorities() -> Mapping[str, LocalText]:
    names = {}
    for rule in get_library().rules.values():
        for version in rule.versions:
            for stage in version.stages:
                names |= {name.en: name for name in stage.addressees}
        names |= {name.en: name for name in rule.addressees}
    return names


def authority_name(english: str) -> LocalText:
    """The name of an authority in both languages, by its English one; as it stands where the library no longer has it."""
    return _authorities().get(english) or LocalText(ko=english, en=english)


def _order(now: datetime) -> dict[str, Any]:
    overdue = ~Q(state=ObligationState.POSSIBLE) & Q(due_at__lt=now)
    rank = Case(
        When(overdue, then=Value(0)),
        When(due_at__isnull=False, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return {"rank": rank, "moment": Coalesce("due_at", "target_at", "opened_at")}


def sorted_rows(rows: QuerySet[Obligation], filters: Filters, *, now: datetime) -> QuerySet[Obligation]:
    """Overdue first, then by statutory moment, then by house target. Grouped: the group with the most urgent row first."""
    rows = rows.annotate(**_order(now))
    if not filters.group:
        return rows.order_by("rank", "moment", "pk")
    column = GROUPS[filters.group]
    rows = rows.annotate(
        group_rank=Window(Min("rank"), partition_by=[F(column)]),
        group_moment=Window(Min(Case(When(rank=0, then="moment"), default="moment")), partition_by=[F(column)]),
    )
    return rows.order_by("group_rank", "group_moment", column, "rank", "moment", "pk")


# What the table says of a duty, taken out of it by the database, so that the rest of it need not travel.
SAID = ("title", "limit")


def in_words(rows: QuerySet[Obligation]) -> QuerySet[Obligation]:
    """``rows`` with ``title_said``, ``limit_said`` (in the language in use) and ``question_asked``, and without the duty."""
    language = "ko" if (get_language() or "").startswith("ko") else "en"
    said = {f"{name}_said": KT(f"duty__{name}__{language}") for name in SAID}
    rows = rows.select_related("incident", "incident__owner", "entity")
    return rows.annotate(**said, question_asked=KT("duty__questions__0")).defer("duty")


def _read(rows: QuerySet[Obligation], filters: Filters, *, now: datetime, begin: int, end: int) -> list[Clock]:
    """The rows of one page. The database sorts what its index holds, and fetches the rest for these rows alone."""
    keys = sorted_rows(rows, filters, now=now).values("pk")[begin:end]
    if not filters.group:
        found = [clock_of(row, now=now) for row in in_words(Obligation.objects.filter(pk__in=keys)).order_by()]
        return sorted(found, key=lambda clock: clock.sort_key)
    order = [key for (key,) in keys.values_list("pk")]
    by_key = in_words(Obligation.objects.order_by()).in_bulk(order)
    return [clock_of(by_key[key], now=now) for key in order if key in by_key]


def _replays(user: User, filters: Filters, now: datetime) -> list[Clock]:
    rows = _by_lists(open_duties(user, filters).filter(incident__kind=Incident.Kind.REPLAY), filters)
    rows = in_words(rows).order_by("due_at", "pk")[:ROWS]
    return sorted((clock_of(row, now=now) for row in rows), key=lambda clock: clock.sort_key)


_TOLD = (
    "obligation_id", "at", "acknowledged_at", "acknowledged_by__first_name", "acknowledged_by__last_name",
    "acknowledged_by__username", "messages__recipient__first_name", "messages__recipient__last_name",
    "messages__recipient__username",
)  # fmt: skip


def last_told(obligations: Iterable[int]) -> dict[int, Told]:
    """The last step of each duty (by id) that has reached one, and whom it reached."""
    keys = list(obligations)
    if not keys:
        return {}
    newest = Escalation.objects.filter(obligation=OuterRef("obligation")).order_by("-at", "-pk").values("pk")[:1]
    rows = Escalation.objects.filter(obligation__in=keys, pk=Subquery(newest)).order_by("messages__pk")
    found: dict[int, Told] = {}
    people: dict[int, dict[str, None]] = {}
    for key, at, heard, *names in rows.values_list(*_TOLD):
        people.setdefault(key, {})[_name(*names[3:])] = None
        found[key] = Told(at, tuple(name for name in people[key] if name), heard, _name(*names[:3]))
    return found


def _name(first: str | None, last: str | None, username: str | None) -> str:
    return f"{first or ''} {last or ''}".strip() or username or ""


def export_clocks(user: User, filters: Filters, *, now: datetime) -> Iterator[Clock]:
    """Every clock that fits, in the order of the board, a thousand at a time. Replays only where they are asked for."""
    if filters.kind == Incident.Kind.REPLAY:
        rows = _by_lists(open_duties(user, filters).filter(incident__kind=Incident.Kind.REPLAY), filters)
        rows = rows.select_related("incident", "incident__owner", "entity").order_by("due_at", "pk")
        yield from (clock_of(row, now=now) for row in rows.iterator(chunk_size=1000))
        return
    rows = narrowed(open_duties(user, filters), filters, now=now)
    keys = list(sorted_rows(rows, filters, now=now).values_list("pk", flat=True))
    for begin in range(0, len(keys), 1000):
        part = keys[begin : begin + 1000]
        found = Obligation.objects.select_related("incident", "incident__owner", "entity").in_bulk(part)
        yield from (clock_of(found[key], now=now) for key in part if key in found)


def last_told_of_many(obligations: Iterable[int]) -> dict[int, Told]:
    """:func:`last_told` for as many as there are, a thousand at a time."""
    keys, found = list(obligations), {}
    for begin in range(0, len(keys), 1000):
        found |= last_told(keys[begin : begin + 1000])
    return found
