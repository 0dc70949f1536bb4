"""The questions of a method, and numbers as they are written in its files."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from compliance.engine.strict import Node
from compliance.engine.types import LocalText

NUMBERS = frozenset({"whole", "amount", "minutes"})
TYPES = NUMBERS | {"bool", "choice"}
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked. ``whole``, ``minutes``: counted in whole numbers; ``amount``: a decimal.

    ``factor``: recorded with its reason beside the result, never in it. ``fact``: the recorded fact that answers it.
    ``within``: the question whose answer this one cannot exceed (affected clients are some of the clients).
    """

    key: str
    type: str
    text: LocalText
    choices: Mapping[str, LocalText] = field(default_factory=dict)
    source: str | None = None
    fact: str | None = None
    within: str | None = None
    factor: bool = False


def read_decimal(node: Node) -> Decimal:
    """An exact number that is not negative: a whole number, or a decimal in quotes (floats are not exact).

    Raises:
        LawError: anything else.
    """
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Decimal(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise node.fail(f'{value!r}: expected a whole number, or a decimal in quotes such as "0.25"')


def read_questions(node: Node) -> dict[str, Question]:
    """All questions of a method, in their order.

    Raises:
        LawError: the first thing that is wrong.
    """
    questions: dict[str, Question] = {}
    for item in node.items(least=1):
        question = _question(item)
        if question.key in questions:
            raise item.fail(f"{question.key}: given twice; expected once", "key")
        questions[question.key] = question
    for item in node.items():
        if item.has("within"):
            item.at("within").one_of({key for key, question in questions.items() if question.type in NUMBERS})
    return questions


def _question(node: Node) -> Question:
    node.mapping(required={"key", "type", "text"}, optional={"choices", "source", "fact", "within", "factor"})
    kind = node.at("type").one_of(TYPES)
    if (kind == "choice") != node.has("choices"):
        raise node.fail("expected choices with the type choice, and with no other", "choices")
    return Question(
        key=node.at("key").text(),
        type=kind,
        text=node.at("text").local(),
        choices={key: item.local() for key, item in node.at("choices").entries()} if node.has("choices") else {},
        source=node.at("source").text() if node.has("source") else None,
        fact=node.at("fact").text() if node.has("fact") else None,
        within=node.at("within").text() if node.has("within") else None,
        factor=node.at("factor").boolean() if node.has("factor") else False,
    )
