"""What both kinds of method hand back, and how steps show the answers they used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.engine.scoring.method import Method
from compliance.engine.scoring.types import Answers, Bounds, Level, OpenQuestion, Reading, Step
from compliance.engine.types import LocalText


@dataclass(frozen=True, slots=True)
class Result:
    """The lowest and the highest level still possible, with the working."""

    lowest: Level
    highest: Level
    value: Bounds | None
    value_text: LocalText | None
    working: tuple[Step, ...]
    open: tuple[OpenQuestion, ...]
    readings: tuple[Reading, ...] = ()


def shown_answers(keys: Iterable[str], answers: Answers) -> Mapping[str, Any]:
    """Each question with its answer as plain JSON, None: not answered."""
    found = {key: answers.values.get(key) for key in keys}
    return {key: value.to_json() if isinstance(value, Bounds) else value for key, value in found.items()}


def given_reasons(keys: Iterable[str], answers: Answers) -> tuple[str, ...]:
    """The written reasons for the answers to these questions."""
    return tuple(f"{key}: {answers.reasons[key]}" for key in keys if key in answers.reasons)


def open_questions(method: Method, keys: Iterable[str]) -> tuple[OpenQuestion, ...]:
    """These questions, each once."""
    return tuple(OpenQuestion(key, method.questions[key].text) for key in dict.fromkeys(keys))
