"""Methods from YAML to values. Strict: a file that is wrong is refused, with file, key and what was expected."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path

from compliance.engine.canonical import digest
from compliance.engine.scoring.conditions import Condition, Vocabulary, compile_condition
from compliance.engine.scoring.questions import Question, read_decimal, read_questions
from compliance.engine.scoring.types import FactValue, Level, Source
from compliance.engine.strict import Node, plain, read_file
from compliance.engine.types import FactDef, LocalText

Facts = Mapping[str, FactDef]

CONFIDENCE = frozenset({"high", "medium", "low"})
KINDS = frozenset({"tests", "weights"})


@dataclass(frozen=True, slots=True)
class Criterion:
    """One named test."""

    key: str
    text: LocalText
    when: Condition
    source: str
    confidence: str
    house: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """The first rule that holds gives the level."""

    text: LocalText
    when: Condition
    level: str
    source: str
    confidence: str
    house: bool


@dataclass(frozen=True, slots=True)
class OtherReading:
    """The rules as another arguable reading has them."""

    key: str
    text: LocalText
    decide: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Tests:
    """A method of criteria and ordered rules. ``count``: the criteria whose number is the value."""

    criteria: tuple[Criterion, ...]
    decide: tuple[Rule, ...]
    count: tuple[str, ...]
    count_text: LocalText | None
    readings: tuple[OtherReading, ...]


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of data: its basic score and what may be added or taken off, with the reason for it."""

    text: LocalText
    basic: int
    adjustments: Mapping[int, LocalText]


@dataclass(frozen=True, slots=True)
class Identification:
    """How easily a person is found."""

    text: LocalText
    value: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """How a part of the sum is worded, and where it stands."""

    text: LocalText
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Weights:
    """A method of one product and a sum: highest (category x identification) of all data sets, plus the circumstances."""

    categories: Mapping[str, Category]
    identification: Mapping[str, Identification]
    circumstances: Mapping[str, Mapping[str, Decimal]]
    bands: tuple[Decimal, ...]
    parts: Mapping[str, Part]
    ask: Mapping[str, LocalText]


@dataclass(frozen=True, slots=True)
class Flag:
    """Stands beside the result, with the direction in which it tends to move the final view."""

    key: str
    text: LocalText
    when: Condition


@dataclass(frozen=True, slots=True)
class Hint:
    """What the source says to look at while answering; ``confidence``: how well we know its wording."""

    text: LocalText
    confidence: str


@dataclass(frozen=True, slots=True)
class Method:
    """One calculator. ``digest`` covers the whole file."""

    key: str
    version: int
    title: LocalText
    confidence: str
    doubts: tuple[LocalText, ...]
    until_decided: LocalText
    sources: Mapping[str, Source]
    questions: Mapping[str, Question]
    proposes: Mapping[str, frozenset[FactValue]]
    levels: tuple[Level, ...]
    flags: tuple[Flag, ...]
    hints: tuple[Hint, ...]
    procedure: Tests | Weights
    digest: str
    file: str = field(compare=False)


def load_methods(root: Path, facts: Facts) -> dict[str, Method]:
    """Read and check every ``scoring/*.yaml`` below ``root``. ``facts``: the vocabulary that methods propose and ask in.

    Raises:
        LawError: the first thing that is wrong.
    """
    methods: dict[str, Method] = {}
    for path in sorted((root / "scoring").glob("*.yaml")):
        node = read_file(path, root=root)
        method = _method(node, facts)
        if method.key in methods:
            raise node.fail(f"{method.key}: given already in {methods[method.key].file}", "method")
        methods[method.key] = method
    return methods


_COMMON = {
    "method", "version", "kind", "title", "confidence", "doubts", "until_decided", "sources", "questions",
    "proposes", "levels",
}  # fmt: skip
_OF_KIND = {
    "tests": ({"criteria", "decide"}, {"count", "other_readings"}),
    "weights": ({"categories", "identification", "circumstances", "parts", "ask"}, set()),
}


def _method(node: Node, facts: Facts) -> Method:
    if not isinstance(node.value, dict) or "kind" not in node.value:
        raise node.fail("missing", "kind")
    kind = node.at("kind").one_of(KINDS)
    required, optional = _OF_KIND[kind]
    node.mapping(required=_COMMON | required, optional=optional | {"flags", "hints"})
    sources = {key: _source(item) for key, item in node.at("sources").entries()}
    questions = read_questions(node.at("questions"))
    for item in node.at("questions").items():
        if item.has("source"):
            item.at("source").one_of(sources)
        if item.has("fact"):
            _check_asked(item, facts)
    proposes = {name: _fact_values(item, _fact(name, item, facts)) for name, item in node.at("proposes").entries()}
    levels = _levels(node.at("levels"), proposes, banded=kind == "weights")
    vocabulary = Vocabulary(questions)
    return Method(
        key=node.at("method").text(),
        version=node.at("version").integer(least=1),
        title=node.at("title").local(),
        confidence=node.at("confidence").one_of(CONFIDENCE),
        doubts=node.at("doubts").locals(),
        until_decided=node.at("until_decided").local(),
        sources=sources,
        questions=questions,
        proposes=proposes,
        levels=levels,
        flags=node.at("flags").each(lambda item: _flag(item, vocabulary)) if node.has("flags") else (),
        hints=node.at("hints").each(_hint) if node.has("hints") else (),
        procedure=_tests(node, questions, levels, sources) if kind == "tests" else _weights(node, questions, sources),
        digest=digest(plain(node.value)),
        file=node.file,
    )


def _source(node: Node) -> Source:
    node.mapping(required={"provision", "url", "checked_on"})
    checked = node.at("checked_on").day() if node.has("checked_on") else None
    return Source(node.at("provision").local(), node.at("url").text(), checked)


def _fact(name: str, node: Node, facts: Facts) -> FactDef:
    if name not in facts:
        close = get_close_matches(name, facts, n=1)
        hint = f"did you mean {close[0]}?" if close else "expected one of facts.yaml"
        raise node.fail(f"{name}: not a fact of the vocabulary; {hint}")
    return facts[name]


# What may answer a question: a choice is compared by its key, a number by itself.
_ANSWERED_BY = {"bool": {"bool"}, "choice": {"choice"}, "whole": {"integer", "people"}}


def _check_asked(question: Node, facts: Facts) -> None:
    """The fact that answers a question is one of the vocabulary, and of the question's type."""
    node = question.at("fact")
    fact = _fact(node.text(), node, facts)
    if fact.type not in _ANSWERED_BY.get(str(question.value["type"]), set()):
        raise node.fail(
            f"{fact.name}: {fact.type}: expected a fact that answers a question of type {question.value['type']}"
        )
    if fact.type == "choice":
        for key in fact.choices:
            if key not in question.value["choices"]:
                raise question.fail(f"{key}: missing; {fact.name} has it", "choices")


def _fact_values(node: Node, fact: FactDef) -> frozenset[FactValue]:
    """The values that may be proposed: those the vocabulary knows of."""
    if fact.type not in ("bool", "choice"):
        raise node.fail(f"{fact.type}: expected a fact of type bool or choice")
    if fact.type == "bool":
        node.one_of({"bool"})
        return frozenset({True, False})
    if not isinstance(node.value, list):
        raise node.fail(f"{node.value!r}: expected a list of choices")
    return frozenset(node.each(lambda item: item.one_of(fact.choices), least=1))


def _levels(node: Node, proposes: Mapping[str, frozenset[FactValue]], *, banded: bool) -> tuple[Level, ...]:
    """The levels, lowest first."""
    levels = tuple(_level(item, proposes, banded=banded) for item in node.items(least=1))
    keys = [level.key for level in levels]
    for number, key in enumerate(keys):
        if key in keys[:number]:
            raise node.fail(f"[{number}]: {key}: given twice; expected once")
    return levels


def _level(node: Node, proposes: Mapping[str, frozenset[FactValue]], *, banded: bool) -> Level:
    required = {"key", "text", "meaning", "proposes"} | ({"at_least"} if banded else set())
    node.mapping(required=required, optional={"house"})
    facts: dict[str, FactValue] = {}
    for name, item in node.at("proposes").entries():
        if name not in proposes:
            raise item.fail(f"expected one of {', '.join(proposes) or 'none'} (see proposes)")
        facts[name] = item.boolean() if True in proposes[name] else item.one_of(proposes[name])
    return Level(
        key=node.at("key").text(),
        text=node.at("text").local(),
        meaning=node.at("meaning").local(),
        proposes=facts,
        house=node.at("house").local() if node.has("house") else None,
    )


def _hint(node: Node) -> Hint:
    node.mapping(required={"text", "confidence"})
    return Hint(node.at("text").local(), node.at("confidence").one_of(CONFIDENCE))


def _flag(node: Node, vocabulary: Vocabulary) -> Flag:
    node.mapping(required={"key", "text", "when"})
    return Flag(node.at("key").text(), node.at("text").local(), compile_condition(node.at("when"), vocabulary))


def _tests(
    node: Node, questions: Mapping[str, Question], levels: tuple[Level, ...], sources: Mapping[str, Source]
) -> Tests:
    criteria: list[Criterion] = []
    for item in node.at("criteria").items(least=1):
        names = [criterion.key for criterion in criteria]
        # A criterion may rest on those above it, so that no circle can arise.
        criterion = _criterion(item, Vocabulary(questions, names), sources)
        if criterion.key in names:
            raise item.fail(f"{criterion.key}: given twice; expected once", "key")
        criteria.append(criterion)
    names = [criterion.key for criterion in criteria]
    vocabulary, keys = Vocabulary(questions, names), [level.key for level in levels]
    count = node.maybe("count")
    if count:
        count.mapping(required={"text", "of"})
    readings = node.maybe("other_readings")
    return Tests(
        criteria=tuple(criteria),
        decide=_rules(node.at("decide"), vocabulary, keys, sources),
        count=count.at("of").each(lambda item: item.one_of(names), least=1) if count else (),
        count_text=count.at("text").local() if count else None,
        readings=readings.each(lambda item: _reading(item, vocabulary, keys, sources)) if readings else (),
    )


def _criterion(node: Node, vocabulary: Vocabulary, sources: Mapping[str, Source]) -> Criterion:
    node.mapping(required={"key", "text", "when", "source"}, optional={"confidence", "house"})
    return Criterion(
        key=node.at("key").text(),
        text=node.at("text").local(),
        when=compile_condition(node.at("when"), vocabulary),
        source=node.at("source").one_of(sources),
        confidence=node.at("confidence").one_of(CONFIDENCE) if node.has("confidence") else "high",
        house=node.at("house").boolean() if node.has("house") else False,
    )


def _rules(node: Node, vocabulary: Vocabulary, levels: list[str], sources: Mapping[str, Source]) -> tuple[Rule, ...]:
    items = node.items(least=1)
    if not isinstance(items[-1].value, dict) or items[-1].value.get("when") != "always":
        raise items[-1].fail("expected the last rule to hold always", "when")
    return tuple(_rule(item, vocabulary, levels, sources) for item in items)


def _rule(node: Node, vocabulary: Vocabulary, levels: list[str], sources: Mapping[str, Source]) -> Rule:
    node.mapping(required={"text", "when", "level", "source"}, optional={"confidence", "house"})
    return Rule(
        text=node.at("text").local(),
        when=compile_condition(node.at("when"), vocabulary),
        level=node.at("level").one_of(levels),
        source=node.at("source").one_of(sources),
        confidence=node.at("confidence").one_of(CONFIDENCE) if node.has("confidence") else "high",
        house=node.at("house").boolean() if node.has("house") else False,
    )


def _reading(node: Node, vocabulary: Vocabulary, levels: list[str], sources: Mapping[str, Source]) -> OtherReading:
    node.mapping(required={"key", "text", "decide"})
    return OtherReading(
        node.at("key").text(), node.at("text").local(), _rules(node.at("decide"), vocabulary, levels, sources)
    )


PARTS = ("datasets", "product", "score")
ASKED = ("datasets", "category", "adjustment", "identification")


def _weights(node: Node, questions: Mapping[str, Question], sources: Mapping[str, Source]) -> Weights:
    scale = node.at("categories").mapping(required={"lowest", "highest", "of"})
    lowest, highest = scale.at("lowest").integer(), scale.at("highest").integer()
    parts = node.at("parts").mapping(required=set(PARTS))
    ask = node.at("ask").mapping(required=set(ASKED))
    return Weights(
        categories={key: _category(item, lowest, highest) for key, item in scale.at("of").entries()},
        identification={key: _identification(item) for key, item in node.at("identification").entries()},
        circumstances=_circumstances(node.at("circumstances"), questions),
        bands=_bands(node.at("levels")),
        parts={key: _part(item, sources) for key, item in parts.entries()},
        ask={key: item.local() for key, item in ask.entries()},
    )


def _part(node: Node, sources: Mapping[str, Source]) -> Part:
    node.mapping(required={"text", "source"}, optional={"confidence"})
    confidence = node.at("confidence").one_of(CONFIDENCE) if node.has("confidence") else "high"
    return Part(node.at("text").local(), node.at("source").one_of(sources), confidence)


def _category(node: Node, lowest: int, highest: int) -> Category:
    node.mapping(required={"text", "basic", "adjustments"})
    basic = node.at("basic").integer()
    adjustments: dict[int, LocalText] = {}
    for item in node.at("adjustments").items(least=1):
        item.mapping(required={"by", "text"})
        by = item.at("by").value
        if not isinstance(by, int) or isinstance(by, bool) or not lowest <= basic + by <= highest:
            raise item.fail(f"{by!r}: expected a whole number that gives a score from {lowest} to {highest}", "by")
        adjustments[by] = item.at("text").local()
    if 0 not in adjustments:
        raise node.fail("expected the adjustment 0 among them", "adjustments")
    return Category(node.at("text").local(), basic, adjustments)


def _identification(node: Node) -> Identification:
    node.mapping(required={"text", "value"})
    return Identification(node.at("text").local(), read_decimal(node.at("value")))


def _circumstances(node: Node, questions: Mapping[str, Question]) -> dict[str, Mapping[str, Decimal]]:
    circumstances: dict[str, Mapping[str, Decimal]] = {}
    for key, item in node.entries():
        if key not in questions or questions[key].type != "choice":
            raise item.fail("expected a question of type choice")
        item.mapping(required=set(questions[key].choices))
        circumstances[key] = {choice: read_decimal(weight) for choice, weight in item.entries()}
    return circumstances


def _bands(levels: Node) -> tuple[Decimal, ...]:
    items = levels.items()
    bands = tuple(read_decimal(item.at("at_least")) for item in items)
    if bands[0] != 0:
        raise items[0].fail(f"{bands[0]}: expected 0 at the lowest level", "at_least")
    for number, (lower, upper) in enumerate(pairwise(bands), start=1):
        if upper <= lower:
            raise items[number].fail(f"{upper}: expected more than {lower}", "at_least")
    return bands
