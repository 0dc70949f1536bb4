"""Law that is wrong does not load: one bad file per kind of mistake, each with its exact message."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from compliance.engine import LawError, load_library, load_policies
from compliance.engine.cases import coverage, released_changes, run_cases, too_few
from compliance.library import LAW, POLICIES, get_library

REPORT = "kr/network-act/incident-report.yaml"


def test_every_worked_case_comes_out_as_a_lawyer_expects() -> None:
    assert [result for result in run_cases(get_library()) if result.wrong] == []


def test_every_rule_and_version_is_proved_by_cases() -> None:
    assert list(too_few(get_library())) == []


def test_released_versions_never_change() -> None:
    assert list(released_changes(get_library())) == []


def test_the_law_has_an_answer_for_every_quarter() -> None:
    found = list(coverage(get_library(), first=date(2023, 1, 1), last=date(2028, 12, 31)))
    assert len(found) == 24
    assert all(count > 0 for _day, count in found)


@pytest.fixture
def law(tmp_path: Path) -> Path:
    shutil.copytree(LAW, tmp_path / "law")
    return tmp_path / "law"


def replaced(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(law: Path) -> None:
        path = law / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


MISTAKES = [
    (replaced(REPORT, "confidence: high", "confidnce: high"), f"{REPORT}: versions[0].confidnce: unknown key; did you mean confidence?"),
    (replaced(REPORT, "confidence: high", "confidence: sure"), f"{REPORT}: versions[0].confidence: 'sure': expected one of high, low, medium"),
    (replaced(REPORT, "revision: 1", "revision: 1\n    revision: 2"), f"{REPORT}: revision: line 23: given twice; expected once"),
    (replaced(REPORT, "from: 2024-08-14", "from: 2024-08-10"), f"{REPORT}: versions[1].from: 2024-08-10: overlaps the version from 2022-12-11"),
    (replaced(REPORT, "from: 2024-08-14", "from: 2024-08-20"), f"{REPORT}: versions[1].from: 2024-08-20: leaves a gap after 2024-08-14"),
    (replaced(REPORT, "until: 2024-08-14", "until: 2020-01-01"), f"{REPORT}: versions[0].until: 2020-01-01: expected a date after 2022-12-11"),
    (replaced(REPORT, "until: 2024-08-14", "until: soon"), f"{REPORT}: versions[0].until: 'soon': expected a date such as 2024-08-14"),
    (replaced(REPORT, "connects_by: incident.known_at", "connects_by: incident.knwn_at"), f"{REPORT}: versions[0].connects_by: incident.knwn_at: expected a fact of facts.yaml that is an instant or event"),
    (replaced(REPORT, "{fact: incident.is_cyber, is: true}", "{fact: incident.is_cybr, is: true}"), f"{REPORT}: versions[0].applies_when.fact: incident.is_cybr: expected a fact of facts.yaml"),
    (replaced(REPORT, "{fact: incident.is_cyber, is: true}", "{fakt: incident.is_cyber}"), f"{REPORT}: versions[0].applies_when.fakt: unknown condition; expected one of all, any, established_in, fact, known, not, people, role, sector, submitted"),
    (replaced(REPORT, "{fact: incident.is_cyber, is: true}", "{fact: incident.is_cyber, is: maybe}"), f"{REPORT}: versions[0].applies_when.is: 'maybe': expected true or false"),
    (replaced(REPORT, "counting: kr.hours", "counting: kr.hourz"), f"{REPORT}: versions[1].stages[0].clock.counting: 'kr.hourz': expected one of kr.days, kr.hours, kr.minutes, kr.months"),
    (replaced(REPORT, "calendar: KR", "calendar: XX"), f"{REPORT}: calendar: 'XX': expected one of KR"),
    (replaced(REPORT, "en: Initial incident report}", "en: ''}"), f"{REPORT}: versions[0].stages[0].title.en: expected a text, found ''"),
    (replaced("facts.yaml", "type: bool", "type: boolean"), "facts.yaml: incident.is_cyber.type: 'boolean': expected one of bool, choice, choices, contested_instant, event, instant, integer, people, text"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), MISTAKES, ids=[message[:60] for _change, message in MISTAKES])
def test_a_mistake_stops_the_start_and_says_where(law: Path, change: Callable[[Path], None], message: str) -> None:
    change(law)
    with pytest.raises(LawError) as refused:
        load_library(law)
    assert str(refused.value) == message


def test_a_version_without_a_citation_is_refused(law: Path) -> None:
    path = law / "kr/network-act/user-notice.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip() == "citations:")
    path.write_text("\n".join([*lines[:start], "    citations: []", *lines[start + 3 :]]), encoding="utf-8")
    with pytest.raises(LawError, match="citations: expected a list of at least 1"):
        load_library(law)


def test_a_rule_without_cases_is_refused(law: Path) -> None:
    (law / "kr/network-act/cases/user-notice.yaml").unlink()
    with pytest.raises(LawError, match=r"cases: expected worked cases in kr/network-act/cases/user-notice\.yaml"):
        load_library(law)


def test_a_changed_text_of_a_released_version_is_found(law: Path) -> None:
    replaced(REPORT, "1천만원 이하", "2천만원 이하")(law)
    assert [line.split(":")[0] for line in released_changes(load_library(law))] == [
        "kr.network-act.incident-report@2022-12-11r1"
    ]


def test_a_policy_without_a_due_rung_is_refused(tmp_path: Path) -> None:
    shutil.copytree(POLICIES, tmp_path / "policies")
    path = tmp_path / "policies" / "escalation.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("kind: due, to", "kind: opened, to"), encoding="utf-8")
    with pytest.raises(LawError, match=r"escalation.yaml: ladders.duty.rungs: expected a rung of kind due"):
        load_policies(tmp_path / "policies")
