"""A file of answers, read strictly, and its JSON Schema."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from compliance.engine.scoring.method import Method, Weights
from compliance.engine.scoring.questions import NUMBERS, Question, read_decimal
from compliance.engine.scoring.types import Answer, Answers, Bounds, DataSet
from compliance.engine.strict import Node

DATASETS = "datasets"


def read_answers(node: Node, method: Method) -> Answers:
    """Read ``answers`` and ``reasons``. Null stands for a question that is not answered.

    Raises:
        LawError: the first thing that is wrong.
    """
    node.mapping(required={"answers"}, optional={"reasons"})
    weights = method.procedure if isinstance(method.procedure, Weights) else None
    asked = set(method.questions) | ({DATASETS} if weights else set())
    given = node.at("answers")
    if not isinstance(given.value, dict):
        raise given.fail("expected a mapping of questions and answers")
    given.mapping(required=set(), optional=asked)
    values = {key: _answer(given.at(key), question) for key, question in method.questions.items() if given.has(key)}
    _check_within(given, values, method)
    datasets: tuple[DataSet, ...] = ()
    if weights and given.has(DATASETS):
        datasets = tuple(_dataset(item, weights) for item in given.at(DATASETS).items(least=1))
    return Answers(values, _reasons(node, asked), datasets)


def _reasons(node: Node, asked: set[str]) -> dict[str, str]:
    reasons = node.maybe("reasons")
    if reasons is None:
        return {}
    reasons.mapping(required=set(), optional=asked)
    return {key: item.text() for key, item in reasons.entries()}


def _answer(node: Node, question: Question) -> Answer:
    if question.type == "bool":
        return node.boolean()
    if question.type == "choice":
        return _word(node, question.choices)
    return _bounds(node, question)


def _word(node: Node, allowed: Collection[str]) -> str:
    """One of these words; a list or a mapping in its place is refused like any other mistake."""
    if not isinstance(node.value, str):
        raise node.fail(f"{node.value!r}: expected one of {', '.join(sorted(allowed))}")
    return node.one_of(allowed)


def _bounds(node: Node, question: Question) -> Bounds:
    if not isinstance(node.value, dict):
        number = _number(node, question)
        return Bounds(number, number)
    node.mapping(required=set(), optional={"at_least", "at_most"})
    low = _number(node.at("at_least"), question) if node.has("at_least") else Decimal(0)
    high = _number(node.at("at_most"), question) if node.has("at_most") else None
    if high is not None and high < low:
        raise node.fail(f"{high}: expected no less than at_least ({low})", "at_most")
    return Bounds(low, high)


def _number(node: Node, question: Question) -> Decimal:
    return read_decimal(node) if question.type == "amount" else Decimal(node.integer())


def _check_within(given: Node, values: Mapping[str, Answer], method: Method) -> None:
    for key, part in values.items():
        whole = values.get(method.questions[key].within or "")
        if isinstance(part, Bounds) and isinstance(whole, Bounds) and whole.high is not None and part.low > whole.high:
            raise given.fail(f"{part}: expected no more than {method.questions[key].within} ({whole})", key)


def _dataset(node: Node, weights: Weights) -> DataSet:
    node.mapping(required=set(), optional={"name", "category", "adjustment", "identification"})
    category = _word(node.at("category"), weights.categories) if node.has("category") else None
    return DataSet(
        name=node.at("name").text() if node.has("name") else "",
        category=category,
        adjustment=_adjustment(node, category, weights),
        identification=_word(node.at("identification"), weights.identification) if node.has("identification") else None,
    )


def _adjustment(node: Node, category: str | None, weights: Weights) -> int | None:
    if not node.has("adjustment"):
        return None
    if category is None:
        raise node.fail("expected a category beside it", "adjustment")
    value, allowed = node.at("adjustment").value, weights.categories[category].adjustments
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        expected = ", ".join(str(by) for by in sorted(allowed))
        raise node.fail(f"{value!r}: expected one of {expected} ({category})", "adjustment")
    return value


def with_facts(method: Method, answers: Answers, facts: Mapping[str, Any]) -> Answers:
    """``answers``, and for questions without one the recorded fact that answers them.

    Raises:
        LawError: a fact is not of the question's type.
    """
    found: dict[str, Answer] = {}
    for key, question in method.questions.items():
        if question.fact and key not in answers.values and facts.get(question.fact) is not None:
            value = facts[question.fact]
            if question.type in NUMBERS and isinstance(value, Decimal):
                value = str(value)
            found[key] = _answer(Node(value, file="facts", key=question.fact), question)
    return Answers({**found, **answers.values}, answers.reasons, answers.datasets)


def schema(method: Method) -> dict[str, Any]:
    """The JSON Schema of a file of answers."""
    properties = {key: _question_schema(question) for key, question in method.questions.items()}
    if isinstance(method.procedure, Weights):
        properties = {DATASETS: _datasets_schema(method.procedure), **properties}
    reasons = {key: {"type": "string", "minLength": 1} for key in properties}
    hints = [f"{hint.text.en} / {hint.text.ko} ({hint.confidence})" for hint in method.hints]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Breachclock answers: {method.key}",
        "description": "\n".join([f"{method.title.en} / {method.title.ko}", *hints]),
        "type": "object",
        "additionalProperties": False,
        "required": ["answers"],
        "properties": {"answers": _object(properties), "reasons": _object(reasons)},
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _question_schema(question: Question) -> dict[str, Any]:
    described = f"{question.text.en} / {question.text.ko}"
    if question.type == "bool":
        return {"type": ["boolean", "null"], "description": described}
    if question.type == "choice":
        names = "; ".join(f"{key}: {text.en} / {text.ko}" for key, text in question.choices.items())
        return {"enum": [*question.choices, None], "description": f"{described} ({names})"}
    number: dict[str, Any] = {"type": "integer", "minimum": 0}
    if question.type == "amount":
        number = {"anyOf": [number, {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}]}
    span = _object({"at_least": number, "at_most": number})
    return {"anyOf": [number, span, {"type": "null"}], "description": described}


def _datasets_schema(weights: Weights) -> dict[str, Any]:
    categories = "; ".join(f"{key}: {item.text.en} / {item.text.ko}" for key, item in weights.categories.items())
    eases = "; ".join(f"{key}: {item.text.en} / {item.text.ko}" for key, item in weights.identification.items())
    adjustments = sorted({by for item in weights.categories.values() for by in item.adjustments})
    item = {
        "name": {"type": "string", "minLength": 1},
        "category": {"enum": [*weights.categories, None], "description": categories},
        "adjustment": {"enum": [*adjustments, None]},
        "identification": {"enum": [*weights.identification, None], "description": eases},
    }
    return {"type": ["array", "null"], "minItems": 1, "items": _object(item)}
