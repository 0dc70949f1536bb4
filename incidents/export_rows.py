"""Clocks as tables that other programs open: CSV and XLSX. What could be taken for a formula is made text first."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from incidents.board import Told
from incidents.selectors import Clock, Tone
from incidents.times import local
from incidents.wording import named

# A spreadsheet takes a cell that begins with one of these for a formula or a command (OWASP, CSV Injection).
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BOM = "\ufeff"


def neutral(value: Any) -> str:
    """``value`` as text that no spreadsheet calculates: an apostrophe before what would begin a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(DANGEROUS) else text


def tone_words() -> dict[str, str]:
    """What each kind of open clock is called."""
    return {
        Tone.OVERDUE: _("Overdue"), Tone.NEAR: _("Due soon"), Tone.RUNNING: _("Running"),
        Tone.POSSIBLE: _("To be decided"), Tone.OPEN_NOW: _("Open now"), Tone.MET: _("Met"),
        Tone.MET_LATE: _("Met late"), Tone.EXCUSED: _("Excused"), Tone.NOT_REQUIRED: _("Not required"),
    }  # fmt: skip


def head() -> list[str]:
    """The names of the columns."""
    return [
        _("State"), _("Hours left (negative: late)"), _("Duty"), _("To"), _("Country"), _("Incident"), _("Title"), _("Kind"),
        _("Entity"), _("Owner"), _("Due (authority's time)"), _("Due (UTC)"), _("House target (UTC), not law"),
        _("Period in law"), _("Reason for the delay"), _("Last told at (UTC)"), _("Told"), _("Acknowledged by"),
    ]  # fmt: skip


def rows(clocks: Iterable[Clock], told: dict[int, Told]) -> Iterator[list[str]]:
    """One line per clock, as text."""
    language, words = get_language() or "en", tone_words()
    for clock in clocks:
        row, step = clock.obligation, told.get(clock.obligation.pk)
        yield [
            words[clock.tone],
            f"{clock.delta.total_seconds() / 3600:.2f}" if clock.delta is not None else "",
            clock.title.get(language),
            ", ".join(name.get(language) for name in clock.addressees),
            row.jurisdiction,
            row.incident.code,
            row.incident.title,
            str(row.incident.get_kind_display()),
            row.entity.name,
            named(row.incident.owner) if row.incident.owner else "",
            local(row.due_at, row.due_zone) if row.due_at else "",
            _utc(row.due_at),
            _utc(row.target_at) if row.due_at is None else "",
            str(row.duty["limit"]["ko" if language.startswith("ko") else "en"]),
            row.late_reason,
            _utc(step.at) if step else "",
            ", ".join(step.people) if step else "",
            step.acknowledged_by if step else "",
        ]


def _utc(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}" if at else ""


# The one column that spreadsheets should calculate with: a number of our own making, which may be negative.
NUMBER = 1


def to_csv(lines: Iterable[Sequence[str]]) -> bytes:
    """As CSV in UTF-8 with a byte order mark, so that Excel reads Korean."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(head())
    for line in lines:
        writer.writerow([cell if place == NUMBER else neutral(cell) for place, cell in enumerate(line)])
    return (BOM + file.getvalue()).encode()


def to_xlsx(lines: Iterable[Sequence[str]], title: str) -> bytes:
    """As a workbook. Text is stored as text, and neutral all the same: people save workbooks as CSV."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    for letter, width in zip(
        "ABCDEFGHIJKLMNOPQR", (14, 12, 34, 34, 9, 16, 34, 9, 22, 16, 26, 21, 21, 20, 34, 21, 30, 18), strict=True
    ):
        sheet.column_dimensions[letter].width = width
    sheet.append([_text(sheet, cell, bold=True) for cell in head()])
    for line in lines:
        sheet.append([_number(cell) if place == NUMBER else _text(sheet, cell) for place, cell in enumerate(line)])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


def _text(sheet: Any, value: str, *, bold: bool = False) -> Any:
    """A plain string where nothing could be mistaken; otherwise a cell whose type says that it is text."""
    text = ILLEGAL_CHARACTERS_RE.sub("", value)
    if not bold and not neutral(text).startswith("'"):
        return text or None
    cell = WriteOnlyCell(sheet, value=neutral(text))
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell
