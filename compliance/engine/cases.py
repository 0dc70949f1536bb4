"""Worked cases: facts and the outcome a lawyer expects. They stand beside the rules and prove them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from compliance.engine.assess import assess
from compliance.engine.inputs import read_request
from compliance.engine.instants import parse_instant
from compliance.engine.library import Library
from compliance.engine.strict import Node
from compliance.engine.types import Candidate, Duty, EntityProfile, Event, FactSheet, PeopleCount

ABSENT = "absent"
DEFAULT_AS_OF = datetime(2026, 11, 22, tzinfo=UTC)  # the day the law was researched
EXPECTATIONS = {"status", "due_at", "version", "standard", "questions"}


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case came out; ``wrong`` is empty when it passed."""

    rule: str
    name: str
    status: str
    version: str | None
    wrong: tuple[str, ...]


def run_cases(library: Library) -> Iterator[CaseResult]:
    """Every case of every rule.

    Raises:
        LawError: a case that cannot be read.
    """
    for rule, cases in library.cases.items():
        for node in cases:
            yield _run(library, rule, node)


def _run(library: Library, rule: str, node: Node) -> CaseResult:
    node.mapping(required={"name", "entity", "expect"}, optional={"facts", "people", "submissions", "as_of", "source"})
    given = {key: value for key, value in node.value.items() if key in ("entity", "facts", "people", "submissions")}
    request = read_request(Node(given, file=node.file, key=node.key), library, default_rule=rule)
    as_of = parse_instant(node.at("as_of").text()) if node.has("as_of") else DEFAULT_AS_OF
    expected = node.at("expect").mapping(required={"stage", "status"}, optional=EXPECTATIONS)
    found = [
        duty
        for duty in assess(library, request.sheet, request.entity, as_of).duties
        if duty.rule == rule and duty.stage == expected.value["stage"]
    ]
    duty = found[0] if found else None
    return CaseResult(
        rule,
        node.at("name").text(),
        str(expected.value["status"]),
        duty.version if duty else None,
        tuple(_differences(expected.value, duty)),
    )


def _differences(expected: dict[str, Any], duty: Duty | None) -> Iterator[str]:
    if duty is None:
        if expected["status"] != ABSENT:
            yield f"expected {expected['status']}, found no duty"
        return
    found: dict[str, Any] = {
        "status": duty.status.value,
        "version": duty.version,
        "standard": duty.standard.value,
        "due_at": duty.due_at,
        "questions": list(duty.questions),
    }
    for key in EXPECTATIONS & expected.keys():
        wanted = parse_instant(expected[key]) if key == "due_at" and expected[key] else expected[key]
        if found[key] != wanted:
            yield f"{key}: expected {wanted}, found {found[key]}"


def too_few(library: Library) -> Iterator[str]:
    """What the cases leave unproved: every rule needs one that applies, one that doesn't, and one in every version."""
    results: dict[str, list[CaseResult]] = {}
    for result in run_cases(library):
        results.setdefault(result.rule, []).append(result)
    for key, rule in library.rules.items():
        statuses = {result.status for result in results.get(key, [])}
        if "required" not in statuses:
            yield f"{key}: no case in which it applies"
        if not statuses & {"not_required", ABSENT}:
            yield f"{key}: no case in which it does not apply"
        for version in rule.versions:
            if version.key not in {result.version for result in results.get(key, [])}:
                yield f"{key}: no case under the version from {version.key}"


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
    day = first
    while day <= last:
        at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
        entity = EntityProfile("reference", "reference", roles=("ict_service_provider", "controller"))
        yield day, len(assess(library, _reference(library, at), entity, at).duties)
        year, month = divmod(day.month + 2, 12)
        day = date(day.year + year, month + 1, 1)


def _reference(library: Library, at: datetime) -> FactSheet:
    facts: dict[str, Any] = {}
    for name, definition in library.facts.items():
        if definition.type == "bool":
            facts[name] = True
        elif definition.type == "instant":
            facts[name] = at
        elif definition.type == "contested_instant":
            facts[name] = (Candidate("a", at), Candidate("b", at + timedelta(hours=9)))
        elif definition.type == "event":
            facts[name] = (Event("c", at + timedelta(days=3)),)
    return FactSheet(facts, (PeopleCount("KR", 5561),))
