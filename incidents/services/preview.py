"""What a word would change before it is said: the duties as they are against the duties as they would be. Writes nothing.

The word takes the way that a recorded one takes (:func:`incidents.services.sheets.fact_sheet`), so that what is foreseen is
what happens. Not foreseen: a supplement that a filing would owe because the record says otherwise then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from compliance.engine import Assessment, Duty, Held, Library, Status, assess, diff
from compliance.library import get_library
from compliance.models import Entity
from incidents.models import Fact, Incident, Obligation, PeopleCount
from incidents.services import facts, sheets
from incidents.services.assessment import library_of
from incidents.services.common import not_in_future, zone_of
from incidents.states import ObligationState

# No recorded row has it.
NOT_RECORDED = -1
BECOMES_CERTAIN, LAPSES = frozenset({"open", "harden", "revive"}), frozenset({"lapse", "vanish"})


@dataclass(frozen=True, slots=True)
class Effect:
    """What would become of one duty of one entity. ``before`` None: the duty is new; ``after`` None: it is gone.

    ``met``: it was done already, so that only whether it was in time can change.
    """

    entity: Entity
    kind: str
    before: Duty | None
    after: Duty | None
    met: bool = False

    @property
    def duty(self) -> Duty:
        """The duty as it would be, or as it was."""
        found = self.after or self.before
        if found is None:
            raise ValueError("an effect is on a duty")
        return found


@dataclass(frozen=True, slots=True)
class Preview:
    """What one answer would change. ``value`` None: not known."""

    name: str
    value: Any
    effects: tuple[Effect, ...]

    @property
    def certain(self) -> tuple[Effect, ...]:
        """What would be owed that is not certain now, soonest first."""
        return self._of(BECOMES_CERTAIN, Status.REQUIRED)

    @property
    def possible(self) -> tuple[Effect, ...]:
        """What would appear, or become uncertain."""
        return self._of(BECOMES_CERTAIN | {"soften"}, Status.POSSIBLE)

    @property
    def lapsed(self) -> tuple[Effect, ...]:
        """What would not be owed any more."""
        return tuple(item for item in self.effects if item.kind in LAPSES)

    @property
    def retimed(self) -> tuple[Effect, ...]:
        """What would have another start or end."""
        return tuple(item for item in self.effects if item.kind == "retime")

    @property
    def first(self) -> Duty | None:
        """Of what becomes certain or moves, the duty that is due first; None where the law gives no moment."""
        duties = [item.duty for item in (*self.certain, *self.retimed) if item.duty.due_at and not item.met]
        return min(duties, key=lambda duty: duty.due_at.timestamp() if duty.due_at else 0.0, default=None)

    def _of(self, kinds: frozenset[str], status: Status) -> tuple[Effect, ...]:
        return tuple(item for item in self.effects if item.kind in kinds and item.duty.status is status)


def facts_preview(
    *,
    incident: Incident,
    name: str,
    value: object,
    at: datetime,
    entity: Entity | None = None,
    label: str = "",
    arguable: bool = True,
    known: sheets.Known | None = None,
) -> Preview:
    """What recording ``value`` (as in :func:`incidents.services.fact_record`; None: it is not known) would change at ``at``.

    ``known``: what is known at ``at``, where the caller has read it.

    Raises:
        BadInput: as :func:`incidents.services.fact_record`.
    """
    held = known or sheets.read(incident, as_of=at)
    if value is None:
        facts.defined(name)
        rows = _taken_back(incident, held, name, entity, at=at)
        return Preview(name, None, tuple(_effects(incident, held, replace(held, facts=held.facts + rows), name, at=at)))
    checked = facts.checked(name, value, at=at, zone=zone_of(incident))
    row = Fact(
        pk=NOT_RECORDED,
        incident=incident,
        number=(held.facts[-1].number if held.facts else 0) + 1,
        name=name,
        kind=facts.kind_of(name),
        value=checked,
        entity=entity,
        label=label,
        arguable=arguable,
        recorded_at=at,
    )
    then = replace(held, facts=(*held.facts, row))
    return Preview(name, checked, tuple(_effects(incident, held, then, name, at=at)))


def _taken_back(
    incident: Incident, held: sheets.Known, name: str, entity: Entity | None, *, at: datetime
) -> tuple[Fact, ...]:
    """One retraction for every word on ``name`` that stands."""
    gone = {fact.supersedes_id for fact in held.facts if fact.supersedes_id}
    standing = [
        fact
        for fact in held.facts
        if fact.name == name
        and fact.kind != Fact.Kind.RETRACTION
        and fact.pk not in gone
        and fact.entity_id == (entity.pk if entity else None)
    ]
    number = held.facts[-1].number if held.facts else 0
    return tuple(
        Fact(
            pk=NOT_RECORDED - place,
            incident=incident,
            number=number + place + 1,
            name=name,
            kind=Fact.Kind.RETRACTION,
            entity=entity,
            supersedes=fact,
            recorded_at=at,
        )
        for place, fact in enumerate(standing)
    )


def answers_preview(
    *, incident: Incident, name: str, at: datetime, known: sheets.Known | None = None
) -> tuple[Preview, ...]:
    """One preview for each answer that a question offers (yes and no, or its choices); nothing where the answer is typed."""
    definition = get_library().facts.get(name)
    if definition is None or definition.type not in ("bool", "choice"):
        return ()
    held = known or sheets.read(incident, as_of=at)
    values: Sequence[Any] = (True, False) if definition.type == "bool" else tuple(definition.choices)
    return tuple(
        facts_preview(incident=incident, name=name, value=value, at=at, known=held) for value in (*values, None)
    )


def people_preview(
    *,
    incident: Incident,
    entity: Entity,
    people: Sequence[Mapping[str, Any]],
    confirmed_at: datetime,
    at: datetime,
) -> Preview:
    """What recording these figures (as in :func:`incidents.services.people_list_record`) would change at ``at``.

    Raises:
        BadInput: as :func:`incidents.services.people_list_record`.
    """
    for given in people:
        facts.check_people(given)
    not_in_future(confirmed_at, at=at, field="confirmed_at", zone=entity.zone)
    held = sheets.read(incident, as_of=at)
    rows = tuple(
        PeopleCount(incident=incident, entity=entity, confirmed_at=confirmed_at, recorded_at=at, **given)
        for given in people
    )
    then = replace(held, people=held.people + rows)
    before, after = (sheets.people_total(item.people, entity) for item in (held, then))
    if before is not None and before != after:
        changed = Fact(
            pk=NOT_RECORDED, incident=incident, number=(held.facts[-1].number if held.facts else 0) + 1,
            name=facts.FIGURE_CHANGED, kind=Fact.Kind.EVENT, value=confirmed_at.isoformat(), entity=entity, recorded_at=at,
        )  # fmt: skip
        then = replace(then, facts=(*then.facts, changed))
    return Preview("people.count", after, tuple(_effects(incident, held, then, "", at=at)))


def _effects(
    incident: Incident, held: sheets.Known, then: sheets.Known, name: str, *, at: datetime
) -> Iterator[Effect]:
    """``name``: only rules that ask for this fact can answer otherwise; empty: all rules are asked."""
    library = library_of(incident)
    only = _asking(library, name) if name else None
    for entity in incident.entities.all():
        before, after = (_duties(library, incident, entity, known, only, at=at) for known in (held, then))
        rows = {row.identity: row for row in held.obligations if row.entity_id == entity.pk}
        for change in diff([_held(duty) for duty in before.values()], after.values()):
            was = before.get(change.identity)
            if change.kind == "same" or _excused(rows.get(change.identity)):
                continue
            if change.kind == "vanish" and was is not None and was.status is Status.NOT_REQUIRED:
                continue
            met = (row := rows.get(change.identity)) is not None and row.met_at is not None
            yield Effect(entity, change.kind, was, change.duty, met)


def _duties(
    library: Library,
    incident: Incident,
    entity: Entity,
    known: sheets.Known,
    only: frozenset[str] | None,
    *,
    at: datetime,
) -> dict[tuple[str, str, str], Duty]:
    sheet = sheets.fact_sheet(incident, entity, as_of=at, known=known)
    found: Assessment = assess(library, sheet, sheets.profile(entity), at, only=only)
    return {duty.identity: duty for duty in found.duties}


def _asking(library: Library, name: str) -> frozenset[str]:
    """The rules that ask for ``name``, and those that lean on them."""
    asking = {key for key, rule in library.rules.items() if name in rule.facts}
    while more := {key for key, rule in library.rules.items() if key not in asking and rule.leans_on & asking}:
        asking |= more
    return frozenset(asking)


def _held(duty: Duty) -> Held:
    return Held(duty.identity, duty.status, duty.due_at, duty.starts_at, duty.standard, open=True)


def _excused(row: Obligation | None) -> bool:
    return row is not None and row.state == ObligationState.EXCUSED
