"""What changes between the duties held and the duties as now computed."""

from datetime import timedelta

import pytest

from compliance.engine import Change, Duty, Held, Status, diff
from tests.compliance.minilaw import AS_OF, duty, library, rule, version

ONCE = duty(library(rule()), {}, as_of=AS_OF)
MAYBE = duty(library(rule(version(applies_when={"fact": "bad", "is": True}))), {})
NEVER = duty(library(rule(version(applies_when={"fact": "bad", "is": True}))), {"bad": False})
DUTIES = {Status.REQUIRED: ONCE, Status.POSSIBLE: MAYBE, Status.NOT_REQUIRED: NEVER}
H = timedelta(hours=1)


def held(status: Status, of: Duty = ONCE, **changed: object) -> Held:
    as_is = {"due_at": of.due_at, "starts_at": of.starts_at}
    return Held(of.identity, status, standard=of.standard, open=True, **{**as_is, **changed})


@pytest.mark.parametrize(
    ("before", "now", "kind"),
    [
        (Status.REQUIRED, Status.REQUIRED, "same"),
        (Status.POSSIBLE, Status.REQUIRED, "harden"),
        (Status.NOT_REQUIRED, Status.REQUIRED, "revive"),
        (Status.REQUIRED, Status.POSSIBLE, "soften"),
        (Status.POSSIBLE, Status.POSSIBLE, "same"),
        (Status.NOT_REQUIRED, Status.POSSIBLE, "revive"),
        (Status.REQUIRED, Status.NOT_REQUIRED, "lapse"),
        (Status.POSSIBLE, Status.NOT_REQUIRED, "lapse"),
        (Status.NOT_REQUIRED, Status.NOT_REQUIRED, "same"),
    ],
)
def test_a_duty_held_changes_by_what_it_was_and_is(before: Status, now: Status, kind: str) -> None:
    duty_now = DUTIES[now]
    assert duty_now.status is now
    assert diff([held(before, duty_now)], [duty_now]) == (Change(kind, duty_now.identity, duty_now),)


@pytest.mark.parametrize("changed", [{"due_at": AS_OF}, {"starts_at": AS_OF}])
def test_another_moment_is_a_new_time(changed: dict[str, object]) -> None:
    assert [item.kind for item in diff([held(Status.REQUIRED, **changed)], [ONCE])] == ["retime"]


@pytest.mark.parametrize("found", [ONCE, MAYBE])
def test_a_duty_not_held_is_opened(found: Duty) -> None:
    assert diff([], [found]) == (Change("open", found.identity, found),)


def test_a_duty_not_held_that_does_not_apply_is_nothing_to_do() -> None:
    assert diff([], [NEVER]) == ()


def test_a_duty_the_law_no_longer_names_vanishes() -> None:
    assert diff([held(Status.REQUIRED)], []) == (Change("vanish", ONCE.identity, None),)


def test_every_duty_is_told_once() -> None:
    other = duty(library(rule(key="xx.act.other")), {})
    gone = held(Status.REQUIRED, duty(library(rule(key="xx.act.gone")), {}))
    found = diff([held(Status.REQUIRED), gone], [other, ONCE])
    assert [(item.kind, item.identity[0]) for item in found] == [
        ("open", "xx.act.other"),
        ("same", "xx.act.report"),
        ("vanish", "xx.act.gone"),
    ]
