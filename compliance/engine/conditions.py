"""Three-valued conditions. YAML knows all / any / not / a comparison / known; nothing cleverer.

A condition answers true, false or unknown, with the reasons that decided and, when unknown, the questions that would.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.engine.strict import Node
from compliance.engine.types import EntityProfile, FactDef, FactSheet, LocalText, Reason, Truth

PEOPLE = "people.count"


@dataclass(frozen=True, slots=True)
class Situation:
    """What a condition is asked about."""

    sheet: FactSheet
    entity: EntityProfile
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A truth value with what decided it and what would."""

    truth: Truth
    reasons: tuple[Reason, ...] = ()
    questions: tuple[str, ...] = ()


Condition = Callable[[Situation], Outcome]
Vocabulary = Mapping[str, FactDef]


def always(situation: Situation) -> Outcome:
    """The condition of a rule without one."""
    return Outcome(Truth.TRUE)


def compile_condition(node: Node, vocabulary: Vocabulary) -> Condition:
    """The condition that ``node`` writes down.

    Raises:
        LawError: not a condition, or a fact that the vocabulary does not know.
    """
    if not isinstance(node.value, dict) or not node.value:
        raise node.fail("expected a condition: one of all, any, not, fact, known, people, role, sector, submitted")
    for key, read in _READERS.items():
        if key in node.value:
            return read(node, vocabulary)
    raise node.fail(f"unknown condition; expected one of {', '.join(sorted(_READERS))}", str(next(iter(node.value))))


def facts_of(node: Node) -> set[str]:
    """The names of all facts a written condition asks for."""
    value = node.value
    if isinstance(value, list):
        return set().union(*(facts_of(item) for item in node.items()))
    if not isinstance(value, dict):
        return set()
    named = {str(value[key]) for key in ("fact", "known") if key in value}
    if "people" in value:
        named.add(PEOPLE)
    return named.union(*(facts_of(child) for key, child in node.entries() if key in ("all", "any", "not")))


def _all(node: Node, vocabulary: Vocabulary) -> Condition:
    node.mapping(required={"all"})
    parts = node.at("all").each(lambda item: compile_condition(item, vocabulary), least=1)
    return lambda situation: _conjunction([part(situation) for part in parts])


def _any(node: Node, vocabulary: Vocabulary) -> Condition:
    node.mapping(required={"any"})
    parts = node.at("any").each(lambda item: compile_condition(item, vocabulary), least=1)

    def evaluate(situation: Situation) -> Outcome:
        # Kleene's "any" is "all" of the opposites, reasons and questions alike.
        return _opposite(_conjunction([_opposite(part(situation)) for part in parts]))

    return evaluate


def _not(node: Node, vocabulary: Vocabulary) -> Condition:
    node.mapping(required={"not"})
    part = compile_condition(node.at("not"), vocabulary)
    return lambda situation: _opposite(part(situation))


def _conjunction(outcomes: list[Outcome]) -> Outcome:
    """False as soon as one is false; unknown while one is; true when all are."""
    for truth in (Truth.FALSE, Truth.UNKNOWN):
        decisive = [outcome for outcome in outcomes if outcome.truth == truth]
        if decisive:
            break
    else:
        truth, decisive = Truth.TRUE, outcomes
    return Outcome(
        truth,
        tuple(reason for outcome in decisive for reason in outcome.reasons),
        tuple(dict.fromkeys(name for outcome in decisive for name in outcome.questions)),
    )


_OPPOSITE = {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}


def _opposite(outcome: Outcome) -> Outcome:
    return Outcome(_OPPOSITE[outcome.truth], outcome.reasons, outcome.questions)


def _fact(node: Node, vocabulary: Vocabulary) -> Condition:
    node.mapping(required={"fact"}, optional={"is", "has"})
    definition = _definition(node, "fact", vocabulary)
    if node.has("has"):
        wanted = node.at("has").one_of(definition.choices)
        return lambda situation: _compare(definition, situation, lambda value: wanted in value)
    if "is" not in node.value:
        raise node.fail("expected is or has beside fact")
    expected = _expected(node.at("is"), definition)
    return lambda situation: _compare(definition, situation, lambda value: value == expected)


def _expected(node: Node, definition: FactDef) -> bool | str:
    if definition.type == "bool":
        return node.boolean()
    if definition.type == "choice":
        return node.one_of(definition.choices)
    raise node.fail(f"{definition.name} is of type {definition.type}; expected a fact of type bool or choice")


def _definition(node: Node, key: str, vocabulary: Vocabulary) -> FactDef:
    name = node.at(key).text()
    if name not in vocabulary:
        raise node.fail(f"{name}: expected a fact of facts.yaml", key)
    return vocabulary[name]


def _compare(definition: FactDef, situation: Situation, test: Callable[[Any], bool]) -> Outcome:
    value = situation.sheet.facts.get(definition.name)
    if value is None:
        return _unknown(definition)
    truth = Truth.TRUE if test(value) else Truth.FALSE
    return Outcome(truth, (_said(definition, value),))


def _unknown(definition: FactDef) -> Outcome:
    text = LocalText(ko=f"{definition.label.ko}: 모름", en=f"{definition.label.en}: unknown")
    return Outcome(Truth.UNKNOWN, (Reason(text, Truth.UNKNOWN, (definition.name,)),), (definition.name,))


def _said(definition: FactDef, value: object) -> Reason:
    shown = _shown(definition, value)
    text = LocalText(ko=f"{definition.label.ko}: {shown.ko}", en=f"{definition.label.en}: {shown.en}")
    return Reason(text, Truth.FALSE if value is False else Truth.TRUE, (definition.name,))


def _shown(definition: FactDef, value: object) -> LocalText:
    if isinstance(value, bool):
        return LocalText(ko="예", en="yes") if value else LocalText(ko="아니요", en="no")
    chosen = value if isinstance(value, tuple) else (value,)
    names = [definition.choices.get(str(item), LocalText(ko=str(item), en=str(item))) for item in chosen]
    return LocalText(ko=", ".join(name.ko for name in names), en=", ".join(name.en for name in names))


def _known(node: Node, vocabulary: Vocabulary) -> Condition:
    node.mapping(required={"known"})
    definition = _definition(node, "known", vocabulary)

    def evaluate(situation: Situation) -> Outcome:
        known = situation.sheet.facts.get(definition.name) not in (None, ())
        words = ("기록됨", "recorded") if known else ("기록 없음", "not recorded")
        text = LocalText(ko=f"{definition.label.ko}: {words[0]}", en=f"{definition.label.en}: {words[1]}")
        truth = Truth.TRUE if known else Truth.FALSE
        return Outcome(truth, (Reason(text, truth, (definition.name,)),))

    return evaluate


def _people(node: Node, vocabulary: Vocabulary) -> Condition:
    """A threshold on the number of people. Laws say "at least" or "more than"; so must the rule."""
    limit = node.mapping(required={"people"}).at("people").mapping(required=set(), optional={"at_least", "more_than"})
    if len(limit.value) != 1:
        raise limit.fail("expected one of at_least, more_than")
    word = next(iter(limit.value))
    number = limit.at(word).integer(least=0)
    needed = number if word == "at_least" else number + 1
    return lambda situation: _people_reach(situation.sheet, needed)


def _people_reach(sheet: FactSheet, needed: int) -> Outcome:
    counted = sum(people.count for people in sheet.people if people.count is not None)
    if counted >= needed:
        text = LocalText(
            ko=f"정보주체 {counted:,}명(기준 {needed:,}명 이상)", en=f"{counted:,} people (at least {needed:,})"
        )
        return Outcome(Truth.TRUE, (Reason(text, Truth.TRUE, (PEOPLE,)),))
    if not sheet.people or any(people.count is None for people in sheet.people):
        text = LocalText(ko=f"정보주체 수: 모름(기준 {needed:,}명)", en=f"number of people: unknown (limit {needed:,})")
        return Outcome(Truth.UNKNOWN, (Reason(text, Truth.UNKNOWN, (PEOPLE,)),), (PEOPLE,))
    text = LocalText(ko=f"정보주체 {counted:,}명(기준 {needed:,}명 미만)", en=f"{counted:,} people (below {needed:,})")
    return Outcome(Truth.FALSE, (Reason(text, Truth.FALSE, (PEOPLE,)),))


def _profile(key: str, ko: str, en: str, held: Callable[[EntityProfile], tuple[str, ...]]) -> "_Reader":
    def read(node: Node, vocabulary: Vocabulary) -> Condition:
        wanted = node.mapping(required={key}).at(key).text()

        def evaluate(situation: Situation) -> Outcome:
            truth = Truth.TRUE if wanted in held(situation.entity) else Truth.FALSE
            mark = ("예", "yes") if truth == Truth.TRUE else ("아니요", "no")
            text = LocalText(ko=f"{ko} {wanted}: {mark[0]}", en=f"{en} {wanted}: {mark[1]}")
            return Outcome(truth, (Reason(text, truth),))

        return evaluate

    return read


def _submitted(node: Node, vocabulary: Vocabulary) -> Condition:
    stage = node.mapping(required={"submitted"}).at("submitted").text()

    def evaluate(situation: Situation) -> Outcome:
        done = any(item.rule == situation.rule and item.stage == stage for item in situation.sheet.submissions)
        truth = Truth.TRUE if done else Truth.FALSE
        mark = ("함", "done") if done else ("하지 않음", "not done")
        text = LocalText(ko=f"앞 단계({stage}) 신고ㆍ통지: {mark[0]}", en=f"earlier stage ({stage}): {mark[1]}")
        return Outcome(truth, (Reason(text, truth),))

    return evaluate


_Reader = Callable[[Node, Vocabulary], Condition]
_READERS: dict[str, _Reader] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "fact": _fact,
    "known": _known,
    "people": _people,
    "submitted": _submitted,
    "role": _profile("role", "지위", "role", lambda entity: entity.roles),
    "sector": _profile("sector", "업종", "sector", lambda entity: entity.sectors),
    "established_in": _profile("established_in", "사업장", "establishment", lambda entity: entity.establishments),
}
