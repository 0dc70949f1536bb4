"""Worked cases: facts and the outcome a lawyer expects. They stand beside the rules and prove them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from compliance.engine.assess import Case
from compliance.engine.inputs import Request, read_request
from compliance.engine.instants import parse_instant
from compliance.engine.library import Library
from compliance.engine.rules import Rule
from compliance.engine.strict import Node
from compliance.engine.types import (
    Candidate,
    Duty,
    EntityProfile,
    Event,
    FactDef,
    FactSheet,
    PeopleCount,
    Standing,
    Status,
)

ABSENT = "absent"
DEFAULT_AS_OF = datetime(2026, 11, 22, tzinfo=UTC)  # the day the law was researched
EXPECTATIONS = {
    "status", "occurrence", "due_at", "version", "standard", "questions", "starts_at", "guidance_at", "opens_at",
    "provisional",
}  # fmt: skip
_GIVEN = ("entity", "facts", "people", "submissions", "turned_on")


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one expectation of one case came out; ``wrong`` is empty when it passed.

    ``day``: the civil date that chose the version (None: no moment recorded).
    """

    rule: str
    name: str
    stage: str
    status: str
    version: str | None
    day: date | None
    wrong: tuple[str, ...]


def run_cases(library: Library) -> Iterator[CaseResult]:
    """Every case of every rule.

    Raises:
        LawError: a case that cannot be read.
    """
    for key, cases in library.cases.items():
        for node in cases:
            yield from _run(library, library.rules[key], node)


def run_rule(library: Library, key: str) -> Iterator[tuple[dict[str, Any], tuple[CaseResult, ...]]]:
    """Every case of the rule ``key`` as it was written down, with how each of its expectations came out.

    Raises:
        KeyError: no such rule.
        LawError: a case that cannot be read.
    """
    for node in library.cases[key]:
        yield node.value, tuple(_run(library, library.rules[key], node))


def _run(library: Library, rule: Rule, node: Node) -> Iterator[CaseResult]:
    node.mapping(required={"name", "entity", "expect"}, optional={*_GIVEN, "as_of", "source"})
    given = {key: value for key, value in node.value.items() if key in _GIVEN}
    request = read_request(Node(given, file=node.file, key=node.key), library, default_rule=rule.key)
    as_of = parse_instant(node.at("as_of").text()) if node.has("as_of") else DEFAULT_AS_OF
    case = Case(library, request.sheet, request.entity, as_of)
    duties = list(case.duties(rule))
    day = _day(case, rule, request, as_of)
    expected = node.at("expect")
    for item in expected.items(least=1) if isinstance(expected.value, list) else [expected]:
        item.mapping(required={"stage", "status"}, optional=EXPECTATIONS)
        item.at("status").one_of({ABSENT, *Status})
        duty = next((duty for duty in duties if _meant(duty, item.value)), None)
        yield CaseResult(
            rule=rule.key,
            name=node.at("name").text(),
            stage=item.at("stage").text(),
            status=item.at("status").text(),
            version=duty.version if duty else None,
            day=day,
            wrong=tuple(_differences(item, duty)),
        )


def _day(case: Case, rule: Rule, request: Request, as_of: datetime) -> date | None:
    for version in reversed(rule.versions):
        begun = case.starts.resolve(version.connects_by, rule.key)
        if begun.at is not None:
            return case.starts.day(begun.at, rule.zone)
    return case.starts.day(as_of, rule.zone)


def _meant(duty: Duty, expected: dict[str, Any]) -> bool:
    return (duty.stage, duty.occurrence) == (expected["stage"], expected.get("occurrence", duty.occurrence))


def _differences(node: Node, duty: Duty | None) -> Iterator[str]:
    expected = node.value
    if duty is None:
        if expected["status"] != ABSENT:
            yield f"{expected['stage']}: expected {expected['status']}, found no duty"
        return
    found: dict[str, Any] = {
        "status": duty.status.value,
        "occurrence": duty.occurrence,
        "version": duty.version,
        "standard": duty.standard.value,
        "due_at": duty.due_at,
        "questions": list(duty.questions),
        "starts_at": duty.starts_at,
        "guidance_at": duty.guidance.at if duty.guidance else None,
        "opens_at": duty.opens_at,
        "provisional": duty.provisional,
    }
    for key in sorted(EXPECTATIONS & expected.keys()):
        wanted = parse_instant(node.at(key).text()) if key.endswith("_at") and expected[key] else expected[key]
        if found[key] != wanted:
            yield f"{duty.stage}: {key}: expected {wanted}, found {found[key]}"


def too_few(library: Library, results: list[CaseResult]) -> Iterator[str]:
    """What the cases leave unproved: every stage where it applies, every rule where it doesn't, both sides of each boundary."""
    held: dict[str, list[CaseResult]] = {key: [] for key in library.rules}
    for result in results:
        held[result.rule].append(result)
    for key, rule in library.rules.items():
        yield from (f"{key}: {lack}" for lack in _lacking(rule, held[key]))


def _lacking(rule: Rule, results: list[CaseResult]) -> Iterator[str]:
    if not any(result.status in (ABSENT, Status.NOT_REQUIRED) for result in results):
        yield "no case in which it does not apply"
    applied = {result.stage for result in results if result.status in (Status.REQUIRED, Status.POSSIBLE)}
    versions = [version for version in rule.versions if version.standing is Standing.IN_FORCE]
    for stage in dict.fromkeys(stage.key for version in versions for stage in version.stages):
        if stage not in applied:
            yield f"{stage}: no case in which it applies"
    days = {result.day for result in results}
    for version in versions:
        if version.key not in {result.version for result in results}:
            yield f"no case under the version from {version.key}"
        for boundary in (version.start, version.until):
            for side in (boundary - timedelta(days=1), boundary) if boundary else ():
                if side not in days:
                    yield f"no case on {side}, at the boundary of the version from {version.key}"


def released_changes(library: Library) -> Iterator[str]:
    """Released versions whose text changed without a new revision, and versions that were never released."""
    for rule in library.rules.values():
        for version in rule.versions:
            name = f"{rule.key}@{version.key}r{version.revision}"
            held = library.released.get(name)
            if held is None:
                yield f"{name}: not in released.yaml; add its digest {version.digest}"
            elif held != version.digest:
                yield f"{name}: differs from the released text; expected a new revision instead of a changed one"


def coverage(library: Library, *, first: date, last: date) -> Iterator[tuple[date, int]]:
    """A reference incident on the first day of every quarter: how many duties it raises. It only has to end."""
    entity = reference_entity(library)
    day = first
    while day <= last:
        at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
        case = Case(library, reference_sheet(library, at), entity, at)
        yield day, sum(1 for rule in library.rules.values() for _ in case.duties(rule))
        year, month = divmod(day.month + 2, 12)
        day = date(day.year + year, month + 1, 1)


def reference_entity(library: Library) -> EntityProfile:
    """An entity that is everything, everywhere."""
    places = _everywhere(library)
    return EntityProfile(
        "reference",
        "reference",
        roles=tuple(library.facts["entity.roles"].choices),
        sectors=tuple(library.facts["entity.sectors"].choices),
        establishments=places,
        markets=places,
        main_establishment=places[0],
    )


def reference_sheet(library: Library, at: datetime) -> FactSheet:
    """Every fact recorded, everything as bad as can be, people affected everywhere."""
    facts = {name: _worst(item, at) for name, item in library.facts.items() if item.type not in ("people", "profile")}
    kinds = tuple(library.facts["people.categories"].choices)
    return FactSheet(facts, tuple(PeopleCount(place, 20_000, kinds, False) for place in _everywhere(library)))


def _everywhere(library: Library) -> tuple[str, ...]:
    grouped = {place for group in library.facts.places.values() for place in group}
    return tuple(sorted(grouped | {key for key in library.calendars if len(key) == 2}))


def _worst(definition: FactDef, at: datetime) -> Any:
    values: dict[str, Any] = {
        "bool": True,
        "integer": 1_000_000,
        "text": "reference",
        "choice": next(reversed(list(definition.choices)), None),
        "choices": tuple(definition.choices),
        "instant": at,
        "contested_instant": (Candidate("a", at), Candidate("b", at + timedelta(hours=9))),
        "event": (Event("c", at + timedelta(days=3)),),
    }
    return values[definition.type]
