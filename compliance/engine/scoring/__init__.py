"""Severity and classification calculators. They propose facts and show their working; a person adopts, with reasons."""

from compliance.engine.scoring.adoption import adoption
from compliance.engine.scoring.answers import read_answers, schema
from compliance.engine.scoring.calculate import calculate
from compliance.engine.scoring.method import Method, load_methods
from compliance.engine.scoring.types import (
    Adoption,
    Answers,
    Bounds,
    Level,
    OpenQuestion,
    Proposal,
    Reading,
    ReasonNeeded,
    Source,
    Step,
    UnknownLevel,
)

__all__ = [
    "Adoption",
    "Answers",
    "Bounds",
    "Level",
    "Method",
    "OpenQuestion",
    "Proposal",
    "Reading",
    "ReasonNeeded",
    "Source",
    "Step",
    "UnknownLevel",
    "adoption",
    "calculate",
    "load_methods",
    "read_answers",
    "schema",
]
