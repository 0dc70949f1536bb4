"""When to remind and escalate: each rung at its instant, what is merged, what repeats, and mistakes in the house's policy."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from compliance.engine import (
    Ladder,
    LawError,
    Policies,
    Rung,
    Subject,
    due_repeat,
    ladder,
    load_policies,
    next_repeat,
    sooner,
)
from compliance.engine.policies import Unanswered
from compliance.library import POLICIES
from tests.compliance.minilaw import both

T0 = datetime(2026, 3, 2, 5, tzinfo=UTC)
H, M = timedelta(hours=1), timedelta(minutes=1)
TARGETS = {"immediately": 4, "without_undue_delay": 24, "as_set": 20, "start_unknown": 12, "to_confirm": 6}
RANKS = [["owner"], ["counsel", "approver"], ["manager"], ["ciso", "cpo"], ["executive"]]
HOUSE = load_policies(POLICIES)


def rung(key: str, kind: str, *to: str, **place: Any) -> dict[str, Any]:
    return {"key": key, "kind": kind, "name": both(key), "to": list(to) or ["owner"], **place}


RUNGS = [
    rung("opened", "opened"),
    rung("half", "reminder", percent_left=50),
    rung("soon", "reminder", "owner", "counsel", hours_before=2),
    rung("due", "due", "manager"),
    rung("plus-30m", "escalation", minutes_after=30),
    rung("plus-3h", "escalation", hours_after=3),
]
LAST = {"every_hours": 168, "to": ["owner", "executive"]}


def one(*rungs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "key": "duty",
        "minimum_gap_minutes": 15,
        "rungs": list(rungs) or RUNGS,
        "repeats": [{"every_hours": 24, "times": 2, "to": ["owner"]}, LAST],
        "repeat_name": both("again"),
        **more,
    }


def house(*ladders: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "house_targets": TARGETS,
        "ranks": RANKS,
        "acknowledgement": {"link_valid_hours": 24},
        "severity": [{"level": "high", "method": "edpb", "is": ["high"]}],
        "ladders": list(ladders) or [one()],
        **more,
    }


def written(*rungs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return house(one(*rungs, **more))


def loaded(folder: Path, policy: dict[str, Any]) -> Policies:
    (folder / "escalation.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")
    return load_policies(folder)


@pytest.fixture
def policy(tmp_path: Path) -> Ladder:
    return loaded(tmp_path, written()).ladders[0]


def placed(rungs: tuple[Rung, ...]) -> list[tuple[str, timedelta]]:
    return [(item.key, item.at - T0) for item in rungs]


def merged(item: Rung) -> list[str]:
    return [key for key, _name in item.merged]


def test_a_clock_climbs_from_its_opening_past_its_end(policy: Ladder) -> None:
    found = ladder(opened_at=T0, starts_at=T0, due_at=T0 + 10 * H, policy=policy)
    assert placed(found) == [
        ("opened", 0 * H),
        ("half", 5 * H),
        ("soon", 8 * H),
        ("due", 10 * H),
        ("plus-30m", 10.5 * H),
        ("plus-3h", 13 * H),
    ]
    assert [(item.roles, item.kind, item.name.en) for item in found[2:4]] == [
        (("owner", "counsel"), "reminder", "soon"),
        (("manager",), "due", "due"),
    ]


def test_a_share_of_the_time_left_is_of_the_whole_period_since_its_start(policy: Ladder) -> None:
    found = dict(placed(ladder(opened_at=T0, starts_at=T0 - 10 * H, due_at=T0 + 20 * H, policy=policy)))
    assert found["half"] == 5 * H


def test_without_a_start_the_period_runs_from_the_opening(policy: Ladder) -> None:
    found = dict(placed(ladder(opened_at=T0, starts_at=None, due_at=T0 + 20 * H, policy=policy)))
    assert found["half"] == 10 * H


@pytest.mark.parametrize("began", [9 * H, H])
def test_steps_before_the_opening_are_merged_into_it_with_all_they_would_tell(policy: Ladder, began: timedelta) -> None:
    found = ladder(opened_at=T0, starts_at=T0 - began, due_at=T0 + H, policy=policy)
    assert [item.key for item in found] == ["opened", "due", "plus-30m", "plus-3h"]
    assert (sorted(merged(found[0])), found[0].roles) == (["half", "soon"], ("owner", "counsel"))


def test_a_step_closer_than_the_gap_is_merged_into_the_one_before(policy: Ladder) -> None:
    found = ladder(opened_at=T0, starts_at=T0, due_at=T0 + 4 * H + 20 * M, policy=policy)
    assert placed(found)[:3] == [("opened", 0 * H), ("half", 130 * M), ("due", 260 * M)]
    assert (merged(found[1]), found[1].roles) == (["soon"], ("owner", "counsel"))


def test_a_step_closer_than_the_gap_before_the_due_moment_is_told_earlier_and_not_later(policy: Ladder) -> None:
    found = ladder(opened_at=T0, starts_at=T0, due_at=T0 + 28 * M, policy=policy)
    assert placed(found)[:2] == [("opened", 0 * H), ("due", 28 * M)]
    assert sorted(merged(found[0])) == ["half", "soon"]


@pytest.mark.parametrize("late", [timedelta(0), 5 * H])
def test_a_clock_found_past_its_end_begins_with_its_due_rung_says_so_and_climbs_from_now(
    policy: Ladder, late: timedelta
) -> None:
    found = ladder(opened_at=T0, starts_at=T0 - 50 * H, due_at=T0 - late, policy=policy)
    assert placed(found) == [("due", 0 * H), ("plus-30m", 0.5 * H), ("plus-3h", 3 * H)]
    assert [item.found_overdue for item in found] == [True, False, False]
    assert merged(found[0])[0] == "opened"
    assert found[0].roles == ("manager", "owner", "counsel")


def test_a_start_after_the_end_leaves_no_time_to_share(policy: Ladder) -> None:
    found = ladder(opened_at=T0, starts_at=T0 + 5 * H, due_at=T0 + 3 * H, policy=policy)
    assert placed(found)[:3] == [("opened", 0 * H), ("soon", H), ("due", 3 * H)]
    assert merged(found[1]) == ["half"]


PERIODS = {
    "1 min": (1 * M, "minutes", ["opened+minutes-5+half+quarter 0:00:00", "due 0:01:00"]),
    "10 min": (10 * M, "minutes", ["opened 0:00:00", "half+minutes-5 0:05:00", "quarter 0:07:30", "due 0:10:00"]),
    "1 h": (H, "minutes", ["opened 0:00:00", "half 0:30:00", "quarter 0:45:00", "minutes-5 0:55:00", "due 1:00:00"]),
    "4 h": (4 * H, "duty", ["opened 0:00:00", "half 2:00:00", "quarter 3:00:00", "tenth 3:36:00", "due 4:00:00"]),
    "24 h": (24 * H, "duty", ["opened 0:00:00", "half 12:00:00", "quarter 18:00:00", "tenth 21:36:00", "due 1 day, 0:00:00"]),
    "72 h": (72 * H, "duty", ["opened 0:00:00", "half 1 day, 12:00:00", "quarter 2 days, 6:00:00", "tenth 2 days, 16:48:00", "due 3 days, 0:00:00"]),
    "60 days": (1440 * H, "long", ["opened 0:00:00", "half 30 days, 0:00:00", "days-7 53 days, 0:00:00", "days-3 57 days, 0:00:00", "days-1 59 days, 0:00:00", "hours-4 59 days, 20:00:00", "due 60 days, 0:00:00"]),
}  # fmt: skip


@pytest.mark.parametrize("period", PERIODS)
def test_short_periods_work_as_well_as_long_ones(period: str) -> None:
    length, key, expected = PERIODS[period]
    policy = HOUSE.ladder_for(Subject(kind="required", length=length))
    found = ladder(opened_at=T0, starts_at=T0, due_at=T0 + length, policy=policy)
    assert policy.key == key
    assert [
        "+".join((item.key, *merged(item))) + f" {item.at - T0}" for item in found if item.at <= T0 + length
    ] == expected


@given(
    length=st.integers(1, 90 * 24 * 60).map(lambda minutes: minutes * M),
    opened=st.integers(-100, 150),
    kind=st.sampled_from(["required", "possible", "vague", "unsure", "evidence"]),
    severity=st.sampled_from(["", "high"]),
)
def test_nothing_is_lost_whatever_the_period_and_the_discovery(
    length: timedelta, opened: int, kind: str, severity: str
) -> None:
    policy = HOUSE.ladder_for(Subject(kind=kind, length=length, severity=severity))
    due_at, opened_at = T0 + length, T0 + length * opened / 100
    found = ladder(opened_at=opened_at, starts_at=T0, due_at=due_at, policy=policy)
    keys = [key for item in found for key in (item.key, *merged(item))]
    assert sorted(keys) == sorted(step.key for step in policy.steps)
    told = {role for item in found if item.at <= max(due_at, opened_at) for role in item.roles}
    assert told >= {role for step in policy.steps if step.kind in ("opened", "reminder", "due") for role in step.roles}
    assert all(
        late.at - early.at >= policy.gap for early, late in pairwise(item for item in found if item.kind == "reminder")
    )
    assert next(item.at for item in found if item.kind == "due") == max(due_at, opened_at)
    assert all(opened_at <= item.at for item in found)


@given(shift=st.integers(0, 10_000), length=st.sampled_from([10 * M, H, 4 * H, 24 * H, 72 * H, 1440 * H]))
def test_a_later_deadline_never_brings_a_step_earlier(shift: int, length: timedelta) -> None:
    policy = HOUSE.ladders[-1]
    early, late = (
        {
            key: item.at
            for item in ladder(opened_at=T0, starts_at=T0, due_at=end, policy=policy)
            for key in (item.key, *merged(item))
        }
        for end in (T0 + length, T0 + length + shift * M)
    )
    assert all(early[key] <= late[key] for key in ("due", "plus-1h", "plus-4h", "plus-12h"))


CHOICES = [
    (Subject("required", 24 * H), "rest"),
    (Subject("required", 24 * H, severity="high"), "severe"),
    (Subject("required", None, jurisdiction="US-CA"), "american"),
    (Subject("required", None, jurisdiction="USX"), "rest"),
    (Subject("possible", 24 * H), "decide"),
    (Subject("required", 10 * M), "short"),
    (Subject("required", 11 * M), "rest"),
    (Subject("required", 8 * 24 * H), "long"),
    (Subject("required", 7 * 24 * H), "rest"),
    (Subject("required", None), "rest"),
    (Subject("required", None, authorities=("금융위원회", "FSC")), "bank"),
    (Subject("required", None, audience="data_subjects"), "people"),
    (Subject("required", 5 * M, severity="high"), "severe"),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "expected"), CHOICES)
def test_the_first_ladder_whose_conditions_hold_is_taken(tmp_path: Path, subject: Subject, expected: str) -> None:
    conditions = {
        "severe": {"severity": ["high"]},
        "american": {"jurisdiction": ["US"]},
        "decide": {"kind": ["possible", "vague"]},
        "short": {"at_most_minutes": 10},
        "long": {"over_hours": 168},
        "bank": {"authority": ["FSC"]},
        "people": {"audience": ["data_subjects"]},
    }
    ladders = [one(key=key, when=when) for key, when in conditions.items()]
    assert loaded(tmp_path, house(*ladders, one(key="rest"))).ladder_for(subject).key == expected


def test_a_clock_stays_on_its_ladder_while_the_house_has_it() -> None:
    subject = Subject("required", 24 * H)
    assert HOUSE.ladder_named("severe", subject).key == "severe"
    assert HOUSE.ladder_named("gone", subject).key == "duty"


@pytest.mark.parametrize(
    ("levels", "facts", "expected"),
    [
        ([("edpb", "high")], [{}], "high"),
        ([("edpb", "risk")], [{}], ""),
        ([("enisa", "high")], [], "high"),
        ([], [{}, {"risk.level": "high"}], "high"),
        ([], [{"risk.level": "risk"}], ""),
        ([], [{"risk.level": None}], ""),
    ],
)
def test_severity_comes_from_what_was_adopted_or_recorded(
    levels: list[tuple[str, str]], facts: list[dict[str, Any]], expected: str
) -> None:
    assert HOUSE.severity_of(levels, facts) == expected


def test_true_is_no_number_where_severity_is_looked_for(tmp_path: Path) -> None:
    policies = loaded(tmp_path, house(severity=[{"level": "high", "fact": "count", "is": [1]}]))
    assert policies.severity_of([], [{"count": True}]) == ""
    assert policies.severity_of([], [{"count": 1}]) == "high"


SIGNS = [
    ({"method": "enissa", "is": ["high"]}, "severity[0].method: enissa: expected one of edpb"),
    ({"method": "edpb", "is": ["high", "hihg"]}, "severity[0].is: hihg: no level of edpb; expected one of risk, high"),
    ({"fact": "risk.levl", "is": ["high"]}, "severity[0].fact: risk.levl: unknown fact; expected a fact of the vocabulary"),
]  # fmt: skip


@pytest.mark.parametrize(("sign", "message"), SIGNS)
def test_a_sign_that_could_never_show_is_refused(tmp_path: Path, sign: dict[str, Any], message: str) -> None:
    policies = loaded(tmp_path, house(severity=[{"level": "high", **sign}]))
    with pytest.raises(LawError) as refused:
        policies.check_signs({"edpb": ["risk", "high"]}, {"risk.level"})
    assert str(refused.value) == f"escalation.yaml: {message}"


@pytest.mark.parametrize(("number", "hours"), [(1, 24), (2, 24), (3, 168), (40, 168)])
def test_after_the_last_rung_it_repeats_at_growing_rank(policy: Ladder, number: int, hours: int) -> None:
    found = next_repeat(policy=policy, last_at=T0, number=number)
    roles = ("owner",) if number < 3 else ("owner", "executive")
    assert found == Rung(f"repeat-{number}", T0 + hours * H, roles, "repeat", policy.repeat_name)
    assert policy.repeat_name.en == "again"


def test_only_repeats_of_evidence_may_end(tmp_path: Path) -> None:
    some = [{"every_hours": 1, "times": 2, "to": ["owner"]}, {"every_minutes": 5, "times": 1, "to": ["owner"]}]
    logs = one(key="logs", when={"kind": ["evidence"]}, repeats=some)
    policy = loaded(tmp_path, house(logs, one())).ladders[0]
    found = [next_repeat(policy=policy, last_at=T0, number=number) for number in (1, 2, 3, 4)]
    assert [item.at - T0 if item else None for item in found] == [H, H, 5 * M, None]
    assert due_repeat(policy=policy, last_at=T0, number=4, now=T0) is None
    with pytest.raises(LawError, match="until it is done"):
        loaded(tmp_path, written(repeats=some))


def test_repeats_missed_while_nobody_watched_become_one(policy: Ladder) -> None:
    found = due_repeat(policy=policy, last_at=T0, number=1, now=T0 + 48 * H + 400 * H)
    assert found is not None
    rung, number = found
    assert (rung.key, number, rung.at - T0) == ("repeat-4", 4, 48 * H + 2 * 168 * H)
    assert merged(rung) == ["repeat-3", "repeat-2", "repeat-1"]


def test_a_repeat_that_is_not_due_yet_stands_alone(policy: Ladder) -> None:
    found = due_repeat(policy=policy, last_at=T0, number=1, now=T0 + 23 * H)
    assert found is not None
    assert (found[0].key, found[0].merged, found[1]) == ("repeat-1", (), 1)


@pytest.mark.parametrize(
    ("wait", "expected"), [(10 * H, 5 * H), (90 * M, H), (H, None), (H + M, H), (30 * M, None), (-H, None)]
)
def test_without_an_answer_the_next_step_comes_sooner_but_not_at_once(wait: timedelta, expected: timedelta) -> None:
    found = sooner(told_at=T0, next_at=T0 + wait, policy=Unanswered(after=H, percent=50))
    assert found == (T0 + expected if expected else None)
    assert sooner(told_at=T0, next_at=T0 + wait, policy=None) is None


def test_where_the_law_gives_no_number_the_house_has_an_aim(tmp_path: Path) -> None:
    policies = loaded(tmp_path, written())
    assert policies.target("immediately", T0, T0 + 9 * H) == T0 + 4 * H
    assert policies.target("as_set", T0, T0 + 9 * H) == T0 + 20 * H
    assert policies.target("hours", T0, T0 + 9 * H) == T0 + 12 * H
    assert policies.target("immediately", None, T0 + 9 * H) == T0 + 21 * H
    assert policies.target("immediately", T0, T0 + 9 * H, unsure=True) == T0 + 15 * H
    assert (policies.link_valid, policies.ranks[3]) == (24 * H, ("ciso", "cpo"))


def without(given: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != key}


BEFORE = "expected one of hours_before, minutes_before, percent_left"
AFTER = "expected one of hours_after, minutes_after"
OPEN, DUE = RUNGS[0], RUNGS[3]
MISTAKES = [
    (written(OPEN), "ladders.duty.rungs: expected one rung of kind due"),
    (written(DUE), "ladders.duty.rungs: expected one rung of kind opened"),
    (written(OPEN, DUE, rung("again", "due")), "ladders.duty.rungs: expected one rung of kind due"),
    (written(*RUNGS, rung("half", "reminder", percent_left=5)), "ladders.duty.rungs: expected each key once"),
    (written(*RUNGS, rung("early", "escalation", minutes_after=14)), "ladders.duty.rungs: expected the steps after the due moment to keep the minimum gap"),
    (written(*RUNGS, rung("close", "escalation", minutes_after=44)), "ladders.duty.rungs: expected the steps after the due moment to keep the minimum gap"),
    (written(rung("due", "due", hours_after=1)), "ladders.duty.rungs[0]: a rung of kind due: expected no place on the clock"),
    (written(rung("o", "opened", hours_before=1)), "ladders.duty.rungs[0]: a rung of kind opened: expected no place on the clock"),
    (written(rung("r", "reminder")), f"ladders.duty.rungs[0]: a rung of kind reminder: {BEFORE}"),
    (written(rung("r", "reminder", hours_after=1)), f"ladders.duty.rungs[0]: a rung of kind reminder: {BEFORE}"),
    (written(rung("r", "escalation")), f"ladders.duty.rungs[0]: a rung of kind escalation: {AFTER}"),
    (written(rung("r", "reminder", hours_before=1, percent_left=5)), f"ladders.duty.rungs[0]: a rung of kind reminder: {BEFORE}"),
    (written(rung("r", "shout")), "ladders.duty.rungs[0].kind: 'shout': expected one of due, escalation, opened, reminder"),
    (written(rung("r", "reminder", percent_left=0)), "ladders.duty.rungs[0].percent_left: 0: expected a whole number of at least 1"),
    (written(rung("r", "reminder", hours_before=0)), "ladders.duty.rungs[0].hours_before: 0: expected a whole number of at least 1"),
    (written(rung("r", "reminder", minutes_before=0)), "ladders.duty.rungs[0].minutes_before: 0: expected a whole number of at least 1"),
    (written(rung("r", "escalation", minutes_after=0)), "ladders.duty.rungs[0].minutes_after: 0: expected a whole number of at least 1"),
    (written(rung("r", "escalation", hours_after=0)), "ladders.duty.rungs[0].hours_after: 0: expected a whole number of at least 1"),
    (written(rung("r", "due", "king")), "ladders.duty.rungs[0].to[0]: 'king': expected one of approver, ciso, counsel, cpo, deputy, executive, manager, owner"),
    (written({**DUE, "to": []}), "ladders.duty.rungs[0].to: expected a list of at least 1"),
    (written({**DUE, "when": 1}), "ladders.duty.rungs[0].when: unknown key; expected one of hours_after, hours_before, key, kind, minutes_after, minutes_before, name, percent_left, to"),
    (written(without(DUE, "name")), "ladders.duty.rungs[0].name: missing"),
    (written(rungs=[]), "ladders.duty.rungs: expected a list of at least 1"),
    (written(minimum_gap_minutes=0), "ladders.duty.minimum_gap_minutes: 0: expected a whole number of at least 1"),
    (written(repeats=[]), "ladders.duty.repeats: expected a last entry without times: until it is done"),
    (written(repeats=[{**LAST, "times": 3}]), "ladders.duty.repeats: expected a last entry without times: until it is done"),
    (written(repeats=[LAST, LAST]), "ladders.duty.repeats: expected each entry but the last to end, and the next one to tell at least the same roles"),
    (written(repeats=[{**LAST, "times": 1}, {**LAST, "to": ["owner"]}]), "ladders.duty.repeats: expected each entry but the last to end, and the next one to tell at least the same roles"),
    (written(repeats=[{**LAST, "every_hours": 0}]), "ladders.duty.repeats[0].every_hours: 0: expected a whole number of at least 1"),
    (written(repeats=[{**LAST, "times": 0}]), "ladders.duty.repeats[0].times: 0: expected a whole number of at least 1"),
    (written(repeats=[{"times": 1, "to": ["owner"]}]), "ladders.duty.repeats[0].every_hours: missing"),
    (written(repeats=[{**LAST, "every_minutes": 5}]), "ladders.duty.repeats[0]: expected either every_minutes or every_hours"),
    (written(repeats=[{**LAST, "to": []}]), "ladders.duty.repeats[0].to: expected a list of at least 1"),
    (written(repeat_name="again"), "ladders.duty.repeat_name: expected a mapping with en, ko"),
    (written(more=1), "ladders.duty.more: unknown key; expected one of key, minimum_gap_minutes, repeat_name, repeats, rungs, unanswered, when"),
    (written(unanswered={"after_hours": 1, "percent_of_wait": 100}), "ladders.duty.unanswered.percent_of_wait: expected less than 100: the next step comes sooner"),
    (written(unanswered={"percent_of_wait": 50}), "ladders.duty.unanswered.after_minutes: missing"),
    (written(when={"kind": ["required"]}), "ladders.duty.when: expected conditions on every ladder but the last, which takes what is left"),
    (house(one(), one(key="two")), "ladders.duty.when: expected conditions on every ladder but the last, which takes what is left"),
    (house(one(when={"kind": ["evidence"]}), one()), "ladders.duty.key: duty: a second ladder of this name"),
    (written(when={"kind": ["certain"]}), "ladders.duty.when.kind[0]: 'certain': expected one of evidence, possible, required, unsure, vague"),
    (written(when={"severity": ["hihg"]}), "ladders.duty.when.severity[0]: 'hihg': expected one of high"),
    (written(when={"at_most_hours": 1, "at_most_minutes": 1}), "ladders.duty.when: expected either at_most_minutes or at_most_hours"),
    (written(when={"juristiction": ["KR"]}), "ladders.duty.when.juristiction: unknown key; did you mean jurisdiction?"),
    (house(ladders={}), "ladders: expected a list of at least 1"),
    (house(ladders=[{}]), "ladders[0].key: missing"),
    (house(ranks=RANKS[:-1]), "ranks: expected each role once: approver, ciso, counsel, cpo, executive, manager, owner"),
    (house(ranks=[*RANKS, ["owner"]]), "ranks: expected each role once: approver, ciso, counsel, cpo, executive, manager, owner"),
    (house(ranks=[["king"]]), "ranks[0][0]: 'king': expected one of approver, ciso, counsel, cpo, executive, manager, owner"),
    (house(acknowledgement={"link_valid_hours": 0}), "acknowledgement.link_valid_hours: 0: expected a whole number of at least 1"),
    (house(severity=[{"level": "high", "is": ["x"]}]), "severity[0]: expected either method or fact"),
    (house(severity=[{"level": "high", "method": "a", "fact": "b", "is": ["x"]}]), "severity[0]: expected either method or fact"),
    (house(severity=[{"level": "high", "method": "a", "is": []}]), "severity[0].is: expected a list of at least 1"),
    *((without(house(), key), f"{key}: missing") for key in house()),
    (house(house_targets={**TARGETS, "as_set": 0}), "house_targets.as_set: 0: expected a whole number of at least 1"),
    *((house(house_targets=without(TARGETS, missing)), f"house_targets.{missing}: missing") for missing in TARGETS),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "message"), MISTAKES, ids=[message[:60] for _policy, message in MISTAKES])
def test_a_mistake_in_the_policy_is_named(tmp_path: Path, policy: dict[str, Any], message: str) -> None:
    with pytest.raises(LawError) as refused:
        loaded(tmp_path, policy)
    assert str(refused.value) == f"escalation.yaml: {message}"
