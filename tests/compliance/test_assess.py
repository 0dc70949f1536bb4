"""The law decides: required, possible, not required, and why. What holds for any facts is in test_properties.py."""

from collections import Counter
from datetime import datetime
from typing import Any

from compliance.engine import Candidate, EntityProfile, FactSheet, PeopleCount, Status, Submission, assess
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
    asked = Counter(name for duty in found.duties for name in duty.questions)
    assert asked[found.questions[0]] == max(asked.values())
    assert set(found.questions) == asked.keys() >= {"leak.confirmed", "incident.is_cyber"}


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
