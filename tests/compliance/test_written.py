"""What other programs rely on: an assessment as JSON, key by key."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compliance.engine import Candidate, EntityProfile, FactSheet, LocalText, Status, Submission, assess
from tests.compliance.minilaw import AS_OF, both, duties, duty, library, rule, stage, version

T0 = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)  # Monday 14:00 in Seoul
H = timedelta(hours=1)
KNOWN = (Candidate("early", T0, "mail"), Candidate("late", T0 + H, adopted=True), Candidate("no", T0, arguable=False))
CLOCK = {
    "from": "known",
    "standard": "without_undue_delay",
    "within": 24,
    "counting": "eu1182.hours",
    "guidance": {"text": both("aim"), "from": "known", "within": 1, "counting": "strict.hours"},
    "opens": {"from": "known", "within": 2, "counting": "strict.hours"},
}
RICH = version(
    stage(clock=CLOCK, note=both("mind"), order=[{"after": "second", "text": both("after the second")}]),
    stage("second"),
    doubts=both("a doubt"),
    confidence="medium",
    applies_when={"fact": "bad", "is": True},
    exemptions=[{"text": both("free"), "provision": "art. 2"}],
)


def local(text: str) -> dict[str, str]:
    return {"ko": f"{text} (ko)", "en": text}


def test_everything_a_duty_says() -> None:
    law = library(rule(RICH))
    found = next(item for item in duties(law, {"known": KNOWN, "bad": True}) if item.stage == "first")
    written = found.to_json()
    trace = written.pop("trace")
    assert written == {
        "rule": "xx.act.report",
        "stage": "first",
        "occurrence": "",
        "entity": "e",
        "jurisdiction": "KR",
        "instrument": local("Act"),
        "title": local("first"),
        "audience": "regulator",
        "addressees": [local("Authority")],
        "status": "required",
        "version": "2020-01-01",
        "revision": 1,
        "digest": law.rules["xx.act.report"].versions[0].digest,
        "standard": "hours",
        "ceiling_of": "without_undue_delay",
        "limit": {"ko": "지체 없이, 늦어도 24시간", "en": "without delay, at the latest 24 hours"},
        "starts_at": "2026-03-02T15:00:00+09:00",
        "due_at": "2026-03-03T15:00:00+09:00",
        "due_zone": "Asia/Seoul",
        "provisional": False,
        "concerns_entity": True,
        "opens_at": "2026-03-02T17:00:00+09:00",
        "guidance": {"text": local("aim"), "at": "2026-03-02T16:00:00+09:00"},
        "order": [local("after the second")],
        "later_readings": [
            {
                "text": {
                    "ko": "사건이 있은 시각의 시간을 세지 않는 견해(규칙 1182/71 제3조 제1항)",
                    "en": "if the hour of the event is not counted (Reg. 1182/71 art. 3(1))",
                },
                "due_at": "2026-03-03T16:00:00+09:00",
            }
        ],
        "alternatives": [
            alternative("early", "mail", hour=14),
            alternative("no", "", hour=14, arguable=False),
            alternative("late", "", hour=15, adopted=True, driving=True),
        ],
        "because": [
            {
                "text": {"ko": "bool (ko): 예", "en": "bool: yes"},
                "outcome": "true",
                "facts": ["bad"],
                "citation": "art. 1 (ko)",
            }
        ],
        "questions": [],
        "citations": [{"provision": local("art. 1"), "url": "https://law.example/1", "checked_on": "2026-11-22"}],
        "confidence": "medium",
        "doubts": local("a doubt"),
        "note": local("mind"),
        "contents": [local("what happened")],
        "exemptions": [local("free")],
        "penalties": local("a fine"),
    }
    assert trace[0] == {"text": {"ko": "시작", "en": "starts"}, "at": "2026-03-02T15:00:00+09:00"}
    assert trace[-1]["text"]["en"] == "the number is a ceiling: a delay before it can be late too"


def alternative(key: str, label: str, *, hour: int, **more: bool) -> dict[str, Any]:
    return {
        "key": key,
        "label": label,
        "starts_at": f"2026-03-02T{hour}:00:00+09:00",
        "due_at": f"2026-03-03T{hour}:00:00+09:00",
        "adopted": False,
        "arguable": True,
        "driving": False,
        **more,
    }


def test_what_a_duty_does_not_have_is_null() -> None:
    written = duty(library(rule(version(stage(clock={"from": "known", "standard": "immediately"})))), {}).to_json()
    empty = ("ceiling_of", "starts_at", "due_at", "opens_at", "guidance", "doubts", "note")
    assert {key: written[key] for key in empty} == dict.fromkeys(empty)
    assert [step["at"] for step in written["trace"]] == [None, None]


def test_a_duty_that_is_not_required_says_why_and_nothing_of_time() -> None:
    found = duty(library(rule(version(applies_when={"fact": "bad", "is": True}))), {"known": KNOWN, "bad": False})
    written = found.to_json()
    assert (written["status"], written["starts_at"], written["due_at"]) == ("not_required", None, None)
    assert (written["trace"], written["alternatives"], written["questions"]) == ([], [], [])
    assert (written["due_zone"], written["addressees"]) == ("Asia/Seoul", [local("Authority")])
    assert [reason["outcome"] for reason in written["because"]] == ["false"]


def test_a_whole_assessment() -> None:
    law = library(rule(), rule(version(standing="proposed"), key="xx.act.bill"))
    written = assess(law, FactSheet({}), EntityProfile("e", "E"), AS_OF).to_json()
    assert [item["rule"] for item in written.pop("duties")] == ["xx.act.report"]
    assert written == {
        "library": {"digest": law.digest},
        "as_of": "2026-11-22T12:00:00+00:00",
        "questions": ["known"],
        "not_in_force": [
            {
                "rule": "xx.act.bill",
                "version": "2020-01-01",
                "standing": "proposed",
                "title": local("Report"),
                "says": local("carries out"),
            }
        ],
    }


def test_a_duty_is_read_by_its_names() -> None:
    found = duty(library(rule(RICH)), {"known": KNOWN, "bad": True})
    assert found.identity == (found.rule, found.stage, found.occurrence) == ("xx.act.report", "first", "")
    assert (found.title.en, found.instrument.en, found.penalties.en) == ("first", "Act", "a fine")
    assert (found.audience, found.confidence, found.revision, found.status) == (
        "regulator",
        "medium",
        1,
        Status.REQUIRED,
    )


@pytest.mark.parametrize(("language", "text"), [("ko", "예"), ("ko-kr", "예"), ("en", "yes"), ("de", "yes")])
def test_a_text_is_given_in_korean_or_else_in_english(language: str, text: str) -> None:
    assert LocalText(ko="예", en="yes").get(language) == text


def test_a_submission_of_another_rule_or_stage_binds_nothing() -> None:
    order = [{"before": "second", "text": both("first this")}]
    law = library(rule(version(stage(order=order), stage("second"))))
    others = (Submission("xx.act.other", "second", "", T0), Submission("xx.act.report", "third", "", T0))
    found = {item.stage: item for item in duties(law, {"known": KNOWN}, submissions=others)}
    assert found["first"].due_at == T0 + 73 * H
    assert [(step.text.to_json(), step.at) for step in found["first"].trace[-1:]] == [
        ({"ko": "first this (ko) ('second'의 기한)", "en": "first this (second is due)"}, T0 + 73 * H)
    ]
    done = (*others, Submission("xx.act.report", "second", "", T0 + 9 * H))
    found = {item.stage: item for item in duties(law, {"known": KNOWN}, submissions=done)}
    assert [(step.text.to_json(), step.at) for step in found["first"].trace[-1:]] == [
        ({"ko": "first this (ko) ('second'을(를) 한 때)", "en": "first this (second was done)"}, T0 + 9 * H)
    ]
