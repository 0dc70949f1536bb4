"""What a replay led to: clocks, escalations, and what rooms above add."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from compliance.engine import in_zone
from incidents.models import Incident, Obligation
from incidents.replay.player import Stage

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
    return in_zone(at, zone) if at else None
