"""The law: the library, one rule, a period counted, what the law asks of an incident, and what newer law would change."""

from typing import Any

from django.http import Http404, HttpRequest
from ninja import Query, Router

from compliance import clock
from compliance.engine import Duty, Rule, in_zone
from compliance.engine.assess import together
from compliance.engine.rules import Version
from compliance.errors import BadInput
from compliance.library import get_library
from incidents import services
from incidents.api import schemas as s
from incidents.api.callers import DECIDE, READ, caller, find
from incidents.api.incidents import entity_of, incident_json
from incidents.api.paging import Page
from incidents.api.problems import ERRORS
from incidents.api.reading import Code, Key, said
from incidents.law_search import fits
from incidents.services import calculator

router = Router(tags=["law"])


def rule_json(rule: Rule) -> dict[str, Any]:
    """A rule of the library."""
    return {
        "key": rule.key,
        "jurisdiction": rule.jurisdiction,
        "kind": rule.kind,
        "title": said(rule.title),
        "instrument": said(rule.instrument),
        "addressees": [said(name) for name in rule.addressees],
        "who": said(rule.who_text),
        "versions": [version.key for version in rule.versions],
    }


def version_json(version: Version) -> dict[str, Any]:
    """One version with its stages."""
    return {
        "key": version.key,
        "start": version.start.isoformat() if version.start else None,
        "until": version.until.isoformat() if version.until else None,
        "standing": version.standing.value,
        "revision": version.revision,
        "digest": version.digest,
        "confidence": version.confidence,
        "doubts": said(version.doubts) if version.doubts else None,
        "carries_out": said(version.carries_out),
        "citations": [item.to_json() for item in version.citations],
        "stages": [
            {
                "key": stage.key,
                "title": said(stage.title),
                "audience": stage.audience,
                "standard": stage.clock.standard.value,
                "limit": said(stage.clock.limit),
                "contents": [said(text) for text in (stage.contents or version.contents)],
            }
            for stage in version.stages
        ],
        "exemptions": [said(item.text) for item in version.exemptions],
        "penalties": said(version.penalties),
        "records": said(version.records),
        "channel": said(version.channel),
    }


@router.get("/law/rules", auth=READ, response={200: Page[s.RuleOut], **ERRORS}, operation_id="rules")
def rules(request: HttpRequest, wanted: Query[s.RuleFilter]) -> Any:
    """The library by key: all rules, those of one place, or those that hold some words."""
    found = sorted(key for key, rule in get_library().rules.items() if fits(rule, wanted.place or "", wanted.q or ""))
    # The keys are the order, so that the last of a page is where the next begins.
    beyond = [key for key in found if key > (wanted.cursor or "")]
    shown = beyond[: wanted.limit]
    return {
        "items": [rule_json(get_library().rules[key]) for key in shown],
        "next": shown[-1] if len(beyond) > len(shown) else None,
    }


def _rule(key: str) -> Rule:
    found = get_library().rules.get(key)
    if found is None:
        raise Http404
    return found


@router.get("/law/rules/{key}", auth=READ, response={200: s.RuleFull, **ERRORS}, operation_id="rule")
def rule(request: HttpRequest, key: Key) -> Any:
    """One rule with its versions, newest first."""
    found = _rule(key)
    full = {"versions_in_full": [version_json(version) for version in reversed(found.versions)]}
    return {**rule_json(found), "zone": found.zone, "calendar": found.calendar, **full}


@router.get("/law/rules/{key}/deadline", auth=READ, response={200: s.DeadlineOut, **ERRORS}, operation_id="deadline")
def deadline(request: HttpRequest, key: Key, wanted: Query[s.CalculateFilter]) -> Any:
    """Count a period from a moment, with every step. Whether the duty applies at all is not asked here."""
    _rule(key)
    found = calculator.period_count(
        rule=key, stage=wanted.stage, start=wanted.start, version=wanted.version, at=clock.now()
    )
    held = found.deadline
    return {
        "rule": found.rule.key,
        "stage": found.stage.key,
        "version": found.version.key,
        "standard": found.stage.clock.standard.value,
        "limit": said(found.stage.clock.limit),
        "starts_at": in_zone(held.starts_at, found.zone) if held.starts_at else None,
        "due_at": in_zone(held.due_at, found.zone) if held.due_at else None,
        "due_zone": found.zone,
        "trace": [
            {"text": said(step.text), "at": in_zone(step.at, found.zone) if step.at else None} for step in held.trace
        ],
        "later_readings": [
            {"text": said(item.text), "due_at": in_zone(item.due_at, found.zone)} for item in held.later
        ],
        "citations": [item.to_json() for item in found.stage.citations or found.version.citations],
    }


@router.get(
    "/incidents/{code}/assessment", auth=READ, response={200: s.AssessmentOut, **ERRORS}, operation_id="assessment"
)
def assessment(request: HttpRequest, code: Code, wanted: Query[s.AssessmentFilter]) -> Any:
    """Every duty and non-duty as `manage.py assess` prints it, as known at ``as_of``; of one entity or of all."""
    found, now = find(request, code), clock.now()
    as_of = wanted.as_of or found.clock_at or now
    if as_of > now:
        raise BadInput(s.FUTURE, code="as_of_future", field="as_of")
    chosen = [entity_of(found, wanted.entity)] if wanted.entity else list(found.entities.all())
    made = together([services.assessment_of(found, entity, as_of=as_of) for entity in chosen]).to_json()
    if wanted.status is not None:
        made["duties"] = [duty for duty in made["duties"] if duty["status"] == wanted.status]
    return made


def _duty(duty: Duty | None) -> dict[str, Any] | None:
    return duty.to_json() if duty is not None else None


@router.get("/incidents/{code}/law", auth=READ, response={200: list[s.EffectOut], **ERRORS}, operation_id="law_preview")
def law_preview(request: HttpRequest, code: Code) -> Any:
    """What accepting the law in use now would change in the incident. Writes nothing."""
    effects = services.law_preview(incident=find(request, code), at=clock.now())
    return [
        {"entity": item.entity.key, "kind": item.kind, "before": _duty(item.before), "after": _duty(item.after)}
        for item in effects
    ]


@router.post("/incidents/{code}/law", auth=DECIDE, response={200: s.IncidentOut, **ERRORS}, operation_id="law_accept")
def law_accept(request: HttpRequest, code: Code, body: s.ReasonIn) -> Any:
    """Put the incident under the law in use now; its clocks are computed anew."""
    found = find(request, code)
    services.law_accept(incident=found, reason=body.reason, at=clock.now(), by=caller(request).user)
    return incident_json(request, find(request, code))
