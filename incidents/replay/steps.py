"""What scenarios may do with incidents: each step calls the service that a person's click would."""

from compliance.engine import parse_instant
from incidents import services
from incidents.models import Escalation, Evidence, Fact, Incident, Obligation
from incidents.replay.player import Stage
from incidents.replay.scenario import Step, register_step


def _report(stage: Stage, step: Step) -> None:
    given = stage.scenario.incidents[step.incident]
    stage.incidents[step.incident] = services.incident_report(
        title=given["title"],
        summary=given.get("summary", ""),
        entities=[stage.entities[key] for key in given["entities"]],
        at=step.at,
        by=stage.person(step),
        kind=Incident.Kind.REPLAY,
        code=given["code"],
        known_at=parse_instant(step.arguments["known_at"]) if "known_at" in step.arguments else step.at,
        known_label=step.arguments.get("known_label", ""),
        source=step.source,
    )


def _facts(stage: Stage, step: Step) -> None:
    entity = stage.entity(step)
    facts = [
        {"name": name, "value": value, "entity": entity, "documented": step.documented, "source": step.source}
        for name, value in step.arguments["facts"].items()
    ]
    services.facts_record(incident=stage.incident(step), facts=facts, at=step.at, by=stage.person(step))


def _candidate(stage: Stage, step: Step) -> None:
    """A contested instant or an event, with its label."""
    fact = services.fact_record(
        incident=stage.incident(step),
        name=step.arguments["fact"],
        value=step.arguments.get("when", step.node.value["at"]),
        entity=stage.entity(step),
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
    rows = stage.incident(step).facts.filter(kind=Fact.Kind.CANDIDATE)
    found = next((row for row in rows if row.label == label), None)
    if found is None:
        raise step.node.fail(f"{label}: expected the name or label of a candidate", "candidate")
    return found


def _people(stage: Stage, step: Step) -> None:
    """Of one place or, as one finding, the same number of each of several."""
    incident, given = stage.incident(step), step.arguments
    residence = given.get("residence", "KR")
    entity = stage.entity(step) or (incident.entities.get() if incident.entities.count() == 1 else None)
    if entity is None:
        raise step.node.fail(f"expected one of {', '.join(stage.entities)}: the incident has several", "entity")
    shared = {
        "count": given["count"],
        "categories": given.get("categories", []),
        "encrypted": given.get("encrypted"),
        "key_taken": given.get("key_taken"),
    }
    services.people_list_record(
        incident=incident,
        entity=entity,
        people=[
            {"residence": place, **shared} for place in (residence if isinstance(residence, list) else [residence])
        ],
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
register_step("facts", required={"facts"}, optional={"entity", *BY}, play=_facts)
register_step(
    "candidate", required={"fact", "label"}, optional={"when", "arguable", "name", "entity", *BY}, play=_candidate
)
register_step("adopt", required={"candidate", "reason"}, optional=BY, play=_adopt)
register_step(
    "people",
    required={"count"},
    optional={"residence", "categories", "encrypted", "key_taken", "entity", *BY},
    play=_people,
)
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
