"""Statement to PDF. The same statement and template give the same bytes; nothing is fetched but packaged files."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine
from weasyprint import HTML, Attachment
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from compliance.engine import canonical_json, digest
from reports.forms.registry import FOLDER
from reports.statement import mark_of
from reports.typography import printable

HERE = Path(__file__).resolve().parent
ASSETS = "breachclock:"
ATTACHMENT = "statement.json"


class PackagedFiles(URLFetcher):
    """Answers for packaged fonts and styles; everything else is refused before any socket or file is opened."""

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        """The packaged file ``url`` names.

        Raises:
            FatalURLFetchingError: any other address.
        """
        name = url.removeprefix(ASSETS)
        path = _packaged().get(name)
        if not url.startswith(ASSETS) or path is None:
            raise FatalURLFetchingError(f"not a packaged file: {url[:80]}")
        return URLFetcherResponse(url, body=path.read_bytes(), headers={"Content-Type": _TYPES[path.suffix]})


_TYPES = {".otf": "font/otf", ".css": "text/css"}


@cache
def _packaged() -> dict[str, Path]:
    files = [*(HERE / "fonts").glob("*.otf"), *(FOLDER / "_shared").glob("*.css")]
    return {path.name: path for path in files}


@cache
def _engine() -> Engine:
    return Engine(dirs=[str(FOLDER)], autoescape=True, libraries={}, builtins=["reports.typography"])


def to_html(statement: dict[str, Any], *, statement_digest: str) -> str:
    """The page as HTML; every value is escaped."""
    template = _engine().get_template(f"{statement['form']['key']}/template.html")
    clean = _printable(statement)
    context = {
        "s": clean,
        "form": clean["form"],
        "digest": statement_digest,
        "head_short": clean["journal_head"][:16],
        "digest_short": statement_digest[:16],
        "mark": mark_of(clean["incident"]["kind"]),
        "draft": clean["frozen_at"] is None,
        "frozen_local": _local(clean["frozen_at"], clean["entity"]["zone"]),
        "tables": [
            f for section in clean["sections"] for f in section["fields"] if f["type"] == "table" and f["value"]
        ],
    }
    return template.render(Context(context))


def to_pdf(statement: dict[str, Any]) -> bytes:
    """The document: PDF/A-3, tagged, fonts inside, the statement attached as canonical JSON."""
    sealed = canonical_json(statement)
    statement_digest = digest(statement)
    created = datetime.fromisoformat(statement["frozen_at"] or statement["approved_at"] or "2000-01-01T00:00:00+00:00")
    attachment = Attachment(
        string=sealed,
        name=ATTACHMENT,
        description="The statement this document was made from",
        created=created,
        modified=created,
        relationship="Source",
    )
    html = HTML(
        string=to_html(statement, statement_digest=statement_digest), base_url=ASSETS, url_fetcher=PackagedFiles()
    )
    pdf: bytes = html.write_pdf(
        font_config=FontConfiguration(),
        attachments=[attachment],
        pdf_variant="pdf/a-3a",
        pdf_tags=True,
        pdf_identifier=bytes.fromhex(statement_digest)[:16],
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
