"""Plays a scenario. Before each step the clock moves through every timer of the replay that falls due, and each fires
at its own instant."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from compliance.clock import SimulatedClock, simulated
from compliance.errors import Refused
from compliance.models import Entity, Membership
from incidents import timers
from incidents.models import Incident
from incidents.replay.scenario import ACTIONS, Scenario, Step

Progress = Callable[[str], None]


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

    def entity(self, step: Step) -> Entity | None:
        """The entity that a step names; None where it speaks of all.

        Raises:
            LawError: there is none of that key.
        """
        key = step.arguments.get("entity")
        if key is not None and key not in self.entities:
            raise step.node.fail(f"{key}: expected one of {', '.join(self.entities)}", "entity")
        return self.entities[key] if key is not None else None

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
        ACTIONS[step.do].play(stage, step)
    except Refused as refused:
        if "refused" in step.arguments and step.arguments["refused"] == refused.code:
            return
        raise step.node.fail(f"{step.do} was refused: {refused}") from refused
    if "refused" in step.arguments:
        raise step.node.fail(f"expected a refusal ({step.arguments['refused']}), but it was accepted", "refused")


def advance(stage: Stage, until: datetime) -> None:
    """Move the clock to ``until``; every timer of the replay on the way fires at its own instant."""
    clocks = [incident.timer_clock for incident in stage.incidents.values()] if stage.scenario.reminders else []
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
