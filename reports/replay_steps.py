"""What scenarios may do with filings, and what a replay tells of them."""

from datetime import datetime
from pathlib import Path
from typing import Any

from compliance.engine import in_zone, parse_instant
from incidents import replay
from incidents.replay import Stage, Step
from reports import approvals, services, storage
from reports.models import Filing


def _file(stage: Stage, step: Step) -> None:
    """A whole filing as the people did it: drafted, reviewed, approved by another, frozen, handed over, answered."""
    given, at = step.arguments, step.at
    author = stage.person(step)
    filing = services.filing_start(
        incident=stage.incident(step), obligations=replay.duties(stage, step), form=given.get("form"), at=at, by=author
    )
    values = given.get("values", {})
    if values:
        filing = services.filing_edit(filing=filing, values=values, edition=filing.edition, at=at, by=author)
    services.filing_send_to_review(filing=filing, at=at, by=author)
    _approve(filing, stage, step)
    services.filing_freeze(filing=filing, at=at, by=author)
    if given.get("submit", True):
        _submit(filing, stage, step)


def _approve(filing: Filing, stage: Stage, step: Step) -> None:
    """By one, or by two where that is needed. Where it was told differently elsewhere, that is what happened."""
    at, people = step.at, (stage.person(step, "approver", "counsel"), stage.person(step, "second", "approver"))
    reason = step.arguments.get("conflict_reason", TOLD_LIKE_THIS)
    for person in people:
        if approvals.still_needed(Filing.objects.get(pk=filing.pk), at=at):
            services.filing_approve(filing=filing, at=at, by=person, reason=reason)


# What a replay gives as the reason when it tells one thing in two ways, unless the scenario knows better.
TOLD_LIKE_THIS = "재현: 당시 알려진 대로 적음 (replay: as it was told at the time)"


def _submit(filing: Filing, stage: Stage, step: Step) -> None:
    given = step.arguments
    submitted = parse_instant(given["submitted_at"]) if "submitted_at" in given else step.at
    replay.advance(stage, submitted)
    services.submission_record(
        filing=filing,
        submitted_at=submitted,
        channel=given["channel"],
        receipt_number=given.get("receipt", ""),
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


def filings(stage: Stage, out: Path | None) -> list[dict[str, Any]]:
    """Every frozen filing of the replay; with ``out`` the PDFs are written there."""
    incidents = [incident.pk for incident in stage.incidents.values()]
    rows = Filing.objects.filter(incident__in=incidents, document__isnull=False).select_related(
        "incident", "entity", "document", "submission"
    )
    return [_row(filing, out) for filing in rows.order_by("incident__code", "number")]


def _row(filing: Filing, out: Path | None) -> dict[str, Any]:
    path = None
    if filing.document is None:
        raise ValueError(f"{filing}: expected a document")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        target = out / f"{str(filing).replace('/', '-')}-{filing.form}-{filing.stage}.pdf"
        target.write_bytes(storage.read(filing.document))
        path = str(target)
    submission = getattr(filing, "submission", None)
    return {
        "filing": str(filing),
        "form": filing.form,
        "stage": filing.stage,
        "frozen_at": _local(filing.frozen_at, filing.entity.zone),
        "submitted_at": _local(submission.submitted_at, filing.entity.zone) if submission else None,
        "receipt": submission.receipt_number if submission else "",
        "late": bool(filing.statement and filing.statement["late"]),
        "sha256": filing.document.sha256,
        "path": path,
    }


def _local(at: datetime | None, zone: str) -> str | None:
    return in_zone(at, zone) if at else None


replay.register_section("filings", filings)
