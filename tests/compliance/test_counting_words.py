"""What a lawyer reads of a count, word by word: each rule's steps and its later readings, in Korean and English.

One start, the Tuesday before Christmas of 2026, for all rules; the steps "starts" and "due" are left out. A changed text is changed
in ``counting_words.yaml`` too.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from compliance.engine import LocalText
from compliance.engine.counting import COUNTING
from tests.compliance.test_calendars import CALENDARS

START = datetime(2026, 12, 22, 1, 30, tzinfo=UTC)
NUMBER = {"minutes": 90, "hours": 72, "days": 3, "business_days": 4, "weeks": 1, "months": 2, "years": 1}
HERE = Path(__file__).parent
WORDS: dict[str, Any] = yaml.safe_load((HERE / "counting_words.yaml").read_text(encoding="utf-8"))
READINGS: list[dict[str, Any]] = yaml.safe_load((HERE / "counting_readings.yaml").read_text(encoding="utf-8"))


def told(name: str, calendar: str) -> list[dict[str, str]]:
    unit, rule = COUNTING[name]
    found = rule(START, NUMBER[unit], CALENDARS[calendar])
    return [item.text.to_json() for item in (*found.trace[1:-1], *found.later)]


@pytest.mark.parametrize("name", COUNTING)
def test_a_count_is_told_word_by_word(name: str) -> None:
    assert told(name, WORDS[name]["calendar"]) == WORDS[name]["told"]


def test_no_rule_of_counting_is_told_that_is_not_there() -> None:
    assert WORDS.keys() == COUNTING.keys()


@pytest.mark.parametrize("case", READINGS, ids=[f"{case['rule']}, {case['why']}" for case in READINGS])
def test_what_a_weekend_a_holiday_or_a_short_month_changes(case: dict[str, Any]) -> None:
    found = COUNTING[case["rule"]][1](datetime.fromisoformat(case["start"]), case["n"], CALENDARS[case["calendar"]])
    ends = datetime.fromisoformat(case["due"])
    assert (found.trace[-1].at, found.trace[-1].text.en, found.due_at) == (ends, "due", ends)
    assert [said(step.text, step.at) for step in found.trace[1:-1]] == [expected(item) for item in case["told"]]
    assert [said(item.text, item.due_at) for item in found.later] == [expected(item) for item in case["later"]]


def said(text: LocalText, at: datetime | None) -> tuple[str, str, datetime | None]:
    return text.ko, text.en, at


def expected(item: dict[str, str]) -> tuple[str, str, datetime | None]:
    return item["ko"], item["en"], datetime.fromisoformat(item["at"]) if "at" in item else None
