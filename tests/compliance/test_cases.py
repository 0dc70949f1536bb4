"""Worked cases prove the law: what a case may say, what it finds wrong, and what too few cases leave unproved."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from compliance.engine import Candidate, Event, LawError, Library, PeopleCount
from compliance.engine.cases import (
    CaseResult,
    coverage,
    reference_entity,
    reference_sheet,
    released_changes,
    run_cases,
    too_few,
)
from compliance.engine.library import library_of
from compliance.engine.reading import law_files
from tests.compliance.minilaw import both, contents, fact, library, rule, stage, version

KNOWN = {"known": "2026-03-02T05:00+00:00"}  # Monday 14:00 in Seoul
BAD = {"fact": "bad", "is": True}
STAGE = {"stage": "first", "status": "required"}


def with_cases(folder: Path, cases: list[dict[str, Any]], *versions: dict[str, Any], **more: Any) -> Library:
    """A library of one rule whose cases lie on disk, where cases are read."""
    path = folder / "xx" / "act" / "cases" / "rule-0.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump([{"name": "c", "entity": {}, **case} for case in cases]), encoding="utf-8")
    return library_of(law_files(contents(rule(*versions, **more)), root=folder), proved=True)


def results(folder: Path, expect: Any, *versions: dict[str, Any], **case: Any) -> list[CaseResult]:
    filler = {"expect": STAGE}
    return list(run_cases(with_cases(folder, [{**case, "expect": expect}, filler], *versions)))[:-1]


def wrong(folder: Path, expect: Any, *versions: dict[str, Any], **case: Any) -> list[str]:
    return [line for result in results(folder, expect, *versions, **case) for line in result.wrong]


def test_a_case_that_comes_out_as_expected_says_what_it_proved(tmp_path: Path) -> None:
    (found,) = results(tmp_path, STAGE, facts=KNOWN, name="Known on Monday")
    assert found == CaseResult(
        "xx.act.report", "Known on Monday", "first", "required", "2020-01-01", date(2026, 3, 2), ()
    )


EXACT = {
    **STAGE,
    "version": "2020-01-01",
    "occurrence": "",
    "starts_at": "2026-03-02T14:00+09:00",
    "due_at": "2026-03-05T14:00+09:00",
    "standard": "hours",
    "questions": [],
    "guidance_at": "2026-03-02T15:00+09:00",
    "opens_at": "2026-03-02T16:00+09:00",
    "provisional": False,
}
HOUR = {"from": "known", "within": 1, "counting": "strict.hours"}
CLOCK = {
    "from": "known",
    "within": 72,
    "counting": "strict.hours",
    "guidance": {"text": both("aim"), **HOUR},
    "opens": {**HOUR, "within": 2},
}


def test_everything_a_case_may_expect_is_compared(tmp_path: Path) -> None:
    assert wrong(tmp_path, EXACT, version(stage(clock=CLOCK)), facts=KNOWN) == []


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("status", "possible", "first: status: expected possible, found required"),
        ("version", "2019-01-01", "first: version: expected 2019-01-01, found 2020-01-01"),
        ("starts_at", None, "first: starts_at: expected None, found 2026-03-02 05:00:00+00:00"),
        (
            "due_at",
            "2026-03-05T14:01+09:00",
            "first: due_at: expected 2026-03-05 05:01:00+00:00, found 2026-03-05 05:00:00+00:00",
        ),
        ("standard", "days", "first: standard: expected days, found hours"),
        ("questions", ["bad"], "first: questions: expected ['bad'], found []"),
        ("guidance_at", None, "first: guidance_at: expected None, found 2026-03-02 06:00:00+00:00"),
        ("opens_at", None, "first: opens_at: expected None, found 2026-03-02 07:00:00+00:00"),
        ("provisional", True, "first: provisional: expected True, found False"),
    ],
)
def test_each_difference_is_told(tmp_path: Path, key: str, value: Any, told: str) -> None:
    assert wrong(tmp_path, {**EXACT, key: value}, version(stage(clock=CLOCK)), facts=KNOWN) == [told]


def test_without_guidance_none_may_be_expected(tmp_path: Path) -> None:
    assert wrong(tmp_path, {**STAGE, "guidance_at": None}, facts=KNOWN) == []


def test_a_duty_that_is_not_there_is_told_unless_absence_was_expected(tmp_path: Path) -> None:
    early = {"known": "2019-03-02T14:00+09:00"}
    found = results(tmp_path, [STAGE, {"stage": "first", "status": "absent"}], facts=early)
    assert [item.wrong for item in found] == [("first: expected required, found no duty",), ()]
    assert [(item.version, item.status) for item in found] == [(None, "required"), (None, "absent")]


def test_a_duty_that_is_there_though_absence_was_expected_is_told(tmp_path: Path) -> None:
    found = wrong(tmp_path, {"stage": "first", "status": "absent"}, facts=KNOWN)
    assert found == ["first: status: expected absent, found required"]


def test_one_case_may_expect_several_stages_and_occurrences(tmp_path: Path) -> None:
    each = stage("each", {"from": "change", "within": 1, "counting": "strict.hours"}, per_event="change")
    events = [{"at": "2026-03-02T14:00+09:00"}, {"at": "2026-03-03T14:00+09:00"}]
    expect = [
        {**STAGE, "due_at": "2026-03-05T14:00+09:00"},
        {**STAGE, "stage": "each", "occurrence": "change[1]", "due_at": "2026-03-03T15:00+09:00"},
        {**STAGE, "stage": "each", "due_at": "2026-03-02T15:00+09:00"},
    ]
    assert wrong(tmp_path, expect, version(stage(), each), facts={**KNOWN, "change": events}) == []


def test_people_submissions_and_what_was_turned_on_reach_the_case(tmp_path: Path) -> None:
    final = stage("final", {"from": {"submitted": "first"}, "within": 1, "counting": "strict.hours"})
    unsure = version(
        stage(), final, confidence="low", doubts=both("d"), applies_when={"people": {"at_least": 5, "in": "KR"}}
    )
    found = wrong(
        tmp_path,
        {**STAGE, "stage": "final", "due_at": "2026-03-02T16:00+09:00"},
        unsure,
        facts=KNOWN,
        people=[{"residence": "KR", "count": 5}],
        submissions=[{"stage": "first", "at": "2026-03-02T15:00+09:00"}],
        turned_on=["xx.act.report"],
    )
    assert found == []


def test_the_moment_of_asking_chooses_the_text_where_no_fact_does(tmp_path: Path) -> None:
    two = (version(until="2026-03-03"), version(**{"from": "2026-03-03"}))
    asked = {"as_of": "2026-03-02T23:00+09:00", "source": "a book"}
    (found,) = results(tmp_path, {**STAGE, "version": "2020-01-01"}, *two, **asked)
    assert (found.wrong, found.day) == ((), date(2026, 3, 2))


def test_a_case_is_asked_on_the_day_of_the_research_if_it_names_none(tmp_path: Path) -> None:
    (found,) = results(tmp_path, STAGE)
    assert found.day == date(2026, 11, 22)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ({"expect": {"stage": "first"}}, "[0].expect.status: missing"),
        ({"expect": {"status": "required"}}, "[0].expect.stage: missing"),
        ({"expect": []}, "[0].expect: expected a list of at least 1"),
        (
            {"expect": {**STAGE, "status": "maybe"}},
            "[0].expect.status: 'maybe': expected one of absent, not_required, possible, required",
        ),
        ({"expect": {**STAGE, "deu_at": None}}, "[0].expect.deu_at: unknown key; did you mean due_at?"),
        ({"expect": STAGE, "factz": {}}, "[0].factz: unknown key; did you mean facts?"),
        ({"expect": STAGE, "facts": {"sise": 1}}, "[0].facts.sise: unknown fact; did you mean size?"),
        ({"expect": STAGE, "name": ""}, "[0].name: expected a text, found ''"),
        ({}, "[0].expect: missing"),
    ],
)
def test_a_mistake_in_a_case_is_named_with_its_place(tmp_path: Path, case: dict[str, Any], message: str) -> None:
    law = with_cases(tmp_path, [case, {"expect": STAGE}])
    with pytest.raises(LawError) as refused:
        list(run_cases(law))
    assert str(refused.value) == f"xx/act/cases/rule-0.yaml: {message}"


# --- what too few cases leave unproved


def result(status: str, day: str = "", *, stage_key: str = "first", of: str = "2020-01-01") -> CaseResult:
    on = date.fromisoformat(day) if day else None
    return CaseResult("xx.act.report", "c", stage_key, status, of, on, ())


FIRST_DAY = [result("not_required", "2019-12-31"), result("required", "2020-01-01")]
ONE = library(rule())
TWO = library(rule(version(stage(), until="2024-01-01"), version(stage(), stage("b"), **{"from": "2024-01-01"})))


def test_a_stage_a_refusal_and_both_sides_of_the_boundary_are_enough() -> None:
    assert list(too_few(ONE, FIRST_DAY)) == []
    assert list(too_few(ONE, [result("absent", "2019-12-31"), result("possible", "2020-01-01")])) == []


def test_without_any_case_everything_is_unproved() -> None:
    assert list(too_few(ONE, [])) == [
        "xx.act.report: no case in which it does not apply",
        "xx.act.report: first: no case in which it applies",
        "xx.act.report: no case under the version from 2020-01-01",
        "xx.act.report: no case on 2019-12-31, at the boundary of the version from 2020-01-01",
        "xx.act.report: no case on 2020-01-01, at the boundary of the version from 2020-01-01",
    ]


def test_every_stage_version_and_boundary_is_asked_for() -> None:
    assert list(too_few(TWO, FIRST_DAY)) == [
        "xx.act.report: b: no case in which it applies",
        "xx.act.report: no case on 2023-12-31, at the boundary of the version from 2020-01-01",
        "xx.act.report: no case on 2024-01-01, at the boundary of the version from 2020-01-01",
        "xx.act.report: no case under the version from 2024-01-01",
        "xx.act.report: no case on 2023-12-31, at the boundary of the version from 2024-01-01",
        "xx.act.report: no case on 2024-01-01, at the boundary of the version from 2024-01-01",
    ]


def test_what_is_not_law_needs_no_case() -> None:
    law = library(rule(version(), version(stage("other"), **{"from": "2027-01-01"}, standing="proposed")))
    assert list(too_few(law, FIRST_DAY)) == []


def test_a_refusal_and_a_duty_are_both_asked_for() -> None:
    refused = [result("not_required", "2019-12-31"), result("not_required", "2020-01-01")]
    assert list(too_few(ONE, refused)) == ["xx.act.report: first: no case in which it applies"]
    applied = [result("required", "2019-12-31"), result("possible", "2020-01-01")]
    assert list(too_few(ONE, applied)) == ["xx.act.report: no case in which it does not apply"]


def test_the_cases_of_one_rule_prove_nothing_of_another() -> None:
    law = library(rule(), rule(key="xx.act.other"))
    assert {line.split(":")[0] for line in too_few(law, FIRST_DAY)} == {"xx.act.other"}


# --- what was released


def test_a_released_text_is_known_by_rule_version_and_revision() -> None:
    held = ONE.rules["xx.act.report"].versions[0].digest
    name = "xx.act.report@2020-01-01r1"
    assert list(released_changes(library(rule(), **{"released.yaml": {name: held}}))) == []
    assert list(released_changes(library(rule(), **{"released.yaml": {name: "0" * 64}}))) == [
        f"{name}: differs from the released text; expected a new revision instead of a changed one"
    ]
    assert list(released_changes(ONE)) == [f"{name}: not in released.yaml; add its digest {held}"]


# --- a reference case that is as bad as can be


def test_a_reference_case_is_asked_on_the_first_day_of_every_quarter() -> None:
    law = library(rule(version(stage(), stage("b"), **{"from": "2025-07-01"})))
    found = list(coverage(law, first=date(2025, 1, 1), last=date(2026, 4, 1)))
    assert found == [
        (date(2025, 1, 1), 0),
        (date(2025, 4, 1), 0),
        (date(2025, 7, 1), 2),
        (date(2025, 10, 1), 2),
        (date(2026, 1, 1), 2),
        (date(2026, 4, 1), 2),
    ]


def test_the_reference_entity_is_everything_everywhere() -> None:
    found = reference_entity(ONE)
    assert (found.key, found.name, found.main_establishment) == ("reference", "reference", "DE")
    assert (found.roles, found.sectors) == (("bank", "shop"), ("energy",))
    assert found.establishments == found.markets == ("DE", "FR", "KR", "US-CA", "US-NY")


def test_the_reference_facts_are_all_recorded_and_the_worst() -> None:
    at = datetime(2026, 1, 1, 3, tzinfo=UTC)
    found = reference_sheet(ONE, at)
    awareness = (Candidate("a", at), Candidate("b", at + timedelta(hours=9)))
    assert found.facts == {
        "people.places_complete": True,
        "bad": True,
        "size": 1_000_000,
        "level": "high",
        "kinds": ("theft", "loss"),
        "seen": awareness,
        "known": awareness,
        "told": awareness,
        "ended": at,
        "set_for": at,
        "change": (Event("c", at + timedelta(days=3)),),
        "words": "reference",
    }
    kinds = ("ssn", "medical", "name")
    assert found.people == tuple(
        PeopleCount(place, 20_000, kinds, encrypted=False) for place in ("DE", "FR", "KR", "US-CA", "US-NY")
    )


def test_a_fact_may_be_added_to_the_vocabulary_without_a_word_in_the_reference() -> None:
    facts = {**contents()["facts.yaml"], "more": fact("bool")}
    law = library_of(law_files({**contents(), "facts.yaml": facts}, root=Path("law")), proved=False)
    assert reference_sheet(law, datetime(2026, 1, 1, tzinfo=UTC)).facts["more"] is True
