"""A file of facts, read strictly: what `assess` takes and what worked cases are written in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from compliance.engine.errors import TimeError
from compliance.engine.instants import parse_instant
from compliance.engine.library import Library
from compliance.engine.strict import Node
from compliance.engine.types import Candidate, EntityProfile, Event, FactDef, FactSheet, PeopleCount, Submission


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: an entity and what is known."""

    entity: EntityProfile
    sheet: FactSheet


def read_request(node: Node, library: Library, *, default_rule: str | None = None) -> Request:
    """Read ``entity``, ``facts``, ``people`` and ``submissions``.

    ``default_rule`` names the rule of submissions that do not say one (worked cases stand beside their rule).

    Raises:
        LawError: the first thing that is wrong.
    """
    node.mapping(required={"entity"}, optional={"facts", "people", "submissions"})
    people = node.at("people").each(_people) if node.has("people") else ()
    submissions: tuple[Submission, ...] = ()
    if node.has("submissions"):
        submissions = node.at("submissions").each(lambda item: _submission(item, library, default_rule))
    facts = _facts(node.at("facts"), library.facts) if node.has("facts") else {}
    return Request(_entity(node.at("entity")), FactSheet(facts, people, submissions))


def _entity(node: Node) -> EntityProfile:
    node.mapping(required=set(), optional={"key", "name", "roles", "sectors", "establishments"})
    lists = {
        key: node.at(key).each(Node.text) if node.has(key) else () for key in ("roles", "sectors", "establishments")
    }
    name = node.at("name").text() if node.has("name") else ""
    key = node.at("key").text() if node.has("key") else "entity"
    return EntityProfile(key=key, name=name, **lists)


def _facts(node: Node, vocabulary: Mapping[str, FactDef]) -> dict[str, Any]:
    return {name: _fact(name, item, vocabulary) for name, item in node.entries()}


def _fact(name: str, node: Node, vocabulary: Mapping[str, FactDef]) -> Any:
    definition = vocabulary.get(name)
    if definition is None:
        close = get_close_matches(name, vocabulary, n=1)
        hint = f"; did you mean {close[0]}?" if close else "; expected a fact of the vocabulary (see assess --schema)"
        raise node.fail(f"unknown fact{hint}")
    if definition.type == "people":
        raise node.fail("expected under people, by residence")
    return _READERS[definition.type](node, definition)


def _instant(node: Node) -> datetime:
    try:
        return parse_instant(node.text())
    except TimeError as error:
        raise node.fail(error.en) from None


def _candidates(node: Node, definition: FactDef) -> tuple[Candidate, ...]:
    if isinstance(node.value, str):
        return (Candidate(key=f"{definition.name}[0]", at=_instant(node)),)
    candidates = tuple(_candidate(item, definition, number) for number, item in enumerate(node.items(least=1)))
    if sum(candidate.adopted for candidate in candidates) > 1:
        raise node.fail("expected at most one adopted candidate")
    return candidates


def _candidate(node: Node, definition: FactDef, number: int) -> Candidate:
    node.mapping(required={"at"}, optional={"label", "arguable", "adopted", "documented"})
    return Candidate(
        key=f"{definition.name}[{number}]",
        at=_instant(node.at("at")),
        label=node.at("label").text() if node.has("label") else "",
        arguable=node.at("arguable").boolean() if node.has("arguable") else True,
        adopted=node.at("adopted").boolean() if node.has("adopted") else False,
        documented=node.at("documented").boolean() if node.has("documented") else True,
    )


def _events(node: Node, definition: FactDef) -> tuple[Event, ...]:
    return tuple(_event(item, definition, number) for number, item in enumerate(node.items(least=1)))


def _event(node: Node, definition: FactDef, number: int) -> Event:
    node.mapping(required={"at"}, optional={"label"})
    label = node.at("label").text() if node.has("label") else ""
    return Event(key=f"{definition.name}[{number}]", at=_instant(node.at("at")), label=label)


def _choices(node: Node, definition: FactDef) -> tuple[str, ...]:
    return node.each(lambda item: item.one_of(definition.choices), least=1)


_READERS = {
    "bool": lambda node, definition: node.boolean(),
    "integer": lambda node, definition: node.integer(),
    "text": lambda node, definition: node.text(),
    "choice": lambda node, definition: node.one_of(definition.choices),
    "choices": _choices,
    "instant": lambda node, definition: _instant(node),
    "contested_instant": _candidates,
    "event": _events,
}


def _people(node: Node) -> PeopleCount:
    node.mapping(required={"residence", "count"}, optional={"categories"})
    count = node.at("count").integer() if node.has("count") else None
    categories = node.at("categories").each(Node.text) if node.has("categories") else ()
    return PeopleCount(node.at("residence").text(), count, categories)


def _submission(node: Node, library: Library, default_rule: str | None) -> Submission:
    node.mapping(required={"stage", "at"} | (set() if default_rule else {"rule"}), optional={"occurrence", "rule"})
    rule = node.at("rule").one_of(library.rules) if node.has("rule") else default_rule or ""
    occurrence = node.at("occurrence").text() if node.has("occurrence") else ""
    return Submission(rule, node.at("stage").text(), occurrence, _instant(node.at("at")))


def schema(library: Library) -> dict[str, Any]:
    """The JSON Schema of a facts file, complete enough to write one for any case."""
    instant = {
        "type": "string",
        "format": "date-time",
        "description": "ISO 8601 with offset, e.g. 2025-09-15T14:00+09:00",
    }
    facts = {
        name: {
            **_fact_schema(item, instant),
            "title": item.label.en,
            "description": f"{item.question.en} / {item.question.ko}",
        }
        for name, item in library.facts.items()
        if item.type != "people"
    }
    texts = {"type": "array", "items": {"type": "string"}}
    entity = {
        "key": {"type": "string"},
        "name": {"type": "string"},
        "roles": texts,
        "sectors": texts,
        "establishments": texts,
    }
    people = {
        "residence": {"type": "string", "examples": ["KR", "US-CA"]},
        "count": {"type": ["integer", "null"], "minimum": 0},
        "categories": texts,
    }
    done = {
        "rule": {"enum": sorted(library.rules)},
        "stage": {"type": "string"},
        "occurrence": {"type": "string"},
        "at": instant,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Breachclock facts file",
        **_object({"entity": _object(entity), "facts": _object(facts)}, required=["entity"]),
        "properties": {
            "entity": _object(entity),
            "facts": _object(facts),
            "people": {"type": "array", "items": _object(people, required=["residence", "count"])},
            "submissions": {"type": "array", "items": _object(done, required=["rule", "stage", "at"])},
        },
    }


def _object(properties: dict[str, Any], *, required: list[str] | None = None) -> dict[str, Any]:
    described = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**described, "required": required} if required else described


def _fact_schema(definition: FactDef, instant: dict[str, Any]) -> dict[str, Any]:
    candidate = {
        "at": instant,
        "label": {"type": "string"},
        **{key: {"type": "boolean"} for key in ("arguable", "adopted", "documented")},
    }
    event = {"at": instant, "label": {"type": "string"}}
    choices = {"enum": list(definition.choices)}
    kinds: dict[str, dict[str, Any]] = {
        "bool": {"type": "boolean"},
        "integer": {"type": "integer", "minimum": 0},
        "text": {"type": "string", "minLength": 1},
        "choice": choices,
        "choices": {"type": "array", "items": choices, "minItems": 1},
        "instant": instant,
        "contested_instant": {
            "anyOf": [instant, {"type": "array", "minItems": 1, "items": _object(candidate, required=["at"])}]
        },
        "event": {"type": "array", "minItems": 1, "items": _object(event, required=["at"])},
    }
    return kinds[definition.type]
