"""Counting one period of one rule from given moments, without an incident: what would be due when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from compliance import releases
from compliance.clock import require_aware
from compliance.engine import Deadline, EntityProfile, FactSheet, Library, Standing
from compliance.engine.assess import Case
from compliance.engine.instants import zone_named
from compliance.engine.rules import Office, Rule, Stage, Start, Version
from compliance.engine.starts import Begun
from compliance.engine.types import Candidate, Event, Guidance, Submission
from compliance.errors import BadInput
from compliance.library import get_library

SUBMITTED = "submitted:"


@dataclass(frozen=True, slots=True)
class Calculated:
    """The period, and by which text it was counted. ``opens_at``: it may not be done before."""

    rule: Rule
    version: Version
    stage: Stage
    deadline: Deadline
    # Of whose days were counted.
    zone: str
    opens_at: datetime | None = None
    guidance: Guidance | None = None

    @property
    def confidence(self) -> str:
        """How sure the library is of this stage; of a low one the number is guidance until a person turns the rule on."""
        return self.stage.confidence or self.version.confidence


def period_count(
    *,
    rule: str,
    stage: str,
    start: datetime,
    at: datetime,
    version: str | None = None,
    further: Mapping[str, datetime] | None = None,
    office: str = "",
) -> Calculated:
    """Count the period of ``stage`` of ``rule`` from ``start`` (aware), by the ``version`` of that name, else by the one in
    force on the day of ``start`` at the rule's place, with the days off known at ``at``.

    ``further``: moments that limits beside the clock start from, by the names of :func:`further_starts` (aware). ``office``:
    the place of the authority whose days are counted, where the rule has a table of them; else the rule's own place.

    Raises:
        BadInput: no such rule, version, stage or authority, a text that is not in force, or no version on that day.
    """
    require_aware(start)
    library = releases.library_at("", days_known_at=at)
    held = library.rules.get(rule)
    if held is None:
        raise BadInput(_("There is no such rule."), code="unknown_rule", field="rule", value=rule)
    text = version_for(held, start, version)
    part = text.stage(stage)
    if part is None:
        raise BadInput(
            _("There is no such stage. Expected one of %(expected)s."),
            code="unknown_stage",
            field="stage",
            value=stage,
            expected=", ".join(item.key for item in text.stages),
        )
    given = dict(further or {})
    if part.clock.start.kind == "fact":
        given[part.clock.start.name] = start
    case = Case(library, _sheet(library, given), EntityProfile(key="", name=""), at)
    counter, begun = case.counter(held, _office(held, office)), Begun(start)
    return Calculated(
        held,
        text,
        part,
        counter.deadline(part.clock, begun),
        counter.zone,
        opens_at=counter.beside(part.clock.opens, part.clock, begun) if part.clock.opens else None,
        guidance=counter.guidance(part.clock, begun),
    )


def _office(rule: Rule, place: str) -> tuple[Office, ...]:
    if not place:
        return ()
    found = rule.offices.get(place)
    if found is None:
        raise BadInput(
            _("The rule names no authority there. Expected one of %(expected)s."),
            code="unknown_office",
            field="office",
            expected=", ".join(sorted(rule.offices)),
        )
    return (found,)


def _sheet(library: Library, further: Mapping[str, datetime]) -> FactSheet:
    """What the limits beside the clock start from, as if it had been recorded."""
    facts: dict[str, object] = {}
    done: list[Submission] = []
    for name, moment in further.items():
        require_aware(moment)
        if name.startswith(SUBMITTED):
            owner, _colon, stage = name.removeprefix(SUBMITTED).partition("/")
            done.append(Submission(rule=owner, stage=stage, occurrence="", at=moment))
        elif name in library.facts:
            kind = library.facts[name].type
            several = {"contested_instant": (Candidate("given", moment),), "event": (Event("given", moment),)}
            facts[name] = several.get(kind, moment)
    return FactSheet(facts, submissions=tuple(done))


def version_for(rule: Rule, start: datetime, wanted: str | None) -> Version:
    """The version named ``wanted``, else the one in force on the day of ``start`` at the rule's place.

    Raises:
        BadInput: there is none, or it is not law.
    """
    if wanted is not None:
        found = next((item for item in rule.versions if item.key == wanted), None)
    else:
        found = rule.version_on(start.astimezone(zone_named(rule.zone)).date())
    if found is None:
        raise BadInput(
            _("No version of this rule speaks there. Expected one of %(expected)s."),
            code="unknown_version",
            field="version",
            expected=", ".join(item.key for item in rule.versions),
        )
    if found.standing is not Standing.IN_FORCE:
        raise BadInput(
            _("This text is not in force: it gives no duty and no deadline."), code="not_law", field="version"
        )
    return found


def further_starts(rule: Rule, version: Version, stage: Stage) -> list[str]:
    """What the limits beside the clock of ``stage`` start from, other than where the clock itself does: facts by name, and
    acts as ``submitted:RULE/STAGE``. The end of another stage's period stands for whatever that one starts from."""
    own = set(_names(stage.clock.start, rule, version, set()))
    clock = stage.clock
    beside = [clock.second, clock.opens, clock.guidance.limit if clock.guidance else None]
    limits = [limit.start for limit in beside if limit is not None and limit.start != clock.start]
    names = [name for start in limits for name in _names(start, rule, version, set())]
    names += [clock.set_by] if clock.set_by else []
    kept = own if clock.start.kind == "fact" else set()
    return [name for name in dict.fromkeys(names) if name not in kept]


def _names(start: Start, rule: Rule, version: Version, seen: set[tuple[str, str]]) -> Iterator[str]:
    for part in start.all():
        if part.kind == "fact":
            yield part.name
        elif part.kind == "submitted":
            yield f"{SUBMITTED}{part.rule or rule.key}/{part.name}"
        elif part.kind == "due" and (part.rule or rule.key, part.name) not in seen:
            seen.add((part.rule or rule.key, part.name))
            other = get_library().rules.get(part.rule) if part.rule else rule
            text = version if other is rule else (other.versions[-1] if other else None)
            found = text.stage(part.name) if text else None
            if other is not None and text is not None and found is not None:
                yield from _names(found.clock.start, other, text, seen)
