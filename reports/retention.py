"""What filings hold about people that the house's rule deletes: files of proof, and drafts that never left the house."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from incidents.models import Incident
from incidents.services.retention import Kind, register_kind
from reports import record, storage
from reports.models import Document, Filing, Signature, Submission
from reports.states import FilingState

NEVER_LEFT = (FilingState.DRAFT, FilingState.IN_REVIEW, FilingState.APPROVED, FilingState.WITHDRAWN)


def _proofs(incident: Incident) -> list[Document]:
    """Files of proof of this incident alone that are still there. What was filed or signed stays."""
    rows = Document.objects.filter(pk__in=Submission.objects.filter(filing__incident=incident).values("proof"))
    elsewhere = Submission.objects.exclude(filing__incident=incident).filter(proof__isnull=False).values("proof")
    kept = Q(pk__in=elsewhere) | Q(pk__in=Filing.objects.filter(document__isnull=False).values("document"))
    kept |= Q(pk__in=Signature.objects.values("document"))
    return [row for row in rows.exclude(kept).order_by("pk") if storage.path_of(row.sha256).exists()]


def _delete_proofs(incident: Incident, at: datetime, by: User) -> int:
    found = _proofs(incident)
    for row in found:
        storage.delete(row.sha256)
    return len(found)


def _drafts(incident: Incident) -> QuerySet[Filing]:
    return incident.filings.filter(document=None, state__in=NEVER_LEFT).select_related("incident").order_by("number")


def _full(incident: Incident) -> list[Filing]:
    return [row for row in _drafts(incident) if row.values]


def _delete_drafts(incident: Incident, at: datetime, by: User) -> int:
    found = _full(incident)
    for row in found:
        Filing.objects.filter(pk=row.pk).update(values={}, review_note="", edition=row.edition + 1)
        record.write(row, "filing.redacted", at=at, by=by, new={}, detail={"fields": sorted(row.values)})
        row.comments.update(text="")
    return len(found)


register_kind("proofs", Kind(lambda incident, at: len(_proofs(incident)), _delete_proofs))
register_kind("drafts", Kind(lambda incident, at: len(_full(incident)), _delete_drafts))
