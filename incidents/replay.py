"""Replays: a dated timeline played through the real services on a simulated clock.

Before each step the clock moves through every timer of the replay that falls due, and each fires at its own instant.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User

from compliance.clock import SimulatedClock, simulated
from compliance.engine import LocalText, TimeError, parse_instant
from compliance.engine.strict import Node, read_yaml
from compliance.errors import Refused
from compliance.models import Entity, Membership, Role
from incidents import services, timers
from incidents.models import Escalation, Evidence, Fact, Incident, Obligation

Reader = Callable[[Node, "Scenario"], Mapping[str, Any]]
Player = Callable[["Stage", "Step"], None]
Progress = Callable[[str], None]


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


@dataclass(frozen=True, slots=True)
class _Action:
    required: frozenset[str]
    optional: frozenset[str]
    play: Player


_actions: dict[str, _Action] = {}


def register_step(name: str, *, required: set[str], optional: set[str] = frozenset(), play: Player) -> None:  # type: ignore[assignment]
    """Let scenarios say ``do: name``. Rooms above register theirs when the application starts."""
    _actions[name] = _Action(frozenset(required), frozenset(optional), play)


# Reading


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
    node.mapping(required={"scenario", "title", "until", "sources", "entities", "people", "incidents", "steps"})
    sources = {key: item.text() for key, item in node.at("sources").entries()}
    incidents = {key: _incident(item) for key, item in node.at("incidents").entries()}
    steps = tuple(_steps(node.at("steps"), sources, incidents))
    until = _instant(node.at("until"))
    if steps and until < steps[-1].at:
        raise node.fail("expected an instant not before the last step", "until")
    return Scenario(
        name=node.at("scenario").text(),
        title=node.at("title").local(),
        until=until,
        sources=sources,
        entities=node.at("entities").each(_entity, least=1),
        people=node.at("people").each(_person, least=1),
        incidents=incidents,
        steps=steps,
    )


def _entity(node: Node) -> Mapping[str, Any]:
    node.mapping(
        required={"key", "name", "roles"}, optional={"name_en", "zone", "sectors", "establishments", "particulars"}
    )
    return dict(node.value)


def _person(node: Node) -> Mapping[str, Any]:
    node.mapping(required={"name", "shown", "roles"}, optional={"language"})
    node.at("roles").each(lambda item: item.one_of(set(Role.values)), least=1)
    return dict(node.value)


def _incident(node: Node) -> Mapping[str, Any]:
    node.mapping(required={"code", "title", "entity"}, optional={"summary"})
    return dict(node.value)


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


def _action(node: Node) -> _Action:
    if "do" not in node.value:
        raise node.fail("missing", "do")
    return _actions[node.at("do").one_of(_actions)]


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
    from compliance.library import get_library

    if node.has("facts"):
        for name, item in node.at("facts").entries():
            if name not in get_library().facts:
                raise item.fail("unknown fact; expected a fact of facts.yaml")
    if node.has("fact") and node.at("fact").value not in get_library().facts:
        raise node.fail(f"{node.value['fact']}: unknown fact; expected a fact of facts.yaml", "fact")


# Playing


@dataclass(slots=True)
class Stage:
    """What a playing scenario has on its hands."""

    scenario: Scenario
    clock: SimulatedClock
    entities: dict[str, Entity] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)
    fired: int = 0

    def incident(self, step: Step) -> Incident:
        """The incident a step is about.

        Raises:
            LawError: nobody reported it yet.
        """
        if step.incident not in self.incidents:
            raise step.node.fail(f"{step.incident} was not reported yet; expected a step do: report before", "incident")
        return self.incidents[step.incident]

    def person(self, step: Step, key: str = "by", default: str = "owner") -> User:
        """The person a step names, or the first with the role ``default``."""
        name = step.arguments.get(key)
        if name is None:
            name = next(person["name"] for person in self.scenario.people if default in person["roles"])
        if name not in self.people:
            raise step.node.fail(f"{name}: expected one of {', '.join(self.people)}", key)
        return self.people[name]


def play(scenario: Scenario, *, progress: Progress = lambda line: None) -> Stage:
    """Play ``scenario`` in the present database.

    Raises:
        LawError: a step that cannot be played, with the reason.
        Refused: one of its incidents exists already.
    """
    taken = Incident.objects.filter(code__in=[item["code"] for item in scenario.incidents.values()])
    if taken.exists():
        raise Refused(
            f"{scenario.name}: incident {taken[0].code} exists already; expected a database without this replay",
            code="replayed_already",
        )
    with simulated(scenario.steps[0].at) as clock:
        stage = Stage(scenario, clock)
        _people_and_entities(stage)
        for step in scenario.steps:
            advance(stage, step.at)
            progress(f"[{step.number}/{len(scenario.steps)}] {step.node.value['at']} {step.incident}: {step.do}")
            _play_step(stage, step)
        advance(stage, scenario.until)
        for incident in stage.incidents.values():
            Incident.objects.filter(pk=incident.pk).update(clock_at=scenario.until)
        progress(
            f"[{len(scenario.steps)}/{len(scenario.steps)}] {stage.fired} timers fired until {scenario.until.isoformat()}"
        )
    return stage


def _play_step(stage: Stage, step: Step) -> None:
    try:
        _actions[step.do].play(stage, step)
    except Refused as refused:
        if "refused" in step.arguments and step.arguments["refused"] == refused.code:
            return
        raise step.node.fail(f"{step.do} was refused: {refused}") from refused
    if "refused" in step.arguments:
        raise step.node.fail(f"expected a refusal ({step.arguments['refused']}), but it was accepted", "refused")


def advance(stage: Stage, until: datetime) -> None:
    """Move the clock to ``until``; every timer of the replay on the way fires at its own instant."""
    clocks = [incident.timer_clock for incident in stage.incidents.values()]
    while True:
        due = [(moment, name) for name in clocks if (moment := timers.next_due(name)) is not None and moment <= until]
        if not due:
            break
        moment, name = min(due)
        stage.clock.move_to(max(moment, stage.clock.at))
        report = timers.fire_due(now=stage.clock.at, clock=name, limit=1)
        if report.failed:
            raise RuntimeError(f"a timer of {name} failed at {stage.clock.at.isoformat()}")
        stage.fired += report.fired
    stage.clock.move_to(max(until, stage.clock.at))


def _people_and_entities(stage: Stage) -> None:
    at = stage.clock.at
    for given in stage.scenario.entities:
        fields = {key: value for key, value in given.items() if key != "key"}
        entity, _made = Entity.objects.get_or_create(key=given["key"], defaults={**fields, "created_at": at})
        stage.entities[given["key"]] = entity
    for given in stage.scenario.people:
        user, _made = User.objects.get_or_create(
            username=given["name"], defaults={"first_name": given["shown"], "email": f"{given['name']}@replay.invalid"}
        )
        stage.people[given["name"]] = user
        for entity in stage.entities.values():
            for role in given["roles"]:
                Membership.objects.get_or_create(
                    user=user, entity=entity, role=role, defaults={"language": given.get("language", "ko")}
                )


# The steps of this room


def _report(stage: Stage, step: Step) -> None:
    given = stage.scenario.incidents[step.incident]
    stage.incidents[step.incident] = services.incident_report(
        title=given["title"],
        summary=given.get("summary", ""),
        entities=[stage.entities[given["entity"]]],
        at=step.at,
        by=stage.person(step),
        kind=Incident.Kind.REPLAY,
        code=given["code"],
        known_at=parse_instant(step.arguments["known_at"]) if "known_at" in step.arguments else step.at,
        known_label=step.arguments.get("known_label", ""),
        source=step.source,
    )


def _facts(stage: Stage, step: Step) -> None:
    facts = [
        {"name": name, "value": value, "documented": step.documented, "source": step.source}
        for name, value in step.arguments["facts"].items()
    ]
    services.facts_record(incident=stage.incident(step), facts=facts, at=step.at, by=stage.person(step))


def _candidate(stage: Stage, step: Step) -> None:
    """A contested instant or an event, with its label."""
    fact = services.fact_record(
        incident=stage.incident(step),
        name=step.arguments["fact"],
        value=step.arguments.get("when", step.node.value["at"]),
        label=step.arguments["label"],
        arguable=step.arguments.get("arguable", True),
        documented=step.documented,
        source=step.source,
        note=str(step.arguments.get("why", "")),
        at=step.at,
        by=stage.person(step),
    )
    if "name" in step.arguments:
        stage.names[step.arguments["name"]] = fact


def _adopt(stage: Stage, step: Step) -> None:
    candidate = stage.names.get(step.arguments["candidate"]) or _by_label(stage, step)
    services.candidate_adopt(
        candidate=candidate, reason=step.arguments["reason"], at=step.at, by=stage.person(step, default="counsel")
    )


def _by_label(stage: Stage, step: Step) -> Fact:
    label = step.arguments["candidate"]
    found = stage.incident(step).facts.filter(kind=Fact.Kind.CANDIDATE, label=label).first()
    if found is None:
        raise step.node.fail(f"{label}: expected the name or label of a candidate", "candidate")
    return found


def _people(stage: Stage, step: Step) -> None:
    incident = stage.incident(step)
    services.people_record(
        incident=incident,
        entity=incident.entities.get(),
        residence=step.arguments.get("residence", "KR"),
        count=step.arguments["count"],
        categories=step.arguments.get("categories", []),
        confirmed_at=step.at,
        source=step.source,
        at=step.at,
        by=stage.person(step),
    )


def _systems(stage: Stage, step: Step) -> None:
    count, first = step.arguments["count"], step.arguments.get("first", 1)
    shared = {
        key: step.arguments[key] for key in ("purpose", "finding", "found_when", "found_by") if key in step.arguments
    }
    rows = [
        {"name": step.arguments["name"] % number, "source": step.source, **shared}
        for number in range(first, first + count)
    ]
    services.systems_add(incident=stage.incident(step), systems=rows, at=step.at, by=stage.person(step))


def _evidence(stage: Stage, step: Step) -> None:
    item = services.evidence_add(
        incident=stage.incident(step),
        title=step.arguments["title"],
        description=step.arguments.get("description", ""),
        expires_at=parse_instant(step.arguments["expires_at"]) if "expires_at" in step.arguments else None,
        source=step.source,
        at=step.at,
        by=stage.person(step),
    )
    stage.names[step.arguments["name"]] = item


def _settle(stage: Stage, step: Step) -> None:
    item: Evidence = stage.names[step.arguments["name"]]
    change = services.evidence_preserve if step.do == "preserve" else services.evidence_lose
    change(evidence=item, note=step.arguments["note"], at=step.at, by=stage.person(step))


def _confirm(stage: Stage, step: Step) -> None:
    services.incident_confirm(incident=stage.incident(step), at=step.at, by=stage.person(step))


def _close(stage: Stage, step: Step) -> None:
    services.incident_close(incident=stage.incident(step), at=step.at, by=stage.person(step))


def _request_dismissal(stage: Stage, step: Step) -> None:
    row = services.dismissal_request(
        incident=stage.incident(step), reason=step.arguments["reason"], at=step.at, by=stage.person(step)
    )
    stage.names[f"dismissal:{step.incident}"] = row


def _decide_dismissal(stage: Stage, step: Step) -> None:
    row = stage.names[f"dismissal:{step.incident}"]
    services.dismissal_decide(
        dismissal=row,
        approve=step.arguments["approve"],
        note=step.arguments.get("note", ""),
        at=step.at,
        by=stage.person(step),
    )


def _late_reason(stage: Stage, step: Step) -> None:
    for row in duties(stage, step):
        if services.is_late(row, at=step.at):
            services.late_reason_record(
                obligation=row, reason=step.arguments["reason"], at=step.at, by=stage.person(step)
            )


def duties(stage: Stage, step: Step) -> list[Obligation]:
    """The open duties a step names by ``rule`` and ``duty`` (the stage).

    Raises:
        LawError: there is none.
    """
    rows = stage.incident(step).obligations.filter(
        rule=step.arguments["rule"], stage=step.arguments["duty"], met_at__isnull=True
    )
    found = list(rows.exclude(state__in=("not_required", "excused")).select_related("entity").order_by("pk"))
    if not found:
        raise step.node.fail(f"no open duty {step.arguments['rule']}/{step.arguments['duty']}", "duty")
    return found


def _acknowledge(stage: Stage, step: Step) -> None:
    """Acknowledge every escalation of the incident that waits for it, as one person would."""
    waiting = Escalation.objects.filter(incident=stage.incident(step), acknowledged_at__isnull=True)
    for escalation in waiting.order_by("at", "pk"):
        services.escalation_acknowledge(escalation=escalation, at=step.at, by=stage.person(step))


BY = {"by", "refused"}
register_step("report", required=set(), optional={"known_at", "known_label", *BY}, play=_report)
register_step("facts", required={"facts"}, optional=BY, play=_facts)
register_step("candidate", required={"fact", "label"}, optional={"when", "arguable", "name", *BY}, play=_candidate)
register_step("adopt", required={"candidate", "reason"}, optional=BY, play=_adopt)
register_step("people", required={"count"}, optional={"residence", "categories", *BY}, play=_people)
register_step(
    "systems",
    required={"count", "name", "found_by"},
    optional={"first", "purpose", "finding", "found_when", *BY},
    play=_systems,
)
register_step("evidence", required={"name", "title"}, optional={"description", "expires_at", *BY}, play=_evidence)
register_step("preserve", required={"name", "note"}, optional=BY, play=_settle)
register_step("lose", required={"name", "note"}, optional=BY, play=_settle)
register_step("confirm", required=set(), optional=BY, play=_confirm)
register_step("close", required=set(), optional=BY, play=_close)
register_step("request_dismissal", required={"reason"}, optional=BY, play=_request_dismissal)
register_step("decide_dismissal", required={"approve"}, optional={"note", *BY}, play=_decide_dismissal)
register_step("late_reason", required={"rule", "duty", "reason"}, optional=BY, play=_late_reason)
register_step("acknowledge", required=set(), optional=BY, play=_acknowledge)


# Results


Section = Callable[[Stage, Path | None], list[dict[str, Any]]]
_sections: dict[str, Section] = {}


def register_section(name: str, section: Section) -> None:
    """Let a room above add a part to the result of a replay."""
    _sections[name] = section


def result(stage: Stage, *, out: Path | None = None) -> dict[str, Any]:
    """What the replay led to: clocks, escalations, and what rooms above add (filings)."""
    incidents = sorted(stage.incidents.values(), key=lambda incident: incident.code)
    return {
        "scenario": stage.scenario.name,
        "until": stage.scenario.until.isoformat(),
        "clocks": [row for incident in incidents for row in _clocks(incident, at=stage.scenario.until)],
        "escalations": [row for incident in incidents for row in _escalations(incident)],
        **{name: section(stage, out) for name, section in _sections.items()},
    }


def _clocks(incident: Incident, *, at: datetime) -> Iterator[dict[str, Any]]:
    for row in incident.obligations.select_related("entity").order_by("starts_at", "pk"):
        shared = {
            "rule": row.rule,
            "stage": row.stage,
            "occurrence": row.occurrence,
            "title": row.duty["title"],
            "incident": incident.code,
            "entity": row.entity.key,
            "standard": row.standard,
            "limit": row.duty["limit"],
            "version": row.version,
            "done_at": _local(row.met_at, row.due_zone),
        }
        alternatives = row.duty["alternatives"] or [
            {
                "key": "",
                "label": "",
                "starts_at": row.duty["starts_at"],
                "due_at": row.duty["due_at"],
                "driving": True,
                "adopted": False,
                "arguable": True,
            }
        ]
        for item in sorted(alternatives, key=lambda item: (not item["driving"], item["starts_at"] or "")):
            yield {**shared, **_candidate_clock(item, row, at=at)}


def _candidate_clock(item: Mapping[str, Any], row: Obligation, *, at: datetime) -> dict[str, Any]:
    due = datetime.fromisoformat(item["due_at"]) if item["due_at"] else None
    end = row.met_at or at
    late = int((end - due).total_seconds() // 60) if due is not None and end > due else 0
    return {
        "awareness_candidate": {key: item[key] for key in ("label", "adopted", "arguable", "driving")},
        "starts_at": item["starts_at"],
        "due_at": item["due_at"],
        "late_by_minutes": late,
        "status": _status(row, due, late),
    }


def _status(row: Obligation, due: datetime | None, late: int) -> str:
    if row.state in ("not_required", "excused"):
        return str(row.state)
    if row.met_at is not None:
        return "met_late" if late else "met"
    if due is None:
        return "never_done" if row.state != "possible" else "possible"
    return ("overdue" if late else "running") if row.state != "possible" else "possible"


def _escalations(incident: Incident) -> Iterator[dict[str, Any]]:
    for item in incident.escalations.select_related("obligation", "evidence").order_by("at", "pk"):
        clock = f"{item.obligation.rule}/{item.obligation.stage}" if item.obligation else f"evidence: {item.evidence}"
        zone = item.obligation.due_zone if item.obligation else "Asia/Seoul"
        yield {
            "at": _local(item.at, zone),
            "incident": incident.code,
            "clock": clock,
            "rung": item.rung,
            "to": item.roles,
            "acknowledged_at": _local(item.acknowledged_at, zone),
        }


def _local(at: datetime | None, zone: str) -> str | None:
    from compliance.engine import in_zone

    return in_zone(at, zone) if at else None
