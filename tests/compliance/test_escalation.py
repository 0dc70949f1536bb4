"""When to remind and escalate: each rung at its instant, what repeats, and mistakes in the house's policy."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from compliance.engine import Ladder, LawError, Policies, Rung, ladder, load_policies, next_repeat
from tests.compliance.minilaw import both

T0 = datetime(2026, 3, 2, 5, tzinfo=UTC)
H = timedelta(hours=1)
TARGETS = {"immediately": 4, "without_undue_delay": 24, "as_set": 20, "start_unknown": 12}


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


def written(*rungs: dict[str, Any], **more: Any) -> dict[str, Any]:
    duty = {
        "rungs": list(rungs) or RUNGS,
        "repeats": [{"every_hours": 24, "times": 2}, {"every_hours": 168}],
        "repeat_to": ["owner", "executive"],
        "repeat_name": both("again"),
        **more,
    }
    return {"house_targets": TARGETS, "ladders": {"duty": duty}}


def loaded(folder: Path, policy: dict[str, Any]) -> Policies:
    (folder / "escalation.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")
    return load_policies(folder)


@pytest.fixture
def policy(tmp_path: Path) -> Ladder:
    return loaded(tmp_path, written()).ladders["duty"]


def placed(rungs: tuple[Rung, ...]) -> list[tuple[str, timedelta]]:
    return [(item.key, item.at - T0) for item in rungs]


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


def test_rungs_before_the_opening_are_left_out(policy: Ladder) -> None:
    found = ladder(opened_at=T0, starts_at=T0 - 9 * H, due_at=T0 + H, policy=policy)
    assert [item.key for item in found] == ["opened", "due", "plus-30m", "plus-3h"]


def test_a_rung_at_the_very_opening_is_left_out(policy: Ladder) -> None:
    found = ladder(opened_at=T0, starts_at=T0 - 2 * H, due_at=T0 + 2 * H, policy=policy)
    assert [item.key for item in found] == ["opened", "due", "plus-30m", "plus-3h"]


@pytest.mark.parametrize("late", [timedelta(0), 5 * H])
def test_a_clock_found_past_its_end_begins_with_its_due_rung_and_climbs_from_now(
    policy: Ladder, late: timedelta
) -> None:
    found = ladder(opened_at=T0, starts_at=T0 - 50 * H, due_at=T0 - late, policy=policy)
    assert placed(found) == [("due", 0 * H), ("plus-30m", 0.5 * H), ("plus-3h", 3 * H)]


def test_a_start_after_the_end_leaves_no_time_to_share(policy: Ladder) -> None:
    found = dict(placed(ladder(opened_at=T0, starts_at=T0 + 5 * H, due_at=T0 + 3 * H, policy=policy)))
    assert (found["half"], found["soon"]) == (3 * H, H)


@pytest.mark.parametrize(("number", "hours"), [(1, 24), (2, 24), (3, 168), (40, 168)])
def test_after_the_last_rung_it_repeats(policy: Ladder, number: int, hours: int) -> None:
    found = next_repeat(policy=policy, last_at=T0, number=number)
    assert found == Rung(f"repeat-{number}", T0 + hours * H, ("owner", "executive"), "repeat", policy.repeat_name)
    assert policy.repeat_name.en == "again"


def test_repeats_may_end(tmp_path: Path) -> None:
    some = [{"every_hours": 1, "times": 2}, {"every_hours": 5, "times": 1}]
    policy = loaded(tmp_path, written(repeats=some)).ladders["duty"]
    found = [next_repeat(policy=policy, last_at=T0, number=number) for number in (1, 2, 3, 4)]
    assert [item.at - T0 if item else None for item in found] == [H, H, 5 * H, None]


def test_where_the_law_gives_no_number_the_house_has_an_aim(tmp_path: Path) -> None:
    policies = loaded(tmp_path, written())
    assert policies.target("immediately", T0, T0 + 9 * H) == T0 + 4 * H
    assert policies.target("as_set", T0, T0 + 9 * H) == T0 + 20 * H
    assert policies.target("hours", T0, T0 + 9 * H) == T0 + 12 * H
    assert policies.target("immediately", None, T0 + 9 * H) == T0 + 21 * H


ONE_PLACE = "expected one place on the clock"
MISTAKES = [
    (written(RUNGS[0]), "ladders.duty.rungs: expected a rung of kind due"),
    (written(rung("due", "due", hours_after=1)), "ladders.duty.rungs[0]: a rung of kind due: expected no place on the clock"),
    (written(rung("o", "opened", hours_before=1)), "ladders.duty.rungs[0]: a rung of kind opened: expected no place on the clock"),
    (written(rung("r", "reminder")), f"ladders.duty.rungs[0]: a rung of kind reminder: {ONE_PLACE}"),
    (written(rung("r", "escalation")), f"ladders.duty.rungs[0]: a rung of kind escalation: {ONE_PLACE}"),
    (written(rung("r", "reminder", hours_before=1, percent_left=5)), f"ladders.duty.rungs[0]: a rung of kind reminder: {ONE_PLACE}"),
    (written(rung("r", "shout")), "ladders.duty.rungs[0].kind: 'shout': expected one of due, escalation, opened, reminder"),
    (written(rung("r", "reminder", percent_left=0)), "ladders.duty.rungs[0].percent_left: 0: expected a whole number of at least 1"),
    (written(rung("r", "reminder", hours_before=0)), "ladders.duty.rungs[0].hours_before: 0: expected a whole number of at least 1"),
    (written(rung("r", "escalation", minutes_after=0)), "ladders.duty.rungs[0].minutes_after: 0: expected a whole number of at least 1"),
    (written(rung("r", "escalation", hours_after=0)), "ladders.duty.rungs[0].hours_after: 0: expected a whole number of at least 1"),
    (written(rung("r", "due", "king")), "ladders.duty.rungs[0].to[0]: 'king': expected one of approver, ciso, counsel, cpo, executive, manager, owner"),
    (written({**RUNGS[3], "to": []}), "ladders.duty.rungs[0].to: expected a list of at least 1"),
    (written({**RUNGS[3], "when": 1}), "ladders.duty.rungs[0].when: unknown key; expected one of hours_after, hours_before, key, kind, minutes_after, name, percent_left, to"),
    (written({key: value for key, value in RUNGS[3].items() if key != "name"}), "ladders.duty.rungs[0].name: missing"),
    (written(rungs=[]), "ladders.duty.rungs: expected a list of at least 1"),
    (written(repeats=[{"every_hours": 0}]), "ladders.duty.repeats[0].every_hours: 0: expected a whole number of at least 1"),
    (written(repeats=[{"every_hours": 1, "times": 0}]), "ladders.duty.repeats[0].times: 0: expected a whole number of at least 1"),
    (written(repeats=[{"times": 1}]), "ladders.duty.repeats[0].every_hours: missing"),
    (written(repeat_to=[]), "ladders.duty.repeat_to: expected a list of at least 1"),
    (written(repeat_name="again"), "ladders.duty.repeat_name: expected a mapping with en, ko"),
    (written(more=1), "ladders.duty.more: unknown key; expected one of repeat_name, repeat_to, repeats, rungs"),
    ({"ladders": {}}, "house_targets: missing"),
    ({"house_targets": TARGETS}, "ladders: missing"),
    ({**written(), "house_targets": {**TARGETS, "as_set": 0}}, "house_targets.as_set: 0: expected a whole number of at least 1"),
    *(
        ({**written(), "house_targets": {key: 1 for key in TARGETS if key != missing}}, f"house_targets.{missing}: missing")
        for missing in TARGETS
    ),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "message"), MISTAKES, ids=[message[:60] for _policy, message in MISTAKES])
def test_a_mistake_in_the_policy_is_named(tmp_path: Path, policy: dict[str, Any], message: str) -> None:
    with pytest.raises(LawError) as refused:
        loaded(tmp_path, policy)
    assert str(refused.value) == f"escalation.yaml: {message}"
