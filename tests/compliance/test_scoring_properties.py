"""What holds for any answers at all: knowing more never widens the result, more people never lower it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.engine.scoring import Method, Proposal, calculate, read_answers
from compliance.engine.scoring.method import Weights
from compliance.engine.scoring.questions import Question
from compliance.engine.strict import Node
from tests.compliance.scoring import METHODS

# Close to the thresholds, where things change, and far from them.
NUMBERS = st.sampled_from([0, 1, 2, 3, 30, 31, 60, 61, 100, 101, 120, 121, 1440, 1441]) | st.integers(0, 3_000_000)


def answer(question: Question) -> st.SearchStrategy[Any]:
    if question.type == "bool":
        return st.booleans()
    if question.type == "choice":
        return st.sampled_from(list(question.choices))
    spans = st.lists(NUMBERS, min_size=2, max_size=2).map(lambda ends: {"at_least": min(ends), "at_most": max(ends)})
    return NUMBERS | spans


def dataset(weights: Weights) -> st.SearchStrategy[Any]:
    def of(category: str) -> st.SearchStrategy[Any]:
        adjustment = st.sampled_from(list(weights.categories[category].adjustments))
        ease = st.sampled_from(list(weights.identification))
        return st.fixed_dictionaries({"category": st.just(category), "adjustment": adjustment, "identification": ease})

    return st.sampled_from(list(weights.categories)).flatmap(of)


def answers(method: Method) -> st.SearchStrategy[dict[str, Any]]:
    """Some questions answered, some not."""
    each = {key: answer(question) for key, question in method.questions.items()}
    if isinstance(method.procedure, Weights):
        each["datasets"] = st.lists(dataset(method.procedure), min_size=1, max_size=3)
    return st.fixed_dictionaries({}, optional=each).map(lambda found: within(method, found))


def within(method: Method, found: dict[str, Any]) -> dict[str, Any]:
    """Affected clients are some of the clients: leave out a whole that is smaller than its part."""
    for key, question in method.questions.items():
        if question.within in found and key in found:
            del found[question.within]
    return found


def run(method: Method, given_answers: dict[str, Any]) -> Proposal:
    return calculate(method, read_answers(Node({"answers": given_answers}, file="x", key=""), method))


def span(proposal: Proposal) -> tuple[int, int]:
    keys = [level.key for level in proposal.levels]
    return keys.index(proposal.lowest.key), keys.index(proposal.highest.key)


def inside(narrow: Proposal, wide: Proposal) -> bool:
    (low, high), (lowest, highest) = span(narrow), span(wide)
    if (
        narrow.value
        and wide.value
        and not (wide.value.low <= narrow.value.low and narrow.value.high <= wide.value.high)
    ):  # type: ignore[operator]
        return False
    return lowest <= low and high <= highest


@pytest.mark.parametrize("key", METHODS)
@settings(max_examples=150, deadline=None)
@given(draw=st.data())
def test_answering_a_question_never_widens_the_range(key: str, draw: Any) -> None:
    method = METHODS[key]
    more = draw.draw(answers(method))
    less = {name: value for name, value in more.items() if draw.draw(st.booleans())}
    assert inside(run(method, more), run(method, less))


@settings(max_examples=150, deadline=None)
@given(draw=st.data())
def test_classifying_a_data_set_never_widens_the_range(draw: Any) -> None:
    method = METHODS["enisa"]
    assert isinstance(method.procedure, Weights)
    full = draw.draw(st.lists(dataset(method.procedure), min_size=1, max_size=3))
    partly = [draw.draw(st.sampled_from([{}, {"category": item["category"]}, item])) for item in full]
    assert inside(run(method, {"datasets": full}), run(method, {"datasets": partly}))


@pytest.mark.parametrize("key", METHODS)
@settings(max_examples=100, deadline=None)
@given(draw=st.data())
def test_a_closer_estimate_never_widens_the_range(key: str, draw: Any) -> None:
    method = METHODS[key]
    wide = draw.draw(answers(method))
    close = {
        name: draw.draw(st.integers(value["at_least"], value["at_most"])) if "at_most" in value else value
        for name, value in wide.items()
        if isinstance(value, dict)
    }
    assert inside(run(method, {**wide, **close}), run(method, wide))


PEOPLE = {
    "dora": ["clients_affected", "counterparts_affected", "transactions_affected", "member_states"],
    "nis2": ["users_down", "users_limited", "users_compromised"],
    "enisa": ["people"],
}


@pytest.mark.parametrize(("key", "question"), [(key, item) for key, items in PEOPLE.items() for item in items])
@settings(max_examples=100, deadline=None)
@given(draw=st.data(), fewer=NUMBERS, added=NUMBERS)
def test_more_people_never_lower_the_level(key: str, question: str, draw: Any, fewer: int, added: int) -> None:
    method = METHODS[key]
    whole = method.questions[question].within
    base = {name: value for name, value in draw.draw(answers(method)).items() if name not in (question, whole)}
    if whole and draw.draw(st.booleans()):
        base[whole] = 10_000_000
    some, many = (span(run(method, {**base, question: count})) for count in (fewer, fewer + added))
    assert some[0] <= many[0]
    assert some[1] <= many[1]


@pytest.mark.parametrize("key", METHODS)
@settings(max_examples=100, deadline=None)
@given(draw=st.data())
def test_nothing_open_means_determined(key: str, draw: Any) -> None:
    proposal = run(METHODS[key], draw.draw(answers(METHODS[key])))
    assert proposal.open or proposal.level is not None
