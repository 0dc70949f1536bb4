"""What holds of every rule of the whole library, for any facts at all.

Each example takes one rule and one of its worked cases and changes facts that this very rule asks for, so that its conditions and
clocks are reached.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from compliance.engine import (
    Candidate,
    Duty,
    EntityProfile,
    Event,
    FactSheet,
    PeopleCount,
    Status,
    Submission,
    assess,
    canonical_json,
)
from compliance.engine.assess import Case
from compliance.engine.cases import reference_entity
from compliance.engine.inputs import Request, read_request
from compliance.engine.strict import Node
from compliance.library import get_library

LIBRARY = get_library()
AS_OF = datetime(2026, 11, 22, tzinfo=UTC)
EVERYTHING = reference_entity(LIBRARY)
HOUR = timedelta(hours=1)
GIVEN = ("entity", "facts", "people", "submissions", "turned_on")
MANY = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


# --- cases of one rule

MOMENTS = st.integers(0, 6 * 365 * 24).map(lambda hours: datetime(2023, 1, 1, tzinfo=UTC) + hours * HOUR)
COUNTS = st.sampled_from([0, 1, 2, 249, 250, 251, 499, 500, 501, 999, 1000, 1001, 10_000, 10_001]) | st.integers(
    0, 10**7
)
PLACES = sorted(EVERYTHING.establishments or ())
CATEGORIES = list(LIBRARY.facts["people.categories"].choices)


def candidates(moments: list[datetime]) -> tuple[Candidate, ...]:
    return tuple(Candidate(f"c{number}", at) for number, at in enumerate(moments))


def happenings(moments: list[datetime]) -> tuple[Event, ...]:
    return tuple(Event(f"e{number}", at) for number, at in enumerate(moments))


@cache
def value_of(name: str) -> st.SearchStrategy[Any]:
    definition = LIBRARY.facts[name]
    choices = list(definition.choices)
    several = st.lists(MOMENTS, min_size=1, max_size=2)
    return {
        "bool": st.booleans,
        "integer": lambda: COUNTS,
        "text": lambda: st.just("as it was told"),
        "choice": lambda: st.sampled_from(choices),
        "choices": lambda: st.lists(st.sampled_from(choices), min_size=1, max_size=3, unique=True).map(tuple),
        "instant": lambda: MOMENTS,
        "contested_instant": lambda: several.map(candidates),
        "event": lambda: several.map(happenings),
    }[definition.type]()


@cache
def asked_by(rule: str) -> tuple[str, ...]:
    """The facts that bear on ``rule``: what it names, what stands in for that, and the same of rules it hangs on."""
    names = set(LIBRARY.rules[rule].facts)
    names |= {
        name
        for stage in stages(rule)
        for order in stage.orders
        if order.rule
        for name in LIBRARY.rules[order.rule].facts
    }
    names |= {earlier for name in set(names) for earlier in LIBRARY.facts[name].until_known}
    return tuple(sorted(name for name in names if LIBRARY.facts[name].type not in ("people", "profile")))


def stages(rule: str) -> list[Any]:
    return [stage for version in LIBRARY.rules[rule].versions for stage in version.stages]


@cache
def worked(rule: str) -> list[Request]:
    """The rule's own worked cases, which reach what it asks for, and one of which nothing is known."""
    held = [
        Node({key: value for key, value in node.value.items() if key in GIVEN}, file=node.file, key=node.key)
        for node in LIBRARY.cases[rule]
    ]
    nothing = Request(EntityProfile("n", "N", None, None, None, None, None), FactSheet())
    return [nothing, *(read_request(node, LIBRARY, default_rule=rule) for node in held)]


@cache
def places_near(rule: str) -> st.SearchStrategy[str]:
    """Places where the rule may reach people, and others."""
    home = [place for place in PLACES if place[:2] == LIBRARY.rules[rule].jurisdiction[:2]] or PLACES
    return st.sampled_from(home) | st.sampled_from([*PLACES, "US", "KR", "DE", "JP"])


@cache
def people_of(rule: str) -> st.SearchStrategy[tuple[PeopleCount, ...]]:
    row = st.builds(
        PeopleCount,
        residence=places_near(rule),
        count=st.none() | COUNTS,
        categories=st.lists(st.sampled_from(CATEGORIES), max_size=3, unique=True).map(tuple),
        encrypted=st.none() | st.booleans(),
        key_taken=st.none() | st.booleans(),
    )
    return st.lists(row, max_size=3, unique_by=lambda item: item.residence).map(tuple)


@cache
def entities(rule: str) -> st.SearchStrategy[EntityProfile]:
    """Everything, with some of it unknown or elsewhere."""
    near = st.none() | st.lists(places_near(rule), max_size=3, unique=True).map(tuple)
    return st.builds(
        replace,
        st.just(EVERYTHING),
        roles=st.sampled_from([None, EVERYTHING.roles, ()]),
        sectors=st.sampled_from([None, EVERYTHING.sectors, ()]),
        establishments=near,
        markets=near,
        main_establishment=st.none() | places_near(rule),
    )


@cache
def submissions_of(rule: str) -> st.SearchStrategy[tuple[Submission, ...]]:
    keys = st.sampled_from([stage.key for stage in stages(rule)])
    return st.lists(st.builds(Submission, st.just(rule), keys, st.just(""), MOMENTS), max_size=2).map(tuple)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, EntityProfile, FactSheet]:
    """A worked case of some rule, with a few of its facts forgotten or otherwise, and perhaps other people and acts."""
    rule = draw(st.sampled_from(sorted(LIBRARY.rules)))
    base = draw(st.sampled_from(worked(rule)))
    facts = dict(base.sheet.facts)
    for name in draw(st.lists(st.sampled_from(asked_by(rule)), max_size=4, unique=True)):
        facts.pop(name, None)
        if draw(st.booleans()):
            facts[name] = draw(value_of(name))
    sheet = FactSheet(
        facts,
        draw(st.just(base.sheet.people) | people_of(rule)),
        draw(st.just(base.sheet.submissions) | submissions_of(rule)),
        draw(st.sampled_from([base.sheet.turned_on, frozenset({rule})])),
    )
    return rule, draw(st.just(base.entity) | entities(rule)), sheet


def duties(rule: str, entity: EntityProfile, sheet: FactSheet) -> dict[tuple[str, str, str], Duty]:
    return {duty.identity: duty for duty in Case(LIBRARY, sheet, entity, AS_OF).duties(LIBRARY.rules[rule])}


# --- what holds of them


@MANY
@given(cases())
def test_any_valid_facts_have_an_answer_and_all_of_it_can_be_written_down(case: Any) -> None:
    for duty in duties(*case).values():
        written = duty.to_json()
        assert json.loads(canonical_json(written)) == written
        for key in ("starts_at", "due_at", "opens_at"):
            assert (datetime.fromisoformat(written[key]) if written[key] else None) == getattr(duty, key)
        assert len(written["trace"]) == len(duty.trace)
        assert duty.because or duty.status is Status.REQUIRED
        assert duty.citations


@MANY
@given(cases())
def test_asking_twice_gives_the_same_answer(case: Any) -> None:
    first, second = ([duty.to_json() for duty in duties(*case).values()] for _ in range(2))
    assert first == second


@settings(MANY, max_examples=3)
@given(cases())
def test_the_whole_library_answers_a_case_the_same_way_twice(case: Any) -> None:
    _rule, entity, sheet = case
    first, second = (assess(LIBRARY, sheet, entity, AS_OF).to_json() for _ in range(2))
    assert first == second


@MANY
@given(cases(), st.data())
def test_a_further_fact_never_turns_required_into_possible(case: Any, data: st.DataObject) -> None:
    rule, entity, sheet = case
    missing = [name for name in asked_by(rule) if name not in sheet.facts]
    assume(missing)
    name = data.draw(st.sampled_from(missing))
    more = replace(sheet, facts={**sheet.facts, name: data.draw(value_of(name))})
    before, after = duties(rule, entity, sheet), duties(rule, entity, more)
    for identity, duty in before.items():
        if duty.status is Status.REQUIRED and identity in after:
            assert after[identity].status is not Status.POSSIBLE, name


# A duty for few people that the law itself replaces, for many, by a stricter one.
REPLACED = {("us.hipaa.breach", "hhs_under_500"): "hhs_500_plus", ("us.ftc.hbnr", "ftc_under_500"): "ftc_500_plus"}


@MANY
@given(cases(), st.integers(1, 10**6))
def test_more_people_never_remove_a_duty(case: Any, more: int) -> None:
    rule, entity, sheet = case
    grown = tuple(replace(row, count=row.count + more) if row.count is not None else row for row in sheet.people)
    assume(grown != sheet.people)
    before, after = duties(rule, entity, sheet), duties(rule, entity, replace(sheet, people=grown))
    for identity, duty in before.items():
        if duty.status is Status.REQUIRED:
            heir = (duty.rule, REPLACED.get(identity[:2], duty.stage), duty.occurrence)
            assert Status.REQUIRED in (after[identity].status, after[heir].status)


@MANY
@given(cases(), st.integers(1, 5000), st.data())
def test_a_later_awareness_never_gives_an_earlier_deadline_under_the_same_text(
    case: Any, hours: int, data: st.DataObject
) -> None:
    rule, entity, sheet = case
    held = [name for name in sheet.facts if LIBRARY.facts[name].type == "contested_instant"]
    assume(held)
    name = data.draw(st.sampled_from(held))
    moved = tuple(replace(item, at=item.at + hours * HOUR) for item in sheet.facts[name])
    later = replace(sheet, facts={**sheet.facts, name: moved})
    before, after = duties(rule, entity, sheet), duties(rule, entity, later)
    for identity, duty in before.items():
        if identity in after and duty.version == after[identity].version and duty.due_at and after[identity].due_at:
            assert after[identity].due_at >= duty.due_at


@MANY
@given(cases())
def test_no_duty_is_counted_to_end_before_it_starts(case: Any) -> None:
    rule, entity, sheet = case
    # Not counted but set: by an order, or by another act (done, or due itself) that this one must not come after.
    moments = {sheet.facts.get(stage.clock.set_by) for stage in stages(rule)} | {item.at for item in sheet.submissions}
    found = duties(rule, entity, sheet)
    bound = {stage.key: {order.stage for order in stage.orders} for stage in stages(rule)}
    for duty in found.values():
        others = {other.due_at for other in found.values() if other.law.stage in bound[duty.law.stage]}
        if duty.due_at not in others and duty.due_at is not None and duty.due_at not in moments:
            assert duty.starts_at is not None
            assert duty.due_at >= duty.starts_at
        for item in duty.alternatives:
            assert item.due_at is None or item.due_at in moments or item.due_at >= item.starts_at
