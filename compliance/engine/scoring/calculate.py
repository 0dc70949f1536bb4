"""From answers to a proposal. Pure: nothing is written."""

from collections.abc import Mapping
from typing import Any

from compliance.engine.scoring.answers import with_facts
from compliance.engine.scoring.conditions import Situation
from compliance.engine.scoring.method import Method, Weights
from compliance.engine.scoring.result import Result
from compliance.engine.scoring.rules import run_tests
from compliance.engine.scoring.types import TRUTH_TEXT, UNKNOWN_TEXT, Answers, Beside, Proposal
from compliance.engine.scoring.weights import run_weights
from compliance.engine.types import LocalText


def calculate(method: Method, answers: Answers, facts: Mapping[str, Any] | None = None) -> Proposal:
    """What ``method`` proposes for ``answers``, with its working.

    ``facts`` (name to value) answer the questions that name a fact and have no answer of their own. What is not answered is
    unknown: the result is then a range, and undetermined unless both ends give the same level.

    Raises:
        LawError: a fact is not of its question's type.
    """
    known = with_facts(method, answers, facts or {})
    result = _run(method, known)
    return Proposal(
        method=method.key,
        version=method.version,
        digest=method.digest,
        title=method.title,
        value=result.value,
        value_text=result.value_text,
        lowest=result.lowest,
        highest=result.highest,
        levels=method.levels,
        working=result.working,
        open=result.open,
        beside=(*_factors(method, known), *_flags(method, known)),
        readings=result.readings,
        to_record=_to_record(method, known),
        until_decided=method.until_decided,
        confidence=method.confidence,
        doubts=method.doubts,
        sources=tuple(method.sources.values()),
    )


def _run(method: Method, answers: Answers) -> Result:
    if isinstance(method.procedure, Weights):
        return run_weights(method, method.procedure, answers)
    return run_tests(method, method.procedure, answers)


def _factors(method: Method, answers: Answers) -> list[Beside]:
    found = []
    for key, question in method.questions.items():
        if question.factor:
            value = answers.values.get(key)
            shown = question.choices.get(str(value), UNKNOWN_TEXT)
            reason = answers.reasons.get(key, "")
            found.append(Beside(key, question.text, "unknown" if value is None else str(value), shown, reason))
    return found


def _flags(method: Method, answers: Answers) -> list[Beside]:
    truths = [(flag, flag.when(Situation(answers.values, {})).truth) for flag in method.flags]
    return [Beside(flag.key, flag.text, truth.value, TRUTH_TEXT[truth]) for flag, truth in truths]


def _to_record(method: Method, answers: Answers) -> tuple[LocalText, ...]:
    """Factors that lack an answer or a reason: the record is not complete without them."""
    lacking = []
    for key, question in method.questions.items():
        if question.factor and key not in answers.values:
            lacking.append(LocalText(ko=f"{question.text.ko}: 답이 없습니다", en=f"{question.text.en}: no answer"))
        elif question.factor and key not in answers.reasons:
            lacking.append(LocalText(ko=f"{question.text.ko}: 이유가 없습니다", en=f"{question.text.en}: no reason"))
    return tuple(lacking)
