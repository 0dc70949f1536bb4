"""The index page of a replay: every filing with authority, deadline, lateness and digest, and every duty without one, and why.

A page of its own that needs no server and no network: ``index.html`` (English), ``index.ko.html`` and ``index.json``.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from compliance.cli import duration
from compliance.engine import in_zone
from compliance.library import get_library
from incidents.models import Obligation
from incidents.replay import Stage
from incidents.states import ObligationState
from reports.prefill import local_text

Row = Mapping[str, Any]
PAGES = {"en": "index.html", "ko": "index.ko.html"}

# Why a duty has no filing: what its state says of it.
_OPEN_QUESTION, _NOT_DUE, _NEVER_MADE, _EXCUSED, _BY_HAND = (
    "open_question",
    "not_due",
    "never_made",
    "excused",
    "by_hand",
)
REASONS = {
    _OPEN_QUESTION: _("Not decided: the facts do not say yet whether it applies."),
    _NOT_DUE: _("Not due before the end of the replay."),
    _NEVER_MADE: _("Never made in the course of events that is replayed."),
    _EXCUSED: _("Not made, for a recorded reason."),
    _BY_HAND: _("Done without a document."),
}


def without_filing(stage: Stage) -> list[dict[str, Any]]:
    """Every duty of the replay, required or possible, that no frozen filing answers, with the reason."""
    incidents = [incident.pk for incident in stage.incidents.values()]
    rows = Obligation.objects.filter(incident__in=incidents).exclude(state=ObligationState.NOT_REQUIRED)
    rows = rows.exclude(filings__document__isnull=False).select_related("incident", "entity")
    return [_unfiled(row, stage.scenario.until) for row in rows.order_by("incident__code", "due_at", "pk")]


def _unfiled(row: Obligation, until: datetime) -> dict[str, Any]:
    why = _why(row, until)
    return {
        "incident": row.incident.code,
        "entity": row.entity.key,
        "entity_name": row.entity.name,
        "rule": row.rule,
        "stage": row.stage,
        "title": row.duty["title"],
        "authority": joined(row.duty["addressees"]),
        **due_of([row]),
        "why": why,
        "questions": list(row.duty["questions"]) if why == _OPEN_QUESTION else [],
    }


def _why(row: Obligation, until: datetime) -> str:
    if row.state == ObligationState.POSSIBLE:
        return _OPEN_QUESTION
    if row.state == ObligationState.EXCUSED:
        return _EXCUSED
    if row.met_at is not None:
        return _BY_HAND
    return _NOT_DUE if row.due_at is not None and row.due_at > until else _NEVER_MADE


def joined(names: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Several names as one, in both languages."""
    return {language: ", ".join(name[language] for name in names) for language in ("ko", "en")}


def due_of(rows: Sequence[Obligation]) -> dict[str, Any]:
    """The first deadline of ``rows``, in the zone of its law; without one the words of the standard."""
    dated = [row for row in rows if row.due_at is not None]
    first = min(dated, key=lambda row: row.due_at or row.opened_at) if dated else rows[0]
    return {
        "due_at": first.duty["due_at"] if first.due_at else None,
        "due_zone": first.due_zone,
        "limit": first.duty["limit"],
    }


def write(stage: Stage, out: Path, filings: Sequence[Row], unfiled: Sequence[Row]) -> None:
    """Write the page in both languages, and the same for machines, beside the PDFs in ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    scenario = stage.scenario
    told = {
        "scenario": scenario.name,
        "title": scenario.title.to_json(),
        "until": in_zone(scenario.until, scenario.entities[0].get("zone", "Asia/Seoul")),
        "filings": list(filings),
        "without_filing": list(unfiled),
    }
    text = json.dumps(told, ensure_ascii=False, indent=2, sort_keys=True)
    (out / "index.json").write_text(text + "\n", encoding="utf-8")
    for language, name in PAGES.items():
        (out / name).write_text(page(told, language), encoding="utf-8")


def page(told: Mapping[str, Any], language: str) -> str:
    """The page in ``language``."""
    with override(language):
        context = {
            "language": language,
            "pages": PAGES,
            "title": told["title"][language],
            "until": datetime.fromisoformat(told["until"]).strftime("%Y-%m-%d %H:%M %z"),
            "filings": [_shown(row, language) for row in told["filings"]],
            "unfiled": [_unfiled_shown(row, language) for row in told["without_filing"]],
            "late": sum(bool(row["late_by_minutes"]) for row in told["filings"]),
        }
        return render_to_string("reports/replay_index.html", context)


def _shown(row: Row, language: str) -> dict[str, Any]:
    late = duration(timedelta(minutes=row["late_by_minutes"]), language) if row["late_by_minutes"] else ""
    return {
        **row,
        "authority": row["authority"][language],
        "title": row["title"][language],
        "stage_title": row["stage_title"][language],
        "due": _moment(row["due_at"], row["due_zone"]) or row["limit"][language],
        "frozen": _moment(row["frozen_at"], row["zone"]),
        "submitted": _moment(row["submitted_at"], row["zone"]),
        "late_by": late,
        "file": Path(row["path"]).name if row["path"] else "",
    }


def _unfiled_shown(row: Row, language: str) -> dict[str, Any]:
    facts = get_library().facts
    questions = [facts[name].label.get(language) for name in row["questions"] if name in facts]
    return {
        **row,
        "authority": row["authority"][language],
        "title": row["title"][language],
        "due": _moment(row["due_at"], row["due_zone"]) or row["limit"][language],
        "why": REASONS[row["why"]],
        "questions": ", ".join(questions),
    }


def _moment(at: str | None, zone: str) -> str:
    return local_text(datetime.fromisoformat(at), zone) if at else ""
