"""What an evidence bundle holds of filings: every row, the frozen statements, the documents and the proofs."""

from typing import Any

from incidents.export.bundle import register_source
from incidents.export.rows import Rows, as_member
from incidents.models import Incident
from reports.models import Document, FieldComment, Filing
from reports.selectors import exportable
from reports.storage import MissingDocument, read

SUFFIXES = {"application/pdf": ".pdf", "text/plain": ".txt", "image/png": ".png", "image/jpeg": ".jpg"}


def members(incident: Incident, rows: Rows) -> dict[str, bytes]:
    """Filings, what hangs on them, and the bytes of their documents. A document that is gone is named as missing."""
    allowed = exportable(incident, privileged=rows.chosen)
    rows.privileged += allowed.privileged
    filings, comments = list(allowed.filings), {comment.pk for comment in allowed.comments}
    found: dict[str, bytes] = {}
    documents: dict[int, Document] = {}
    tables: dict[str, list[dict[str, Any]]] = {"filing": [rows.plain(row) for row in filings]}
    hanging = [
        item
        for filing in filings
        for item in _hanging(filing)
        if not isinstance(item, FieldComment) or item.pk in comments
    ]
    for item in hanging:
        tables.setdefault(item._meta.model_name or "", []).append(rows.plain(item))
    for row in [*filings, *hanging]:
        for field in row._meta.concrete_fields:
            if field.related_model is Document and getattr(row, field.attname) is not None:
                documents[getattr(row, field.attname)] = getattr(row, field.name)
    for filing in filings:
        if filing.statement is not None:
            found[f"filings/F{filing.number}.statement.json"] = as_member(filing.statement)
    for name, listed in tables.items():
        found[f"filings/{name}.json"] = as_member(listed)
    found["filings/documents.json"] = as_member([_document(item, found) for _pk, item in sorted(documents.items())])
    return found


def _hanging(filing: Filing) -> list[Any]:
    """The rows that belong to ``filing``: submission, approvals, comments, requests."""
    rows: list[Any] = []
    for relation in Filing._meta.related_objects:
        if relation.related_model._meta.app_label == "reports" and relation.related_model is not Filing:
            rows += relation.related_model._base_manager.filter(**{relation.field.name: filing}).order_by("pk")
    return rows


def _document(document: Document, found: dict[str, bytes]) -> dict[str, Any]:
    place = f"filings/documents/{document.sha256}{SUFFIXES.get(document.media_type, '')}"
    try:
        found[place] = read(document)
    except MissingDocument:
        place = ""
    described = {name: getattr(document, name) for name in ("sha256", "size", "media_type", "name")}
    return {**described, "id": document.pk, "file": place, "missing": not place}


register_source(members)
