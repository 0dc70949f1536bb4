"""What starts a clock, what its trace says of the start, and which candidate drives it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compliance.engine import Candidate, EntityProfile, Event, FactSheet, Status, Submission, assess, together
from tests.compliance.minilaw import AS_OF, both, duties, duty, library, rule, stage, version

T0 = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)  # Monday 14:00 in Seoul
H = timedelta(hours=1)
HOUR = {"within": 1, "counting": "strict.hours"}


def one(key: str, at: datetime = T0, **more: Any) -> tuple[Candidate, ...]:
    return (Candidate(key, at, **more),)


def of(clock: dict[str, Any], **more: Any) -> Any:
    return library(rule(version(stage(clock=clock), **more)))


def notes(found: Any) -> list[tuple[str, str]]:
    return [(step.text.ko, step.text.en) for step in found.trace]


def test_what_stands_in_is_named_by_its_label_in_both_languages() -> None:
    found = duty(of({"from": "known", **HOUR}, applies_when={"fact": "bad", "is": True}), {"seen": one("s")})
    label = ("contested_instant (ko)", "contested_instant")
    assert notes(found)[0] == (
        f"임시: '{label[0]}'이(가) 기록되지 않아 '{label[0]}'부터 셈. 기록되면 다시 계산됨",
        f"provisional: '{label[1]}' is not recorded, counted from '{label[1]}' until it is",
    )


def test_guidance_of_a_duty_that_stands_says_where_it_was_counted_from() -> None:
    found = duty(of({"from": "known", **HOUR}), {"seen": one("s")})
    assert found.guidance.text.to_json() == {
        "ko": "시작 시점이 기록되지 않아 앞선 시점부터 센 값. 시작 시점을 기록하십시오(기한이 아님)",
        "en": "counted from an earlier moment, because the start is not recorded: record it (no deadline)",
    }


def test_guidance_that_the_law_has_stays_where_the_stand_in_gives_no_number() -> None:
    aim = {"from": "known", "standard": "immediately", "guidance": {"text": both("aim")}}
    found = duty(of(aim), {"seen": one("s")})
    assert (found.guidance.text.en, found.guidance.at) == ("aim", None)


def test_the_number_of_a_rule_we_are_not_sure_of_is_guidance_in_words() -> None:
    unsure = {"confidence": "low", "doubts": both("d")}
    found = duty(of({"from": "known", **HOUR}, **unsure), {"known": one("k")})
    assert found.guidance.text.to_json() == {
        "ko": "확실하지 않은 규정에 따른 시점(법무 확인 전에는 기한이 아님)",
        "en": "what a rule we are not sure of would give; no deadline before a lawyer confirms it",
    }
    assert [(item.outcome.value, item.text.ko) for item in found.because] == [
        ("unknown", "이 규정은 확신도가 낮습니다. 법무 담당자가 확인해야 합니다.")
    ]
    aim = {"from": "known", "standard": "immediately", "guidance": {"text": both("aim")}}
    assert duty(of(aim, **unsure), {"known": one("k")}).guidance.text.en == "aim"


def test_a_rule_that_was_turned_on_says_so() -> None:
    law = of({"from": "known", **HOUR}, confidence="low", doubts=both("d"))
    found = duty(law, {"known": one("k")}, turned_on=frozenset({"xx.act.report"}))
    assert [item.outcome.value for item in found.because] == ["true"]


def test_a_stage_that_waits_for_another_says_so_in_both_languages() -> None:
    assert notes(duty(of({"from": {"submitted": "first"}, **HOUR}), {"known": one("k")}))[0] == (
        "'first (ko)'을(를) 하기 전에는 시작하지 않음",
        "does not start before 'first' is done",
    )


def test_only_the_named_stage_of_the_named_rule_starts_it() -> None:
    law = of({"from": {"submitted": "first"}, **HOUR})
    others = (Submission("xx.act.other", "first", "", T0), Submission("xx.act.report", "second", "", T0))
    assert duty(law, {"known": one("k")}, submissions=others).starts_at is None


def test_the_end_of_another_period_is_named_as_the_start() -> None:
    law = library(rule(version(stage(), stage("second", {"from": {"due": "first"}, **HOUR}))))
    found = next(item for item in duties(law, {"known": one("k")}) if item.stage == "second")
    assert (found.starts_at, notes(found)[0]) == (
        T0 + 72 * H,
        ("'first (ko)' 기한의 끝부터 셈", "counted from the end of the period of 'first'"),
    )


def test_the_end_of_a_period_of_a_stage_or_rule_that_does_not_speak_is_no_start() -> None:
    gone = rule(version(until="2021-01-01"), key="xx.act.gone")
    law = library(rule(version(stage(clock={"from": {"due": "first", "rule": "xx.act.gone"}, **HOUR}))), gone)
    assert duty(law, {"known": one("k")}).due_at is None


def test_of_several_the_one_that_counts_brings_its_candidates() -> None:
    law = of({"from": {"earliest": ["known", "told"]}, **HOUR})
    known = (*one("early"), *one("late", T0 + 9 * H))
    found = duty(law, {"known": known, "told": one("t", T0 + 5 * H)})
    assert [(item.key, item.driving) for item in found.alternatives] == [("early", True), ("late", False)]
    assert notes(found)[0] == ("여러 시점 중 가장 이른 것", "the earliest of several moments")


def test_of_the_latest_what_stands_in_makes_it_provisional() -> None:
    clock = {"from": {"latest": ["known", "told"]}, **HOUR}
    law = of(clock, connects_by="told", applies_when={"fact": "bad", "is": True})
    found = duty(law, {"seen": one("s", T0 + 5 * H), "told": one("t")})
    assert (found.status, found.due_at, found.provisional) == (Status.POSSIBLE, T0 + 6 * H, True)
    assert found.questions == ("bad", "known")
    assert [en for _ko, en in notes(found)][:2] == [
        "the latest of several moments",
        "provisional: 'contested_instant' is not recorded, counted from 'contested_instant' until it is",
    ]


def test_of_two_adopted_or_equal_candidates_the_earlier_then_the_first_by_name_drives() -> None:
    law = of({"from": "known", **HOUR})
    known = (Candidate("b", T0), Candidate("a", T0), Candidate("c", T0 - H, arguable=False))
    assert [(item.key, item.driving) for item in duty(law, {"known": known}).alternatives] == [
        ("c", False),
        ("a", True),
        ("b", False),
    ]


def test_an_alternative_says_start_end_and_standing() -> None:
    law = of({"from": "known", **HOUR})
    known = (Candidate("a", T0, "mail", adopted=True), Candidate("b", T0 - H, "call", arguable=False))
    found = duty(law, {"known": known}).alternatives
    assert [(item.label, item.starts_at, item.due_at, item.adopted, item.arguable, item.driving) for item in found] == [
        ("call", T0 - H, T0, False, False, False),
        ("mail", T0, T0 + H, True, True, True),
    ]


def test_an_alternative_is_counted_by_the_office_that_receives_it() -> None:
    table = [{"place": "DE", "name": both("BfDI"), "zone": "Europe/Berlin", "calendar": "DE"}]
    clock = {"from": "known", "within": 1, "counting": "calendar.days"}
    law = library(rule(version(stage(clock=clock)), offices="authorities"), **{"tables/authorities.yaml": table})
    at = datetime(2026, 3, 2, 16, tzinfo=UTC)  # 3 March in Seoul, still 2 March in Berlin
    found = duty(law, {"known": one("a", at)}, entity=EntityProfile("e", "E", main_establishment="DE"))
    assert [item.due_at for item in found.alternatives] == [found.due_at] == [datetime(2026, 3, 3, 23, tzinfo=UTC)]


def test_a_candidate_before_all_law_has_no_end() -> None:
    law = of({"from": "known", **HOUR})
    found = duty(law, {"known": (*one("a"), *one("old", datetime(2019, 1, 1, tzinfo=UTC), arguable=False))})
    assert [(item.key, item.due_at) for item in found.alternatives] == [("old", None), ("a", T0 + H)]


def test_a_standard_in_words_tells_its_start_and_that_the_law_has_no_number() -> None:
    found = duty(of({"from": "known", "standard": "immediately"}), {"known": one("k")})
    assert [(step.text.ko, step.text.en, step.at) for step in found.trace] == [
        ("시작", "starts", T0),
        ("법에 정해진 시간이 없음(즉시)", "the law sets no number (at once)", None),
    ]


def test_the_end_of_a_period_that_waits_for_a_submission_of_its_own_rule() -> None:
    second = stage("second", {"from": {"submitted": "first"}, **HOUR})
    law = library(rule(version(stage(), second, stage("third", {"from": {"due": "second"}, **HOUR}))))
    sent = (Submission("xx.act.report", "first", "", T0),)
    found = {item.stage: item.due_at for item in duties(law, {"known": one("k")}, submissions=sent)}
    assert found["third"] == T0 + 2 * H


# --- the moment an order or another act sets

SET = {"from": "known", "standard": "as_set", "set_by": "set_for"}


def test_the_day_an_order_sets_is_told_and_starts_with_the_order() -> None:
    found = duty(of(SET), {"known": one("a"), "set_for": T0 + 30 * H})
    assert (found.starts_at, found.due_at, found.standard) == (T0, T0 + 30 * H, "as_set")
    assert [(step.text.ko, step.text.en, step.at) for step in found.trace] == [
        ("명령ㆍ요구에 정해진 기한", "the moment set in the order or request", T0 + 30 * H)
    ]


def test_an_order_without_a_day_says_that_it_cannot_be_counted() -> None:
    assert notes(duty(of(SET), {"known": one("a")})) == [
        ("시작 시점이 기록되지 않음: 기한을 셀 수 없음", "the start is not recorded: no deadline can be counted")
    ]


def test_a_happening_at_the_very_moment_of_the_report_is_not_later_than_it() -> None:
    more = stage("more", {"from": "change", **HOUR}, per_event="change", after="first")
    facts = {"known": one("a"), "change": (Event("same", T0), Event("later", T0 + H))}
    found = duties(
        library(rule(version(stage(), more))), facts, submissions=(Submission("xx.act.report", "first", "", T0),)
    )
    assert [item.occurrence for item in found if item.stage == "more"] == ["later"]


def test_an_act_bound_to_one_without_an_end_has_none() -> None:
    people = stage("people", {"from": "known", "standard": "immediately"})
    bound = stage("first", {"from": "known", "standard": "as_set"}, order=[{"with": "people", "text": both("o")}])
    assert {item.due_at for item in duties(library(rule(version(bound, people))), {"known": one("a")})} == {None}


# --- two limits

TWO = {
    "from": "told",
    "within": 4,
    "counting": "strict.hours",
    "second": {"from": "known", "within": 24, "counting": "strict.hours"},
}


@pytest.mark.parametrize(
    ("binding", "after", "words"),
    [
        ("earliest", 1, ["the other limit ends", "the earlier of the two is the deadline"]),
        ("latest", 1, ["the other limit ends", "the later of the two is the deadline"]),
        ("earliest_unless_begun_after", 25, ["begun after this limit had passed: its own period alone counts"]),
    ],
)
def test_the_trace_tells_which_of_two_limits_binds(binding: str, after: int, words: list[str]) -> None:
    found = duty(of({**TWO, "binding": binding}), {"known": one("a"), "told": one("t", T0 + after * H)})
    assert [en for _ko, en in notes(found)][-len(words) :] == words
    assert all(ko for ko, _en in notes(found))


def test_until_its_own_start_the_other_limit_stands_and_is_told() -> None:
    found = duty(of({**TWO, "binding": "earliest"}), {"known": one("a")})
    assert (found.starts_at, found.due_at) == (T0, T0 + 24 * H)
    assert [(step.text.en, step.at) for step in found.trace] == [
        ("the start is not recorded: no deadline can be counted", None),
        ("the other limit ends", T0 + 24 * H),
    ]


def test_the_longer_limit_may_only_be_shown() -> None:
    found = duty(of({**TWO, "binding": "shown"}), {"known": one("a"), "told": one("t", T0)})
    assert [(item.text.to_json(), item.due_at) for item in found.later] == [
        ({"ko": "더 긴 한도", "en": "the longer limit"}, T0 + 24 * H)
    ]


# --- several entities


def test_assessments_put_together_keep_questions_and_notices_once() -> None:
    law = library(
        rule(version(applies_when={"fact": "bad", "is": True})), rule(version(standing="proposed"), key="xx.act.bill")
    )
    later = AS_OF + H
    parts = [
        assess(law, FactSheet({"known": one("k")}), EntityProfile("x", "X"), AS_OF),
        assess(law, FactSheet({}), EntityProfile("y", "Y"), later),
    ]
    joined = together(parts)
    assert (joined.as_of, joined.library_digest, len(joined.duties)) == (AS_OF, law.digest, 2)
    assert joined.questions == ("bad", "known")
    assert [item.rule for item in joined.notices] == ["xx.act.bill"]


def test_one_assessment_put_together_is_itself() -> None:
    found = assess(library(rule()), FactSheet({"known": one("k")}), EntityProfile("x", "X"), AS_OF)
    joined = together([found])
    assert (joined.duties, joined.questions, joined.as_of) == (found.duties, found.questions, AS_OF)


def test_a_duty_of_others_is_one_without_occurrences() -> None:
    each = stage("each", {"from": "change", **HOUR}, per_event="change")
    law = library(rule(version(stage(), each), who={"role": "bank"}))
    found = duties(law, {"known": one("k"), "change": (Event("e", T0),)})
    assert {item.occurrence for item in found} == {""}
    assert {item.stage for item in found} <= {"first", "each"}


# --- limits in words


@pytest.mark.parametrize(
    ("within", "counting", "ko", "en"),
    [
        (1, "strict.hours", "1시간", "1 hour"),
        (72, "strict.hours", "72시간", "72 hours"),
        (1, "strict.minutes", "1분", "1 minute"),
        (3, "calendar.days", "3일", "3 days"),
        (5, "business.days", "5영업일", "5 business days"),
        (2, "calendar.weeks", "2주", "2 weeks"),
        (1, "calendar.months", "1개월", "1 month"),
        (2, "calendar.years", "2년", "2 years"),
    ],
)
def test_a_limit_is_told_with_its_unit(within: int, counting: str, ko: str, en: str) -> None:
    found = duty(of({"from": "known", "within": within, "counting": counting}), {"known": one("k")})
    assert found.limit.to_json() == {"ko": ko, "en": en}


def test_a_version_of_a_rule_is_found_by_its_first_day() -> None:
    law = library(rule())
    assert law.version("xx.act.report", "2020-01-01") is law.rule("xx.act.report").versions[0]
    with pytest.raises(KeyError, match=r"xx\.act\.report: no version from 2021-01-01"):
        law.version("xx.act.report", "2021-01-01")
