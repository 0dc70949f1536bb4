"""The law decides: required, possible, not required, and why. Properties that must hold for any facts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.engine import Candidate, EntityProfile, Event, FactSheet, PeopleCount, Status, Submission, assess
from compliance.library import get_library
from tests.times import kst

LIBRARY = get_library()
TELCO = EntityProfile("t", "Telco", roles=("ict_service_provider", "controller"))
AS_OF = kst("2026-11-22 09:00")


def duties(
    facts: dict[str, Any],
    people: tuple[PeopleCount, ...] = (),
    submissions: tuple[Submission, ...] = (),
    as_of: datetime = AS_OF,
):
    found = assess(LIBRARY, FactSheet(facts, people, submissions), TELCO, as_of).duties
    return {duty.identity: duty for duty in found}


def test_nothing_known_gives_possible_duties_and_the_questions_that_settle_most() -> None:
    found = assess(LIBRARY, FactSheet(), TELCO, AS_OF)
    assert {duty.status for duty in found.duties} == {Status.POSSIBLE, Status.NOT_REQUIRED}
    assert found.questions[0] == "leak.confirmed"


def test_every_answer_carries_its_reason_and_citation() -> None:
    for duty in duties({"incident.is_cyber": True, "leak.confirmed": False}).values():
        assert duty.because or duty.status == Status.REQUIRED
        assert duty.citations


def test_an_unknown_exemption_does_not_weaken_a_duty() -> None:
    found = duties({"incident.is_cyber": True, "incident.known_at": (Candidate("a", AS_OF),)})
    assert found["kr.network-act.incident-report", "initial", ""].status == Status.REQUIRED


def test_candidates_under_different_texts_are_flagged_for_a_lawyer() -> None:
    facts = {
        "incident.is_cyber": True,
        "incident.known_at": (Candidate("a", kst("2024-08-13 20:00")), Candidate("b", kst("2024-08-14 09:00"))),
    }
    duty = duties(facts)["kr.network-act.incident-report", "initial", ""]
    assert any("a lawyer must decide" in step.text.en for step in duty.trace)
    assert [item.due_at for item in duty.alternatives] == [None, kst("2024-08-15 09:00")]


def test_without_the_fact_that_chooses_the_version_the_trace_says_what_was_read() -> None:
    duty = duties({"incident.is_cyber": True}, as_of=kst("2025-01-10 09:00"))[
        "kr.network-act.incident-report", "initial", ""
    ]
    assert duty.version == "2024-08-14"
    assert duty.due_at is None
    assert "incident.known_at" in duty.questions
    assert any("not recorded" in step.text.en for step in duty.trace)


def test_json_carries_the_offset_of_the_authoritys_zone() -> None:
    facts = {"incident.is_cyber": True, "incident.known_at": (Candidate("a", kst("2025-09-15 14:00")),)}
    written = duties(facts)["kr.network-act.incident-report", "initial", ""].to_json()
    assert (written["due_at"], written["due_zone"]) == ("2025-09-16T14:00:00+09:00", "Asia/Seoul")


BOOLS = sorted(name for name, item in LIBRARY.facts.items() if item.type == "bool" and item.legal)
MOMENTS = st.integers(min_value=0, max_value=365 * 4 * 24).map(
    lambda hour: datetime(2023, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
)
CANDIDATES = st.lists(MOMENTS, min_size=1, max_size=3).map(
    lambda moments: tuple(Candidate(f"c{number}", at) for number, at in enumerate(moments))
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.booleans() for name in BOOLS},
        **{name: CANDIDATES for name, item in LIBRARY.facts.items() if item.type == "contested_instant"},
        **{name: MOMENTS for name, item in LIBRARY.facts.items() if item.type == "instant" and item.legal},
        **{
            name: MOMENTS.map(lambda at: (Event("e", at),))
            for name, item in LIBRARY.facts.items()
            if item.type == "event"
        },
    },
)
PEOPLE = st.lists(
    st.builds(PeopleCount, residence=st.sampled_from(["KR", "JP", "US-CA"]), count=st.none() | st.integers(0, 5000)),
    max_size=2,
).map(tuple)


@settings(max_examples=400, deadline=None)
@given(facts=FACTS, people=PEOPLE)
def test_any_valid_facts_have_an_answer(facts: dict[str, Any], people: tuple[PeopleCount, ...]) -> None:
    for duty in duties(facts, people).values():
        assert duty.status in Status
        assert (duty.due_at is None) or duty.starts_at is not None


@settings(max_examples=400, deadline=None)
@given(facts=FACTS, people=PEOPLE, name=st.sampled_from(BOOLS), value=st.booleans())
def test_adding_a_yes_or_no_never_turns_required_into_possible(
    facts: dict[str, Any], people: tuple[PeopleCount, ...], name: str, value: bool
) -> None:
    if name in facts:
        return
    before, after = duties(facts, people), duties({**facts, name: value}, people)
    for identity, duty in before.items():
        if duty.status == Status.REQUIRED and identity in after:
            assert after[identity].status != Status.POSSIBLE


@settings(max_examples=300, deadline=None)
@given(facts=FACTS, count=st.integers(0, 3000), more=st.integers(1, 3000))
def test_more_people_never_remove_a_duty(facts: dict[str, Any], count: int, more: int) -> None:
    few, many = (duties(facts, (PeopleCount("KR", number),)) for number in (count, count + more))
    for identity, duty in few.items():
        if duty.status == Status.REQUIRED:
            assert many[identity].status == Status.REQUIRED


@settings(max_examples=300, deadline=None)
@given(first=MOMENTS, later=st.integers(1, 5000))
def test_a_later_awareness_never_gives_an_earlier_deadline(first: datetime, later: int) -> None:
    key = ("kr.network-act.incident-report", "initial", "")
    dues = [
        duties({"incident.is_cyber": True, "incident.known_at": (Candidate("a", at),)})[key].due_at
        for at in (first, first + timedelta(hours=later))
    ]
    if None not in dues:
        assert dues[0] < dues[1]
