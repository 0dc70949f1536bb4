"""What a lawyer reads of a count, word by word: each rule's steps and its later readings, in Korean and English.

One start, the Tuesday before Christmas of 2026, for all rules; the steps "starts" and "due" are left out. A changed text is changed
in ``counting_words.yaml`` too.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from compliance.engine.counting import COUNTING
from tests.compliance.test_calendars import CALENDARS

START = datetime(2026, 12, 22, 1, 30, tzinfo=UTC)
NUMBER = {"minutes": 90, "hours": 72, "days": 3, "business_days": 4, "weeks": 1, "months": 2, "years": 1}
WORDS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("counting_words.yaml").read_text(encoding="utf-8"))


def told(name: str, calendar: str) -> list[dict[str, str]]:
    unit, rule = COUNTING[name]
    found = rule(START, NUMBER[unit], CALENDARS[calendar])
    return [item.text.to_json() for item in (*found.trace[1:-1], *found.later)]


@pytest.mark.parametrize("name", COUNTING)
def test_a_count_is_told_word_by_word(name: str) -> None:
    assert told(name, WORDS[name]["calendar"]) == WORDS[name]["told"]


def test_no_rule_of_counting_is_told_that_is_not_there() -> None:
    assert WORDS.keys() == COUNTING.keys()
