"""Every frozen filing once more: are the bytes there, unchanged, and does the stored statement still give them?

The document is drawn again from the statement that is stored, never from today's facts. When the drawing differs, the digests
kept at freezing tell whether the template, the typefaces or the renderer changed since; then the stored document still stands and
only cannot be drawn again by this version. When nothing changed, the statement or the document was tampered with.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from compliance.engine import digest
from reports import render, storage
from reports.drawing import drawn_with
from reports.models import Document, Filing

# What each part of ``drawn_with`` is called to people.
PARTS = {
    "form_version": "version of the form",
    "template": "template",
    "shared": "shared styles and templates",
    "program": "our program",
    "fonts": "typefaces",
    "weasyprint": "WeasyPrint",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a filing: ``kind`` is stable, ``detail`` says which."""

    filing: str
    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.filing}: {self.kind}: {self.detail}"


def frozen_filings(code: str | None = None) -> QuerySet[Filing]:
    """The filings with a document, of one incident or of all."""
    rows = Filing.objects.filter(document__isnull=False).select_related(
        "incident", "entity", "document", "signature__document"
    )
    return (rows.filter(incident__code=code) if code else rows).order_by("incident__code", "number")


def verify(filing: Filing) -> Iterator[Fault]:
    """Everything that is wrong with one frozen filing."""
    name = str(filing)
    if filing.document is None or filing.statement is None:
        raise ValueError(f"{name}: expected a frozen filing")
    if digest(filing.statement) != filing.statement_digest:
        yield Fault(
            name, "statement_changed", f"the stored statement is not the one of digest {filing.statement_digest}"
        )
    stored = _read(filing.document)
    yield from _stored(name, filing.document, stored)
    yield from _drawing(name, filing, stored)
    signature = getattr(filing, "signature", None)
    if signature is not None:
        yield from _stored(f"{name} (signed copy)", signature.document, _read(signature.document))


def _read(document: Document) -> bytes | None:
    try:
        return storage.path_of(document.sha256).read_bytes()
    except OSError:
        return None


def _stored(name: str, document: Document, stored: bytes | None) -> Iterator[Fault]:
    if stored is None:
        yield Fault(name, "document_missing", f"no file {document.sha256}")
    elif storage.digest_of(stored) != document.sha256:
        yield Fault(name, "document_changed", f"the file {document.sha256} holds other bytes")


def _drawing(name: str, filing: Filing, stored: bytes | None) -> Iterator[Fault]:
    changed = _changed_parts(filing)
    try:
        again = render.to_pdf(filing.statement or {})
    except Exception as error:  # noqa: BLE001  a template of today that cannot draw an old statement is a finding, not a crash
        yield Fault(name, "not_drawn", f"{type(error).__name__}; changed since: {', '.join(changed) or 'nothing'}")
        return
    if stored is None or storage.digest_of(again) == storage.digest_of(stored):
        return
    if changed:
        yield Fault(
            name, "template_changed", f"cannot be drawn again by this version; changed since: {', '.join(changed)}"
        )
    else:
        yield Fault(
            name, "drawing_differs", "the stored statement gives other bytes though nothing it is drawn with changed"
        )


def _changed_parts(filing: Filing) -> list[str]:
    held = filing.drawn_with or {}
    try:
        now = drawn_with(filing.form)
    except KeyError:
        return ["the form is gone"]
    return [
        f"{PARTS.get(key, key)} ({_short(value)} → {_short(now.get(key, ''))})"
        for key, value in held.items()
        if now.get(key) != value
    ]


def _short(value: str) -> str:
    return value[:12]
