"""Every frozen filing once more: are the bytes there, unchanged, and does the stored statement still give them?

The document is drawn again from the statement and the kit (template, styles, words, typefaces) that were kept at freezing, never from
today's. Only the program and the libraries are today's: where these changed and draw otherwise, the stored document still stands on its
digest, which the journal holds too, and that is remarked. When nothing changed, the statement or the document was tampered with.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from compliance.engine import digest
from incidents.models import JournalEntry
from reports import drawing, render, storage
from reports.kit import Kit
from reports.models import Document, Filing

# What each part of ``drawn_with`` is called to people.
PARTS = {
    "form_version": "version of the form",
    "template": "template",
    "shared": "shared styles and templates",
    "program": "our program",
    "fonts": "typefaces",
    "weasyprint": "WeasyPrint",
    "libraries": "libraries",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a filing, or only to be known of it (``grave`` false): ``kind`` is stable, ``detail`` says which."""

    filing: str
    kind: str
    detail: str
    grave: bool = True

    def __str__(self) -> str:
        return f"{self.filing}: {self.kind}: {self.detail}"


def frozen_filings(code: str | None = None) -> QuerySet[Filing]:
    """The filings with a document, of one incident or of all."""
    rows = Filing.objects.filter(document__isnull=False).select_related(
        "incident", "entity", "document", "signature__document"
    )
    return (rows.filter(incident__code=code) if code else rows).order_by("incident__code", "number")


def verify(filing: Filing) -> list[Fault]:
    """Everything that is wrong with one frozen filing."""
    return [fault for fault in examine(filing) if fault.grave]


def examine(filing: Filing) -> Iterator[Fault]:
    """What is wrong with one frozen filing, and what is to be known: that what draws it has changed since."""
    name = str(filing)
    if filing.document is None or filing.statement is None:
        raise ValueError(f"{name}: expected a frozen filing")
    if digest(filing.statement) != filing.statement_digest:
        yield Fault(
            name, "statement_changed", f"the stored statement is not the one of digest {filing.statement_digest}"
        )
    yield from _journal(name, filing, filing.document)
    stored = _read(filing.document)
    yield from _stored(name, filing.document, stored)
    yield from _drawing(name, filing, stored)
    signature = getattr(filing, "signature", None)
    if signature is not None:
        yield from _stored(f"{name} (signed copy)", signature.document, _read(signature.document))


def _journal(name: str, filing: Filing, document: Document) -> Iterator[Fault]:
    """The journal's chain wrote both digests down when the filing was frozen."""
    entry = JournalEntry.objects.filter(
        chain=filing.incident.code, action="filing.frozen", subject=f"filing F{filing.number}"
    ).last()
    held = {"statement": filing.statement_digest, "document": document.sha256}
    if entry is None or {key: entry.detail.get(key) for key in held} != held:
        yield Fault(name, "journal_differs", "the journal does not hold the digests of this statement and document")


def _read(document: Document) -> bytes | None:
    """The document's bytes; what is left of them where they changed; None where nothing is."""
    try:
        return storage.read(document)
    except storage.MissingDocument:
        path = storage.path_of(document.sha256)
        return path.read_bytes() if path.exists() else None


def _stored(name: str, document: Document, stored: bytes | None) -> Iterator[Fault]:
    if stored is None:
        yield Fault(name, "document_missing", f"no file {document.sha256}")
    elif storage.digest_of(stored) != document.sha256:
        yield Fault(name, "document_changed", f"the file {document.sha256} holds other bytes")


def _drawing(name: str, filing: Filing, stored: bytes | None) -> Iterator[Fault]:
    held = filing.drawn_with or {}
    kit: Kit | None = None
    if "kit" in held:
        try:
            kit = drawing.kept(held["kit"])
        except storage.MissingDocument as missing:
            yield Fault(name, "template_missing", f"of what was kept to draw it with, {missing} is gone or changed")
    changed = _changed_parts(held, filing.form)
    # What the kit holds is as it was, whatever it is today.
    blamed = [key for key in changed if kit is None or key not in drawing.IN_THE_KIT]
    try:
        again = render.to_pdf(filing.statement or {}, kit)
    except Exception as error:  # noqa: BLE001  a program of today that cannot draw an old statement is a finding, not a crash
        yield Fault(
            name, "not_drawn", f"{type(error).__name__}; changed since: {_words(held, blamed, filing) or 'nothing'}"
        )
        return
    alike = stored is None or storage.digest_of(again) == storage.digest_of(stored)
    if not alike and not blamed:
        yield Fault(name, "drawing_differs", "its statement gives other bytes though nothing it is drawn with changed")
    elif not alike:
        says = f"cannot be drawn again to the byte by this version; changed since: {_words(held, blamed, filing)}"
        yield Fault(name, "renderer_changed" if kit else "template_changed", says, grave=False)
    elif kit is not None and (kept := [key for key in changed if key in drawing.IN_THE_KIT]):
        says = f"drawn again alike with what was kept at freezing; changed since: {_words(held, kept, filing)}"
        yield Fault(name, "template_changed", says, grave=False)


def _changed_parts(held: dict[str, str], form: str) -> list[str]:
    try:
        return drawing.changed_since(held, form)
    except KeyError:
        return sorted(drawing.IN_THE_KIT & set(held))


def _words(held: dict[str, str], parts: list[str], filing: Filing) -> str:
    try:
        now = drawing.drawn_with(filing.form)
    except KeyError:
        return "the form is gone"
    return ", ".join(f"{PARTS.get(key, key)} ({_short(held[key])} → {_short(now[key])})" for key in parts)


def _short(value: str) -> str:
    return value if " " in value else value[:12]
