"""What other programs rely on: proposals, decisions and the schema of answers as JSON; and answers that are refused."""

from copy import deepcopy
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from compliance.engine import LawError, LocalText
from compliance.engine.scoring import adoption, load_methods, read_answers
from compliance.engine.scoring.answers import schema
from compliance.engine.scoring.questions import Question
from compliance.engine.scoring.types import (
    Adoption,
    Beside,
    Bounds,
    DataSet,
    Level,
    OpenQuestion,
    Proposal,
    Reading,
    ScoreError,
    Source,
    Step,
)
from compliance.engine.strict import Node
from tests.compliance.minilaw import library
from tests.compliance.scoring import method, proposal


def local(text: str) -> LocalText:
    return LocalText(ko=f"{text} (ko)", en=text)


def both(text: str) -> dict[str, str]:
    return {"ko": f"{text} (ko)", "en": text}


SOURCE = Source(local("art. 1"), "https://law.example", date(2026, 11, 22))
LOW = Level("low", local("Low"), local("little"), {"x.level": "low"}, local("wait"))
HIGH = Level("high", local("High"), local("much"), {"x.level": "high"})
STEP = Step("a", local("Step a"), {"q": True}, "1", (local("detail"),), ("because",), SOURCE, "medium", house=True)
PROPOSAL = Proposal(
    method="m",
    version=2,
    digest="d",
    title=local("Method"),
    value=Bounds(Decimal("2.50"), Decimal(3)),
    value_text=local("Score"),
    lowest=LOW,
    highest=HIGH,
    levels=(LOW, HIGH),
    working=(STEP,),
    open=(OpenQuestion("q", local("Question")),),
    beside=(Beside("flag", local("Flag"), "true", local("yes"), "why"),),
    readings=(Reading("r", local("Reading"), "low", "high"),),
    to_record=(local("the reason"),),
    until_decided=local("as the highest"),
    confidence="medium",
    doubts=(local("a doubt"),),
    sources=(SOURCE,),
)
SOURCE_JSON = {"provision": both("art. 1"), "url": "https://law.example", "checked_on": "2026-11-22"}
LOW_JSON = {
    "key": "low",
    "text": both("Low"),
    "meaning": both("little"),
    "proposes": {"x.level": "low"},
    "house": both("wait"),
}
STEP_JSON = {
    "key": "a",
    "text": both("Step a"),
    "answers": {"q": True},
    "value": "1",
    "detail": [both("detail")],
    "reasons": ["because"],
    "source": SOURCE_JSON,
    "confidence": "medium",
    "house": True,
}


def test_everything_a_proposal_says() -> None:
    assert PROPOSAL.to_json() == {
        "method": "m",
        "version": 2,
        "digest": "d",
        "title": both("Method"),
        "status": "undetermined",
        "value": {"lowest": "2.5", "highest": "3"},
        "value_text": both("Score"),
        "level": None,
        "range": {"lowest": "low", "highest": "high"},
        "proposes": {},
        "working": [STEP_JSON],
        "open": [{"key": "q", "text": both("Question")}],
        "beside": [{"key": "flag", "text": both("Flag"), "value": "true", "shown": both("yes"), "reason": "why"}],
        "readings": [{"key": "r", "text": both("Reading"), "lowest": "low", "highest": "high"}],
        "to_record": [both("the reason")],
        "until_decided": both("as the highest"),
        "confidence": "medium",
        "doubts": [both("a doubt")],
        "sources": [SOURCE_JSON],
    }


def test_a_proposal_that_is_determined_proposes_its_level() -> None:
    written = replace(PROPOSAL, highest=LOW, value=Bounds(Decimal(2), Decimal(2))).to_json()
    assert (written["status"], written["level"], written["proposes"]) == ("determined", LOW_JSON, {"x.level": "low"})
    assert (written["value"], written["until_decided"]) == ("2", None)


def test_what_a_proposal_does_not_have_is_null() -> None:
    written = replace(PROPOSAL, value=None, value_text=None).to_json()
    assert (written["value"], written["value_text"]) == (None, None)
    assert HIGH.to_json()["house"] is None
    assert replace(STEP, source=None).to_json()["source"] is None
    assert replace(SOURCE, checked_on=None).to_json()["checked_on"] is None


def test_everything_a_decision_says() -> None:
    assert adoption(PROPOSAL, "high", "a reason").to_json() == {
        "method": "m",
        "version": 2,
        "digest": "d",
        "proposed": None,
        "chosen": "high",
        "departs": True,
        "reason": "a reason",
        "facts": {"x.level": "high"},
    }
    agreed = adoption(replace(PROPOSAL, highest=LOW), "low")
    assert agreed == Adoption("m", 2, "d", "low", "low", departs=False, reason="", facts={"x.level": "low"})


def test_a_refusal_is_told_in_english_and_korean() -> None:
    refused = ScoreError(ko="거절", en="refused")
    assert (str(refused), refused.ko, refused.en) == ("refused", "거절", "refused")


@pytest.mark.parametrize(
    ("low", "high", "shown", "written"),
    [
        (2, 2, "2", "2"),
        ("2.50", "2.50", "2.5", "2.5"),
        (100, 250, "100..250", {"lowest": "100", "highest": "250"}),
        (1, None, "1..", {"lowest": "1", "highest": None}),
    ],
)
def test_bounds_are_one_number_or_both_ends(low: Any, high: Any, shown: str, written: Any) -> None:
    found = Bounds(Decimal(low), None if high is None else Decimal(high))
    assert (str(found), found.to_json()) == (shown, written)


# --- answers


def read(key: str, answers: Any, **more: Any) -> Any:
    return read_answers(Node({"answers": answers, **more}, file="f", key=""), method(key))


def test_a_data_set_is_read_as_written() -> None:
    whole = {"name": "bills", "category": "financial", "adjustment": -2, "identification": "limited"}
    found = read("enisa", {"datasets": [whole, {}]})
    assert found.datasets == (DataSet("bills", "financial", -2, "limited"), DataSet("", None, None, None))


WORDS = "behavioural, financial, sensitive, simple"
REFUSED = [
    ("enisa", [], "answers: expected a mapping of questions and answers"),
    ("enisa", {"datasets": []}, "answers.datasets: expected a list of at least 1"),
    ("enisa", {"datasets": [{"nam": "x"}]}, "answers.datasets[0].nam: unknown key; did you mean name?"),
    ("enisa", {"datasets": [{"name": ""}]}, "answers.datasets[0].name: expected a text, found ''"),
    ("enisa", {"datasets": [{"category": "secret"}]}, f"answers.datasets[0].category: 'secret': expected one of {WORDS}"),
    ("enisa", {"datasets": [{"category": ["simple"]}]}, f"answers.datasets[0].category: ['simple']: expected one of {WORDS}"),
    ("enisa", {"datasets": [{"adjustment": 1}]}, "answers.datasets[0].adjustment: expected a category beside it"),
    ("enisa", {"datasets": [{"category": "financial", "adjustment": 2}]}, "answers.datasets[0].adjustment: 2: expected one of -2, -1, 0, 1 (financial)"),
    ("enisa", {"datasets": [{"category": "financial", "adjustment": True}]}, "answers.datasets[0].adjustment: True: expected one of -2, -1, 0, 1 (financial)"),
    ("enisa", {"datasets": [{"category": "financial", "adjustment": "1"}]}, "answers.datasets[0].adjustment: '1': expected one of -2, -1, 0, 1 (financial)"),
    ("enisa", {"datasets": [{"category": "financial", "adjustment": 1.0}]}, "answers.datasets[0].adjustment: 1.0: expected one of -2, -1, 0, 1 (financial)"),
    ("enisa", {"datasets": [{"identification": "easy"}]}, "answers.datasets[0].identification: 'easy': expected one of limited, maximum, negligible, significant"),
    ("enisa", {"unintelligible": "yes"}, "answers.unintelligible: 'yes': expected true or false"),
    ("enisa", {"malicious": 1}, "answers.malicious: 1: expected one of intentional, none"),
    ("enisa", {"people": -1}, "answers.people: -1: expected a whole number of at least 0"),
    ("enisa", {"people": {"from": 1}}, "answers.people.from: unknown key; expected one of at_least, at_most"),
    ("enisa", {"people": {"at_least": 5, "at_most": 4}}, "answers.people.at_most: 4: expected no less than at_least (5)"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "answers", "message"), REFUSED, ids=[item[2][:60] for item in REFUSED])
def test_an_answer_that_is_wrong_is_named_with_its_place(key: str, answers: Any, message: str) -> None:
    with pytest.raises(LawError) as refused:
        read(key, answers)
    assert str(refused.value) == f"f: {message}"


def test_bounds_may_be_open_at_either_end() -> None:
    def people(given: Any) -> Any:
        return read("enisa", {"people": given}).values["people"]

    assert people({"at_least": 5}) == Bounds(Decimal(5), None)
    assert people({"at_most": 5}) == Bounds(Decimal(0), Decimal(5))
    assert people({"at_least": 5, "at_most": 5}) == people(5) == Bounds(Decimal(5), Decimal(5))


def test_reasons_are_kept_and_must_be_of_a_question() -> None:
    assert read("enisa", {}, reasons={"people": " counted "}).reasons == {"people": "counted"}
    with pytest.raises(LawError, match=r"^f: reasons.peopel: unknown key; did you mean people\?$"):
        read("enisa", {}, reasons={"peopel": "x"})


# --- their schema

NUMBER = {"type": "integer", "minimum": 0}


def thing(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def span(number: dict[str, Any], described: str) -> dict[str, Any]:
    return {
        "anyOf": [number, thing({"at_least": number, "at_most": number}), {"type": "null"}],
        "description": described,
    }


def said(text: LocalText) -> str:
    return f"{text.en} / {text.ko}"


def test_the_schema_of_answers() -> None:
    enisa = method("enisa")
    found = schema(enisa)
    keys = ["datasets", *enisa.questions]
    assert found.pop("properties")["reasons"] == thing({key: {"type": "string", "minLength": 1} for key in keys})
    assert found.pop("description").splitlines()[:2] == [
        said(enisa.title),
        f"{said(enisa.hints[0].text)} ({enisa.hints[0].confidence})",
    ]
    assert found == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Breachclock answers: enisa",
        "type": "object",
        "additionalProperties": False,
        "required": ["answers"],
    }


def test_the_schema_of_each_type_of_question() -> None:
    enisa = method("enisa")
    answers = schema(enisa)["properties"]["answers"]
    asked = enisa.questions
    assert (answers["type"], answers["additionalProperties"]) == ("object", False)
    assert answers["properties"]["unintelligible"] == {
        "type": ["boolean", "null"],
        "description": said(asked["unintelligible"].text),
    }
    assert answers["properties"]["people"] == span(NUMBER, said(asked["people"].text))
    malicious = asked["malicious"]
    names = "; ".join(f"{key}: {said(text)}" for key, text in malicious.choices.items())
    assert answers["properties"]["malicious"] == {
        "enum": ["none", "intentional", None],
        "description": f"{said(malicious.text)} ({names})",
    }


def test_the_schema_of_an_amount_takes_a_text_with_decimals() -> None:
    dora = method("dora")
    key = next(key for key, question in dora.questions.items() if question.type == "amount")
    amount = {"anyOf": [NUMBER, {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}]}
    assert schema(dora)["properties"]["answers"]["properties"][key] == span(amount, said(dora.questions[key].text))


def test_the_schema_of_data_sets() -> None:
    enisa = method("enisa")
    weights: Any = enisa.procedure

    def named(items: Any) -> str:
        return "; ".join(f"{key}: {said(item.text)}" for key, item in items.items())

    assert schema(enisa)["properties"]["answers"]["properties"]["datasets"] == {
        "type": ["array", "null"],
        "minItems": 1,
        "items": thing(
            {
                "name": {"type": "string", "minLength": 1},
                "category": {"enum": [*weights.categories, None], "description": named(weights.categories)},
                "adjustment": {"enum": [-3, -2, -1, 0, 1, 2, 3, None]},
                "identification": {
                    "enum": [*weights.identification, None],
                    "description": named(weights.identification),
                },
            }
        ),
    }
    assert "datasets" not in schema(method("dora"))["properties"]["answers"]["properties"]


# --- the working of a score


def test_the_working_of_a_score_shows_every_part() -> None:
    enisa = method("enisa")
    weights: Any = enisa.procedure
    given = {"name": "bills", "category": "financial", "adjustment": 1, "identification": "limited"}
    found = proposal(
        "enisa", {"datasets": [given, {}], "malicious": "intentional"}, datasets="from the log", malicious="theft"
    )
    assert [step.key for step in found.working] == [
        "datasets[0]", "datasets[1]", "product", "confidentiality", "integrity", "availability", "malicious", "score",
    ]  # fmt: skip
    first, second = found.working[:2]
    part = weights.parts["datasets"]
    assert (first.text.en, first.text.ko) == (f"{part.text.en} (bills)", f"{part.text.ko} (bills)")
    assert second.text == part.text
    assert first.answers == {"category": "financial", "adjustment": 1, "identification": "limited"}
    assert first.value == "4 x 0.5 = 2"
    financial = weights.categories["financial"]
    assert first.detail == (financial.text, financial.adjustments[1], weights.identification["limited"].text)
    assert [text.en for text in second.detail] == ["unknown", "unknown", "unknown"]
    assert (first.reasons, first.confidence) == (("datasets: from the log",), "medium")
    assert first.source == enisa.sources["copy"]
    malicious, score = found.working[6:]
    asked = enisa.questions["malicious"]
    assert (malicious.text, malicious.value, malicious.answers) == (asked.text, "+0.5", {"malicious": "intentional"})
    assert (malicious.detail, malicious.reasons) == ((asked.choices["intentional"],), ("malicious: theft",))
    assert malicious.source == enisa.sources["formula"]
    assert [text.en for text in found.working[3].detail] == ["unknown"]
    assert found.working[3].value == "+0..0.5"
    assert (score.text, score.confidence, score.source) == (
        weights.parts["score"].text,
        "high",
        enisa.sources["formula"],
    )
    assert found.value_text == weights.parts["score"].text


def test_what_is_not_said_of_a_data_set_is_asked_by_its_place() -> None:
    weights: Any = method("enisa").procedure
    found = proposal("enisa", {"datasets": [{"category": "financial"}]})
    assert found.open[:2] == (
        OpenQuestion("datasets[0].adjustment", weights.ask["adjustment"]),
        OpenQuestion("datasets[0].identification", weights.ask["identification"]),
    )
    assert proposal("enisa", {}).open[0] == OpenQuestion("datasets", weights.ask["datasets"])


# --- a method as it is read

SOURCES = {
    "read": {"provision": both("art. 1"), "url": "https://law.example", "checked_on": "2026-11-22"},
    "known": {"provision": both("art. 2"), "url": "https://law.example", "checked_on": None},
}
QUESTIONS = [
    {"key": "bad", "type": "bool", "text": both("Bad?"), "source": "read", "fact": "bad", "factor": True},
    {"key": "kind", "type": "choice", "text": both("Kind?"), "choices": {"a": both("A"), "b": both("B")}},
    {"key": "all", "type": "whole", "text": both("All?")},
    {"key": "part", "type": "whole", "text": both("Part?"), "within": "all"},
    {"key": "cost", "type": "amount", "text": both("Cost?")},
]
RULES = [
    {
        "text": both("bad"),
        "when": {"met": "bad"},
        "level": "high",
        "source": "read",
        "confidence": "low",
        "house": True,
    },
    {"text": both("else"), "when": "always", "level": "low", "source": "known"},
]
COMMON: dict[str, Any] = {
    "method": "m",
    "version": 3,
    "title": both("Method"),
    "confidence": "medium",
    "doubts": [both("a doubt")],
    "until_decided": both("as the highest"),
    "sources": SOURCES,
    "questions": QUESTIONS,
    "proposes": {"bad": "bool", "level": ["low", "high"]},
    "flags": [{"key": "f", "text": both("Flag"), "when": {"answer": "bad", "is": True}}],
    "hints": [{"text": both("Hint"), "confidence": "low"}],
}
BY_TESTS: dict[str, Any] = {
    **COMMON,
    "kind": "tests",
    "levels": [
        {"key": "low", "text": both("Low"), "meaning": both("little"), "proposes": {"bad": False, "level": "low"}},
        {"key": "high", "text": both("High"), "meaning": both("much"), "proposes": {"bad": True, "level": "high"}, "house": both("act")},
    ],
    "criteria": [
        {"key": "bad", "text": both("Is bad"), "when": {"answer": "bad", "is": True}, "source": "read", "confidence": "medium", "house": True},
        {"key": "plain", "text": both("Is plain"), "when": {"answer": "bad", "is": False}, "source": "known"},
    ],
    "decide": RULES,
    "count": {"text": both("How many"), "of": ["bad", "plain"]},
    "other_readings": [{"key": "r", "text": both("Reading"), "decide": RULES[1:]}],
}  # fmt: skip
BY_WEIGHTS: dict[str, Any] = {
    **COMMON,
    "kind": "weights",
    "levels": [
        {"key": "low", "text": both("Low"), "meaning": both("little"), "proposes": {}, "at_least": 0},
        {"key": "high", "text": both("High"), "meaning": both("much"), "proposes": {}, "at_least": "1.5"},
    ],
    "categories": {
        "lowest": 1,
        "highest": 3,
        "of": {"x": {"text": both("X"), "basic": 2, "adjustments": [{"by": by, "text": both(str(by))} for by in (-1, 0, 1)]}},
    },
    "identification": {"easy": {"text": both("Easy"), "value": "0.5"}},
    "circumstances": {"kind": {"a": 0, "b": "0.25"}},
    "parts": {
        "datasets": {"text": both("Sets"), "source": "read", "confidence": "low"},
        "product": {"text": both("Product"), "source": "known"},
        "score": {"text": both("Score"), "source": "read"},
    },
    "ask": {key: both(key) for key in ("datasets", "category", "adjustment", "identification")},
}  # fmt: skip


def loaded(folder: Path, *written: dict[str, Any]) -> Any:
    (folder / "scoring").mkdir()
    for number, item in enumerate(written):
        (folder / "scoring" / f"m{number}.yaml").write_text(yaml.safe_dump(item), encoding="utf-8")
    return load_methods(folder, library().facts)


def test_what_every_method_says_is_read(tmp_path: Path) -> None:
    found = loaded(tmp_path, BY_TESTS)["m"]
    assert (found.key, found.version, found.title, found.confidence) == ("m", 3, local("Method"), "medium")
    assert (found.doubts, found.until_decided) == ((local("a doubt"),), local("as the highest"))
    assert found.file == "scoring/m0.yaml"
    assert found.sources == {"read": SOURCE, "known": Source(local("art. 2"), "https://law.example", None)}
    assert found.proposes == {"bad": frozenset({True, False}), "level": frozenset({"low", "high"})}
    assert found.levels == (
        Level("low", local("Low"), local("little"), {"bad": False, "level": "low"}, None),
        Level("high", local("High"), local("much"), {"bad": True, "level": "high"}, local("act")),
    )
    assert [(item.key, item.text) for item in found.flags] == [("f", local("Flag"))]
    assert [(item.text, item.confidence) for item in found.hints] == [(local("Hint"), "low")]
    assert list(found.questions.values()) == [
        Question("bad", "bool", local("Bad?"), {}, "read", "bad", None, factor=True),
        Question("kind", "choice", local("Kind?"), {"a": local("A"), "b": local("B")}),
        Question("all", "whole", local("All?")),
        Question("part", "whole", local("Part?"), within="all"),
        Question("cost", "amount", local("Cost?")),
    ]


def test_a_method_of_criteria_and_rules_is_read(tmp_path: Path) -> None:
    found = loaded(tmp_path, BY_TESTS)["m"].procedure
    criteria = [(item.key, item.text, item.source, item.confidence, item.house) for item in found.criteria]
    assert criteria == [
        ("bad", local("Is bad"), "read", "medium", True),
        ("plain", local("Is plain"), "known", "high", False),
    ]
    rules = [(item.text, item.level, item.source, item.confidence, item.house) for item in found.decide]
    assert rules == [(local("bad"), "high", "read", "low", True), (local("else"), "low", "known", "high", False)]
    assert (found.count, found.count_text) == (("bad", "plain"), local("How many"))
    assert [(item.key, item.text, len(item.decide)) for item in found.readings] == [("r", local("Reading"), 1)]


def test_what_a_method_may_leave_out(tmp_path: Path) -> None:
    bare = {key: value for key, value in BY_TESTS.items() if key not in ("flags", "hints", "count", "other_readings")}
    found = loaded(tmp_path, bare)["m"]
    assert (found.flags, found.hints) == ((), ())
    assert (found.procedure.count, found.procedure.count_text, found.procedure.readings) == ((), None, ())


def test_a_method_of_weights_is_read(tmp_path: Path) -> None:
    found = loaded(tmp_path, BY_WEIGHTS)["m"].procedure
    (category,) = found.categories.values()
    assert (category.text, category.basic) == (local("X"), 2)
    assert category.adjustments == {-1: local("-1"), 0: local("0"), 1: local("1")}
    assert [(key, item.text, item.value) for key, item in found.identification.items()] == [
        ("easy", local("Easy"), Decimal("0.5"))
    ]
    assert found.circumstances == {"kind": {"a": Decimal(0), "b": Decimal("0.25")}}
    assert found.bands == (Decimal(0), Decimal("1.5"))
    assert [(key, item.text, item.source, item.confidence) for key, item in found.parts.items()] == [
        ("datasets", local("Sets"), "read", "low"),
        ("product", local("Product"), "known", "high"),
        ("score", local("Score"), "read", "high"),
    ]
    assert found.ask == {key: local(key) for key in ("datasets", "category", "adjustment", "identification")}


def changed(method_as_written: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    """A copy in which the value at ``path`` is another."""
    copy = deepcopy(method_as_written)
    inner: Any = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return copy


NUMBER_WANTED = 'expected a whole number, or a decimal in quotes such as "0.25"'
MISTAKEN = [
    (changed(BY_TESTS, "count", to={"of": ["bad"]}), "count.text: missing"),
    (changed(BY_TESTS, "hints", 0, "confidence", to="sure"), "hints[0].confidence: 'sure': expected one of high, low, medium"),
    (changed(BY_TESTS, "hints", 0, to={"text": both("x")}), "hints[0].confidence: missing"),
    (changed(BY_TESTS, "flags", 0, to={"key": "f", "text": both("x")}), "flags[0].when: missing"),
    (changed(BY_TESTS, "criteria", 0, "confidence", to="sure"), "criteria[0].confidence: 'sure': expected one of high, low, medium"),
    (changed(BY_TESTS, "criteria", 0, "house", to="yes"), "criteria[0].house: 'yes': expected true or false"),
    (changed(BY_TESTS, "criteria", to=[]), "criteria: expected a list of at least 1"),
    (changed(BY_TESTS, "decide", to=[]), "decide: expected a list of at least 1"),
    (changed(BY_TESTS, "decide", 0, "level", to="huge"), "decide[0].level: 'huge': expected one of high, low"),
    (changed(BY_TESTS, "decide", 0, "source", to="x"), "decide[0].source: 'x': expected one of known, read"),
    (changed(BY_TESTS, "decide", 0, "confidence", to="x"), "decide[0].confidence: 'x': expected one of high, low, medium"),
    (changed(BY_TESTS, "decide", 0, "house", to=1), "decide[0].house: 1: expected true or false"),
    (changed(BY_TESTS, "decide", 1, to="x"), "decide[1].when: expected the last rule to hold always"),
    (changed(BY_TESTS, "other_readings", 0, to={"key": "r", "text": both("x")}), "other_readings[0].decide: missing"),
    (changed(BY_TESTS, "levels", to=[]), "levels: expected a list of at least 1"),
    (changed(BY_TESTS, "levels", 0, "at_least", to=0), "levels[0].at_least: unknown key; expected one of house, key, meaning, proposes, text"),
    (changed(BY_TESTS, "levels", 0, "proposes", to={"level": "mid"}), "levels[0].proposes.level: 'mid': expected one of high, low"),
    (changed(BY_TESTS, "levels", 0, "proposes", to={"x": 1}), "levels[0].proposes.x: expected one of bad, level (see proposes)"),
    (changed(BY_TESTS, "proposes", to={}), "levels[0].proposes.bad: expected one of none (see proposes)"),
    (changed(BY_TESTS, "proposes", "level", to=[]), "proposes.level: expected a list of at least 1"),
    (changed(BY_TESTS, "proposes", "qqq", to="bool"), "proposes.qqq: qqq: not a fact of the vocabulary; expected one of facts.yaml"),
    (changed(BY_TESTS, "version", to=0), "version: 0: expected a whole number of at least 1"),
    (changed(BY_TESTS, "sources", "read", to={"url": "u", "checked_on": None}), "sources.read.provision: missing"),
    (changed(BY_TESTS, "questions", to=[]), "questions: expected a list of at least 1"),
    (changed(BY_TESTS, "questions", 0, "factor", to="x"), "questions[0].factor: 'x': expected true or false"),
    (changed(BY_TESTS, "questions", 0, "source", to="x"), "questions[0].source: 'x': expected one of known, read"),
    (changed(BY_TESTS, "questions", 0, "fact", to="size"), "questions[0].fact: size: integer: expected a fact that answers a question of type bool"),
    (changed(BY_TESTS, "questions", 1, "fact", to="level"), "questions[1].choices: low: missing; level has it"),
    (changed(BY_TESTS, "questions", 4, "fact", to="size"), "questions[4].fact: size: integer: expected a fact that answers a question of type amount"),
    (changed(BY_TESTS, "questions", 1, "choices", to=None), "questions[1].choices: expected choices with the type choice, and with no other"),
    (changed(BY_TESTS, "questions", 3, "within", to="kind"), "questions[3].within: 'kind': expected one of all, cost, part"),
    (changed(BY_WEIGHTS, "levels", 0, "at_least", to=1), "levels[0].at_least: 1: expected 0 at the lowest level"),
    (changed(BY_WEIGHTS, "levels", 1, "at_least", to=0), "levels[1].at_least: 0: expected more than 0"),
    (changed(BY_WEIGHTS, "levels", 1, "at_least", to="1,5"), f"levels[1].at_least: '1,5': {NUMBER_WANTED}"),
    (changed(BY_WEIGHTS, "levels", 1, "at_least", to=True), f"levels[1].at_least: True: {NUMBER_WANTED}"),
    (changed(BY_WEIGHTS, "levels", 1, "at_least", to=-1), f"levels[1].at_least: -1: {NUMBER_WANTED}"),
    (changed(BY_WEIGHTS, "levels", 1, "at_least", to=1.5), f"levels[1].at_least: 1.5: {NUMBER_WANTED}"),
    (changed(BY_WEIGHTS, "levels", 1, to={"key": "high", "text": both("x"), "meaning": both("x"), "proposes": {}}), "levels[1].at_least: missing"),
    (changed(BY_WEIGHTS, "categories", "lowest", to="1"), "categories.lowest: '1': expected a whole number of at least 0"),
    (changed(BY_WEIGHTS, "categories", "of", "x", "basic", to=3), "categories.of.x.adjustments[2].by: 1: expected a whole number that gives a score from 1 to 3"),
    (changed(BY_WEIGHTS, "categories", "of", "x", "basic", to=1), "categories.of.x.adjustments[0].by: -1: expected a whole number that gives a score from 1 to 3"),
    (changed(BY_WEIGHTS, "categories", "of", "x", "adjustments", 1, "by", to=True), "categories.of.x.adjustments[1].by: True: expected a whole number that gives a score from 1 to 3"),
    (changed(BY_WEIGHTS, "categories", "of", "x", "adjustments", 1, "by", to=1), "categories.of.x.adjustments: expected the adjustment 0 among them"),
    (changed(BY_WEIGHTS, "categories", "of", "x", "adjustments", to=[]), "categories.of.x.adjustments: expected a list of at least 1"),
    (changed(BY_WEIGHTS, "categories", "of", "x", "adjustments", 1, to={"by": 0}), "categories.of.x.adjustments[1].text: missing"),
    (changed(BY_WEIGHTS, "categories", "of", "x", to={"basic": 1}), "categories.of.x.adjustments: missing"),
    (changed(BY_WEIGHTS, "identification", "easy", to={"value": 1}), "identification.easy.text: missing"),
    (changed(BY_WEIGHTS, "circumstances", to={"bad": {}}), "circumstances.bad: expected a question of type choice"),
    (changed(BY_WEIGHTS, "circumstances", to={"x": {}}), "circumstances.x: expected a question of type choice"),
    (changed(BY_WEIGHTS, "circumstances", "kind", to={"a": 0}), "circumstances.kind.b: missing"),
    (changed(BY_WEIGHTS, "parts", "score", to={"text": both("x")}), "parts.score.source: missing"),
    (changed(BY_WEIGHTS, "parts", "score", "source", to="x"), "parts.score.source: 'x': expected one of known, read"),
    (changed(BY_WEIGHTS, "parts", "score", "confidence", to="x"), "parts.score.confidence: 'x': expected one of high, low, medium"),
    (changed(BY_WEIGHTS, "parts", to={}), "parts.datasets: missing"),
    (changed(BY_WEIGHTS, "ask", to={}), "ask.adjustment: missing"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "message"), MISTAKEN, ids=[message[:70] for _written, message in MISTAKEN])
def test_a_mistake_in_a_method_is_named_with_its_place(tmp_path: Path, written: dict[str, Any], message: str) -> None:
    with pytest.raises(LawError) as refused:
        loaded(tmp_path, written)
    assert str(refused.value) == f"scoring/m0.yaml: {message}"


def test_a_method_is_given_once(tmp_path: Path) -> None:
    with pytest.raises(LawError) as refused:
        loaded(tmp_path, BY_TESTS, BY_WEIGHTS)
    assert str(refused.value) == "scoring/m1.yaml: method: m: given already in scoring/m0.yaml"
