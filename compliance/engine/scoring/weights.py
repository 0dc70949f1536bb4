"""Methods of one product and a sum: the highest (category x identification) of all data sets, plus the circumstances.

Every part has a lowest and a highest value; an answer moves the two together. So do their products, maxima and sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from compliance.engine.scoring.answers import DATASETS
from compliance.engine.scoring.method import Method, Weights
from compliance.engine.scoring.result import Result, given_reasons, open_questions, shown_answers
from compliance.engine.scoring.types import UNKNOWN_TEXT, Answers, Bounds, DataSet, Level, OpenQuestion, Step
from compliance.engine.types import LocalText


@dataclass(frozen=True, slots=True)
class Span:
    """A lowest and a highest value; every weight is a number, so both ends are known."""

    low: Decimal
    high: Decimal

    def __str__(self) -> str:
        return str(self.bounds)

    @property
    def bounds(self) -> Bounds:
        """The same for a proposal."""
        return Bounds(self.low, self.high)


FIELDS = ("category", "adjustment", "identification")


def run_weights(method: Method, weights: Weights, answers: Answers) -> Result:
    """The score, exact or as a range, and the levels at its ends."""
    datasets = answers.datasets or (DataSet(),)
    products = [_product(weights, item) for item in datasets]
    product = Span(max(item.low for item in products), max(item.high for item in products))
    added = {key: _circumstance(weights, key, answers) for key in weights.circumstances}
    score = Span(
        product.low + sum((item.low for item in added.values()), Decimal(0)),
        product.high + sum((item.high for item in added.values()), Decimal(0)),
    )
    steps = [_dataset_step(method, weights, number, item, answers) for number, item in enumerate(datasets)]
    steps += [_part_step(method, weights, "product", str(product))]
    steps += [_circumstance_step(method, key, item, answers) for key, item in added.items()]
    steps += [_part_step(method, weights, "score", str(score))]
    unanswered = [key for key, item in added.items() if item.low != item.high]
    return Result(
        lowest=_band(method, weights, score.low),
        highest=_band(method, weights, score.high),
        value=score.bounds,
        value_text=weights.parts["score"].text,
        working=tuple(steps),
        open=(*_open_datasets(weights, answers, products, product), *open_questions(method, unanswered)),
    )


def _band(method: Method, weights: Weights, score: Decimal) -> Level:
    """The highest level whose lower end the score reaches; the end itself belongs to it."""
    return next(
        level for level, least in reversed(list(zip(method.levels, weights.bands, strict=True))) if score >= least
    )


def _context(weights: Weights, item: DataSet) -> Span:
    """The data processing context: basic score of the category and its adjustment."""
    categories = [weights.categories[item.category]] if item.category else list(weights.categories.values())
    scores = [
        category.basic + by
        for category in categories
        for by in ([item.adjustment] if item.adjustment is not None else category.adjustments)
    ]
    return Span(Decimal(min(scores)), Decimal(max(scores)))


def _ease(weights: Weights, item: DataSet) -> Span:
    chosen = [item.identification] if item.identification else list(weights.identification)
    values = [weights.identification[key].value for key in chosen]
    return Span(min(values), max(values))


def _product(weights: Weights, item: DataSet) -> Span:
    context, ease = _context(weights, item), _ease(weights, item)
    return Span(context.low * ease.low, context.high * ease.high)


def _circumstance(weights: Weights, key: str, answers: Answers) -> Span:
    chosen = answers.values.get(key)
    values = weights.circumstances[key]
    if chosen is None:
        return Span(min(values.values()), max(values.values()))
    return Span(values[str(chosen)], values[str(chosen)])


def _dataset_step(method: Method, weights: Weights, number: int, item: DataSet, answers: Answers) -> Step:
    part, name = weights.parts["datasets"], f" ({item.name})" if item.name else ""
    return Step(
        key=f"{DATASETS}[{number}]",
        text=LocalText(ko=part.text.ko + name, en=part.text.en + name),
        answers={field: getattr(item, field) for field in FIELDS},
        value=f"{_context(weights, item)} x {_ease(weights, item)} = {_product(weights, item)}",
        detail=_dataset_detail(weights, item),
        reasons=given_reasons((DATASETS,), answers),
        source=method.sources[part.source],
        confidence=part.confidence,
    )


def _dataset_detail(weights: Weights, item: DataSet) -> tuple[LocalText, ...]:
    category = weights.categories.get(item.category or "")
    ease = weights.identification.get(item.identification or "")
    adjusted = category.adjustments.get(item.adjustment) if category and item.adjustment is not None else None
    texts = (category.text if category else None, adjusted, ease.text if ease else None)
    return tuple(text or UNKNOWN_TEXT for text in texts)


def _part_step(method: Method, weights: Weights, key: str, value: str) -> Step:
    part = weights.parts[key]
    return Step(key, part.text, {}, value, source=method.sources[part.source], confidence=part.confidence)


def _circumstance_step(method: Method, key: str, value: Span, answers: Answers) -> Step:
    question, chosen = method.questions[key], answers.values.get(key)
    return Step(
        key=key,
        text=question.text,
        answers=shown_answers((key,), answers),
        value=f"+{value}",
        detail=(question.choices[str(chosen)] if chosen is not None else UNKNOWN_TEXT,),
        reasons=given_reasons((key,), answers),
        source=method.sources[question.source] if question.source else None,
    )


def _open_datasets(weights: Weights, answers: Answers, products: Sequence[Span], product: Span) -> list[OpenQuestion]:
    """What is not said of the data sets that may still raise the highest product."""
    if not answers.datasets:
        return [OpenQuestion(DATASETS, weights.ask[DATASETS])]
    return [
        OpenQuestion(f"{DATASETS}[{number}].{field}", weights.ask[field])
        for number, item in enumerate(answers.datasets)
        for field in FIELDS
        if getattr(item, field) is None and products[number].high > product.low
    ]
