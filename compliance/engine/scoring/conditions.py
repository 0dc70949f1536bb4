"""Three-valued conditions on answers: all, any, not, a comparison, a share, a count of criteria; nothing cleverer.

Every comparison says "more than" (the limit itself is not enough) or "at least" (it is), as the text does. A range compares
as true or false only if both of its ends do. Kleene's logic: a further answer never takes back a true or a false.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from compliance.engine.scoring.questions import NUMBERS, Question, read_decimal
from compliance.engine.scoring.types import TRUTH_TEXT, Answer, Bounds, written
from compliance.engine.strict import Node
from compliance.engine.types import LocalText, Truth

HUNDRED = 100
UNITS = {"minutes": 1, "hours": 60}
COMPARISONS = {"more_than": (">", "초과", "more than"), "at_least": (">=", "이상", "at least")}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a condition came out, on which questions, and which of them still leave it open."""

    truth: Truth
    asked: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    detail: tuple[LocalText, ...] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """What a condition is asked about: answers, and the criteria decided so far."""

    values: Mapping[str, Answer]
    met: Mapping[str, Outcome]


Condition = Callable[[Situation], Outcome]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a condition may speak of: the questions, and the criteria that stand above it."""

    questions: Mapping[str, Question]
    criteria: Sequence[str] = ()


def compile_condition(node: Node, vocabulary: Vocabulary) -> Condition:
    """The condition that ``node`` writes down.

    Raises:
        LawError: not a condition, or a question or criterion that is not there.
    """
    if node.value == "always":
        return lambda situation: Outcome(Truth.TRUE)
    if not isinstance(node.value, dict) or not node.value:
        raise node.fail(f"expected a condition: always, or one of {', '.join(sorted(_READERS))}")
    for key, read in _READERS.items():
        if key in node.value:
            return read(node, vocabulary)
    raise node.fail(f"unknown condition; expected one of {', '.join(sorted(_READERS))}", str(next(iter(node.value))))


def _parts(node: Node, key: str, vocabulary: Vocabulary) -> tuple[Condition, ...]:
    node.mapping(required={key})
    return node.at(key).each(lambda item: compile_condition(item, vocabulary), least=1)


def _all(node: Node, vocabulary: Vocabulary) -> Condition:
    parts = _parts(node, "all", vocabulary)
    return lambda situation: conjunction([part(situation) for part in parts])


def _any(node: Node, vocabulary: Vocabulary) -> Condition:
    parts = _parts(node, "any", vocabulary)
    return lambda situation: _opposite(conjunction([_opposite(part(situation)) for part in parts]))


def _not(node: Node, vocabulary: Vocabulary) -> Condition:
    node.mapping(required={"not"})
    part = compile_condition(node.at("not"), vocabulary)
    return lambda situation: _opposite(part(situation))


def conjunction(outcomes: Sequence[Outcome]) -> Outcome:
    """False as soon as one is false; unknown while one is; true when all are. All questions count as asked."""
    truths = [outcome.truth for outcome in outcomes]
    truth = next((value for value in (Truth.FALSE, Truth.UNKNOWN) if value in truths), Truth.TRUE)
    return _joined(truth, outcomes)


def _joined(truth: Truth, outcomes: Sequence[Outcome]) -> Outcome:
    unsettled = [outcome for outcome in outcomes if outcome.truth == Truth.UNKNOWN] if truth == Truth.UNKNOWN else []
    return Outcome(
        truth,
        _once(key for outcome in outcomes for key in outcome.asked),
        _once(key for outcome in unsettled for key in outcome.open),
        tuple(text for outcome in outcomes for text in outcome.detail),
    )


def _once(keys: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(keys))


_OPPOSITE = {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}


def _opposite(outcome: Outcome) -> Outcome:
    return Outcome(_OPPOSITE[outcome.truth], outcome.asked, outcome.open, outcome.detail)


def _answer(node: Node, vocabulary: Vocabulary) -> Condition:
    if not isinstance(node.at("answer").value, str) or node.at("answer").value not in vocabulary.questions:
        raise node.fail(f"{node.at('answer').value!r}: expected a question of this method", "answer")
    question = vocabulary.questions[node.at("answer").text()]
    if question.type in NUMBERS:
        return _compared(node, question, vocabulary)
    if question.type == "bool":
        node.mapping(required={"answer", "is"})
        expected = node.at("is").boolean()
        return lambda situation: _chosen(question, situation, lambda value: value is expected)
    node.mapping(required={"answer", "in"})
    wanted = node.at("in").each(lambda item: item.one_of(question.choices), least=1)
    return lambda situation: _chosen(question, situation, lambda value: value in wanted)


def _chosen(question: Question, situation: Situation, test: Callable[[Answer], bool]) -> Outcome:
    value = situation.values.get(question.key)
    if value is None:
        return Outcome(Truth.UNKNOWN, (question.key,), (question.key,))
    return Outcome(Truth.TRUE if test(value) else Truth.FALSE, (question.key,))


def _compared(node: Node, question: Question, vocabulary: Vocabulary) -> Condition:
    node.mapping(required={"answer"}, optional={*COMPARISONS, "unit", "percent_of"})
    words = [word for word in COMPARISONS if node.has(word)]
    if len(words) != 1:
        raise node.fail("expected one of at_least, more_than beside answer")
    limit = read_decimal(node.at(words[0]))
    if node.has("percent_of"):
        numbers = {key for key, item in vocabulary.questions.items() if item.type in NUMBERS}
        whole = vocabulary.questions[node.at("percent_of").one_of(numbers)]
        return lambda situation: _share(question, whole, words[0], limit, situation)
    factor, unit = _unit(node, question)
    return lambda situation: _number(question, words[0], limit, factor, unit, situation)


def _unit(node: Node, question: Question) -> tuple[int, str]:
    if node.has("unit") != (question.type == "minutes"):
        raise node.fail("expected unit (minutes or hours) with questions of type minutes, and with no other", "unit")
    return (UNITS[node.at("unit").one_of(UNITS)], node.at("unit").text()) if node.has("unit") else (1, "")


def _number(question: Question, word: str, limit: Decimal, factor: int, unit: str, situation: Situation) -> Outcome:
    held = _bounds(question, situation)
    truth = _reaches(word, Fraction(held.low), _fraction(held.high), Fraction(limit) * factor, Fraction(limit) * factor)
    hours = {"hours": ("시간", "hours"), "minutes": ("분", "minutes"), "": ("", "")}[unit]
    detail = _detail(question, held, word, f"{written(limit)}{hours[0]}", f"{written(limit)} {hours[1]}".strip(), truth)
    return _settled(truth, {question.key: held}, detail)


def _share(part: Question, whole: Question, word: str, percent: Decimal, situation: Situation) -> Outcome:
    """``part`` against so many per cent of ``whole``, in exact fractions; a whole of unknown size has no upper end."""
    some, entire = _bounds(part, situation), _bounds(whole, situation)
    rate = Fraction(percent) / HUNDRED
    ceiling = _fraction(entire.high)
    truth = _reaches(
        word,
        Fraction(some.low),
        _fraction(some.high),
        Fraction(entire.low) * rate,
        None if ceiling is None else ceiling * rate,
    )
    shown = _shown(whole, entire)
    limit = written(percent)
    detail = _detail(part, some, word, f"{shown.ko}의 {limit} %", f"{limit} % of {shown.en}", truth)
    return _settled(truth, {part.key: some, whole.key: entire}, detail)


def _fraction(number: Decimal | None) -> Fraction | None:
    return None if number is None else Fraction(number)


def _reaches(word: str, low: Fraction, high: Fraction | None, limit: Fraction, limit_high: Fraction | None) -> Truth:
    """Whether a number between ``low`` and ``high`` passes a limit between ``limit`` and ``limit_high``.

    None: without upper end. Nothing is more than an endless limit, and a number that is not above zero is above no limit.
    """

    def passes(number: Fraction, bound: Fraction) -> bool:
        return number > bound if word == "more_than" else number >= bound

    if limit_high is not None and passes(low, limit_high):
        return Truth.TRUE
    if high is not None and not passes(high, limit):
        return Truth.FALSE
    return Truth.UNKNOWN


def _bounds(question: Question, situation: Situation) -> Bounds:
    value = situation.values.get(question.key)
    return value if isinstance(value, Bounds) else Bounds(Decimal(0), None)


def _settled(truth: Truth, held: Mapping[str, Bounds], detail: LocalText) -> Outcome:
    still = tuple(key for key, bounds in held.items() if not bounds.exact) if truth == Truth.UNKNOWN else ()
    return Outcome(truth, tuple(held), still, (detail,))


def _shown(question: Question, held: Bounds) -> LocalText:
    if held.low == 0 and held.high is None:
        return LocalText(ko="(모름)", en="(unknown)")
    return LocalText(ko=str(held), en=str(held))


def _detail(question: Question, held: Bounds, word: str, ko: str, en: str, truth: Truth) -> LocalText:
    shown, (_sign, word_ko, word_en) = _shown(question, held), COMPARISONS[word]
    answer = TRUTH_TEXT[truth]
    return LocalText(ko=f"{shown.ko}: {ko} {word_ko}? {answer.ko}", en=f"{shown.en}: {word_en} {en}? {answer.en}")


def _met(node: Node, vocabulary: Vocabulary) -> Condition:
    name = node.mapping(required={"met"}).at("met").one_of(vocabulary.criteria)

    def evaluate(situation: Situation) -> Outcome:
        found = situation.met[name]
        return Outcome(found.truth, found.asked, found.open)  # its details stand at its own step

    return evaluate


def _count(node: Node, vocabulary: Vocabulary) -> Condition:
    """At least so many of these criteria."""
    inner = node.mapping(required={"count"}).at("count").mapping(required={"at_least", "of"})
    needed = inner.at("at_least").integer(least=1)
    names = inner.at("of").each(lambda item: item.one_of(vocabulary.criteria), least=1)
    if needed > len(set(names)) or len(set(names)) != len(names):
        raise inner.fail(
            f"{needed}: expected no more than the {len(set(names))} different criteria of the list", "at_least"
        )

    def evaluate(situation: Situation) -> Outcome:
        outcomes = [situation.met[name] for name in names]
        low, high = counted(outcomes)
        truth = Truth.TRUE if low >= needed else Truth.FALSE if high < needed else Truth.UNKNOWN
        found = _joined(truth, outcomes)
        span = str(low) if low == high else f"{low}..{high}"
        text = LocalText(
            ko=f"충족 {span}개: {needed}개 이상? {TRUTH_TEXT[truth].ko}",
            en=f"{span} met: at least {needed}? {TRUTH_TEXT[truth].en}",
        )
        return Outcome(truth, found.asked, found.open, (text,))

    return evaluate


def counted(outcomes: Sequence[Outcome]) -> tuple[int, int]:
    """How many are true for certain, and how many at most."""
    truths = [outcome.truth for outcome in outcomes]
    low = truths.count(Truth.TRUE)
    return low, low + truths.count(Truth.UNKNOWN)


_READERS: dict[str, Callable[[Node, Vocabulary], Condition]] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "answer": _answer,
    "met": _met,
    "count": _count,
}
