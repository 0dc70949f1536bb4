"""Short words for the tests of the calculators."""

from typing import Any

from compliance.engine.scoring import Method, Proposal, calculate, read_answers
from compliance.engine.strict import Node
from compliance.library import get_methods

METHODS = get_methods()


def method(key: str) -> Method:
    return METHODS[key]


def proposal(key: str, answers: dict[str, Any], **reasons: str) -> Proposal:
    node = Node({"answers": answers, "reasons": reasons}, file="answers.yaml", key="")
    return calculate(METHODS[key], read_answers(node, METHODS[key]))


def level(key: str, answers: dict[str, Any]) -> str | None:
    found = proposal(key, answers).level
    return found.key if found else None


def step(found: Proposal, key: str) -> str:
    return next(item.value for item in found.working if item.key == key)


def nothing(key: str) -> dict[str, Any]:
    """Every question answered, and nothing of it the case: no, none, a large whole."""
    found: dict[str, Any] = {}
    for question in METHODS[key].questions.values():
        if question.type == "bool":
            found[question.key] = False
        elif question.type != "choice":
            found[question.key] = 0
    return found
