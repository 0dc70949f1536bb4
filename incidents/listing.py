"""The list of incidents: filtered, counted and cut into pages by the database."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Count, Min, Q, QuerySet

from incidents import access
from incidents.board import LONGEST, NOBODY
from incidents.models import Incident, Obligation
from incidents.overview import Month, month_of, near_miss, settled, with_times
from incidents.states import OPEN_OBLIGATION, IncidentState, ObligationState

ROWS = 50
OUTCOMES = ("in_time", "late", "near")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents, as the address says it. ``outcome``, ``month`` (2026-10) and ``authority``: those with a duty that
    was met so, then, towards that authority."""

    q: str = ""
    state: str = ""
    kind: str = ""
    entity: str = ""
    owner: str = ""
    outcome: str = ""
    month: str = ""
    authority: str = ""
    page: int = 1

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Wanted":
        """From the query of an address. What is not understood is left out."""
        words = {name: given.get(name, "").replace("\x00", "").strip()[:LONGEST] for name in _WORDS}
        allowed = {
            "state": (*IncidentState.values, "open"),
            "kind": tuple(Incident.Kind.values),
            "outcome": OUTCOMES,
        }
        for name, known in allowed.items():
            if words[name] not in known:
                words[name] = ""
        if month_named(words["month"], "UTC") is None:
            words["month"] = ""
        page = given.get("page", "")
        return cls(**words, page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 6 else 1)

    @property
    def chosen(self) -> dict[str, str]:
        """What narrows the list."""
        return {name: value for name in _WORDS if (value := getattr(self, name))}

    def query(self, **changes: Any) -> str:
        """The query string with ``changes``."""
        if changes and "page" not in changes:
            changes["page"] = 1
        new = replace(self, **changes)
        pairs = {name: getattr(new, name) for name in _WORDS if getattr(new, name)}
        return urlencode({**pairs, "page": new.page} if new.page > 1 else pairs)


_WORDS = tuple(item.name for item in fields(Wanted) if item.type in ("str", str))


def month_named(text: str, zone: str) -> Month | None:
    """The month that ``text`` (2026-10) names, on the clocks of ``zone``; None where it names none."""
    year, dash, month = text.partition("-")
    good = dash and len(year) == 4 and len(month) == 2 and (year + month).isascii() and (year + month).isdigit()
    return month_of(int(year), int(month), zone) if good and int(year) > 1900 and 1 <= int(month) <= 12 else None


@dataclass(frozen=True, slots=True)
class Duties:
    """How many clocks of an incident are open and overdue, and when the next certain one is due."""

    open: int = 0
    overdue: int = 0
    next_at: datetime | None = None


def incidents(user: User, wanted: Wanted, *, zone: str) -> QuerySet[Incident]:
    """The incidents ``user`` may see that fit, newest first. ``zone``: whose months."""
    rows = Incident.objects.filter(pk__in=access.visible_incidents(user).order_by().values("pk"))
    if wanted.q:
        rows = rows.filter(Q(code__icontains=wanted.q) | Q(title__icontains=wanted.q))
    if wanted.state:
        closed = (IncidentState.CLOSED, IncidentState.DISMISSED)
        rows = rows.exclude(state__in=closed) if wanted.state == "open" else rows.filter(state=wanted.state)
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.entity:
        rows = rows.filter(pk__in=Incident.objects.filter(entities__key=wanted.entity).order_by().values("pk"))
    if wanted.owner:
        rows = rows.filter(owner=None) if wanted.owner == NOBODY else rows.filter(owner__username=wanted.owner)
    if wanted.outcome or wanted.month:
        rows = rows.filter(pk__in=_met(user, wanted, zone).values("incident"))
    elif wanted.authority:
        rows = rows.filter(pk__in=Obligation.objects.filter(authority=wanted.authority).order_by().values("incident"))
    return rows.select_related("owner").prefetch_related("entities").order_by("-reported_at", "-pk")


def _met(user: User, wanted: Wanted, zone: str) -> QuerySet[Obligation]:
    rows = settled(user)
    if wanted.authority:
        rows = rows.filter(authority=wanted.authority)
    month = month_named(wanted.month, zone)
    if month is not None:
        rows = rows.filter(met_at__gte=month.begin.astimezone(UTC), met_at__lt=month.end.astimezone(UTC))
    if wanted.outcome == "near":
        return with_times(rows).filter(near_miss())
    by_outcome = {"in_time": ObligationState.MET, "late": ObligationState.MET_LATE}
    return rows.filter(state=by_outcome[wanted.outcome]) if wanted.outcome else rows


def duties_of(found: list[Incident], *, now: datetime) -> dict[int, Duties]:
    """The clocks of these incidents, by incident."""
    rows = Obligation.objects.filter(incident__in=[row.pk for row in found], state__in=OPEN_OBLIGATION).order_by()
    certain = ~Q(state=ObligationState.POSSIBLE)
    counted = rows.values_list("incident").annotate(
        many=Count("pk"),
        late=Count("pk", filter=certain & Q(due_at__lt=now)),
        next_at=Min("due_at", filter=certain & Q(due_at__gte=now)),
    )
    return {incident: Duties(many, late, next_at) for incident, many, late, next_at in counted}


def owners(user: User) -> list[tuple[str, str]]:
    """Who owns incidents that ``user`` may see: user name and name."""
    columns = ("owner__username", "owner__first_name", "owner__last_name")
    rows = access.visible_incidents(user).filter(owner__isnull=False).order_by().values_list(*columns).distinct()
    return sorted(
        ((username, f"{first} {last}".strip() or username) for username, first, last in rows), key=lambda item: item[1]
    )
