"""From recorded rows to the engine's values: what was known of an incident at a given moment."""

import contextlib
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from compliance.engine import Candidate, EntityProfile, Event, FactSheet, PeopleCount, Submission
from compliance.engine.instants import zone_named
from compliance.library import get_library
from compliance.models import Entity
from incidents.models import Fact, Incident, Obligation, RuleDecision
from incidents.models import PeopleCount as PeopleCountRow


@dataclass(frozen=True, slots=True)
class Known:
    """The rows of one incident that a given moment could know, read once and shared by its entities."""

    facts: tuple[Fact, ...]
    people: tuple[PeopleCountRow, ...]
    obligations: tuple[Obligation, ...]
    decisions: tuple[RuleDecision, ...]


_memory: ContextVar[dict[tuple[int, datetime], Known] | None] = ContextVar("known", default=None)


@contextlib.contextmanager
def remembering() -> Iterator[None]:
    """What was known at a moment is read once inside the block, which must not write: for a page that many parts make up."""
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def read(incident: Incident, *, as_of: datetime) -> Known:
    """Everything recorded of ``incident`` up to ``as_of`` (inclusive), in four queries."""
    held = _memory.get()
    if held is None:
        return _read(incident, as_of)
    key = (incident.pk, as_of)
    if key not in held:
        held[key] = _read(incident, as_of)
    return held[key]


def _read(incident: Incident, as_of: datetime) -> Known:
    facts = incident.facts.select_related("recorded_by", "redacted_by")
    return Known(
        facts=tuple(facts.filter(recorded_at__lte=as_of).order_by("number")),
        people=tuple(incident.people_counts.filter(recorded_at__lte=as_of).order_by("recorded_at", "pk")),
        obligations=tuple(incident.obligations.filter(opened_at__lte=as_of).order_by("pk")),
        decisions=tuple(incident.rule_decisions.filter(decided_at__lte=as_of)),
    )


def profile(entity: Entity) -> EntityProfile:
    """The entity as the engine sees it."""
    return EntityProfile(
        key=entity.key,
        name=entity.name,
        roles=tuple(entity.roles),
        sectors=tuple(entity.sectors),
        establishments=tuple(entity.establishments),
        markets=None if entity.markets is None else tuple(entity.markets),
        main_establishment=entity.main_establishment or None,
    )


def fact_sheet(incident: Incident, entity: Entity, *, as_of: datetime, known: Known | None = None) -> FactSheet:
    """What the engine may know of ``incident`` for ``entity`` at ``as_of``. What was not recorded is absent."""
    held = known or read(incident, as_of=as_of)
    rows = _standing(held.facts, entity)
    return FactSheet(
        facts={name: _value(name, facts, entity.zone) for name, facts in rows.items()},
        people=tuple(_people(held.people, entity)),
        submissions=tuple(_submissions(held.obligations, entity, as_of=as_of)),
        turned_on=_followed(held.decisions, entity),
    )


def standing(incident: Incident, entity: Entity | None, *, as_of: datetime) -> dict[str, list[Fact]]:
    """The facts that hold at ``as_of``: one row for a plain value, all rows for candidates and events."""
    return _standing(read(incident, as_of=as_of).facts, entity)


def standing_of(known: Known, entity: Entity | None) -> dict[str, list[Fact]]:
    """:func:`standing`, from what was read."""
    return _standing(known.facts, entity)


def _standing(facts: Iterable[Fact], entity: Entity | None) -> dict[str, list[Fact]]:
    mine = [fact for fact in facts if fact.entity_id is None or (entity and fact.entity_id == entity.pk)]
    gone = {fact.supersedes_id for fact in mine if fact.supersedes_id}
    held: dict[str, list[Fact]] = {}
    for fact in mine:
        if fact.pk not in gone and fact.kind != Fact.Kind.RETRACTION and fact.redacted_at is None:
            held.setdefault(fact.name, []).append(fact)
    return {name: _latest(rows) for name, rows in held.items()}


def _latest(rows: list[Fact]) -> list[Fact]:
    """Of plain values only the last word, an entity's own before the incident's; of the others every row."""
    values = [row for row in rows if row.kind == Fact.Kind.VALUE]
    if not values:
        return rows
    own = [row for row in values if row.entity_id is not None]
    return [(own or values)[-1]]


def _value(name: str, rows: list[Fact], zone: str) -> Any:
    """The engine's value. Instants carry the entity's own offset: some laws ask for the date at the place of a decision."""
    kind = get_library().facts[name].type
    if kind == "contested_instant":
        return _candidates(rows, zone)
    if kind == "event":
        return tuple(Event(key=fact_key(row), at=_there(row, zone), label=row.label) for row in rows)
    row = rows[-1]
    if kind == "instant":
        return _there(row, zone)
    return tuple(row.value) if kind == "choices" and row.value is not None else row.value


def _candidates(rows: list[Fact], zone: str) -> tuple[Candidate, ...]:
    adoptions = [row for row in rows if row.kind == Fact.Kind.ADOPTION]
    candidates = [row for row in rows if row.kind == Fact.Kind.CANDIDATE]
    standing_pks = {row.pk for row in candidates}
    adopted = next((row.adopts_id for row in reversed(adoptions) if row.adopts_id in standing_pks), None)
    return tuple(
        Candidate(
            key=fact_key(row),
            at=_there(row, zone),
            label=row.label,
            arguable=row.arguable,
            adopted=row.pk == adopted,
            documented=row.documented,
        )
        for row in candidates
    )


def fact_key(fact: Fact) -> str:
    """The engine's name of a recorded fact."""
    return f"fact:{fact.number}"


def _there(fact: Fact, zone: str) -> datetime:
    return instant_of(fact).astimezone(zone_named(zone))


def instant_of(fact: Fact) -> datetime:
    """The instant a fact holds, in UTC."""
    return datetime.fromisoformat(str(fact.value)).astimezone(UTC)


def _followed(rows: Iterable[RuleDecision], entity: Entity) -> frozenset[str]:
    """The rules of low confidence whose latest word is to follow them."""
    latest = {row.rule: row.follow for row in rows if row.entity_id == entity.pk}
    return frozenset(rule for rule, follow in latest.items() if follow)


def _people(rows: Iterable[PeopleCountRow], entity: Entity) -> Iterable[PeopleCount]:
    latest: dict[str, PeopleCountRow] = {row.residence: row for row in rows if row.entity_id == entity.pk}
    for residence in sorted(latest):
        row = latest[residence]
        yield PeopleCount(residence, row.count, tuple(row.categories), row.encrypted, row.key_taken)


def people_total(rows: Iterable[PeopleCountRow], entity: Entity) -> int | None:
    """The number of people over all places, or None when no place has a number."""
    counts = [people.count for people in _people(rows, entity) if people.count is not None]
    return sum(counts) if counts else None


def _submissions(obligations: Iterable[Obligation], entity: Entity, *, as_of: datetime) -> Iterable[Submission]:
    for obligation in obligations:
        if obligation.entity_id == entity.pk and obligation.met_at is not None and obligation.met_at <= as_of:
            yield Submission(
                rule=obligation.rule, stage=obligation.stage, occurrence=obligation.occurrence, at=obligation.met_at
            )
