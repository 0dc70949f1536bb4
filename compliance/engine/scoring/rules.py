"""Methods of criteria and ordered rules: the first rule that holds gives the level.

While an earlier rule may hold, its level stays possible; the walk ends at the first rule that holds for certain. Because a
further answer never takes back a true or a false, it can only remove levels from what is possible.
"""

from collections.abc import Sequence
from decimal import Decimal

from compliance.engine.scoring.conditions import Outcome, Situation, counted
from compliance.engine.scoring.method import Method, Rule, Tests
from compliance.engine.scoring.result import Result, given_reasons, open_questions, shown_answers
from compliance.engine.scoring.types import Answers, Bounds, Level, Reading, Step
from compliance.engine.types import Truth

Walk = list[tuple[Rule, Outcome]]


def run_tests(method: Method, tests: Tests, answers: Answers) -> Result:
    """The levels that ``answers`` leave possible, with the outcome of every criterion and of the rules that were reached."""
    situation, met = Situation(answers.values, {}), dict[str, Outcome]()
    for criterion in tests.criteria:
        met[criterion.key] = criterion.when(situation)
        situation = Situation(answers.values, met)
    walk = _walk(tests.decide, situation)
    lowest, highest = _span(method, walk)
    unsettled = [] if lowest == highest else [outcome for _rule, outcome in walk]
    unsettled += [met[key] for key in tests.count]
    return Result(
        lowest=lowest,
        highest=highest,
        value=_value(tests, met),
        value_text=tests.count_text,
        working=(*_criteria_steps(method, tests, met, answers), *_rule_steps(method, walk, answers)),
        open=open_questions(method, [key for outcome in unsettled for key in outcome.open]),
        readings=_readings(method, tests, situation, (lowest, highest)),
    )


def _walk(rules: Sequence[Rule], situation: Situation) -> Walk:
    reached: Walk = []
    for rule in rules:
        reached.append((rule, rule.when(situation)))
        if reached[-1][1].truth == Truth.TRUE:
            break
    return reached


def _span(method: Method, walk: Walk) -> tuple[Level, Level]:
    possible = {rule.level for rule, outcome in walk if outcome.truth != Truth.FALSE}
    levels = [level for level in method.levels if level.key in possible]
    return levels[0], levels[-1]


def _value(tests: Tests, met: dict[str, Outcome]) -> Bounds | None:
    if not tests.count:
        return None
    low, high = counted([met[key] for key in tests.count])
    return Bounds(Decimal(low), Decimal(high))


def _criteria_steps(method: Method, tests: Tests, met: dict[str, Outcome], answers: Answers) -> list[Step]:
    return [
        Step(
            key=criterion.key,
            text=criterion.text,
            answers=shown_answers(met[criterion.key].asked, answers),
            value=met[criterion.key].truth.value,
            detail=met[criterion.key].detail,
            reasons=given_reasons(met[criterion.key].asked, answers),
            source=method.sources[criterion.source],
            confidence=criterion.confidence,
            house=criterion.house,
        )
        for criterion in tests.criteria
    ]


def _rule_steps(method: Method, walk: Walk, answers: Answers) -> list[Step]:
    return [
        Step(
            key=f"decide[{number}] {rule.level}",
            text=rule.text,
            answers=shown_answers(outcome.asked, answers),
            value=outcome.truth.value,
            detail=outcome.detail,
            source=method.sources[rule.source],
            confidence=rule.confidence,
            house=rule.house,
        )
        for number, (rule, outcome) in enumerate(walk)
    ]


def _readings(method: Method, tests: Tests, situation: Situation, adopted: tuple[Level, Level]) -> tuple[Reading, ...]:
    """The other readings that would come out differently."""
    found = [(reading, _span(method, _walk(reading.decide, situation))) for reading in tests.readings]
    return tuple(
        Reading(reading.key, reading.text, span[0].key, span[1].key) for reading, span in found if span != adopted
    )
