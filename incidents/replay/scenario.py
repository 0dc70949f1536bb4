"""A scenario: a dated timeline read strictly from YAML, and the registry of what its steps may do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.engine import LocalText, TimeError, parse_instant
from compliance.engine.strict import Node, read_yaml
from compliance.library import get_library
from compliance.models import Role

if TYPE_CHECKING:
    from incidents.replay.player import Stage

Player = Callable[["Stage", "Step"], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One dated step with its source."""

    number: int
    at: datetime
    do: str
    incident: str
    arguments: Mapping[str, Any]
    documented: bool
    source: str
    node: Node


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole timeline."""

    name: str
    title: LocalText
    until: datetime
    sources: Mapping[str, str]
    entities: tuple[Mapping[str, Any], ...]
    people: tuple[Mapping[str, Any], ...]
    incidents: Mapping[str, Mapping[str, Any]]
    steps: tuple[Step, ...]
    # What a filing says where the record holds nothing, by type of field and language: made up, and said to be.
    stand_ins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # False: nobody is reminded on the way. For a scenario that is about its filings.
    reminders: bool = True


@dataclass(frozen=True, slots=True)
class Action:
    """What a kind of step takes, and who plays it."""

    required: frozenset[str]
    optional: frozenset[str]
    play: Player


ACTIONS: dict[str, Action] = {}


def register_step(name: str, *, required: set[str], optional: set[str] = frozenset(), play: Player) -> None:  # type: ignore[assignment]
    """Let scenarios say ``do: name``. Rooms above register theirs when the application starts."""
    ACTIONS[name] = Action(frozenset(required), frozenset(optional), play)


def load(path: Path) -> Scenario:
    """Read a scenario strictly.

    Raises:
        LawError: unknown key, fact or step, a step out of order, a naive time, a missing source.
    """
    file = path.name
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Node(None, file=str(path), key="").fail(f"expected a readable UTF-8 file ({error})") from None
    node = Node(read_yaml(text, file=file), file=file, key="")
    node.mapping(
        required={"scenario", "title", "until", "sources", "entities", "people", "incidents", "steps"},
        optional={"stand_ins", "reminders"},
    )
    sources = {key: item.text() for key, item in node.at("sources").entries()}
    entities = node.at("entities").each(_entity, least=1)
    known = [entity["key"] for entity in entities]
    incidents = {key: _incident(item, known) for key, item in node.at("incidents").entries()}
    steps = tuple(_steps(node.at("steps"), sources, incidents))
    until = _instant(node.at("until"))
    if steps and until < steps[-1].at:
        raise node.fail("expected an instant not before the last step", "until")
    return Scenario(
        name=node.at("scenario").text(),
        title=node.at("title").local(),
        until=until,
        sources=sources,
        entities=entities,
        people=node.at("people").each(_person, least=1),
        incidents=incidents,
        steps=steps,
        stand_ins={kind: _by_language(item) for kind, item in node.at("stand_ins").entries()}
        if node.has("stand_ins")
        else {},
        reminders=node.at("reminders").boolean() if node.has("reminders") else True,
    )


def _by_language(node: Node) -> dict[str, str]:
    return {language: item.text() for language, item in node.entries()}


def _entity(node: Node) -> Mapping[str, Any]:
    """An entity's fields. Where no markets are named, it holds data of people where it is established, and nowhere else."""
    node.mapping(
        required={"key", "name", "roles"},
        optional={
            "name_en", "zone", "sectors", "establishments", "main_establishment", "markets", "particulars",
        },
    )  # fmt: skip
    return {"markets": node.value.get("establishments", []), **node.value}


def _person(node: Node) -> Mapping[str, Any]:
    node.mapping(required={"name", "shown", "roles"}, optional={"language"})
    node.at("roles").each(lambda item: item.one_of(set(Role.values)), least=1)
    return dict(node.value)


def _incident(node: Node, known: Sequence[str]) -> Mapping[str, Any]:
    """What an incident begins with; it concerns one ``entity`` or several ``entities``."""
    node.mapping(required={"code", "title"}, optional={"summary", "entity", "entities"})
    if node.has("entity") == node.has("entities"):
        raise node.fail("expected either entity or entities", "entities")
    several = node.at("entities").items(least=1) if node.has("entities") else [node.at("entity")]
    return {**node.value, "entities": [item.one_of(known) for item in several]}


def _instant(node: Node) -> datetime:
    try:
        return parse_instant(node.text())
    except TimeError as error:
        raise node.fail(error.en) from None


_STEP_KEYS = {"at", "do", "incident", "documented", "source"}


def _steps(node: Node, sources: Mapping[str, str], incidents: Mapping[str, Any]) -> Iterator[Step]:
    before: datetime | None = None
    for number, item in enumerate(node.items(least=1), start=1):
        if not isinstance(item.value, dict):
            raise item.fail("expected a mapping with at, do, incident, documented, source")
        action = _action(item)
        item.mapping(required=_STEP_KEYS | action.required, optional={*action.optional, "why"})
        step = _step(number, item, sources, incidents)
        if before is not None and step.at < before:
            raise item.fail(f"{item.value['at']} is before the step above; expected steps in order of time", "at")
        before = step.at
        yield step


def _action(node: Node) -> Action:
    if "do" not in node.value:
        raise node.fail("missing", "do")
    return ACTIONS[node.at("do").one_of(ACTIONS)]


def _step(number: int, node: Node, sources: Mapping[str, str], incidents: Mapping[str, Any]) -> Step:
    documented = node.at("documented").boolean()
    if not documented and not node.has("why"):
        raise node.fail("an assumed step says why it is assumed", "why")
    source = node.at("source").text()
    for name in (part.strip() for part in source.split(",")):
        if name not in sources:
            raise node.fail(f"{name}: expected one of {', '.join(sources)}", "source")
    arguments = {key: value for key, value in node.value.items() if key not in _STEP_KEYS}
    step = Step(
        number=number,
        at=_instant(node.at("at")),
        do=str(node.value["do"]),
        incident=node.at("incident").one_of(incidents),
        arguments=arguments,
        documented=documented,
        source=source,
        node=node,
    )
    _check_facts(node)
    return step


def _check_facts(node: Node) -> None:
    if node.has("facts"):
        for name, item in node.at("facts").entries():
            if name not in get_library().facts:
                raise item.fail("unknown fact; expected a fact of facts.yaml")
    if node.has("fact") and node.at("fact").value not in get_library().facts:
        raise node.fail(f"{node.value['fact']}: unknown fact; expected a fact of facts.yaml", "fact")
