"""A file of facts, read strictly: what `assess` takes and what worked cases are written in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from compliance.engine.conditions import PLACE, ROLES, SECTORS, Vocabulary
from compliance.engine.errors import TimeError
from compliance.engine.instants import parse_instant
from compliance.engine.library import Library
from compliance.engine.people import CATEGORIES
from compliance.engine.strict import Node
from compliance.engine.types import Candidate, EntityProfile, Event, FactDef, FactSheet, PeopleCount, Submission


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: an entity and what is known of its case."""

    entity: EntityProfile
    sheet: FactSheet


_SHARED = ("facts", "people", "submissions", "turned_on")


def read_requests(node: Node, library: Library) -> tuple[Request, ...]:
    """One entity (``entity``), or several (``entities``) with facts of their own beside those they share.

    Raises:
        LawError: the first thing that is wrong.
    """
    if not isinstance(node.value, dict) or "entities" not in node.value:
        return (read_request(node, library),)
    node.mapping(required={"entities"}, optional=set(_SHARED))
    shared = _sheet(node, library, None)
    return tuple(_of_several(item, shared, library) for item in node.at("entities").items(least=1))


def _of_several(node: Node, shared: FactSheet, library: Library) -> Request:
    """An entity's own facts win; people and submissions of its own are added to the shared ones."""
    node.mapping(required=set(), optional={*_ENTITY, *_SHARED})
    own = _sheet(node, library, None)
    profile = {key: value for key, value in node.value.items() if key in _ENTITY}
    sheet = FactSheet(
        {**shared.facts, **own.facts},
        shared.people + own.people,
        shared.submissions + own.submissions,
        shared.turned_on | own.turned_on,
    )
    return Request(_entity(Node(profile, file=node.file, key=node.key), library.facts), sheet)


def read_request(node: Node, library: Library, *, default_rule: str | None = None) -> Request:
    """Read ``entity``, ``facts``, ``people``, ``submissions`` and ``turned_on``.

    ``default_rule`` names the rule of submissions that do not say one (worked cases stand beside their rule).

    Raises:
        LawError: the first thing that is wrong.
    """
    node.mapping(required={"entity"}, optional=set(_SHARED))
    return Request(_entity(node.at("entity"), library.facts), _sheet(node, library, default_rule))


def _sheet(node: Node, library: Library, default_rule: str | None) -> FactSheet:
    people = node.at("people").each(_people) if node.has("people") else ()
    submissions: tuple[Submission, ...] = ()
    if node.has("submissions"):
        submissions = node.at("submissions").each(lambda item: _submission(item, library, default_rule))
    facts = _facts(node.at("facts"), library.facts) if node.has("facts") else {}
    turned_on = node.at("turned_on").each(lambda item: item.one_of(library.rules)) if node.has("turned_on") else ()
    return FactSheet(facts, people, submissions, frozenset(turned_on))


_PROFILE = {"roles": ROLES, "sectors": SECTORS}
_PLACES = ("establishments", "markets")
_ENTITY = {"key", "name", "main_establishment", *_PROFILE, *_PLACES}


def _entity(node: Node, vocabulary: Vocabulary) -> EntityProfile:
    """The entity. A list that is not given is unknown; one that is given is complete."""
    node.mapping(required=set(), optional=_ENTITY)
    lists = {key: _listed(node, key, vocabulary[fact]) for key, fact in _PROFILE.items()}
    lists |= {key: node.at(key).each(_place) if node.has(key) else None for key in _PLACES}
    main = node.maybe("main_establishment")
    name = node.at("name").text() if node.has("name") else ""
    key = node.at("key").text() if node.has("key") else "entity"
    return EntityProfile(key=key, name=name, **lists, main_establishment=_place(main) if main else None)


def _listed(node: Node, key: str, definition: FactDef) -> tuple[str, ...] | None:
    return node.at(key).each(lambda item: item.one_of(definition.choices)) if node.has(key) else None


def _place(node: Node) -> str:
    if not PLACE.fullmatch(node.text()):
        raise node.fail(f"{node.value}: expected a place such as KR or US-CA")
    return node.text()


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
    if definition.type == "profile":
        raise node.fail("expected under entity")
    return _READERS[definition.type](node, definition)


def _instant(node: Node) -> datetime:
    """The instant with the offset it was written with: some laws ask for the date at the place of a decision."""
    try:
        parse_instant(node.text())
        return datetime.fromisoformat(node.text())
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
    node.mapping(required={"residence", "count"}, optional={"categories", "encrypted", "key_taken"})
    return PeopleCount(
        residence=_place(node.at("residence")),
        count=node.at("count").integer() if node.has("count") else None,
        categories=node.at("categories").each(Node.text) if node.has("categories") else (),
        encrypted=node.at("encrypted").boolean() if node.has("encrypted") else None,
        key_taken=node.at("key_taken").boolean() if node.has("key_taken") else None,
    )


def _submission(node: Node, library: Library, default_rule: str | None) -> Submission:
    node.mapping(required={"stage", "at"} | (set() if default_rule else {"rule"}), optional={"occurrence", "rule"})
    rule = node.at("rule").one_of(library.rules) if node.has("rule") else default_rule or ""
    occurrence = node.at("occurrence").text() if node.has("occurrence") else ""
    return Submission(rule, node.at("stage").text(), occurrence, _instant(node.at("at")))


def schema(library: Library) -> dict[str, Any]:
    """The JSON Schema of a facts file, complete enough to write one for any case."""
    shared = {
        "facts": _object({name: _described(item, library) for name, item in library.facts.items() if _typed(item)}),
        "people": {"type": "array", "items": _people_schema(library)},
        "submissions": {"type": "array", "items": _submission_schema(library)},
        "turned_on": {
            "type": "array",
            "items": {"enum": sorted(library.rules)},
            "description": "rules of low confidence that a person decided to follow as hard law",
        },
    }
    entity = _entity_schema(library)
    several = {"type": "array", "minItems": 1, "items": _object({**entity["properties"], **shared})}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Breachclock facts file",
        **_object({"entity": entity, "entities": several, **shared}),
        "oneOf": [{"required": ["entity"]}, {"required": ["entities"]}],
    }


def _typed(definition: FactDef) -> bool:
    return definition.type not in ("people", "profile")


def _described(definition: FactDef, library: Library) -> dict[str, Any]:
    described = {
        **_fact_schema(definition),
        "title": f"{definition.label.en} / {definition.label.ko}",
        "description": f"{definition.question.en} / {definition.question.ko}",
    }
    if definition.unit:
        described["x-unit"] = definition.unit
    rules = library.used_by[definition.name]
    return {**described, "x-rules": list(rules)} if rules else described


def _entity_schema(library: Library) -> dict[str, Any]:
    place = {"type": "string", "pattern": f"^{PLACE.pattern}$", "examples": ["KR", "US-CA", "DE-HE"]}
    lists = {
        key: {"type": "array", "items": _choices_schema(library.facts[fact])} for key, fact in _PROFILE.items()
    } | {key: {"type": "array", "items": place} for key in _PLACES}
    described = {
        "roles": "what the law calls the entity; leave out if not known, [] if none",
        "sectors": "leave out if not known, [] if none",
        "establishments": "places where it is established",
        "markets": "places where people live whose data it holds; leave out if not known",
    }
    for key, text in described.items():
        lists[key]["description"] = text
    return _object({"key": {"type": "string"}, "name": {"type": "string"}, **lists, "main_establishment": place})


def _choices_schema(definition: FactDef) -> dict[str, Any]:
    labels = {key: f"{text.en} / {text.ko}" for key, text in definition.choices.items()}
    return {"enum": list(labels), "x-labels": labels}


def _people_schema(library: Library) -> dict[str, Any]:
    kinds = {"type": "array", "items": {"anyOf": [_choices_schema(library.facts[CATEGORIES]), {"type": "string"}]}}
    return _object(
        {
            "residence": {"type": "string", "pattern": f"^{PLACE.pattern}$", "examples": ["KR", "US-CA"]},
            "count": {"type": ["integer", "null"], "minimum": 0, "description": "null: not known yet"},
            "categories": {**kinds, "description": "kinds of data, best in these words; leave out if not known"},
            "encrypted": {"type": "boolean", "description": "all of these people's data was unreadable"},
            "key_taken": {"type": "boolean", "description": "the key was taken with it"},
        },
        required=["residence", "count"],
    )


def _submission_schema(library: Library) -> dict[str, Any]:
    done = {
        "rule": {"enum": sorted(library.rules)},
        "stage": {"type": "string"},
        "occurrence": {"type": "string"},
        "at": _INSTANT,
    }
    return _object(done, required=["rule", "stage", "at"])


_INSTANT = {
    "type": "string",
    "format": "date-time",
    "description": "ISO 8601 with offset, e.g. 2025-09-15T14:00+09:00",
}


def _object(properties: dict[str, Any], *, required: list[str] | None = None) -> dict[str, Any]:
    described = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**described, "required": required} if required else described


def _fact_schema(definition: FactDef) -> dict[str, Any]:
    flags = {key: {"type": "boolean"} for key in ("arguable", "adopted", "documented")}
    candidate = {"at": _INSTANT, "label": {"type": "string"}, **flags}
    event = {"at": _INSTANT, "label": {"type": "string"}}
    kinds: dict[str, Any] = {
        "bool": {"type": "boolean"},
        "integer": {"type": "integer", "minimum": 0},
        "text": {"type": "string", "minLength": 1},
        "instant": _INSTANT,
        "contested_instant": {
            "anyOf": [_INSTANT, {"type": "array", "minItems": 1, "items": _object(candidate, required=["at"])}]
        },
        "event": {"type": "array", "minItems": 1, "items": _object(event, required=["at"])},
    }
    if definition.type == "choice":
        return _choices_schema(definition)
    if definition.type == "choices":
        return {"type": "array", "items": _choices_schema(definition), "minItems": 1}
    found: dict[str, Any] = kinds[definition.type]
    return dict(found)
