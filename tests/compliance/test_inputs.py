"""A file of facts becomes values, or one line that says what is wrong with it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from compliance.engine import Candidate, EntityProfile, Event, LawError, PeopleCount, Submission
from compliance.engine.inputs import read_request, read_requests, schema
from compliance.engine.strict import Node
from tests.compliance.minilaw import library, rule, version

LAW = library(rule(version(applies_when={"fact": "bad", "is": True})), rule(key="xx.act.other"))
WRITTEN, AT = "2026-03-02T14:00+09:00", datetime(2026, 3, 2, 5, tzinfo=UTC)
LATER, THEN = "2026-03-02T06:00Z", datetime(2026, 3, 2, 6, tzinfo=UTC)


def node(value: Any) -> Node:
    return Node(value, file="f", key="")


def sheet(**given: Any) -> Any:
    return read_request(node({"entity": {}, **given}), LAW).sheet


# --- the entity


def test_an_entity_is_read_as_written() -> None:
    written = {
        "key": "kt",
        "name": "KT",
        "roles": ["bank", "shop"],
        "sectors": ["energy"],
        "establishments": ["KR", "US-CA"],
        "markets": ["DE"],
        "main_establishment": "KR",
    }
    assert read_request(node({"entity": written}), LAW).entity == EntityProfile(
        "kt", "KT", ("bank", "shop"), ("energy",), ("KR", "US-CA"), ("DE",), "KR"
    )


def test_a_list_that_is_left_out_is_unknown_and_an_empty_one_is_complete() -> None:
    assert read_request(node({"entity": {}}), LAW).entity == EntityProfile("entity", "", None, None, None, None, None)
    empty = {"roles": [], "sectors": [], "establishments": [], "markets": []}
    assert read_request(node({"entity": empty}), LAW).entity == EntityProfile("entity", "", (), (), (), (), None)


def test_an_entity_alone_is_a_case_of_which_nothing_is_known() -> None:
    held = sheet()
    assert (held.facts, held.people, held.submissions, held.turned_on) == ({}, (), (), frozenset())


# --- facts


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("bad", False, False),
        ("size", 12, 12),
        ("words", "what was said", "what was said"),
        ("level", "high", "high"),
        ("kinds", ["theft", "loss"], ("theft", "loss")),
        ("ended", WRITTEN, AT),
        ("known", WRITTEN, (Candidate("known[0]", AT),)),
        ("known", [{"at": WRITTEN}, {"at": LATER}], (Candidate("known[0]", AT), Candidate("known[1]", THEN))),
        (
            "known",
            [{"at": WRITTEN, "label": "mail", "arguable": False, "adopted": True, "documented": False}],
            (Candidate("known[0]", AT, "mail", arguable=False, adopted=True, documented=False),),
        ),
        (
            "change",
            [{"at": WRITTEN, "label": "new"}, {"at": LATER}],
            (Event("change[0]", AT, "new"), Event("change[1]", THEN)),
        ),
    ],
)
def test_a_fact_is_read_by_its_type(name: str, written: Any, value: Any) -> None:
    assert sheet(facts={name: written}).facts == {name: value}


def test_people_are_read_as_counted() -> None:
    whole = {"residence": "KR", "count": 3, "categories": ["ssn", "own words"], "encrypted": True, "key_taken": False}
    held = sheet(people=[whole, {"residence": "US-CA", "count": None}])
    assert held.people == (
        PeopleCount("KR", 3, ("ssn", "own words"), encrypted=True, key_taken=False),
        PeopleCount("US-CA", None, (), None, None),
    )


def test_what_was_done_and_turned_on_is_read() -> None:
    done = {"rule": "xx.act.other", "stage": "first", "occurrence": "#2", "at": WRITTEN}
    held = sheet(submissions=[done], turned_on=["xx.act.report"])
    assert held.submissions == (Submission("xx.act.other", "first", "#2", AT),)
    assert held.turned_on == frozenset({"xx.act.report"})


def test_beside_a_rule_its_name_need_not_be_written() -> None:
    given = {"entity": {}, "submissions": [{"stage": "first", "at": WRITTEN}]}
    held = read_request(node(given), LAW, default_rule="xx.act.report").sheet
    assert held.submissions == (Submission("xx.act.report", "first", "", AT),)
    given["submissions"][0]["rule"] = "xx.act.other"
    held = read_request(node(given), LAW, default_rule="xx.act.report").sheet
    assert held.submissions == (Submission("xx.act.other", "first", "", AT),)


# --- several entities


def test_one_entity_is_one_request() -> None:
    (found,) = read_requests(node({"entity": {"key": "a"}, "facts": {"size": 1}}), LAW)
    assert (found.entity.key, found.sheet.facts) == ("a", {"size": 1})


def test_several_entities_share_facts_and_their_own_win() -> None:
    row = {"residence": "KR", "count": 1}
    done = {"rule": "xx.act.report", "stage": "first", "at": WRITTEN}
    own = {"people": [{**row, "count": 2}], "submissions": [{**done, "stage": "own"}], "turned_on": ["xx.act.other"]}
    written = {
        "facts": {"size": 1, "bad": True},
        "people": [row],
        "submissions": [done],
        "turned_on": ["xx.act.report"],
        "entities": [{"key": "a", "facts": {"size": 2}, **own}, {"key": "b", "roles": ["bank"]}],
    }
    first, second = read_requests(node(written), LAW)
    assert (first.entity.key, second.entity.key, second.entity.roles) == ("a", "b", ("bank",))
    assert (first.sheet.facts, second.sheet.facts) == ({"size": 2, "bad": True}, {"size": 1, "bad": True})
    assert [item.count for item in first.sheet.people] == [1, 2]
    assert [item.stage for item in first.sheet.submissions] == ["first", "own"]
    assert first.sheet.turned_on == frozenset({"xx.act.report", "xx.act.other"})
    assert (second.sheet.people, second.sheet.submissions) == (first.sheet.people[:1], first.sheet.submissions[:1])


# --- mistakes

MISTAKES = [
    ({}, "entity: missing"),
    ([], "(top): expected a mapping with entity"),
    ({"entity": {}, "peple": []}, "peple: unknown key; did you mean people?"),
    ({"entity": {"key": ""}}, "entity.key: expected a text, found ''"),
    ({"entity": {"name": 3}}, "entity.name: expected a text, found 3"),
    ({"entity": {"role": []}}, "entity.role: unknown key; did you mean roles?"),
    ({"entity": {"roles": ["king"]}}, "entity.roles[0]: 'king': expected one of bank, shop"),
    ({"entity": {"sectors": ["x"]}}, "entity.sectors[0]: 'x': expected one of energy"),
    ({"entity": {"markets": ["Korea"]}}, "entity.markets[0]: Korea: expected a place such as KR or US-CA"),
    ({"entity": {"main_establishment": "kr"}}, "entity.main_establishment: kr: expected a place such as KR or US-CA"),
    ({"entity": {}, "facts": []}, "facts: expected a mapping"),
    ({"entity": {}, "facts": {"sise": 1}}, "facts.sise: unknown fact; did you mean size?"),
    ({"entity": {}, "facts": {"qqqq": 1}}, "facts.qqqq: unknown fact; expected a fact of the vocabulary (see assess --schema)"),
    ({"entity": {}, "facts": {"people.count": 1}}, "facts.people.count: expected under people, by residence"),
    ({"entity": {}, "facts": {"entity.roles": []}}, "facts.entity.roles: expected under entity"),
    ({"entity": {}, "facts": {"bad": "yes"}}, "facts.bad: 'yes': expected true or false"),
    ({"entity": {}, "facts": {"size": -1}}, "facts.size: -1: expected a whole number of at least 0"),
    ({"entity": {}, "facts": {"level": "mid"}}, "facts.level: 'mid': expected one of high, low"),
    ({"entity": {}, "facts": {"kinds": []}}, "facts.kinds: expected a list of at least 1"),
    ({"entity": {}, "facts": {"kinds": ["fire"]}}, "facts.kinds[0]: 'fire': expected one of loss, theft"),
    ({"entity": {}, "facts": {"ended": "2026-03-02T14:00"}}, "facts.ended: 2026-03-02T14:00: has no time zone. Expected for example 2026-03-02T14:00+09:00"),
    ({"entity": {}, "facts": {"known": []}}, "facts.known: expected a list of at least 1"),
    ({"entity": {}, "facts": {"known": [{"label": "x"}]}}, "facts.known[0].at: missing"),
    ({"entity": {}, "facts": {"known": [{"at": WRITTEN, "sure": True}]}}, "facts.known[0].sure: unknown key; expected one of adopted, arguable, at, documented, label"),
    ({"entity": {}, "facts": {"known": [{"at": WRITTEN, "adopted": True}] * 2}}, "facts.known: expected at most one adopted candidate"),
    ({"entity": {}, "facts": {"change": WRITTEN}}, "facts.change: expected a list of at least 1"),
    ({"entity": {}, "facts": {"change": []}}, "facts.change: expected a list of at least 1"),
    ({"entity": {}, "facts": {"change": [{}]}}, "facts.change[0].at: missing"),
    ({"entity": {}, "facts": {"change": [{"at": "noon"}]}}, "facts.change[0].at: “noon” is not a date and time. Expected for example 2025-09-15T14:00+09:00"),
    ({"entity": {}, "people": [{"residence": "KR"}]}, "people[0].count: missing"),
    ({"entity": {}, "people": [{"count": 1}]}, "people[0].residence: missing"),
    ({"entity": {}, "people": [{"residence": "Seoul", "count": 1}]}, "people[0].residence: Seoul: expected a place such as KR or US-CA"),
    ({"entity": {}, "people": [{"residence": "KR", "count": 1, "encrypted": 1}]}, "people[0].encrypted: 1: expected true or false"),
    ({"entity": {}, "people": [{"residence": "KR", "count": 1, "key_taken": 1}]}, "people[0].key_taken: 1: expected true or false"),
    ({"entity": {}, "people": [{"residence": "KR", "count": 1, "kind": 1}]}, "people[0].kind: unknown key; expected one of categories, count, encrypted, key_taken, residence"),
    ({"entity": {}, "submissions": [{"stage": "first", "at": WRITTEN}]}, "submissions[0].rule: missing"),
    ({"entity": {}, "submissions": [{"rule": "xx", "stage": "first", "at": WRITTEN}]}, "submissions[0].rule: 'xx': expected one of xx.act.other, xx.act.report"),
    ({"entity": {}, "submissions": [{"rule": "xx.act.other", "stage": "first"}]}, "submissions[0].at: missing"),
    ({"entity": {}, "submissions": [{"rule": "xx.act.other", "at": WRITTEN}]}, "submissions[0].stage: missing"),
    ({"entity": {}, "submissions": [{"rule": "xx.act.other", "stage": "a", "at": WRITTEN, "x": 1}]}, "submissions[0].x: unknown key; expected one of at, occurrence, rule, stage"),
    ({"entity": {}, "turned_on": ["xx"]}, "turned_on[0]: 'xx': expected one of xx.act.other, xx.act.report"),
    ({"entities": []}, "entities: expected a list of at least 1"),
    ({"entities": [{}], "entity": {}}, "entity: unknown key; did you mean entities?"),
    ({"entities": [{"rols": []}]}, "entities[0].rols: unknown key; did you mean roles?"),
    ({"entities": [{"roles": ["king"]}]}, "entities[0].roles[0]: 'king': expected one of bank, shop"),
    ({"entities": [{"facts": {"bad": 1}}]}, "entities[0].facts.bad: 1: expected true or false"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "message"), MISTAKES, ids=[message[:60] for _written, message in MISTAKES])
def test_a_mistake_is_one_line_with_its_place(written: Any, message: str) -> None:
    with pytest.raises(LawError) as refused:
        read_requests(node(written), LAW)
    assert str(refused.value) == f"f: {message}"


# --- the schema of such a file

INSTANT = {
    "type": "string",
    "format": "date-time",
    "description": "ISO 8601 with offset, e.g. 2025-09-15T14:00+09:00",
}
FLAG, TEXT = {"type": "boolean"}, {"type": "string"}
PLACE = {"type": "string", "pattern": "^[A-Z]{2}(-[A-Z0-9]{1,3})?$"}


def listed(items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def thing(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties, **more}


def words(*keys: str) -> dict[str, Any]:
    return {"enum": list(keys), "x-labels": {key: f"{key} / {key} (ko)" for key in keys}}


def test_the_schema_takes_one_entity_or_several() -> None:
    found = schema(LAW)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (found["title"], found["type"], found["additionalProperties"]) == ("Breachclock facts file", "object", False)
    assert found["oneOf"] == [{"required": ["entity"]}, {"required": ["entities"]}]
    assert list(found["properties"]) == ["entity", "entities", "facts", "people", "submissions", "turned_on"]
    several = found["properties"]["entities"]
    shared = {key: found["properties"][key] for key in ("facts", "people", "submissions", "turned_on")}
    one = found["properties"]["entity"]["properties"]
    assert several == listed(thing({**one, **shared}), minItems=1)


@pytest.mark.parametrize(
    ("name", "described"),
    [
        ("bad", FLAG),
        ("size", {"type": "integer", "minimum": 0}),
        ("words", {"type": "string", "minLength": 1}),
        ("level", words("low", "high")),
        ("kinds", listed(words("theft", "loss"), minItems=1)),
        ("ended", INSTANT),
        (
            "told",
            {
                "anyOf": [
                    INSTANT,
                    listed(
                        thing(
                            {"at": INSTANT, "label": TEXT, "arguable": FLAG, "adopted": FLAG, "documented": FLAG},
                            required=["at"],
                        ),
                        minItems=1,
                    ),
                ]
            },
        ),
        ("change", listed(thing({"at": INSTANT, "label": TEXT}, required=["at"]), minItems=1)),
    ],
)
def test_the_schema_describes_each_type_of_fact(name: str, described: Any) -> None:
    found = schema(LAW)["properties"]["facts"]["properties"][name]
    own = {"title", "description", "x-unit", "x-rules"}  # of the fact, whatever its type
    assert {key: found[key] for key in found.keys() - own} == {key: described[key] for key in described.keys() - own}


def test_the_schema_tells_question_unit_and_rules_of_a_fact() -> None:
    facts = schema(LAW)["properties"]["facts"]
    assert facts["additionalProperties"] is False
    assert facts["properties"]["bad"] == {
        "type": "boolean",
        "title": "bool / bool (ko)",
        "description": "bool? / bool? (ko)",
        "x-rules": ["xx.act.report"],
    }
    assert facts["properties"]["size"]["x-unit"] == "h"
    assert "x-rules" not in facts["properties"]["size"]
    assert "x-unit" not in facts["properties"]["bad"]
    assert not {"people.count", "people.categories", "entity.roles"} & facts["properties"].keys()


def test_the_schema_describes_the_entity() -> None:
    place = {**PLACE, "examples": ["KR", "US-CA", "DE-HE"]}
    assert schema(LAW)["properties"]["entity"] == thing(
        {
            "key": TEXT,
            "name": TEXT,
            "roles": listed(
                words("bank", "shop"), description="what the law calls the entity; leave out if not known, [] if none"
            ),
            "sectors": listed(words("energy"), description="leave out if not known, [] if none"),
            "establishments": listed(place, description="places where it is established"),
            "markets": listed(
                place, description="places where people live whose data it holds; leave out if not known"
            ),
            "main_establishment": place,
        }
    )


def test_the_schema_describes_people_and_what_was_done() -> None:
    found = schema(LAW)["properties"]
    kinds = {"anyOf": [words("ssn", "medical", "name"), TEXT]}
    assert found["people"] == listed(
        thing(
            {
                "residence": {**PLACE, "examples": ["KR", "US-CA"]},
                "count": {"type": ["integer", "null"], "minimum": 0, "description": "null: not known yet"},
                "categories": listed(kinds, description="kinds of data, best in these words; leave out if not known"),
                "encrypted": {**FLAG, "description": "all of these people's data was unreadable"},
                "key_taken": {**FLAG, "description": "the key was taken with it"},
            },
            required=["residence", "count"],
        )
    )
    rules = {"enum": ["xx.act.other", "xx.act.report"]}
    assert found["submissions"] == listed(
        thing({"rule": rules, "stage": TEXT, "occurrence": TEXT, "at": INSTANT}, required=["rule", "stage", "at"])
    )
    assert found["turned_on"] == listed(
        rules, description="rules of low confidence that a person decided to follow as hard law"
    )
