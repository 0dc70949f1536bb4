"""Reads the form folders, strictly: an unknown key or fact stops the start with file, key and what was expected."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from compliance.engine import LocalText
from compliance.engine.conditions import Condition, compile_condition
from compliance.engine.strict import Node, read_file
from compliance.library import get_library
from reports.forms.formats import FORMATS
from reports.forms.words import LANGUAGES, read_words

FOLDER = Path(__file__).resolve().parent
SHARED = FOLDER / "_shared" / "fields.yaml"
# "choice" holds the key of one option, "choices" several keys, separated by commas.
TYPES = frozenset({"text", "longtext", "instant", "boolean", "choice", "choices", "number", "table"})
NEEDS = frozenset({"required", "if_known", "optional"})
SOURCES = frozenset({"fact", "awareness", "particular", "derived"})
AUDIENCES = frozenset({"regulator", "data_subjects", "csirt", "media", "public", "customers", "other"})
# What a form may take over from the duty that it answers, in place of its own words.
TAKES = frozenset({"title", "addressee", "basis", "contents", "audience", "language", "stages"})
EXPORTS = frozenset({"edpb", "dora"})
# A need that holds in every stage.
EVERY_STAGE = "*"
# What reports.prefill computes, and what an entity's particulars may hold.
DERIVED = frozenset(
    {
        "stage",
        "stage_key",
        "first_receipt",
        "systems",
        "new_facts",
        "people",
        "people_here",
        "people_number",
        "people_places",
        "leak_report",
        "notice_state",
        "late_reason",
        "contact",
        "incident_code",
        "clock_start",
        "times",
        "other_filings",
    }
)
PARTICULARS = frozenset(
    {
        "name",
        "business_number",
        "representative",
        "address",
        "sector",
        "ciso",
        "cpo",
        "lei",
        "commission_file_number",
        "state_of_incorporation",
        "dora_entity_type",
        "parent_name",
        "parent_lei",
        "eea_representative",
        "signatory",
    }
)
# S: statute read; P: press on a real filing; F: second-hand list of the form; K: general knowledge; I: inference.
KNOWN_FROM = frozenset({"S", "P", "F", "K", "I"})


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form: what it is called, what fills it, and in which stage it is needed."""

    key: str
    number: str
    label: LocalText
    type: str
    need: Mapping[str, str]
    source: str | None
    source_name: str
    max_length: int
    known_from: str
    help: LocalText | None
    # From this version of the law on, the field is required wherever it appears.
    required_from: str | None = None
    # Without a value it is left out of the document instead of being printed as not filled in.
    omit_blank: bool = False
    # A "no" here is a denial: it needs its evidence and a second approver (see reports.denials).
    denial: bool = False
    # Number and label where a stage has its own.
    in_stage: Mapping[str, tuple[str | None, LocalText | None]] = field(default_factory=dict)
    # Of a choice: option key to its words.
    options: Mapping[str, LocalText] = field(default_factory=dict)
    # What fills the field, as written in the fact or by prefill, to the value the form wants.
    translate: Mapping[str, str] = field(default_factory=dict)
    # A key of reports.forms.formats.
    format: str | None = None
    sample: LocalText | None = None
    # Another field's key to the values there that make this one required.
    required_when: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def needed(self, stage: str, version: str = "") -> str | None:
        """required, if_known or optional in ``stage`` under the law's ``version``; None when it does not appear there."""
        need = self.need.get(stage, self.need.get(EVERY_STAGE))
        if need is not None and self.required_from is not None and version >= self.required_from:
            return "required"
        return need

    def at(self, stage: str) -> "Field":
        """The field as ``stage`` numbers and names it."""
        number, label = self.in_stage.get(stage, (None, None))
        return replace(self, number=number or self.number, label=label or self.label)


@dataclass(frozen=True, slots=True)
class Section:
    """A titled block of fields."""

    title: LocalText
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Serves:
    """Which duty a form answers, and as which of its own stages."""

    rule: str
    stage: str
    form_stage: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What the record may not say while a stage goes out: "possible" is not written of a confirmed leak."""

    key: str
    stages: frozenset[str]
    when: Condition
    says: LocalText


@dataclass(frozen=True, slots=True)
class Form:
    """A form with all its fields."""

    key: str
    version: str
    language: str
    title: LocalText
    addressee: LocalText
    basis: LocalText
    note: LocalText
    audience: str
    stages: Mapping[str, LocalText]
    channels: Mapping[str, LocalText]
    serves: tuple[Serves, ...]
    sections: tuple[Section, ...]
    contradictions: tuple[Contradiction, ...] = ()
    takes: frozenset[str] = frozenset()
    # The title of the section that the duty's own list of contents fills, and what those contents are filled from.
    contents: LocalText | None = None
    contents_need: str = "if_known"
    # A machine-readable version of it, by its key in reports.exports.
    export: str | None = None
    # Of a letter: the sentences before and after the contents, by stage ("*": every other).
    opening: Mapping[str, LocalText] = field(default_factory=dict)
    closing: Mapping[str, LocalText] = field(default_factory=dict)

    def sections_in(self, stage: str) -> list[Section]:
        """The sections that ``stage`` shows, each with its fields as the stage names them."""
        shown = [
            Section(section.title, tuple(item.at(stage) for item in section.fields if item.needed(stage)))
            for section in self.sections
        ]
        return [section for section in shown if section.fields]

    def fields(self, stage: str) -> list[Field]:
        """The fields that ``stage`` shows, in order."""
        return [item for section in self.sections_in(stage) for item in section.fields]

    def field(self, key: str) -> Field:
        """The field ``key``.

        Raises:
            KeyError: there is none.
        """
        for section in self.sections:
            for item in section.fields:
                if item.key == key:
                    return item
        raise KeyError(key)


@cache
def all_forms() -> Mapping[str, Form]:
    """Every form, by key.

    Raises:
        LawError: a form file is wrong.
    """
    paths = sorted(FOLDER.glob("*/form.yaml"))
    forms = [read_form(read_file(path, root=FOLDER), key=path.parent.name) for path in paths]
    return {form.key: form for form in forms}


def get_form(key: str) -> Form:
    """The form ``key``.

    Raises:
        KeyError: there is none.
    """
    return all_forms()[key]


def serving(rule: str, stage: str) -> list[tuple[Form, str]]:
    """The form folders that name a duty, each with the form's own stage."""
    return [
        (form, item.form_stage)
        for form in all_forms().values()
        for item in form.serves
        if (item.rule, item.stage) == (rule, stage)
    ]


def read_form(node: Node, *, key: str) -> Form:
    """One form.yaml; ``key`` is the name of its folder.

    Raises:
        LawError: the first thing that is wrong.
    """
    required = {
        "form",
        "version",
        "language",
        "title",
        "basis",
        "note",
        "audience",
        "stages",
        "channels",
        "serves",
        "sections",
    }
    node.mapping(
        required=required,
        optional={"addressee", "contradictions", "takes", "contents", "contents_need", "export", "opening", "closing"},
    )
    if node.at("form").text() != key:
        raise node.fail(f"{node.at('form').text()}: expected {key}, the name of its folder", "form")
    _each_key_once(node)
    _each_condition_known(node)
    stages = {key: read_words(item) for key, item in node.at("stages").entries()}
    takes = frozenset(item.one_of(TAKES) for item in node.at("takes").items()) if node.has("takes") else frozenset()
    return Form(
        key=key,
        version=node.at("version").text(),
        language=node.at("language").one_of(LANGUAGES),
        title=read_words(node.at("title")),
        # A record that is kept in the house names none.
        addressee=read_words(node.at("addressee")) if node.has("addressee") else LocalText("", ""),
        basis=read_words(node.at("basis")),
        note=read_words(node.at("note")),
        audience=node.at("audience").one_of(AUDIENCES),
        stages=stages,
        channels={key: item.local() for key, item in node.at("channels").entries()},
        serves=tuple(pair for item in node.at("serves").items() for pair in _serves(item, stages)),
        takes=takes,
        contents=read_words(node.at("contents")) if node.has("contents") else None,
        contents_need=node.at("contents_need").one_of(NEEDS) if node.has("contents_need") else "if_known",
        export=node.at("export").one_of(EXPORTS) if node.has("export") else None,
        opening=_sentences(node, "opening", stages),
        closing=_sentences(node, "closing", stages),
        sections=node.at("sections").each(lambda item: _section(item, stages), least=1),
        contradictions=node.at("contradictions").each(lambda item: _contradiction(item, stages))
        if node.has("contradictions")
        else (),
    )


def _each_key_once(node: Node) -> None:
    seen: set[object] = set()
    for section in node.at("sections").items():
        for item in section.at("fields").items() if section.has("fields") else ():
            key = item.value.get("key", item.value.get("use")) if isinstance(item.value, dict) else None
            if key is not None and key in seen:
                raise item.fail(f"{key}: given twice; expected once", "key")
            seen.add(key)


def _each_condition_known(node: Node) -> None:
    fields = [
        item
        for section in node.at("sections").items()
        for item in (section.at("fields").items() if section.has("fields") else ())
        if isinstance(item.value, dict)
    ]
    keys = {item.value.get("key", item.value.get("use")) for item in fields}
    for item in fields:
        for key, _values in item.at("required_when").entries() if item.has("required_when") else ():
            if key not in keys:
                raise item.at("required_when").fail("expected the key of another field of this form", key)


def _contradiction(node: Node, stages: Mapping[str, LocalText]) -> Contradiction:
    node.mapping(required={"key", "stages", "when", "says"})
    return Contradiction(
        key=node.at("key").text(),
        stages=frozenset(item.one_of(stages) for item in node.at("stages").items(least=1)),
        when=compile_condition(node.at("when"), get_library().facts),
        says=node.at("says").local(),
    )


def _sentences(node: Node, key: str, stages: Mapping[str, LocalText]) -> dict[str, LocalText]:
    if not node.has(key):
        return {}
    return {name: read_words(item) for name, item in _by_stage(node.at(key), {**stages, EVERY_STAGE: None})}


def _serves(node: Node, stages: Mapping[str, LocalText]) -> Iterator[Serves]:
    """One line; a rule with a star stands for every rule of that name which has the stage."""
    node.mapping(required={"rule", "stage", "as"})
    wanted, rules = node.at("rule").text(), get_library().rules
    matching = [rules[key] for key in sorted(rules) if fnmatchcase(key, wanted)] if "*" in wanted else []
    if not matching:
        matching = [rules[node.at("rule").one_of(rules)]]
    known = {rule.key: {stage.key for version in rule.versions for stage in version.stages} for rule in matching}
    stage = node.at("stage").one_of(frozenset().union(*known.values()))
    form_stage = node.at("as").one_of(stages)
    return (Serves(key, stage, form_stage) for key in known if stage in known[key])


def _section(node: Node, stages: Mapping[str, LocalText]) -> Section:
    node.mapping(required={"title", "fields"})
    return Section(read_words(node.at("title")), node.at("fields").each(lambda item: _field(item, stages), least=1))


@cache
def shared_fields() -> Mapping[str, Mapping[str, object]]:
    """Fields that many forms have, as written: a form says ``use`` and adds number and need.

    Raises:
        LawError: the file is wrong.
    """
    return {key: item.value for key, item in read_file(SHARED, root=FOLDER).entries()}


def _completed(node: Node) -> Node:
    """A field with what it takes from the shared ones; its own words come before theirs."""
    if not isinstance(node.value, dict) or "use" not in node.value:
        return node
    base = shared_fields()[node.at("use").one_of(shared_fields())]
    own = {key: value for key, value in node.value.items() if key != "use"}
    return Node({"key": node.value["use"], **base, **own}, file=node.file, key=node.key)


_OPTIONAL = frozenset(
    {"from", "max", "help", "required_from", "omit_blank", "in_stage", "denial", "options", "translate", "format"}
    | {"sample", "required_when"}
)


def _field(given: Node, stages: Mapping[str, LocalText]) -> Field:
    node = _completed(given)
    node.mapping(required={"key", "no", "label", "type", "need", "known_from"}, optional=set(_OPTIONAL))
    need = _need(node, stages)
    source, name = read_source(node.at("from")) if node.has("from") else (None, "")
    help_text = node.maybe("help")
    own = _by_stage(node.at("in_stage"), stages if EVERY_STAGE in need else need) if node.has("in_stage") else []
    return Field(
        key=node.at("key").text(),
        number=node.at("no").text(),
        label=read_words(node.at("label")),
        type=node.at("type").one_of(TYPES),
        need=need,
        source=source,
        source_name=name,
        max_length=node.at("max").integer(least=1) if node.has("max") else 4000,
        known_from=node.at("known_from").one_of(KNOWN_FROM),
        help=help_text.local() if help_text else None,
        required_from=node.at("required_from").day().isoformat() if node.has("required_from") else None,
        omit_blank=node.at("omit_blank").boolean() if node.has("omit_blank") else False,
        denial=node.at("denial").boolean() if node.has("denial") else False,
        in_stage={key: _own_words(item) for key, item in own},
        **_filling(node),
    )


def _need(node: Node, stages: Mapping[str, object]) -> dict[str, str]:
    if isinstance(node.at("need").value, str):
        return {EVERY_STAGE: node.at("need").one_of(NEEDS)}
    need = {key: item.one_of(NEEDS) for key, item in _by_stage(node.at("need"), stages)}
    if not need:
        raise node.fail(f"expected one or more of {', '.join(stages)}", "need")
    return need


def _filling(node: Node) -> dict[str, Any]:
    """What a value must look like and how it gets there."""
    chosen = node.value["type"] in ("choice", "choices")
    if chosen != node.has("options"):
        raise node.fail("expected with a choice, and only there", "options")
    options = {key: read_words(item) for key, item in node.at("options").entries()} if chosen else {}
    translate = {}
    if node.has("translate"):
        translate = {key: item.one_of(options) for key, item in node.at("translate").entries()}
    sample = node.maybe("sample")
    return {
        "options": options,
        "translate": translate,
        "format": node.at("format").one_of(FORMATS) if node.has("format") else None,
        "sample": read_words(sample) if sample else None,
        "required_when": _required_when(node),
    }


def _required_when(node: Node) -> dict[str, frozenset[str]]:
    entries = node.at("required_when").entries() if node.has("required_when") else []
    return {key: frozenset(item.text() for item in values.items(least=1)) for key, values in entries}


def _by_stage(node: Node, stages: Mapping[str, object]) -> list[tuple[str, Node]]:
    entries = node.entries()
    for key, _item in entries:
        if key not in stages:
            raise node.fail(f"unknown stage; expected one of {', '.join(stages)}", key)
    return entries


def _own_words(node: Node) -> tuple[str | None, LocalText | None]:
    node.mapping(required=set(), optional={"no", "label"})
    number, label = node.maybe("no"), node.maybe("label")
    return number.text() if number else None, read_words(label) if label else None


def read_source(node: Node) -> tuple[str, str]:
    """What fills a field: the kind of source and its name.

    Raises:
        LawError: an unknown kind, fact, particular or computation.
    """
    node.mapping(required=set(), optional=set(SOURCES))
    if len(node.value) != 1:
        raise node.fail(f"expected one of {', '.join(sorted(SOURCES))}")
    source = next(iter(node.value))
    name = node.at(source).text()
    if source in ("fact", "awareness") and name not in get_library().facts:
        raise node.fail(f"{name}: expected a fact of facts.yaml", source)
    if source in _NAMES and name not in _NAMES[source]:
        raise node.fail(f"{name}: expected one of {', '.join(sorted(_NAMES[source]))}", source)
    return source, name


_NAMES = {"derived": DERIVED, "particular": PARTICULARS}
