"""Statement to PDF. The same statement and template give the same bytes; nothing is fetched but packaged files."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine
from weasyprint import HTML, Attachment
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from compliance.engine import canonical_json, digest
from reports import exports
from reports.conformance import finish
from reports.kit import Kit, kit_of
from reports.typography import printable

HERE = Path(__file__).resolve().parent
ASSETS = "breachclock:"
ATTACHMENT = "statement.json"


class PackagedFiles(URLFetcher):
    """Answers for the fonts and styles of a kit; everything else is refused before any socket or file is opened."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        """The file of the kit that ``url`` names.

        Raises:
            FatalURLFetchingError: any other address.
        """
        name = url.removeprefix(ASSETS)
        body = self.kit.read(name) if url.startswith(ASSETS) else None
        if body is None:
            raise FatalURLFetchingError(f"not a packaged file: {url[:80]}")
        return URLFetcherResponse(url, body=body, headers={"Content-Type": _TYPES[Path(name).suffix]})


_TYPES = {".ttf": "font/ttf", ".css": "text/css"}


@lru_cache(maxsize=128)
def _fetcher(kit: Kit) -> PackagedFiles:
    """Made once: WeasyPrint's makes a TLS context, with all certificates, that ours never uses."""
    return PackagedFiles(kit)


@lru_cache(maxsize=128)
def _engine(kit: Kit) -> Engine:
    loaders = [
        ("django.template.loaders.cached.Loader", [("django.template.loaders.locmem.Loader", dict(kit.files))]),
    ]
    return Engine(loaders=loaders, autoescape=True, libraries={}, builtins=["reports.typography"])


def to_html(statement: dict[str, Any], *, statement_digest: str, kit: Kit | None = None) -> str:
    """The page as HTML; every value is escaped."""
    clean = _printable(statement)
    language, audience = clean["form"]["language"], clean["form"]["audience"]
    kit = kit or kit_of(clean["form"]["key"], language)
    template = _engine(kit).get_template(f"{clean['form']['key']}/template.html")
    say = kit.words
    closing, signer = _SIGNED.get(audience, ("we_inform", "sender"))
    if not clean["form"]["addressee"]["en"]:
        closing, signer = "we_record", "keeper"
    context = {
        "s": clean,
        "form": clean["form"],
        "lang": language,
        # Beside the authority's language the labels stand in English, for those who work in it.
        "second": "" if language == "en" else "en",
        "say": say,
        "closing_words": say[closing],
        "signer": say[signer],
        "changes_title": say["changes"].format(previous=clean["previous"]),
        "digest": statement_digest,
        "mark": say.get(_MARKS.get(clean["incident"]["kind"], ""), ""),
        "draft": clean["frozen_at"] is None,
        "frozen_local": _local(clean["frozen_at"], clean["entity"]["zone"]),
        # A section whose fields are all left out would be a heading over nothing.
        "sections": [part for part in clean["sections"] if any(not item["omitted"] for item in part["fields"])],
        "tables": _tables(clean, say),
    }
    return template.render(Context(context))


# The mark that a drill's or a replay's pages carry.
_MARKS = {"drill": "mark_drill", "replay": "mark_replay"}
# What is said above the signature, and whose it is.
_SIGNED = {"regulator": ("we_report", "reporter"), "csirt": ("we_report", "reporter")}


def _tables(statement: dict[str, Any], say: Mapping[str, str]) -> list[dict[str, Any]]:
    fields = [item for section in statement["sections"] for item in section["fields"]]
    return [
        {**item, "count": say["units"].format(count=f"{len(item['value']):,}")}
        for item in fields
        if item["type"] == "table" and item["value"]
    ]


def to_pdf(statement: dict[str, Any], kit: Kit | None = None) -> bytes:
    """The document: PDF/A-3a and PDF/UA-1, fonts inside, the statement attached as canonical JSON.

    Drawn with today's kit of its form, or with ``kit``.
    """
    kit = kit or kit_of(statement["form"]["key"], statement["form"]["language"])
    sealed = canonical_json(statement)
    statement_digest = digest(statement)
    created = datetime.fromisoformat(statement["frozen_at"] or statement["approved_at"] or "2000-01-01T00:00:00+00:00")
    files = [(ATTACHMENT, sealed, "The statement this document was made from", "Source")]
    if (name := exports.format_of(statement)) is not None:
        files.append((f"{name}.json", exports.export(statement), "The same filing for machines", "Alternative"))
    attachments = [
        Attachment(
            string=content, name=name, description=says, created=created, modified=created, relationship=relationship
        )
        for name, content, says, relationship in sorted(files)  # as a name tree must be
    ]
    page = to_html(statement, statement_digest=statement_digest, kit=kit)
    html = HTML(string=page, base_url=ASSETS, url_fetcher=_fetcher(kit))
    pdf: bytes = html.write_pdf(
        font_config=FontConfiguration(),
        attachments=attachments,
        pdf_variant="pdf/a-3a",
        pdf_tags=True,
        pdf_identifier=bytes.fromhex(statement_digest)[:16],
        finisher=finish,
    )
    return pdf


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, list) else value


def _local(at: str | None, zone: str) -> str:
    from reports.prefill import local_text

    return local_text(datetime.fromisoformat(at), zone) if at else ""
