"""Three-valued conditions. YAML knows all / any / not / a comparison / known; nothing cleverer.

A condition answers true, false or unknown. Why (the reasons that decided and, when unknown, the questions that would) is a
second question, because most conditions of the world's law are asked about every case and explained for few.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from compliance.engine.people import PEOPLE, ByCountry, Counted, Threshold, by_country, count_people
from compliance.engine.strict import Node
from compliance.engine.types import EntityProfile, FactDef, FactSheet, LocalText, Reason, Truth

ROLES, SECTORS, ESTABLISHMENTS, MARKETS = "entity.roles", "entity.sectors", "entity.establishments", "entity.markets"
PLACE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


class Vocabulary(dict[str, FactDef]):
    """The facts by name, and the groups of places that conditions may name (EU, EEA, US, ...)."""

    def __init__(self, facts: Mapping[str, FactDef], places: Mapping[str, frozenset[str]] | None = None) -> None:
        super().__init__(facts)
        self.places = dict(places or {})

    def places_of(self, node: Node) -> tuple[str, frozenset[str]]:
        """The places that ``node`` names: a code such as KR or US-CA, or a group.

        Raises:
            LawError: neither.
        """
        name = node.text()
        if name in self.places:
            return name, self.places[name]
        if not PLACE.fullmatch(name):
            groups = ", ".join(sorted(self.places))
            raise node.fail(f"{name}: expected a place such as KR or US-CA, or a group of places ({groups})")
        return name, frozenset({name})


@dataclass(frozen=True, slots=True)
class Situation:
    """What a condition is asked about."""

    sheet: FactSheet
    entity: EntityProfile
    rule: str = ""
    # The sheet's people by country; worked out once where many conditions are asked.
    people: ByCountry | None = None

    def count(self, threshold: Threshold) -> Counted:
        """How many people ``threshold`` finds."""
        rows = by_country(self.sheet.people) if self.people is None else self.people
        return count_people(threshold, rows, self.sheet, self.entity)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A truth value with what decided it and what would."""

    truth: Truth
    reasons: tuple[Reason, ...] = ()
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition: its truth, quickly, and its outcome with reasons."""

    truth: Callable[[Situation], Truth]
    explain: Callable[[Situation], Outcome]

    def __call__(self, situation: Situation) -> Outcome:
        """The outcome with its reasons."""
        return self.explain(situation)


always = Condition(lambda situation: Truth.TRUE, lambda situation: Outcome(Truth.TRUE))


def compile_condition(node: Node, vocabulary: Mapping[str, FactDef]) -> Condition:
    """The condition that ``node`` writes down.

    Raises:
        LawError: not a condition, or a fact that the vocabulary does not know.
    """
    if node.value == "always":
        return always
    words = vocabulary if isinstance(vocabulary, Vocabulary) else Vocabulary(vocabulary)
    if not isinstance(node.value, dict) or not node.value:
        raise node.fail(f"expected a condition: always, or one of {', '.join(sorted(_READERS))}")
    for key, read in _READERS.items():
        if key in node.value:
            return read(node, words)
    raise node.fail(f"unknown condition; expected one of {', '.join(sorted(_READERS))}", str(next(iter(node.value))))


def facts_of(node: Node) -> set[str]:
    """The names of all facts a written condition asks for."""
    found: set[str] = set()
    _collect(node.value, found)
    return found


def _collect(value: Any, found: set[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _collect(item, found)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in ("all", "any", "not"):
                _collect(item, found)
            elif key in ("fact", "known"):
                found.add(str(item))
            elif key in _ASKS:
                found.add(_ASKS[key])


_ASKS = {
    "people": PEOPLE,
    "role": ROLES,
    "sector": SECTORS,
    "established_in": ESTABLISHMENTS,
    "main_establishment_in": ESTABLISHMENTS,
    "market": MARKETS,
    "may_reach": ESTABLISHMENTS,
}


def _all(node: Node, vocabulary: Vocabulary) -> Condition:
    node.mapping(required={"all"})
    return both(*node.at("all").each(lambda item: compile_condition(item, vocabulary), least=1))


def both(*parts: Condition) -> Condition:
    """All of ``parts``."""
    truths = tuple(part.truth for part in parts)

    def truth(situation: Situation) -> Truth:
        answer = Truth.TRUE
        for ask in truths:
            found = ask(situation)
            if found is Truth.FALSE:
                return found
            if found is Truth.UNKNOWN:
                answer = found
        return answer

    return Condition(truth, lambda situation: _conjunction([part.explain(situation) for part in parts]))


def _any(node: Node, vocabulary: Vocabulary) -> Condition:
    node.mapping(required={"any"})
    parts = node.at("any").each(lambda item: compile_condition(item, vocabulary), least=1)
    truths = tuple(part.truth for part in parts)

    def truth(situation: Situation) -> Truth:
        answer = Truth.FALSE
        for ask in truths:
            found = ask(situation)
            if found is Truth.TRUE:
                return found
            if found is Truth.UNKNOWN:
                answer = found
        return answer

    def explain(situation: Situation) -> Outcome:
        # Kleene's "any" is "all" of the opposites, reasons and questions alike.
        return _opposite(_conjunction([_opposite(part.explain(situation)) for part in parts]))

    return Condition(truth, explain)


def _not(node: Node, vocabulary: Vocabulary) -> Condition:
    node.mapping(required={"not"})
    part = compile_condition(node.at("not"), vocabulary)
    return Condition(
        lambda situation: _OPPOSITE[part.truth(situation)], lambda situation: _opposite(part.explain(situation))
    )


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


_TESTS = ("is", "has", "has_any", "at_least", "more_than", "at_most", "below")


def _fact(node: Node, vocabulary: Vocabulary) -> Condition:
    node.mapping(required={"fact"}, optional=set(_TESTS))
    definition = _definition(node, "fact", vocabulary)
    asked = [key for key in _TESTS if key in node.value]
    if len(asked) != 1:
        raise node.fail(f"expected exactly one of {', '.join(_TESTS)} beside fact")
    return _comparison(definition, _test(asked[0], node.at(asked[0]), definition))


def _test(word: str, node: Node, definition: FactDef) -> Callable[[Any], bool]:
    if word == "is":
        expected = _expected(node, definition)
        return lambda value: value == expected
    if word in ("has", "has_any"):
        wanted = frozenset(
            [node.one_of(definition.choices)]
            if word == "has"
            else [item.one_of(definition.choices) for item in node.items(least=1)]
        )
        return lambda value: not wanted.isdisjoint(value if isinstance(value, tuple) else (value,))
    if definition.type != "integer":
        raise node.fail(f"{definition.name} is of type {definition.type}; expected a fact of type integer")
    number = node.integer()
    return {
        "at_least": lambda value: value >= number,
        "more_than": lambda value: value > number,
        "at_most": lambda value: value <= number,
        "below": lambda value: value < number,
    }[word]


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


def _comparison(definition: FactDef, test: Callable[[Any], bool]) -> Condition:
    name = definition.name

    def truth(situation: Situation) -> Truth:
        value = situation.sheet.facts.get(name)
        if value is None:
            return Truth.UNKNOWN
        return Truth.TRUE if test(value) else Truth.FALSE

    def explain(situation: Situation) -> Outcome:
        value = situation.sheet.facts.get(name)
        if value is None:
            return _unknown(definition)
        found = Truth.TRUE if test(value) else Truth.FALSE
        return Outcome(found, (_said(definition, value, found),))

    return Condition(truth, explain)


def _unknown(definition: FactDef) -> Outcome:
    text = LocalText(ko=f"{definition.label.ko}: 모름", en=f"{definition.label.en}: unknown")
    return Outcome(Truth.UNKNOWN, (Reason(text, Truth.UNKNOWN, (definition.name,)),), (definition.name,))


def _said(definition: FactDef, value: object, found: Truth) -> Reason:
    shown = _shown(definition, value)
    text = LocalText(ko=f"{definition.label.ko}: {shown.ko}", en=f"{definition.label.en}: {shown.en}")
    outcome = (Truth.TRUE if value else Truth.FALSE) if isinstance(value, bool) else found
    return Reason(text, outcome, (definition.name,))


def _shown(definition: FactDef, value: object) -> LocalText:
    if isinstance(value, bool):
        return LocalText(ko="예", en="yes") if value else LocalText(ko="아니요", en="no")
    if isinstance(value, int):
        text = f"{value:,}{definition.unit and ' ' + definition.unit}"
        return LocalText(ko=text, en=text)
    chosen = value if isinstance(value, tuple) else (value,)
    names = [definition.choices.get(str(item), LocalText(ko=str(item), en=str(item))) for item in chosen]
    return LocalText(ko=", ".join(name.ko for name in names), en=", ".join(name.en for name in names))


def _known(node: Node, vocabulary: Vocabulary) -> Condition:
    node.mapping(required={"known"})
    definition = _definition(node, "known", vocabulary)

    def truth(situation: Situation) -> Truth:
        return Truth.FALSE if situation.sheet.facts.get(definition.name) in (None, ()) else Truth.TRUE

    def explain(situation: Situation) -> Outcome:
        found = truth(situation)
        words = ("기록됨", "recorded") if found is Truth.TRUE else ("기록 없음", "not recorded")
        text = LocalText(ko=f"{definition.label.ko}: {words[0]}", en=f"{definition.label.en}: {words[1]}")
        return Outcome(found, (Reason(text, found, (definition.name,)),))

    return Condition(truth, explain)


def _people(node: Node, vocabulary: Vocabulary) -> Condition:
    """A threshold on the number of people. Laws say "at least" or "more than"; so must the rule."""
    limit = node.mapping(required={"people"}).at("people")
    limit.mapping(required=set(), optional={"at_least", "more_than", "in", "data", "readable"})
    words = [word for word in ("at_least", "more_than") if word in limit.value]
    if len(words) != 1:
        raise limit.fail("expected one of at_least, more_than")
    number = limit.at(words[0]).integer(least=0)
    place, places = vocabulary.places_of(limit.at("in")) if limit.has("in") else ("", None)
    kinds = vocabulary["people.categories"].choices if "people.categories" in vocabulary else {}
    threshold = Threshold(
        needed=number if words[0] == "at_least" else number + 1,
        place=place,
        places=places,
        data=frozenset(item.one_of(kinds) for item in limit.at("data").items(least=1)) if limit.has("data") else None,
        kinds=frozenset(kinds),
        readable=limit.at("readable").boolean() if limit.has("readable") else False,
    )

    def truth(situation: Situation) -> Truth:
        return threshold.reached(situation.count(threshold))

    def explain(situation: Situation) -> Outcome:
        found, text, questions = threshold.told(situation.count(threshold))
        return Outcome(found, (Reason(text, found, (PEOPLE,)),), questions)

    return Condition(truth, explain)


_Held = Callable[[EntityProfile], tuple[str, ...] | None]


def _role_like(node: Node, vocabulary: Vocabulary, *, key: str, fact: str, ko: str, en: str, held: _Held) -> Condition:
    named = node.mapping(required={key}).at(key)
    if fact not in vocabulary:
        raise node.fail(f"expected {fact} in facts.yaml", key)
    wanted = named.one_of(vocabulary[fact].choices)

    def truth(situation: Situation) -> Truth:
        mine = held(situation.entity)
        if mine is None:
            return Truth.UNKNOWN
        return Truth.TRUE if wanted in mine else Truth.FALSE

    return _profile(truth, fact, vocabulary[fact].choices[wanted], ko, en)


def _place_like(node: Node, vocabulary: Vocabulary, *, key: str, fact: str, ko: str, en: str, held: _Held) -> Condition:
    name, places = vocabulary.places_of(node.mapping(required={key}).at(key))
    countries = {place[:2] for place in places}
    whole = frozenset(place for place in places if len(place) == 2)

    def truth(situation: Situation) -> Truth:
        mine = held(situation.entity)
        if mine is None:
            return Truth.UNKNOWN
        if not places.isdisjoint(mine) or (whole and any(item[:2] in whole for item in mine)):
            return Truth.TRUE
        # "Somewhere in the country" leaves open in which part of it.
        return Truth.UNKNOWN if any(item in countries for item in mine) else Truth.FALSE

    return _profile(truth, fact, LocalText(ko=name, en=name), ko, en)


def _profile(truth: Callable[[Situation], Truth], fact: str, name: LocalText, ko: str, en: str) -> Condition:
    def explain(situation: Situation) -> Outcome:
        found = truth(situation)
        mark = {Truth.TRUE: ("예", "yes"), Truth.FALSE: ("아니요", "no"), Truth.UNKNOWN: ("모름", "unknown")}[found]
        text = LocalText(ko=f"{ko} {name.ko}: {mark[0]}", en=f"{en} {name.en}: {mark[1]}")
        return Outcome(found, (Reason(text, found, (fact,)),), (fact,) if found is Truth.UNKNOWN else ())

    return Condition(truth, explain)


def _may_reach(node: Node, vocabulary: Vocabulary) -> Condition:
    """The territorial scope of a law where silence counts as reached: false only for an entity known to be elsewhere."""
    name, places = vocabulary.places_of(node.mapping(required={"may_reach"}).at("may_reach"))

    def truth(situation: Situation) -> Truth:
        entity = situation.entity
        if entity.establishments is None or entity.markets is None:
            return Truth.TRUE
        held = [*entity.establishments, *entity.markets]
        held += [row.residence for row in situation.sheet.people if row.count != 0]
        return Truth.TRUE if any(item in places or item[:2] in places for item in held) else Truth.FALSE

    def explain(situation: Situation) -> Outcome:
        found = truth(situation)
        text = (
            LocalText(
                ko=f"{name}에 사업장도 정보주체도 없음", en=f"neither established in {name} nor data of people there"
            )
            if found is Truth.FALSE
            else LocalText(
                ko=f"{name} 법의 적용 범위에서 벗어났다고 볼 근거 없음", en=f"not known to be outside {name}"
            )
        )
        return Outcome(found, (Reason(text, found, (ESTABLISHMENTS,)),))

    return Condition(truth, explain)


def _main(entity: EntityProfile) -> tuple[str, ...] | None:
    if entity.main_establishment is not None:
        return (entity.main_establishment,)
    return () if entity.establishments is not None else None


def _submitted(node: Node, vocabulary: Vocabulary) -> Condition:
    node.mapping(required={"submitted"}, optional={"rule"})
    stage = node.at("submitted").text()
    named = node.at("rule").text() if node.has("rule") else ""

    def truth(situation: Situation) -> Truth:
        rule = named or situation.rule
        done = any(item.rule == rule and item.stage == stage for item in situation.sheet.submissions)
        return Truth.TRUE if done else Truth.FALSE

    def explain(situation: Situation) -> Outcome:
        found = truth(situation)
        mark = ("함", "done") if found is Truth.TRUE else ("하지 않음", "not done")
        text = LocalText(ko=f"앞 단계({stage}) 신고ㆍ통지: {mark[0]}", en=f"earlier stage ({stage}): {mark[1]}")
        return Outcome(found, (Reason(text, found),))

    return Condition(truth, explain)


_Reader = Callable[[Node, Vocabulary], Condition]
_READERS: dict[str, _Reader] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "fact": _fact,
    "known": _known,
    "people": _people,
    "submitted": _submitted,
    "role": partial(_role_like, key="role", fact=ROLES, ko="지위", en="role", held=lambda entity: entity.roles),
    "sector": partial(
        _role_like, key="sector", fact=SECTORS, ko="업종", en="sector", held=lambda entity: entity.sectors
    ),
    "established_in": partial(
        _place_like,
        key="established_in",
        fact=ESTABLISHMENTS,
        ko="사업장",
        en="established in",
        held=lambda entity: entity.establishments,
    ),
    "main_establishment_in": partial(
        _place_like,
        key="main_establishment_in",
        fact=ESTABLISHMENTS,
        ko="주된 사업장",
        en="main establishment in",
        held=_main,
    ),
    "may_reach": _may_reach,
    "market": partial(
        _place_like,
        key="market",
        fact=MARKETS,
        ko="이용자가 있는 곳",
        en="holds data of people in",
        held=lambda entity: entity.markets,
    ),
}
