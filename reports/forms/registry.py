"""Reads the form folders, strictly: an unknown key or fact stops the start with file, key and what was expected."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from compliance.engine import LocalText
from compliance.engine.conditions import Condition, compile_condition
from compliance.engine.strict import Node, read_file
from compliance.library import get_library

FOLDER = Path(__file__).resolve().parent
TYPES = frozenset({"text", "longtext", "instant", "boolean", "choice", "number", "table"})
NEEDS = frozenset({"required", "if_known", "optional"})
SOURCES = frozenset({"fact", "awareness", "particular", "derived"})
# What reports.prefill computes, and what an entity's particulars may hold.
DERIVED = frozenset(
    {"stage", "first_receipt", "systems", "new_facts", "people", "leak_report", "notice_state", "late_reason"}
)
PARTICULARS = frozenset({"name", "business_number", "representative", "address", "sector", "ciso", "cpo"})
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

    def needed(self, stage: str, version: str = "") -> str | None:
        """required, if_known or optional in ``stage`` under the law's ``version``; None when it does not appear there."""
        need = self.need.get(stage)
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


def forms_for(rule: str, stage: str) -> list[tuple[Form, str]]:
    """The forms that answer a duty, each with the form's own stage."""
    return [
        (form, item.form_stage)
        for form in all_forms().values()
        for item in form.serves
        if (item.rule, item.stage) == (rule, stage)
    ]


def form_for(rule: str, stage: str) -> tuple[Form, str] | None:
    """The first form that answers a duty, with the form's own stage."""
    return next(iter(forms_for(rule, stage)), None)


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
        "addressee",
        "basis",
        "note",
        "audience",
        "stages",
        "channels",
        "serves",
        "sections",
    }
    node.mapping(required=required, optional={"contradictions"})
    if node.at("form").text() != key:
        raise node.fail(f"{node.at('form').text()}: expected {key}, the name of its folder", "form")
    _each_key_once(node)
    stages = {key: item.local() for key, item in node.at("stages").entries()}
    return Form(
        key=key,
        version=node.at("version").text(),
        language=node.at("language").text(),
        title=node.at("title").local(),
        addressee=node.at("addressee").local(),
        basis=node.at("basis").local(),
        note=node.at("note").local(),
        audience=node.at("audience").one_of({"regulator", "data_subjects"}),
        stages=stages,
        channels={key: item.local() for key, item in node.at("channels").entries()},
        serves=node.at("serves").each(lambda item: _serves(item, stages), least=1),
        sections=node.at("sections").each(lambda item: _section(item, stages), least=1),
        contradictions=node.at("contradictions").each(lambda item: _contradiction(item, stages))
        if node.has("contradictions")
        else (),
    )


def _each_key_once(node: Node) -> None:
    seen: set[object] = set()
    for section in node.at("sections").items():
        for item in section.at("fields").items() if section.has("fields") else ():
            key = item.value.get("key") if isinstance(item.value, dict) else None
            if key is not None and key in seen:
                raise item.fail(f"{key}: given twice; expected once", "key")
            seen.add(key)


def _contradiction(node: Node, stages: Mapping[str, LocalText]) -> Contradiction:
    node.mapping(required={"key", "stages", "when", "says"})
    return Contradiction(
        key=node.at("key").text(),
        stages=frozenset(item.one_of(stages) for item in node.at("stages").items(least=1)),
        when=compile_condition(node.at("when"), get_library().facts),
        says=node.at("says").local(),
    )


def _serves(node: Node, stages: Mapping[str, LocalText]) -> Serves:
    node.mapping(required={"rule", "stage", "as"})
    rule = get_library().rules[node.at("rule").one_of(get_library().rules)]
    known = {stage.key for version in rule.versions for stage in version.stages}
    return Serves(rule.key, node.at("stage").one_of(known), node.at("as").one_of(stages))


def _section(node: Node, stages: Mapping[str, LocalText]) -> Section:
    node.mapping(required={"title", "fields"})
    return Section(node.at("title").local(), node.at("fields").each(lambda item: _field(item, stages), least=1))


def _field(node: Node, stages: Mapping[str, LocalText]) -> Field:
    node.mapping(
        required={"key", "no", "label", "type", "need", "known_from"},
        optional={"from", "max", "help", "required_from", "omit_blank", "in_stage", "denial"},
    )
    need = {key: item.one_of(NEEDS) for key, item in _by_stage(node.at("need"), stages)}
    if not need:
        raise node.fail(f"expected one or more of {', '.join(stages)}", "need")
    source, name = _source(node.at("from")) if node.has("from") else (None, "")
    help_text = node.maybe("help")
    own = _by_stage(node.at("in_stage"), need) if node.has("in_stage") else []
    return Field(
        key=node.at("key").text(),
        number=node.at("no").text(),
        label=node.at("label").local(),
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
    )


def _by_stage(node: Node, stages: Mapping[str, object]) -> list[tuple[str, Node]]:
    entries = node.entries()
    for key, _item in entries:
        if key not in stages:
            raise node.fail(f"unknown stage; expected one of {', '.join(stages)}", key)
    return entries


def _own_words(node: Node) -> tuple[str | None, LocalText | None]:
    node.mapping(required=set(), optional={"no", "label"})
    number, label = node.maybe("no"), node.maybe("label")
    return number.text() if number else None, label.local() if label else None


def _source(node: Node) -> tuple[str, str]:
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
