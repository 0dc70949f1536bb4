"""What is written and what is read, key by key: an assessment as JSON, canonical JSON, a rule from its file."""

from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from compliance.engine import (
    Candidate,
    EngineError,
    EntityProfile,
    FactSheet,
    LocalText,
    Standard,
    Standing,
    Status,
    Submission,
    assess,
    canonical_json,
    digest,
)
from compliance.engine.library import library_of
from compliance.engine.reading import law_files
from compliance.engine.rules import Clock, Limit, Start
from tests.compliance.minilaw import AS_OF, both, contents, duties, duty, fact, library, rule, stage, version

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
        ({"ko": "first this (ko) ('second (ko)'의 기한)", "en": "first this ('second' is due)"}, T0 + 73 * H)
    ]
    done = (*others, Submission("xx.act.report", "second", "", T0 + 9 * H))
    found = {item.stage: item for item in duties(law, {"known": KNOWN}, submissions=done)}
    assert [(step.text.to_json(), step.at) for step in found["first"].trace[-1:]] == [
        ({"ko": "first this (ko) ('second (ko)'을(를) 한 때)", "en": "first this ('second' was done)"}, T0 + 9 * H)
    ]


# --- one way to write a value down


def test_equal_values_are_written_in_equal_bytes() -> None:
    assert canonical_json({"b": [1, True, None, "예"], "a": ("x",)}) == '{"a":["x"],"b":[1,true,null,"예"]}'.encode()
    assert digest({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


@pytest.mark.parametrize("value", [1.5, [1.5], (1.5,), {"a": {"b": [1.5]}}, OrderedDict(a=1.5), float("nan")])
def test_a_float_is_refused_wherever_it_stands(value: Any) -> None:
    with pytest.raises(EngineError, match=r": floats differ between machines; expected an integer or a string$"):
        canonical_json(value)


def test_what_json_does_not_know_is_refused() -> None:
    with pytest.raises(EngineError, match=r"^1: expected a text as key$"):
        canonical_json([{1: "x"}])
    with pytest.raises(
        EngineError, match=r"^cannot be written as canonical JSON: .*datetime is not JSON serializable$"
    ):
        canonical_json({"at": T0})


# --- a rule as it is read

CITED = [{"provision": both("art. 9"), "url": "https://law.example/9", "checked_on": "2026-11-21"}]
LIMIT = {
    "from": {"submitted": "second", "rule": "xx.act.other", "which": "latest"},
    "within": 3,
    "counting": "calendar.days",
}
WHOLE = rule(
    version(
        stage(
            clock={
                "from": {"earliest": ["known", {"latest": ["told", {"due": "second"}]}]},
                "within": 72,
                "counting": "strict.hours",
                "standard": "immediately",
                "second": LIMIT,
                "binding": "latest",
                "opens": LIMIT,
                "guidance": {"text": both("aim"), **LIMIT},
            },
            per_event="change",
            after="second",
            note=both("note"),
            addressees=[both("Press")],
            contents=[both("only this")],
            citations=CITED,
            confidence="low",
        ),
        stage("second", {"from": "ended", "standard": "as_set", "set_by": "set_for"}, recurs_until="first"),
        until="2027-01-01",
        revision=2,
        confidence="medium",
        doubts=both("doubt"),
        transition=both("transition"),
        exemptions=[
            {"text": both("all"), "provision": "art. 2", "when": {"fact": "bad", "is": True}},
            {"text": both("one"), "provision": "art. 3", "stages": ["second"]},
        ],
        later_starts=[{"who": {"role": "bank"}, "from": "2026-06-01", "text": both("banks")}],
    ),
    who={"sector": "energy"},
    kind="notice",
    sources=[{"url": "u", "says": "s", "checked": False}],
)
LAW = library(WHOLE, rule(version(stage("second")), key="xx.act.other"))
OTHER = Start("submitted", "second", "xx.act.other", first=False)


def test_everything_a_rule_says_is_read() -> None:
    found = LAW.rules["xx.act.report"]
    assert (found.key, found.jurisdiction, found.zone, found.calendar, found.kind) == (
        "xx.act.report", "KR", "Asia/Seoul", "KR", "notice",
    )  # fmt: skip
    assert (found.instrument.en, found.title.en, found.who_text.en, found.file) == (
        "Act", "Report", "everybody", "xx/act/rule-0.yaml",
    )  # fmt: skip
    assert [name.en for name in found.addressees] == ["Authority"]
    assert (found.offices, list(found.sources)) == ({}, [{"url": "u", "says": "s", "checked": False}])
    assert found.facts == {"entity.sectors", "entity.roles", "bad", "known", "told", "change", "ended", "set_for"}


def test_everything_a_version_says_is_read() -> None:
    (found,) = LAW.rules["xx.act.report"].versions
    assert (found.key, found.start, found.until) == ("2020-01-01", date(2020, 1, 1), date(2027, 1, 1))
    assert (found.standing, found.revision, found.confidence) == (Standing.IN_FORCE, 2, "medium")
    assert (found.connects_by, found.to_json()) == (Start("fact", "known"), WHOLE["versions"][0])
    told = (found.doubts, found.transition, found.carries_out, found.penalties, found.records, found.channel)
    assert [text.en if text else None for text in told] == [
        "doubt", "transition", "carries out", "a fine", "keep it", "by letter",
    ]  # fmt: skip
    assert [(item.text.en, item.provision, bool(item.applies), item.stages) for item in found.exemptions] == [
        ("all", "art. 2", True, frozenset()),
        ("one", "art. 3", False, frozenset({"second"})),
    ]
    assert [(item.start, item.text.en) for item in found.later_starts] == [(date(2026, 6, 1), "banks")]
    assert [text.en for text in found.contents] == ["what happened"]
    assert (found.stage("second"), found.stage("third")) == (found.stages[1], None)


def test_everything_a_stage_says_is_read() -> None:
    first, second = LAW.rules["xx.act.report"].versions[0].stages
    assert (first.key, first.title.en, first.audience, first.per_event, first.after, first.recurs_until) == (
        "first", "first", "regulator", "change", "second", None,
    )  # fmt: skip
    assert (second.per_event, second.after, second.recurs_until) == (None, None, "first")
    assert (first.note and first.note.en, second.note) == ("note", None)
    assert ([name.en for name in first.addressees], second.addressees) == (["Press"], ())
    assert ([text.en for text in first.contents or ()], second.contents) == (["only this"], None)
    assert [(item.provision.en, item.url, item.checked_on) for item in first.citations] == [
        ("art. 9", "https://law.example/9", date(2026, 11, 21))
    ]
    assert (second.citations, first.confidence, second.confidence) == ((), "low", None)


def test_everything_a_clock_says_is_read() -> None:
    first, second = (item.clock for item in LAW.rules["xx.act.report"].versions[0].stages)
    latest = Start("latest", parts=(Start("fact", "told"), Start("due", "second")))
    assert first.start == Start("earliest", parts=(Start("fact", "known"), latest))
    assert (first.standard, first.n, first.counting, first.ceiling_of) == ("hours", 72, "strict.hours", "immediately")
    limit = Limit(OTHER, 3, "calendar.days")
    assert (first.second, first.binding, first.opens, first.set_by) == (limit, "latest", limit, None)
    assert first.guidance is not None
    assert (first.guidance.text.en, first.guidance.limit) == ("aim", limit)
    assert second == Clock(Start("fact", "ended"), Standard.AS_SET, set_by="set_for")


def test_the_vocabulary_is_read() -> None:
    size, known, kinds = (LAW.facts[name] for name in ("size", "known", "kinds"))
    assert (size.name, size.type, size.label.en, size.question.en, size.group) == (
        "size", "integer", "integer", "integer?", "g",
    )  # fmt: skip
    assert (size.unit, size.who, size.legal, size.until_known, size.choices) == ("h", (), True, (), {})
    assert (known.until_known, LAW.facts["words"].legal, known.unit) == (("seen",), False, "")
    assert kinds.choices == {"theft": LocalText(**both("theft")), "loss": LocalText(**both("loss"))}
    assert LAW.facts.places == {"EU": frozenset({"DE", "FR"}), "STATES": frozenset({"US-CA", "US-NY"})}
    asserted = {**contents()["facts.yaml"], "x": fact("bool", who=["owner"])}
    law = library_of(law_files({**contents(), "facts.yaml": asserted}, root=Path("law")), proved=False)
    assert law.facts["x"].who == ("owner",)
