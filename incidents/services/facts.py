"""Recording what is known. Rows are only added; after each one the duties are computed anew."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from compliance import clock
from compliance.engine import FactDef
from compliance.engine.conditions import PLACE
from compliance.errors import BadInput, Refused
from compliance.library import get_library
from compliance.models import Entity
from compliance.text import clean
from incidents import access, journal
from incidents.models import AffectedSystem, Evidence, Fact, Incident, PeopleCount
from incidents.sealing import fact_digest, fact_subject
from incidents.services import hindsight, sheets
from incidents.services.assessment import reassess_locked
from incidents.services.common import changing, not_in_future, required_text, zone_of

FIGURE_CHANGED = "leak.new_fact_confirmed_at"
# A moment that somebody else has set, and that lies ahead by its nature.
LIES_AHEAD = frozenset({"authority.order_due_at"})
_TYPED = frozenset({"label", "source", "note"})
_KINDS = {"contested_instant": Fact.Kind.CANDIDATE, "event": Fact.Kind.EVENT}


# What follows from facts that were just recorded: further happenings, as keyword arguments of :func:`fact_record`.
Consequence = Callable[..., Sequence[Mapping[str, Any]]]
_consequences: list[Consequence] = []


def register_consequence(consequence: Consequence) -> None:
    """Let a room above record further happenings: called with the incident, the new facts and ``at``, once all is assessed."""
    if consequence not in _consequences:
        _consequences.append(consequence)


def _follow(incident: Incident, added: Sequence[Fact], *, at: datetime, by: User | None) -> None:
    """Record what follows and assess once more. What was recorded because of something else has no further consequences."""
    found = [given for consequence in _consequences for given in consequence(incident, added, at=at)]
    for given in found:
        instant = given["value"].astimezone(UTC).isoformat()
        _add_fact(incident, at=at, by=by, **{**given, "value": instant})
    if found:
        reassess_locked(incident, at=at, by=by)


def fact_record(
    *,
    incident: Incident,
    name: str,
    value: object,
    at: datetime,
    by: User | None,
    entity: Entity | None = None,
    label: str = "",
    arguable: bool = True,
    documented: bool = True,
    source: str = "",
    note: str = "",
    occurred_at: datetime | None = None,
    evidence: Evidence | None = None,
    seen: int | None = None,
) -> Fact:
    """Record a fact of the vocabulary and re-assess.

    ``value`` has the vocabulary's type; instants are aware datetimes or ISO 8601 with an offset. A contested instant
    adds a candidate, an event adds a happening, anything else is the new last word. ``seen``: the number of the word that
    stood when the person looked (0: none; None: nobody looked), as :func:`fact_seen` gives it.

    Raises:
        BadInput: unknown name, wrong type, unknown choice, an instant without zone or in the future.
        Refused: somebody else said something about a plain value since (``fact_conflict``).
        NotPermitted: ``by`` may not handle the incident.
    """
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked)
        _require_seen(locked, name, seen)
        before = hindsight.passed(locked, [name] if name in get_library().facts else [], at=at)
        fact = _add_fact(
            locked,
            name=name,
            value=checked(name, value, at=at, zone=zone_of(locked)),
            at=at,
            by=by,
            entity=entity,
            label=label,
            arguable=arguable,
            documented=documented,
            source=source,
            note=note,
            occurred_at=occurred_at,
            evidence=evidence,
        )
        reassess_locked(locked, at=at, by=by)
        hindsight.flag(locked, before, [fact], at=at, by=by)
        _follow(locked, [fact], at=at, by=by)
        return fact


def fact_seen(incident: Incident, name: str) -> int:
    """The number of the last word on ``name``, a retraction too; 0 where there is none."""
    return incident.facts.filter(name=name).aggregate(last=Max("number"))["last"] or 0


def _require_seen(incident: Incident, name: str, seen: int | None) -> None:
    """Candidates and happenings add up; two plain values do not, and the second must not silence the first unread."""
    if seen is None or defined(name).type in _KINDS:
        return
    if fact_seen(incident, name) != seen:
        raise Refused(
            _(
                "Somebody else recorded this fact while you were writing. Both are shown; record yours again if it is right."
            ),
            code="fact_conflict",
            field="value",
        )


def facts_record(
    *, incident: Incident, facts: Sequence[Mapping[str, Any]], at: datetime, by: User | None
) -> list[Fact]:
    """Record several facts (keyword arguments of :func:`fact_record`) as one change, assessed once."""
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked)
        zone = zone_of(locked)
        names = [given["name"] for given in facts if given["name"] in get_library().facts]
        before = hindsight.passed(locked, names, at=at)
        added = [
            _add_fact(
                locked, at=at, by=by, **{**given, "value": checked(given["name"], given["value"], at=at, zone=zone)}
            )
            for given in facts
        ]
        reassess_locked(locked, at=at, by=by)
        hindsight.flag(locked, before, added, at=at, by=by)
        _follow(locked, added, at=at, by=by)
        return added


def fact_retract(*, fact: Fact, reason: str, at: datetime, by: User | None) -> Fact:
    """Take a fact back: it is unknown again, unless an earlier word stands.

    Raises:
        BadInput: no reason.
        Refused: already retracted.
    """
    with changing(fact.incident, at=at) as locked:
        access.require_handle(by, locked)
        text = required_text(reason, field="reason", at_least=5)
        if fact.superseded_by.exists():
            raise Refused(_("This fact was taken back already."), code="already_retracted")
        before = hindsight.passed(locked, [fact.name], at=at)
        row = _insert(
            locked,
            name=fact.name,
            kind=Fact.Kind.RETRACTION,
            entity=fact.entity,
            value=None,
            note=text,
            supersedes=fact,
            at=at,
            by=by,
        )
        _journal_fact(locked, row, action="fact.retracted", old=fact, at=at, by=by)
        reassess_locked(locked, at=at, by=by)
        hindsight.flag(locked, before, [row], at=at, by=by)
        return row


def candidate_adopt(*, candidate: Fact, reason: str, at: datetime, by: User | None) -> Fact:
    """Let one of several contested instants drive the clock, for a stated reason. The others stay and stay visible.

    Raises:
        BadInput: no reason.
        Refused: not a candidate, or taken back.
    """
    with changing(candidate.incident, at=at) as locked:
        access.require_handle(by, locked)
        text = required_text(reason, field="reason", at_least=5)
        if candidate.kind != Fact.Kind.CANDIDATE or candidate.superseded_by.exists():
            raise Refused(_("Only a recorded awareness time that still stands can be adopted."), code="not_a_candidate")
        before = hindsight.passed(locked, [candidate.name], at=at)
        row = _insert(
            locked,
            name=candidate.name,
            kind=Fact.Kind.ADOPTION,
            entity=candidate.entity,
            value=candidate.value,
            label=candidate.label,
            note=text,
            adopts=candidate,
            at=at,
            by=by,
        )
        _journal_fact(locked, row, action="candidate.adopted", old=None, at=at, by=by)
        reassess_locked(locked, at=at, by=by)
        hindsight.flag(locked, before, [row], at=at, by=by)
        _follow(locked, [row], at=at, by=by)
        return row


def people_record(
    *,
    incident: Incident,
    entity: Entity,
    residence: str,
    count: int | None,
    categories: Sequence[str],
    confirmed_at: datetime,
    at: datetime,
    by: User | None,
    source: str = "",
    encrypted: bool | None = None,
    key_taken: bool | None = None,
) -> PeopleCount:
    """Record how many people of ``residence`` are affected (None: not known yet) and re-assess.

    ``encrypted``: all of their data was unreadable; ``key_taken``: the key went with it; None: not known.

    When an earlier total exists and the new one differs, that is a newly confirmed fact of its own: it is recorded as
    an event at ``confirmed_at`` in the same transaction and may raise the duty to supplement.

    Raises:
        BadInput: negative count, empty residence, an instant in the future.
    """
    given = {
        "residence": residence,
        "count": count,
        "categories": categories,
        "encrypted": encrypted,
        "key_taken": key_taken,
    }
    (row,) = people_list_record(
        incident=incident, entity=entity, people=[given], confirmed_at=confirmed_at, source=source, at=at, by=by
    )
    return row


def people_list_record(
    *,
    incident: Incident,
    entity: Entity,
    people: Sequence[Mapping[str, Any]],
    confirmed_at: datetime,
    at: datetime,
    by: User | None,
    source: str = "",
) -> list[PeopleCount]:
    """Record the figures of several places (``residence``, ``count``, ``categories``, ``encrypted``, ``key_taken`` as in
    :func:`people_record`) as one change, assessed once: a list by place is one finding, not one per place.

    Raises:
        BadInput: as :func:`people_record`.
    """
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked)
        for given in people:
            check_people(given)
        not_in_future(confirmed_at, at=at, field="confirmed_at", zone=entity.zone)
        before = sheets.people_total(sheets.read(locked, as_of=at).people, entity)
        shared = {
            "incident": locked,
            "entity": entity,
            "source": source,
            "confirmed_at": confirmed_at,
            "recorded_at": at,
            "recorded_by": by,
        }
        rows = [
            PeopleCount.objects.create(
                **shared,
                **{**given, "residence": given["residence"].strip(), "categories": list(given["categories"])},
            )
            for given in people
        ]
        after = sheets.people_total(sheets.read(locked, as_of=at).people, entity)
        journal.write(
            incident=locked,
            at=at,
            by=by,
            action="people.counted",
            subject=_people_subject(rows),
            old=before,
            new=after,
            detail={"entity": entity.key, "before": before, "after": after},
        )
        if before is not None and after != before:
            _add_fact(
                locked,
                name=FIGURE_CHANGED,
                value=confirmed_at.astimezone(UTC).isoformat(),
                label=f"{before:,} → {after:,}" if after is not None else f"{before:,} → ?",
                source=source,
                entity=entity,
                at=at,
                by=by,
            )
        reassess_locked(locked, at=at, by=by)
        return rows


def _people_subject(rows: Sequence[PeopleCount]) -> str:
    first = f"people {rows[0].residence}"
    return first if len(rows) == 1 else f"{first} +{len(rows) - 1}"


def check_people(given: Mapping[str, Any]) -> None:
    """Refuse figures that cannot be.

    Raises:
        BadInput: see :func:`people_record`.
    """
    count, residence = given["count"], given["residence"].strip()
    if count is not None and count < 0:
        raise BadInput(_("%(value)s people: expected zero or more."), code="negative", field="count", value=count)
    if not residence:
        raise BadInput(_("Name the place of residence, for example KR."), code="residence_required", field="residence")
    if not PLACE.fullmatch(residence):
        raise BadInput(
            _("%(value)s: expected a country such as KR, or a part of one such as US-CA."),
            code="unknown_place",
            field="residence",
            value=residence,
        )


SYSTEMS_AT_ONCE = 2000


def systems_add(
    *,
    incident: Incident,
    systems: Sequence[Mapping[str, Any]],
    at: datetime,
    by: User | None,
    detail: Mapping[str, Any] | None = None,
) -> int:
    """Add affected systems, all of them or none; answers how many. ``detail`` goes into the journal.

    Raises:
        BadInput: a system without a name or finder, or one that is already recorded.
    """
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked)
        rows = [_system(locked, given, at=at, by=by) for given in systems]
        names = [row.name for row in rows]
        known = set(locked.systems.values_list("name", flat=True)) & set(names)
        doubled = known | {name for name, many in Counter(names).items() if many > 1}
        if doubled:
            raise BadInput(
                _("%(names)s: recorded already. Expected each system once."),
                code="system_twice",
                field="name",
                names=", ".join(sorted(doubled)[:5]),
            )
        AffectedSystem.objects.bulk_create(rows, batch_size=SYSTEMS_AT_ONCE)
        journal.write(
            incident=locked,
            at=at,
            by=by,
            action="system.added",
            subject="systems",
            new=names,
            detail={"count": len(rows), **(detail or {})},
        )
        return len(rows)


def _system(incident: Incident, given: Mapping[str, Any], *, at: datetime, by: User | None) -> AffectedSystem:
    for field in ("name", "found_by"):
        if not str(given.get(field, "")).strip():
            raise BadInput(
                _("System %(name)s: %(field)s is missing."),
                code="system_incomplete",
                field=field,
                name=given.get("name", "?"),
            ) from None
    return AffectedSystem(incident=incident, recorded_at=at, recorded_by=by, **given)


def _add_fact(incident: Incident, *, name: str, value: object, at: datetime, by: User | None, **given: Any) -> Fact:
    kind = kind_of(name)
    before = Fact.objects.filter(incident=incident, name=name, kind=Fact.Kind.VALUE).order_by("-number").first()
    row = _insert(incident, name=name, kind=kind, value=value, at=at, by=by, **given)
    old = before if kind == Fact.Kind.VALUE else None
    _journal_fact(incident, row, action="fact.recorded", old=old, at=at, by=by)
    return row


def _insert(incident: Incident, *, at: datetime, by: User | None, **given: Any) -> Fact:
    given = {key: clean(value) if key in _TYPED else value for key, value in given.items()}
    number = (incident.facts.aggregate(last=Max("number"))["last"] or 0) + 1
    salt = journal.new_salt(incident, f"fact:{number}")
    row = Fact(incident=incident, number=number, recorded_at=at, recorded_by=by, salt=salt, **given)
    row.digest = fact_digest(row)
    row.save(force_insert=True)
    return row


def _journal_fact(
    incident: Incident, fact: Fact, *, action: str, old: Fact | None, at: datetime, by: User | None
) -> None:
    journal.write(
        incident=incident,
        at=at,
        by=by,
        action=action,
        subject=fact_subject(fact),
        old=journal.Digest(old.digest) if old is not None else None,
        # What was said, why, on what source, and how it counts: all of it is sealed, none of it is readable here.
        new=journal.Digest(fact.digest),
        detail={"kind": fact.kind, "entity": fact.entity.key if fact.entity else ""},
    )


def checked(name: str, value: object, *, at: datetime, zone: str) -> object:
    """``value`` as it is stored.

    Raises:
        BadInput: see :func:`fact_record`.
    """
    definition = defined(name)
    return _CHECKS[definition.type](definition, value, at, zone)


def defined(name: str) -> FactDef:
    """The vocabulary's definition of ``name``.

    Raises:
        BadInput: there is none.
    """
    definition = get_library().facts.get(name)
    if definition is None or definition.type not in _CHECKS:  # people and profile are recorded elsewhere
        raise BadInput(_("%(name)s is not a fact of the vocabulary."), code="unknown_fact", field="name", name=name)
    return definition


def kind_of(name: str) -> Fact.Kind:
    """How a recorded word on ``name`` takes part in what is known."""
    return _KINDS.get(get_library().facts[name].type, Fact.Kind.VALUE)


def _instant(definition: FactDef, value: object, at: datetime, zone: str) -> str:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise _wrong(
                definition, value, _("a date and time with zone, for example 2025-09-15T14:00+09:00")
            ) from None
    if not isinstance(value, datetime):
        raise _wrong(definition, value, _("a date and time with zone, for example 2025-09-15T14:00+09:00"))
    if value.tzinfo is None:
        raise BadInput(
            _("%(value)s has no time zone. Expected one, for example +09:00."),
            code="naive_instant",
            field="value",
            value=value.isoformat(timespec="minutes"),
        )
    clock.require_aware(value)
    if definition.name in LIES_AHEAD:
        return value.astimezone(UTC).isoformat()
    return not_in_future(value, at=at, field="value", zone=zone).astimezone(UTC).isoformat()


def _boolean(definition: FactDef, value: object, at: datetime, zone: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(definition, value, _("yes or no"))
    return value


def _integer(definition: FactDef, value: object, at: datetime, zone: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _wrong(definition, value, _("a whole number, zero or more"))
    return value


def _text(definition: FactDef, value: object, at: datetime, zone: str) -> str:
    text = clean(value) if isinstance(value, str) else ""
    if not text:
        raise _wrong(definition, value, _("a text"))
    return text


def _choice(definition: FactDef, value: object, at: datetime, zone: str) -> str:
    if value not in definition.choices:
        raise _wrong(definition, value, ", ".join(definition.choices))
    return str(value)


def _choices(definition: FactDef, value: object, at: datetime, zone: str) -> list[str]:
    if not isinstance(value, list | tuple) or not value or any(item not in definition.choices for item in value):
        raise _wrong(definition, value, ", ".join(definition.choices))
    return sorted({str(item) for item in value}, key=list(definition.choices).index)


def _wrong(definition: FactDef, value: object, expected: object) -> BadInput:
    return BadInput(
        _("%(name)s: %(value)s cannot be used. Expected %(expected)s."),
        code="wrong_value",
        field="value",
        name=definition.name,
        value=repr(value)[:80],
        expected=expected,
    )


_CHECKS = {
    "bool": _boolean,
    "integer": _integer,
    "text": _text,
    "choice": _choice,
    "choices": _choices,
    "instant": _instant,
    "contested_instant": _instant,
    "event": _instant,
}
