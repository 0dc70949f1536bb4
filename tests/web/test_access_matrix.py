"""Every address and method, for every role, in an own, another company's and a restricted incident: the answer is data.

The addresses come from the URL configuration and from the API's OpenAPI document; the answers from access_matrix.yaml.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.access_world import EVERYBODY, KINDS, World, make_world
from tests.web.test_access import addresses

MATRIX = yaml.safe_load((Path(__file__).parent.parent / "access_matrix.yaml").read_text(encoding="utf-8"))
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
API = "/api/v1/"


@cache
def operations() -> dict[str, set[str]]:
    """Path to methods, of the API's own document."""
    from config.api import api

    paths = json.loads(json.dumps(api.get_openapi_schema(), default=str))["paths"]
    return {path: {name.upper() for name in found if name.upper() in METHODS} for path, found in paths.items()}


@cache
def routes() -> dict[str, set[str]]:
    """Every address with the methods that are tried at it: all of them."""
    pages = {"/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route) for route, _name, _view in addresses()}
    return {key: set(METHODS) for key in sorted(pages | set(operations()))}


def entries() -> Iterator[tuple[str, str]]:
    for path, methods in routes().items():
        for method in METHODS:
            if method in methods:
                yield method, path


def address(path: str) -> str:
    """The address with the names of what stands in for its parameters."""
    names = MATRIX["parameters"] | MATRIX["where"].get(path, {})
    return re.sub(r"\{(\w+)\}", lambda found: _named(names[found[1]]), path)


LITERAL = {"edpb", "preserved", "nothing", "csv", "nowhere"}


def _named(name: str) -> str:
    return name if name in LITERAL else "{" + name + "}"


def expected(method: str, path: str, kind: str) -> set[str]:
    """Who is let in. What is not listed is refused."""
    answer = MATRIX["answers"].get(f"{method} {path}", {})
    given = answer.get("all", []) if "all" in answer else answer.get(kind, [])
    given = [given] if isinstance(given, str) else given
    found: set[str] = set()
    for name in given:
        found |= set(MATRIX["groups"].get(name, [name]))
    return found


# A method that is open to nobody, and no page or operation has, is tried by these at one incident.
FEW = ("nobody", "owner", "counsel", "administrator")


def tried(method: str, path: str) -> Iterator[tuple[str, str]]:
    """Kind of incident and person, for each question to ask."""
    known = method in (operations().get(path, ("GET", "POST")))
    everybody = known or f"{method} {path}" in MATRIX["answers"]
    for kind in KINDS if "{" in path and everybody else KINDS[:1]:
        for who in EVERYBODY if everybody else FEW:
            yield kind, who


@pytest.fixture
def world(db: None, settings: Any, tmp_path: Path) -> World:
    return make_world(settings, tmp_path)


def test_everybody_gets_in_where_the_matrix_says_and_nowhere_else(world: World) -> None:
    wrong = []
    for method, path in entries():
        name = f"{method} {path}"
        body, counts = MATRIX["send"].get(name), name in MATRIX["counts_changes"]
        for kind, who in tried(method, path):
            let_in = world.ask(who, method, address(path), body, kind, counts=counts)
            if let_in != (who in expected(method, path, kind)):
                wrong.append(f"{name} {kind}: {who} is {'let in' if let_in else 'refused'}")
    assert "\n".join(wrong) == ""


def test_the_matrix_names_no_address_that_is_not_there() -> None:
    known = {f"{method} {path}" for method, path in entries()}
    assert set(MATRIX["answers"]) - known == set()
    assert set(MATRIX["send"]) - known == set()
    assert set(MATRIX["where"]) - set(routes()) == set()


def test_every_operation_of_the_api_and_every_page_is_in_the_matrix() -> None:
    wanted = {f"{method} {path}" for path, methods in operations().items() for method in methods}
    wanted |= {f"GET {path}" for path in routes() if path not in operations()}
    assert sorted(wanted - set(MATRIX["answers"]) - set(MATRIX["closed"])) == []
    assert sorted(set(MATRIX["closed"]) - wanted) == []
    assert sorted(set(MATRIX["closed"]) & set(MATRIX["answers"])) == []
