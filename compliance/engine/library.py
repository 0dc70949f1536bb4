"""Law from YAML to values. Strict: a file that is wrong stops the start, with file, key and what was expected."""

import contextlib
import gc
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

from compliance.engine.calendars import Calendar, read_calendar
from compliance.engine.canonical import digest
from compliance.engine.conditions import PLACE, Condition, Vocabulary, both, compile_condition, facts_of
from compliance.engine.counting import COUNTING
from compliance.engine.errors import LawError
from compliance.engine.instants import zone_named
from compliance.engine.reading import CASES, RELEASED, LawFiles, read_files, with_model
from compliance.engine.rules import (
    Clock,
    Exemption,
    GuidanceText,
    LaterStart,
    Limit,
    Office,
    Order,
    Rule,
    Stage,
    Start,
    Version,
)
from compliance.engine.strict import Node, read_file
from compliance.engine.types import VAGUE, Addressee, Citation, FactDef, Standard, Standing

FACT_TYPES = frozenset(
    {"bool", "integer", "text", "choice", "choices", "instant", "contested_instant", "event", "people", "profile"}
)
CHOSEN = frozenset({"choice", "choices"})
COMPUTED = frozenset({"people", "profile"})
AUDIENCES = frozenset({"regulator", "data_subjects", "csirt", "media", "public", "customers", "other"})
CONFIDENCE = frozenset({"high", "medium", "low"})
START_TYPES = frozenset({"instant", "contested_instant", "event"})
BINDING = frozenset({"earliest", "latest", "earliest_unless_begun_after", "shown"})


@dataclass(frozen=True)
class Library:
    """All rules, the vocabulary they speak, and the calendars they count by."""

    rules: Mapping[str, Rule]
    facts: Vocabulary
    calendars: Mapping[str, Calendar]
    released: Mapping[str, str]
    files: LawFiles

    @property
    def digest(self) -> str:
        """Of everything that decides an answer."""
        return self.files.digest

    @cached_property
    def cases(self) -> Mapping[str, tuple[Node, ...]]:
        """The worked cases of each rule, read when they are asked for.

        Raises:
            LawError: unreadable, or fewer than two.
        """
        return {
            rule.key: tuple(read_file(_cases_file(self.files.root, rule.file), root=self.files.root).items(least=2))
            for rule in self.rules.values()
        }

    @cached_property
    def used_by(self) -> Mapping[str, tuple[str, ...]]:
        """The rules that rest on each fact."""
        found: dict[str, list[str]] = {name: [] for name in self.facts}
        for rule in self.rules.values():
            for name in sorted(rule.facts):
                found[name].append(rule.key)
        return {name: tuple(keys) for name, keys in found.items()}

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

    def with_days_off(self, added: Mapping[str, Mapping[date, str]]) -> "Library":
        """The library with further days off, by calendar. A calendar that is not there is left out."""
        calendars = {
            key: calendar.with_days(added[key]) if key in added else calendar
            for key, calendar in self.calendars.items()
        }
        return replace(self, calendars=calendars)


@dataclass(slots=True)
class _Reading:
    """What is needed while one rule is read."""

    vocabulary: Vocabulary
    calendars: Mapping[str, Calendar]
    offices: Mapping[str, Mapping[str, Office]]
    used: set[str] = field(default_factory=set)


def load_library(root: Path, *, cache: Path | None = None) -> Library:
    """Read and check everything below ``root``. ``cache``: see :func:`compliance.engine.reading.read_files`.

    Raises:
        LawError: the first thing that is wrong.
    """
    return library_of(read_files(root, cache=cache))


def library_of(files: LawFiles, *, proved: bool = True) -> Library:
    """The library that ``files`` hold. ``proved``: every rule must have its worked cases beside it on disk.

    Raises:
        LawError: the first thing that is wrong.
    """
    with _without_collecting():
        return _library_of(files, proved=proved)


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """Nothing that a library is made of is garbage: looking for some in the middle takes half of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _library_of(files: LawFiles, *, proved: bool) -> Library:
    vocabulary = _vocabulary(files)
    calendars = {item.key: item for name in files.below("calendars") for item in [read_calendar(files.node(name))]}
    offices = {
        name.rpartition("/")[2].removesuffix(".yaml"): _offices(files.node(name), calendars)
        for name in files.below("tables")
    }
    rules: dict[str, Rule] = {}
    for name in files.rules():
        node = with_model(files.node(name), files)
        rule = _rule(node, _Reading(vocabulary, calendars, offices))
        if rule.key in rules:
            raise node.fail(f"{rule.key}: given already in {rules[rule.key].file}", "rule")
        if proved:
            _cases_file(files.root, name)
        rules[rule.key] = rule
    _check_references(rules, files)
    return Library(rules, vocabulary, calendars, _released(files), files)


def _released(files: LawFiles) -> Mapping[str, str]:
    """The digests of versions that were released: they never change, a new reading is a new revision."""
    if RELEASED not in files.contents:
        return {}
    return {key: node.text() for key, node in files.node(RELEASED).entries()}


def _cases_file(root: Path, name: str) -> Path:
    folder, _, file = name.rpartition("/")
    beside = f"{root}/{folder}/{CASES}/{file}"
    if not os.path.exists(beside):
        raise LawError(name, CASES, f"expected worked cases in {folder}/{CASES}/{file}")
    return Path(beside)


def _vocabulary(files: LawFiles) -> Vocabulary:
    entries = dict(files.node("facts.yaml").entries())
    facts = {name: _fact(name, entry) for name, entry in entries.items()}
    for name, entry in entries.items():
        for number, earlier in enumerate(facts[name].until_known):
            if earlier not in facts or facts[earlier].type not in START_TYPES:
                raise entry.fail(f"{earlier}: expected an instant or event of facts.yaml", f"until_known[{number}]")
    return Vocabulary(facts, _places(files))


def _places(files: LawFiles) -> Mapping[str, frozenset[str]]:
    """The groups of places: EU, EEA and so on."""
    name = "places.yaml"
    if name not in files.contents:
        return {}
    return {key: frozenset(item.each(_place)) for key, item in files.node(name).entries()}


def _place(node: Node) -> str:
    if not PLACE.fullmatch(node.text()):
        raise node.fail(f"{node.value}: expected a place such as KR or US-CA")
    return node.text()


def _fact(name: str, node: Node) -> FactDef:
    node.mapping(
        required={"type", "label", "question", "group"}, optional={"choices", "who", "legal", "unit", "until_known"}
    )
    kind = node.at("type").one_of(FACT_TYPES)
    if kind not in COMPUTED and (kind in CHOSEN) != node.has("choices"):
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
        unit=node.at("unit").text() if node.has("unit") else "",
        until_known=node.at("until_known").each(Node.text) if node.has("until_known") else (),
    )


def _zone(node: Node) -> str:
    try:
        return zone_named(node.text()).key
    except (ZoneInfoNotFoundError, ValueError):
        raise node.fail(f"{node.value}: expected a time zone such as Asia/Seoul") from None


def _offices(node: Node, calendars: Mapping[str, Calendar]) -> Mapping[str, Office]:
    offices = {}
    for item in node.items(least=1):
        item.mapping(required={"place", "name", "zone", "calendar"}, optional={"portal", "checked", "note"})
        checked = item.at("checked").boolean() if item.has("checked") else False
        portal = item.at("portal").text() if item.has("portal") else ""
        place = _place(item.at("place"))
        offices[place] = Office(
            place=place,
            addressee=Addressee(item.at("name").local(), portal, checked),
            zone=_zone(item.at("zone")),
            calendar=item.at("calendar").one_of(calendars),
            note=item.at("note").text() if item.has("note") else "",
        )
    return offices


_RULE_KEYS = {
    "rule", "jurisdiction", "zone", "calendar", "kind", "instrument", "title", "addressees",
    "who", "who_text", "sources", "versions",
}  # fmt: skip


def _rule(node: Node, reading: _Reading) -> Rule:
    node.mapping(required=_RULE_KEYS, optional={"offices"})
    calendar = node.at("calendar").one_of(reading.calendars)
    versions = tuple(_version(item, reading) for item in node.at("versions").items(least=1))
    _check_order(node, versions)
    return Rule(
        key=node.at("rule").text(),
        jurisdiction=node.at("jurisdiction").text(),
        zone=_zone(node.at("zone")),
        calendar=calendar,
        kind=node.at("kind").one_of({"report", "notice"}),
        instrument=node.at("instrument").local(),
        title=node.at("title").local(),
        addressees=node.at("addressees").locals(least=1),
        offices=reading.offices[node.at("offices").one_of(reading.offices)] if node.has("offices") else {},
        who=_condition(node.at("who"), reading),
        who_text=node.at("who_text").local(),
        sources=tuple(item.value for item in node.at("sources").each(_source, least=1)),
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
    """Versions in force follow one another: no overlap, no gap."""
    numbered = [(number, version) for number, version in enumerate(versions) if version.standing == Standing.IN_FORCE]
    for (_, earlier), (number, later) in pairwise(numbered):
        place = f"versions[{number}].from"
        if earlier.start is None or later.start is None:
            continue
        if earlier.until is None or later.start < earlier.until:
            raise node.fail(f"{later.key}: overlaps the version from {earlier.key}", place)
        if later.start > earlier.until:
            raise node.fail(f"{later.key}: leaves a gap after {earlier.until}", place)


_VERSION_KEYS = {
    "revision", "connects_by", "confidence", "carries_out", "citations", "applies_when",
    "stages", "contents", "penalties", "records", "channel",
}  # fmt: skip
_VERSION_OPTIONS = {"from", "until", "doubts", "exemptions", "transition", "standing", "later_starts"}


def _version(node: Node, reading: _Reading) -> Version:
    node.mapping(required=_VERSION_KEYS, optional=_VERSION_OPTIONS)
    applies = _condition(node.at("applies_when"), reading)
    standing = Standing(node.at("standing").one_of(set(Standing)) if node.has("standing") else Standing.IN_FORCE)
    start = node.at("from").day() if node.has("from") else None
    until = node.at("until").day() if node.has("until") else None
    if start is None and standing == Standing.IN_FORCE:
        raise node.fail("missing; a text in force has a first day", "from")
    if until is not None and start is not None and until <= start:
        raise node.fail(f"{until}: expected a date after {start}", "until")
    doubts = node.maybe("doubts")
    transition = node.maybe("transition")
    confidence = node.at("confidence").one_of(CONFIDENCE)
    if confidence == "low" and doubts is None:
        raise node.fail("missing; low confidence has a reason", "doubts")
    stages = _stages(node.at("stages"), applies, reading)
    return Version(
        start=start,
        until=until,
        standing=standing,
        revision=node.at("revision").integer(least=1),
        connects_by=_start(node.at("connects_by"), reading),
        confidence=confidence,
        doubts=doubts.local() if doubts else None,
        carries_out=node.at("carries_out").local(),
        citations=node.at("citations").each(_citation, least=1),
        exemptions=tuple(_exemption(item, stages, reading) for item in node.at("exemptions").items())
        if node.has("exemptions")
        else (),
        stages=stages,
        contents=node.at("contents").locals(),
        penalties=node.at("penalties").local(),
        records=node.at("records").local(),
        channel=node.at("channel").local(),
        transition=transition.local() if transition else None,
        later_starts=node.at("later_starts").each(lambda item: _later_start(item, reading))
        if node.has("later_starts")
        else (),
        digest=digest(node.value),
        source=node.value,
    )


def _later_start(node: Node, reading: _Reading) -> LaterStart:
    node.mapping(required={"who", "from", "text"})
    return LaterStart(_condition(node.at("who"), reading), node.at("from").day(), node.at("text").local())


def _citation(node: Node) -> Citation:
    node.mapping(required={"provision", "url", "checked_on"})
    return Citation(node.at("provision").local(), node.at("url").text(), node.at("checked_on").day())


def _exemption(node: Node, stages: tuple[Stage, ...], reading: _Reading) -> Exemption:
    node.mapping(required={"text", "provision"}, optional={"when", "stages"})
    when = _condition(node.at("when"), reading) if node.has("when") else None
    keys = [stage.key for stage in stages]
    named = frozenset(item.one_of(keys) for item in node.at("stages").items(least=1)) if node.has("stages") else None
    return Exemption(node.at("text").local(), node.at("provision").text(), when, named or frozenset())


def _stages(node: Node, applies: Condition, reading: _Reading) -> tuple[Stage, ...]:
    stages = tuple(_stage(item, applies, reading) for item in node.items(least=1))
    keys = [stage.key for stage in stages]
    for number, stage in enumerate(stages):
        if keys.count(stage.key) > 1:
            raise node.fail(f"[{number}]: {stage.key} is given twice")
        for word, named in (("after", stage.after), ("recurs_until", stage.recurs_until)):
            if named is not None and named not in keys:
                raise node.fail(f"[{number}]: {word}: {named}: expected one of {', '.join(keys)}")
    return stages


_STAGE_OPTIONS = {
    "applies_when", "also_when", "per_event", "after", "recurs_until", "order", "note", "addressees", "contents",
    "citations", "confidence",
}  # fmt: skip


def _stage(node: Node, applies: Condition, reading: _Reading) -> Stage:
    node.mapping(required={"key", "title", "audience", "clock"}, optional=_STAGE_OPTIONS)
    if node.has("after") and not node.has("per_event"):
        raise node.fail("expected per_event beside after", "after")
    note = node.maybe("note")
    return Stage(
        key=node.at("key").text(),
        title=node.at("title").local(),
        audience=node.at("audience").one_of(AUDIENCES),
        applies=_applies(node, applies, reading),
        clock=_clock(node.at("clock"), reading),
        per_event=_start_fact(node.at("per_event"), reading) if node.has("per_event") else None,
        after=node.at("after").text() if node.has("after") else None,
        recurs_until=node.at("recurs_until").text() if node.has("recurs_until") else None,
        orders=node.at("order").each(_order) if node.has("order") else (),
        note=note.local() if note else None,
        addressees=node.at("addressees").locals(least=1) if node.has("addressees") else (),
        contents=node.at("contents").locals() if node.has("contents") else None,
        citations=node.at("citations").each(_citation, least=1) if node.has("citations") else (),
        confidence=node.at("confidence").one_of(CONFIDENCE) if node.has("confidence") else None,
    )


def _applies(node: Node, applies: Condition, reading: _Reading) -> Condition:
    """A stage's own ``applies_when`` stands in place of the version's; ``also_when`` stands beside it."""
    if node.has("applies_when") and node.has("also_when"):
        raise node.fail(
            "expected either applies_when (in place of the version's) or also_when (beside it)", "also_when"
        )
    if node.has("applies_when"):
        return _condition(node.at("applies_when"), reading)
    if node.has("also_when"):
        return both(applies, _condition(node.at("also_when"), reading))
    return applies


def _order(node: Node) -> Order:
    kinds = {"after", "with", "before"}
    node.mapping(required={"text"}, optional={*kinds, "rule"})
    named = [kind for kind in kinds if node.has(kind)]
    if len(named) != 1:
        raise node.fail("expected one of after, with, before")
    rule = node.at("rule").text() if node.has("rule") else ""
    return Order(named[0], node.at(named[0]).text(), rule, node.at("text").local())


_CLOCK_OPTIONS = {"within", "counting", "standard", "second", "binding", "guidance", "opens", "set_by"}


def _clock(node: Node, reading: _Reading) -> Clock:
    node.mapping(required={"from"}, optional=_CLOCK_OPTIONS)
    start = _start(node.at("from"), reading)
    if node.has("within") != node.has("counting"):
        raise node.fail("expected within and counting together")
    if not node.has("within") and not node.has("standard"):
        raise node.fail("expected standard, or within and counting")
    word = Standard(node.at("standard").one_of(VAGUE)) if node.has("standard") else None
    if node.has("binding") != node.has("second"):
        raise node.fail("expected second and binding together")
    limit = _limit(node, reading) if node.has("within") else None
    set_by = _start_fact(node.at("set_by"), reading) if node.has("set_by") else None
    if set_by is not None and word != Standard.AS_SET:
        raise node.fail("expected standard: as_set beside it", "set_by")
    return Clock(
        start=start,
        standard=Standard(COUNTING[limit.counting][0]) if limit else word or Standard.AS_SET,
        n=limit.n if limit else None,
        counting=limit.counting if limit else None,
        ceiling_of=word if limit else None,
        second=_limit(node.at("second").mapping(required={"from", "within", "counting"}), reading)
        if node.has("second")
        else None,
        binding=node.at("binding").one_of(BINDING) if node.has("binding") else "earliest",
        guidance=_guidance(node.at("guidance"), reading) if node.has("guidance") else None,
        opens=_limit(node.at("opens").mapping(required={"from", "within", "counting"}), reading)
        if node.has("opens")
        else None,
        set_by=set_by,
    )


def _limit(node: Node, reading: _Reading) -> Limit:
    counting = node.at("counting").one_of(COUNTING)
    return Limit(_start(node.at("from"), reading), node.at("within").integer(least=1), counting)


def _guidance(node: Node, reading: _Reading) -> GuidanceText:
    node.mapping(required={"text"}, optional={"from", "within", "counting"})
    limit = _limit(node.mapping(required={"text", "from", "within", "counting"}), reading) if node.has("from") else None
    return GuidanceText(node.at("text").local(), limit)


def _start(node: Node, reading: _Reading) -> Start:
    """What starts a clock: a fact, the submission or the end of another stage, the earliest or latest of several."""
    if isinstance(node.value, str):
        return Start("fact", _start_fact(node, reading))
    kinds = {"submitted", "due", "earliest", "latest"}
    node.mapping(required=set(), optional={*kinds, "rule", "which"})
    kind = next((kind for kind in kinds if node.has(kind)), None)
    if kind is None:
        raise node.fail(f"expected a fact, or one of {', '.join(sorted(kinds))}")
    if kind in ("earliest", "latest"):
        return Start(kind, parts=node.at(kind).each(lambda item: _start(item, reading), least=2))
    first = node.at("which").one_of({"first", "latest"}) == "first" if node.has("which") else True
    return Start(kind, node.at(kind).text(), node.at("rule").text() if node.has("rule") else "", first=first)


def _start_fact(node: Node, reading: _Reading) -> str:
    name = node.text()
    definition = reading.vocabulary.get(name)
    if definition is None or definition.type not in START_TYPES:
        raise node.fail(f"{name}: expected a fact of facts.yaml that is an instant or event")
    reading.used.add(name)
    return name


def _condition(node: Node, reading: _Reading) -> Condition:
    if node.value != "always":
        reading.used |= facts_of(node)
    return compile_condition(node, reading.vocabulary)


def _check_references(rules: Mapping[str, Rule], files: LawFiles) -> None:
    """Stages that other stages name (starts, orders) must be there."""
    for rule in rules.values():
        for number, version in enumerate(rule.versions):
            for stage in version.stages:
                for named, key in _named(stage, rule):
                    held = rules.get(named)
                    if held is None or not any(item.stage(key) for item in held.versions):
                        place = f"versions[{number}].stages.{stage.key}"
                        raise files.node(rule.file).fail(f"{named}/{key}: expected a stage of the library", place)


def _named(stage: Stage, rule: Rule) -> list[tuple[str, str]]:
    named = [(item.rule or rule.key, item.stage) for item in stage.orders]
    named += [
        (start.rule or rule.key, start.name) for start in stage.clock.starts() if start.kind in ("submitted", "due")
    ]
    return named
