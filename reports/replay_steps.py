"""What scenarios may do with filings, and what a replay tells of them."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F

from compliance.engine import in_zone, parse_instant
from incidents import replay
from incidents.models import Obligation
from incidents.replay import Stage, Step
from incidents.services import is_late, late_reason_record
from incidents.states import CLOCK_RUNS
from reports import approvals, prefill, replay_index, services, statement, storage
from reports.forms import Field, Form
from reports.models import Filing


def _file(stage: Stage, step: Step) -> None:
    """A whole filing as the people did it: drafted, reviewed, approved by another, frozen, handed over, answered."""
    given, at = step.arguments, step.at
    author = stage.person(step)
    filing = services.filing_start(
        incident=stage.incident(step), obligations=replay.duties(stage, step), form=given.get("form"), at=at, by=author
    )
    filing = _written(filing, given.get("values", {}), step, author)
    _frozen(filing, stage, step)
    if given.get("submit", True):
        _submit(filing, stage, step, given["channel"], given.get("receipt", ""))


def _file_all(stage: Stage, step: Step) -> None:
    """A filing for every required duty that is open and has none, so that none stays without a document.

    What the record does not hold is said to be unknown where the form takes that, and is otherwise the scenario's own.
    """
    for number, rows in enumerate(_open_without_filing(stage, step), start=1):
        author = stage.person(step)
        for row in rows:
            if is_late(row, at=step.at) and not row.late_reason:
                late_reason_record(obligation=row, reason=_late_reason(step, row), at=step.at, by=author)
        filing = services.filing_start(incident=stage.incident(step), obligations=rows, at=step.at, by=author)
        filing = _completed(filing, stage, step)
        _frozen(filing, stage, step)
        if step.arguments.get("submit", True):
            channel = next(iter(prefill.form_of(filing).channels))
            receipt = f"{step.arguments.get('receipt', RECEIPT)}-{step.number}-{number:03d}"
            _submit(filing, stage, step, channel, receipt)


# No authority gave it.
RECEIPT = "REPLAY"


def _open_without_filing(stage: Stage, step: Step) -> list[list[Obligation]]:
    """The duties to file for, those of one stage together, the first due first.

    ``due_by`` and ``entities`` narrow them; ``but`` leaves stages for later.
    """
    given = step.arguments
    rows = stage.incident(step).obligations.filter(state__in=CLOCK_RUNS).exclude(filings__document__isnull=False)
    if "entities" in given:
        rows = rows.filter(entity__in=[stage.entities[key] for key in given["entities"]])
    if "due_by" in given:
        rows = rows.filter(due_at__lte=parse_instant(given["due_by"]))
    rows = rows.exclude(stage__in=given.get("but", []))
    grouped: dict[tuple[int, str, str], list[Obligation]] = {}
    for row in rows.select_related("entity").order_by(F("due_at").asc(nulls_last=True), "pk"):
        grouped.setdefault((row.entity_id, row.rule, row.stage), []).append(row)
    return list(grouped.values())


def _late_reason(step: Step, row: Obligation) -> str:
    if "late_reason" not in step.arguments:
        raise step.node.fail(f"{row.rule}/{row.stage} is late; expected the reason for the delay", "late_reason")
    return str(step.arguments["late_reason"])


def _written(filing: Filing, values: Mapping[str, Any], step: Step, author: User) -> Filing:
    if not values:
        return filing
    return services.filing_edit(filing=filing, values=values, edition=filing.edition, at=step.at, by=author)


def _completed(filing: Filing, stage: Stage, step: Step) -> Filing:
    """``filing`` with the scenario's values, and with its stand-ins for what is required and still missing."""
    form, author = prefill.form_of(filing), stage.person(step)
    shown = {item.key: item for item in form.fields(filing.stage)}
    given = step.arguments.get("values", {})
    own = {**given.get(EVERY_FORM, {}), **given.get(form.key, {})}
    filing = _written(filing, {key: value for key, value in own.items() if key in shown}, step, author)
    # What is written in one field may make another one required.
    while missing := statement.missing(filing):
        words = {key: _stand_in(shown[key], form, stage, step) for key in missing}
        filing = _written(filing, words, step, author)
    return filing


EVERY_FORM = "*"


def _stand_in(item: Field, form: Form, stage: Stage, step: Step) -> str:
    words = stage.scenario.stand_ins.get(item.type, {})
    if form.language not in words:
        raise step.node.fail(f"{form.key}: {item.key} is required; expected its value", "values")
    return words[form.language]


def _frozen(filing: Filing, stage: Stage, step: Step) -> None:
    author = stage.person(step)
    services.filing_send_to_review(filing=filing, at=step.at, by=author)
    _approve(filing, stage, step)
    services.filing_freeze(filing=filing, at=step.at, by=author)


def _approve(filing: Filing, stage: Stage, step: Step) -> None:
    """By one, or by two where that is needed. Where it was told differently elsewhere, that is what happened."""
    at, people = step.at, (stage.person(step, "approver", "counsel"), stage.person(step, "second", "approver"))
    reason = step.arguments.get("conflict_reason", TOLD_LIKE_THIS)
    for person in people:
        if approvals.still_needed(Filing.objects.get(pk=filing.pk), at=at):
            services.filing_approve(filing=filing, at=at, by=person, reason=reason)


# What a replay gives as the reason when it tells one thing in two ways, unless the scenario knows better.
TOLD_LIKE_THIS = "재현: 당시 알려진 대로 적음 (replay: as it was told at the time)"


def _submit(filing: Filing, stage: Stage, step: Step, channel: str, receipt: str) -> None:
    given = step.arguments
    submitted = parse_instant(given["submitted_at"]) if "submitted_at" in given else step.at
    replay.advance(stage, submitted)
    services.submission_record(
        filing=filing,
        submitted_at=submitted,
        channel=channel,
        receipt_number=receipt,
        at=submitted,
        by=stage.person(step),
    )


OPTIONAL = {
    "form",
    "values",
    "by",
    "approver",
    "second",
    "conflict_reason",
    "submit",
    "submitted_at",
    "receipt",
    "refused",
}
replay.register_step("file", required={"rule", "duty", "channel"}, optional=OPTIONAL, play=_file)
replay.register_step(
    "file_all",
    required=set(),
    optional={
        "entities",
        "due_by",
        "but",
        "values",
        "late_reason",
        "by",
        "approver",
        "second",
        "conflict_reason",
        "submit",
        "receipt",
    },
    play=_file_all,
)


def filings(stage: Stage, out: Path | None) -> list[dict[str, Any]]:
    """Every frozen filing of the replay; with ``out`` the PDFs and an index of them are written there."""
    incidents = [incident.pk for incident in stage.incidents.values()]
    rows = Filing.objects.filter(incident__in=incidents, document__isnull=False).select_related(
        "incident", "entity", "document", "submission"
    )
    found = [_row(filing, stage, out) for filing in rows.order_by("incident__code", "number")]
    if out is not None:
        replay_index.write(stage, out, found, replay_index.without_filing(stage))
    return found


def _row(filing: Filing, stage: Stage, out: Path | None) -> dict[str, Any]:
    path = None
    if filing.document is None or filing.statement is None:
        raise ValueError(f"{filing}: expected a document")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        target = out / f"{str(filing).replace('/', '-')}-{filing.form}-{filing.stage}.pdf"
        target.write_bytes(storage.read(filing.document))
        path = str(target)
    submission, form = getattr(filing, "submission", None), filing.statement["form"]
    due = replay_index.due_of(list(filing.obligations.order_by("pk")))
    return {
        "filing": str(filing),
        "form": filing.form,
        "stage": filing.stage,
        "title": {key: form["title"][key] for key in ("ko", "en")},
        "stage_title": {key: form["stage_title"][key] for key in ("ko", "en")},
        "authority": {key: form["addressee"][key] for key in ("ko", "en")},
        "entity": filing.entity.key,
        "entity_name": filing.entity.name,
        "zone": filing.entity.zone,
        **due,
        "frozen_at": _local(filing.frozen_at, filing.entity.zone),
        "submitted_at": _local(submission.submitted_at, filing.entity.zone) if submission else None,
        "receipt": submission.receipt_number if submission else "",
        "late": bool(filing.statement["late"]),
        "late_by_minutes": _late_by(due["due_at"], submission.submitted_at if submission else stage.scenario.until),
        "sha256": filing.document.sha256,
        "path": path,
    }


def _late_by(due_at: str | None, done_at: datetime) -> int:
    """Whole minutes from the deadline to the hand-over, or to the end of the replay where there was none."""
    late = int((done_at - parse_instant(due_at)).total_seconds() // 60) if due_at else 0
    return max(0, late)


def _local(at: datetime | None, zone: str) -> str | None:
    return in_zone(at, zone) if at else None


replay.register_section("filings", filings)
replay.register_section("without_filing", lambda stage, out: replay_index.without_filing(stage))
