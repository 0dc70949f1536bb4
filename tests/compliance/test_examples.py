"""Two incidents to read: a multinational's, with dates checked by hand, and one of which nearly nothing is known."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from compliance.coverage_page import coverage_page
from compliance.engine import Assessment, Status, assess, together
from compliance.engine.inputs import read_requests
from compliance.engine.instants import parse_instant
from compliance.engine.strict import Node, read_yaml
from compliance.library import get_library
from tests.servers import ROOT

EXAMPLES = ROOT / "docs" / "examples"


def answered(name: str, as_of: str, facts: dict[str, Any] | None = None) -> Assessment:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    written = read_yaml(text, file=name)
    written["facts"] = {**written["facts"], **(facts or {})}
    requests = read_requests(Node(written, file=name), get_library())
    at = parse_instant(as_of)
    return together([assess(get_library(), item.sheet, item.entity, at) for item in requests])


@pytest.fixture(scope="module")
def multinational() -> dict[tuple[str, str, str], Any]:
    found = answered("multinational.yaml", "2026-11-24T00:00+09:00")
    return {(duty.entity, duty.rule, duty.stage): duty for duty in found.duties}


# Each worked out with a calendar, not with the program.
BY_HAND = [
    # classified 20:00, 4 hours later; 24 hours from knowing (08:30) would be later
    ("frankfurt", "eu.dora.incident", "initial", "2026-11-21T00:00+01:00"),
    ("frankfurt", "eu.gdpr.breach", "initial", "2026-11-23T08:30+01:00"),  # 72 hours over a weekend, no roll-over
    ("amsterdam", "eu.nis2.nl", "early_warning", "2026-11-21T08:30+01:00"),  # 24 hours
    ("seoul", "kr.network-act.incident-report", "initial", "2026-11-21T16:30+09:00"),  # 24 hours, on a Saturday
    ("seoul", "kr.pipa.regulator-report", "initial", "2026-11-23T16:30+09:00"),  # 72 hours
    ("singapore", "sg.pdpa.breach", "regulator", "2026-11-24T00:00+08:00"),  # 20 + 3 days, end of the 23rd
    # Monday 23 is day 0: 24, 25, (26 Thanksgiving), 27, 30 at 17:30
    ("dallas", "us.sec.8k-1-05", "initial", "2026-11-30T17:30-05:00"),
    ("dallas", "us.ca.breach", "individuals", "2026-12-20T00:00-08:00"),  # still the 19th there, + 30 days
    # 14 business days: 23 24 25 27 30 | 1 2 3 4 7 8 9 10 11 December
    ("dallas", "us.vt.breach", "preliminary", "2026-12-12T00:00-05:00"),
    ("dallas", "us.fl.breach", "attorney_general", "2026-12-21T00:00-05:00"),  # 20 November + 30 days
    ("dallas", "us.co.breach", "individuals", "2026-12-21T00:00-07:00"),  # 00:30 on the 20th there, + 30 days
    ("dallas", "us.al.breach", "individuals", "2027-01-05T00:00-06:00"),  # + 45 days: 4 January
    ("tokyo", "jp.appi.leak", "final_wrongful_purpose", "2027-01-19T00:00+09:00"),  # day 1 is the 20th: 18 January
]


@pytest.mark.parametrize(("entity", "rule", "stage", "due"), BY_HAND, ids=[f"{case[1]}/{case[2]}" for case in BY_HAND])
def test_a_multinationals_dates_are_those_a_lawyer_counts(
    multinational: dict[tuple[str, str, str], Any], entity: str, rule: str, stage: str, due: str
) -> None:
    duty = multinational[entity, rule, stage]
    assert (duty.status, duty.due_at) == (Status.REQUIRED, datetime.fromisoformat(due))


def test_a_multinational_owes_something_to_residents_of_every_state(
    multinational: dict[tuple[str, str, str], Any],
) -> None:
    told = {
        duty.jurisdiction
        for (entity, _rule, stage), duty in multinational.items()
        if entity == "dallas" and stage == "individuals" and duty.status is not Status.NOT_REQUIRED
    }
    # Georgia binds information brokers and public bodies only; two territories have no statute.
    assert get_library().facts.places["US-STATES"] - told == {"US-GA", "US-MP", "US-AS"}


def test_whom_a_law_does_not_reach_it_does_not_bind(multinational: dict[tuple[str, str, str], Any]) -> None:
    assert multinational["frankfurt", "kr.pipa.subject-notice", "subjects"].status is Status.NOT_REQUIRED
    assert multinational["seoul", "eu.gdpr.breach", "initial"].status is Status.NOT_REQUIRED


ANSWERS = [
    {"leak.confirmed": True},
    {"leak.known_at": "2026-11-20T18:00+01:00"},
    {"risk.level": "risk"},
    {"leak.discovered_at": "2026-11-20T18:00+01:00"},
    {"people.places_complete": True},
]


def test_nothing_known_gives_the_possible_duties_earliest_first() -> None:
    found = answered("nothing-known.yaml", "2026-11-20T15:00+01:00")
    owed = [duty for duty in found.duties if duty.status is not Status.NOT_REQUIRED]
    assert {duty.status for duty in owed} == {Status.POSSIBLE}
    due = [duty.due_at for duty in owed if duty.due_at]
    assert due == sorted(due)
    assert all(duty.provisional for duty in owed if duty.due_at)
    assert found.questions[0] == "leak.confirmed"


def test_every_answer_shrinks_or_hardens_the_list_and_never_in_silence() -> None:
    given: dict[str, Any] = {}
    before = answered("nothing-known.yaml", "2026-11-20T15:00+01:00")
    for answer in ANSWERS:
        given |= answer
        after = answered("nothing-known.yaml", "2026-11-20T15:00+01:00", given)
        held = {duty.identity: duty for duty in after.duties}
        for duty in before.duties:
            now = held[duty.identity]
            if now.status != duty.status:
                assert (duty.status, now.status) != (Status.REQUIRED, Status.POSSIBLE)
                assert now.because, f"{duty.rule} changed without a reason"
        before = after
    assert any(duty.status is Status.REQUIRED for duty in before.duties)


def test_the_page_on_coverage_is_that_of_the_library() -> None:
    page = Path(ROOT / "docs" / "law-coverage.md").read_text(encoding="utf-8")
    assert page == coverage_page(get_library())
