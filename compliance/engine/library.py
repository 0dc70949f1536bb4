"""Law from YAML to values. Strict: a file that is wrong stops the start, with file, key and what was expected."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from compliance.engine.calendars import Calendar, read_calendar
from compliance.engine.canonical import digest
from compliance.engine.conditions import Condition, always, compile_condition, facts_of
from compliance.engine.counting import COUNTING
from compliance.engine.rules import Clock, Exemption, Rule, Stage, Version
from compliance.engine.strict import Node, plain, read_file
from compliance.engine.types import VAGUE, Citation, FactDef, Standard

FACT_TYPES = frozenset(
    {"bool", "integer", "text", "choice", "choices", "instant", "contested_instant", "event", "people"}
)
AUDIENCES = frozenset({"regulator", "data_subjects", "csirt", "media", "public", "customers", "other"})
CONFIDENCE = frozenset({"high", "medium", "low"})
START_TYPES = frozenset({"instant", "contested_instant", "event"})
CASES = "cases"


@dataclass(frozen=True, slots=True)
class Library:
    """All rules, the vocabulary they speak, and the calendars they count by."""

    rules: Mapping[str, Rule]
    facts: Mapping[str, FactDef]
    calendars: Mapping[str, Calendar]
    cases: Mapping[str, tuple[Node, ...]]
    released: Mapping[str, str]
    digest: str

    def rule(self, key: str) -> Rule:
        """The rule ``key``.

        Raises:
            KeyError: there is none.
        """
        return self.rules[key]

    def version(self, rule: str, version: str) -> Version:
        """The version of ``rule`` that starts on ``version``.

        Raises:
            KeyError: there is none.
        """
        return self.rules[rule].version(version)


@dataclass(slots=True)
class _Reading:
    """What is needed while rules are read."""

    vocabulary: Mapping[str, FactDef]
    calendars: Mapping[str, Calendar]
    used: set[str] = field(default_factory=set)


def load_library(root: Path) -> Library:
    """Read and check everything below ``root``.

    Raises:
        LawError: the first thing that is wrong.
    """
    vocabulary = _vocabulary(read_file(root / "facts.yaml", root=root))
    calendars = {
        calendar.key: calendar
        for path in sorted((root / "calendars").glob("*.yaml"))
        for calendar in [read_calendar(read_file(path, root=root))]
    }
    rules: dict[str, Rule] = {}
    cases: dict[str, tuple[Node, ...]] = {}
    for path in sorted(root.glob("*/*/*.yaml")):
        node = read_file(path, root=root)
        rule = _rule(node, _Reading(vocabulary, calendars))
        if rule.key in rules:
            raise node.fail(f"{rule.key}: given already in {rules[rule.key].file}", "rule")
        rules[rule.key] = rule
        cases[rule.key] = _cases(path, root=root)
    released = _released(root)
    return Library(rules, vocabulary, calendars, cases, released, _digest(rules, vocabulary))


def _digest(rules: Mapping[str, Rule], vocabulary: Mapping[str, FactDef]) -> str:
    versions = {f"{rule.key}@{version.key}": version.digest for rule in rules.values() for version in rule.versions}
    return digest({"versions": versions, "facts": {name: item.type for name, item in vocabulary.items()}})


def _released(root: Path) -> Mapping[str, str]:
    """The digests of versions that were released: they never change, a new reading is a new revision."""
    path = root / "released.yaml"
    return {key: node.text() for key, node in read_file(path, root=root).entries()} if path.exists() else {}


def _cases(path: Path, *, root: Path) -> tuple[Node, ...]:
    beside = path.parent / CASES / path.name
    if not beside.exists():
        raise Node(None, file=str(path.relative_to(root)), key="").fail(
            f"expected worked cases in {beside.relative_to(root)}", CASES
        )
    return tuple(read_file(beside, root=root).items(least=2))


def _vocabulary(node: Node) -> dict[str, FactDef]:
    return {name: _fact(name, entry) for name, entry in node.entries()}


def _fact(name: str, node: Node) -> FactDef:
    node.mapping(required={"type", "label", "question", "group"}, optional={"choices", "who", "legal"})
    kind = node.at("type").one_of(FACT_TYPES)
    if (kind in ("choice", "choices")) != node.has("choices"):
        raise node.fail("expected choices with the types choice and choices, and with no other", "choices")
    return FactDef(
        name=name,
        type=kind,
        label=node.at("label").local(),
        question=node.at("question").local(),
        group=node.at("group").text(),
        choices={key: item.local() for key, item in node.at("choices").entries()} if node.has("choices") else {},
        who=node.at("who").each(Node.text) if node.has("who") else (),
        legal=node.at("legal").boolean() if node.has("legal") else True,
    )


_RULE_KEYS = {
    "rule", "jurisdiction", "zone", "calendar", "kind", "instrument", "title", "addressees",
    "who", "who_text", "sources", "versions",
}  # fmt: skip


def _rule(node: Node, reading: _Reading) -> Rule:
    node.mapping(required=_RULE_KEYS)
    calendar = node.at("calendar").one_of(reading.calendars)
    versions = tuple(_version(item, reading) for item in node.at("versions").items(least=1))
    _check_order(node, versions)
    return Rule(
        key=node.at("rule").text(),
        jurisdiction=node.at("jurisdiction").text(),
        zone=node.at("zone").text(),
        calendar=calendar,
        kind=node.at("kind").one_of({"report", "notice"}),
        instrument=node.at("instrument").local(),
        title=node.at("title").local(),
        addressees=node.at("addressees").locals(least=1),
        who=_condition(node.at("who"), reading),
        who_text=node.at("who_text").local(),
        sources=tuple(plain(item.value) for item in node.at("sources").each(_source, least=1)),
        versions=versions,
        facts=frozenset(reading.used),
        file=node.file,
    )


def _source(node: Node) -> Node:
    node.mapping(required={"url", "says", "checked"})
    node.at("url").text()
    node.at("says").text()
    node.at("checked").boolean()
    return node


def _check_order(node: Node, versions: tuple[Version, ...]) -> None:
    """Versions follow one another: no overlap, no gap."""
    for number, (earlier, later) in enumerate(pairwise(versions)):
        place = f"versions[{number + 1}].from"
        if earlier.until is None or later.start < earlier.until:
            raise node.fail(f"{later.key}: overlaps the version from {earlier.key}", place)
        if later.start > earlier.until:
            raise node.fail(f"{later.key}: leaves a gap after {earlier.until}", place)


_VERSION_KEYS = {
    "from", "revision", "connects_by", "confidence", "carries_out", "citations", "applies_when",
    "stages", "contents", "penalties", "records", "channel",
}  # fmt: skip


def _version(node: Node, reading: _Reading) -> Version:
    node.mapping(required=_VERSION_KEYS, optional={"until", "doubts", "exemptions", "transition"})
    applies = _condition(node.at("applies_when"), reading)
    until = node.at("until").day() if node.has("until") else None
    start = node.at("from").day()
    if until is not None and until <= start:
        raise node.fail(f"{until}: expected a date after {start}", "until")
    source = plain(node.value)
    doubts = node.maybe("doubts")
    transition = node.maybe("transition")
    return Version(
        start=start,
        until=until,
        revision=node.at("revision").integer(least=1),
        connects_by=_start_fact(node.at("connects_by"), reading),
        confidence=node.at("confidence").one_of(CONFIDENCE),
        doubts=doubts.local() if doubts else None,
        carries_out=node.at("carries_out").local(),
        citations=node.at("citations").each(_citation, least=1),
        exemptions=tuple(_exemption(item, reading) for item in node.at("exemptions").items())
        if node.has("exemptions")
        else (),
        stages=_stages(node.at("stages"), applies, reading),
        contents=node.at("contents").locals(),
        penalties=node.at("penalties").local(),
        records=node.at("records").local(),
        channel=node.at("channel").local(),
        transition=transition.local() if transition else None,
        digest=digest(source),
        source=source,
    )


def _citation(node: Node) -> Citation:
    node.mapping(required={"provision", "url", "checked_on"})
    return Citation(node.at("provision").local(), node.at("url").text(), node.at("checked_on").day())


def _exemption(node: Node, reading: _Reading) -> Exemption:
    node.mapping(required={"text", "provision"}, optional={"when"})
    when = _condition(node.at("when"), reading) if node.has("when") else None
    return Exemption(node.at("text").local(), node.at("provision").text(), when)


def _stages(node: Node, applies: Condition, reading: _Reading) -> tuple[Stage, ...]:
    stages = tuple(_stage(item, applies, reading) for item in node.items(least=1))
    keys = [stage.key for stage in stages]
    for number, stage in enumerate(stages):
        if keys.count(stage.key) > 1:
            raise node.fail(f"[{number}]: {stage.key} is given twice")
        if stage.after is not None and stage.after not in keys:
            raise node.fail(f"[{number}]: after: {stage.after}: expected one of {', '.join(keys)}")
    return stages


def _stage(node: Node, applies: Condition, reading: _Reading) -> Stage:
    node.mapping(required={"key", "title", "audience", "clock"}, optional={"applies_when", "per_event", "after"})
    if node.has("per_event") != node.has("after"):
        raise node.fail("per_event and after belong together", "per_event")
    return Stage(
        key=node.at("key").text(),
        title=node.at("title").local(),
        audience=node.at("audience").one_of(AUDIENCES),
        # A stage's own condition stands in place of the version's.
        applies=_condition(node.at("applies_when"), reading) if node.has("applies_when") else applies,
        clock=_clock(node.at("clock"), reading),
        per_event=_start_fact(node.at("per_event"), reading) if node.has("per_event") else None,
        after=node.at("after").text() if node.has("after") else None,
    )


def _clock(node: Node, reading: _Reading) -> Clock:
    node.mapping(required={"from"}, optional={"within", "counting", "standard"})
    start = _start_fact(node.at("from"), reading)
    if node.has("standard"):
        if node.has("within"):
            raise node.fail("expected either standard (words) or within (a number), not both")
        return Clock(start, Standard(node.at("standard").one_of(VAGUE)))
    if not (node.has("within") and node.has("counting")):
        raise node.fail("expected standard, or within and counting")
    counting = node.at("counting").one_of(COUNTING)
    return Clock(start, Standard(COUNTING[counting][0]), node.at("within").integer(least=1), counting)


def _start_fact(node: Node, reading: _Reading) -> str:
    name = node.text()
    definition = reading.vocabulary.get(name)
    if definition is None or definition.type not in START_TYPES:
        raise node.fail(f"{name}: expected a fact of facts.yaml that is an instant or event")
    reading.used.add(name)
    return name


def _condition(node: Node, reading: _Reading) -> Condition:
    if node.value == "always":
        return always
    reading.used |= facts_of(node)
    return compile_condition(node, reading.vocabulary)
