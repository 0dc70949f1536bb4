"""A law of a few lines, built in memory: what the engine does is seen best on law that does nothing else."""

from datetime import UTC, datetime
from typing import Any

from compliance.engine import Duty, EntityProfile, FactSheet, Library, assess
from compliance.engine.library import library_of
from compliance.engine.reading import law_files, read_files
from compliance.library import LAW

AS_OF = datetime(2026, 11, 22, 12, tzinfo=UTC)
REAL = read_files(LAW)


def both(text: str) -> dict[str, str]:
    return {"ko": f"{text} (ko)", "en": text}


def fact(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "label": both(kind), "question": both(f"{kind}?"), "group": "g", **more}


FACTS: dict[str, Any] = {
    "entity.roles": fact("profile", choices={"bank": both("bank"), "shop": both("shop")}),
    "entity.sectors": fact("profile", choices={"energy": both("energy")}),
    "entity.establishments": fact("profile"),
    "entity.markets": fact("profile"),
    "people.count": fact("people"),
    "people.categories": fact("people", choices={"ssn": both("ssn"), "medical": both("medical"), "name": both("name")}),
    "people.places_complete": fact("bool"),
    "bad": fact("bool"),
    "size": fact("integer", unit="h"),
    "level": fact("choice", choices={"low": both("low"), "high": both("high")}),
    "kinds": fact("choices", choices={"theft": both("theft"), "loss": both("loss")}),
    "seen": fact("contested_instant"),
    "known": fact("contested_instant", until_known=["seen"]),
    "told": fact("contested_instant"),
    "ended": fact("instant"),
    "set_for": fact("instant"),
    "change": fact("event"),
    "words": fact("text", legal=False),
}


def stage(key: str = "first", clock: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    hours = {"from": "known", "within": 72, "counting": "strict.hours"}
    return {"key": key, "title": both(key), "audience": "regulator", "clock": clock or hours, **more}


def version(*stages: dict[str, Any], **more: Any) -> dict[str, Any]:
    held = {
        "from": "2020-01-01",
        "revision": 1,
        "connects_by": "known",
        "confidence": "high",
        "carries_out": both("carries out"),
        "citations": [{"provision": both("art. 1"), "url": "https://law.example/1", "checked_on": "2026-11-22"}],
        "applies_when": "always",
        "stages": list(stages) or [stage()],
        "contents": [both("what happened")],
        "penalties": both("a fine"),
        "records": both("keep it"),
        "channel": both("by letter"),
        **more,
    }
    return {key: value for key, value in held.items() if value is not None}


def rule(*versions: dict[str, Any], key: str = "xx.act.report", **more: Any) -> dict[str, Any]:
    return {
        "rule": key,
        "jurisdiction": "KR",
        "zone": "Asia/Seoul",
        "calendar": "KR",
        "kind": "report",
        "instrument": both("Act"),
        "title": both("Report"),
        "addressees": [both("Authority")],
        "who": "always",
        "who_text": both("everybody"),
        "sources": [{"url": "https://law.example", "says": "text", "checked": True}],
        "versions": list(versions) or [version()],
        **more,
    }


def contents(*rules: dict[str, Any], **files: Any) -> dict[str, Any]:
    calendars = {f"calendars/{name}.yaml": REAL.contents[f"calendars/{name}.yaml"] for name in ("kr", "de", "us-fed")}
    written = {f"xx/act/rule-{number}.yaml": item for number, item in enumerate(rules)}
    return {
        "facts.yaml": FACTS,
        "places.yaml": {"EU": ["DE", "FR"], "STATES": ["US-CA", "US-NY"]},
        **calendars,
        **written,
        **files,
    }


def library(*rules: dict[str, Any], **files: Any) -> Library:
    return library_of(law_files(contents(*rules, **files), root=LAW), proved=False)


def duties(
    law: Library, facts: dict[str, Any] | None = None, entity: EntityProfile | None = None, **more: Any
) -> list[Duty]:
    asked = {key: more.pop(key) for key in ("as_of", "law_on") if key in more}
    sheet = FactSheet(facts or {}, **more)
    who = entity or EntityProfile("e", "E", markets=())
    return list(assess(law, sheet, who, asked.get("as_of", AS_OF), law_on=asked.get("law_on")).duties)


def duty(law: Library, facts: dict[str, Any] | None = None, **more: Any) -> Duty:
    return duties(law, facts, **more)[0]
