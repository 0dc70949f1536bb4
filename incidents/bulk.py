"""A list of affected systems from a spreadsheet or a paste: read safely, checked row by row, nothing kept that is not right.

Cells are text: what looks like a formula is text too, and nothing is calculated. A file is refused before it is unpacked where
it would unpack to more than is sensible. Errors name row, column, value and what was expected.
"""

import csv
import functools
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from openpyxl import load_workbook

from compliance.engine import TimeError, parse_instant
from compliance.errors import BadInput
from compliance.text import clean
from incidents import uploads
from incidents.states import SystemState

MOST_ROWS, MOST_COLUMNS, MOST_BYTES = 50_000, 40, 10 * 2**20
MOST_ERRORS = 500
CHUNK = 5_000

# What a column may be called, in either language, without blanks and in small letters.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "system", "host", "hostname", "server", "시스템", "서버", "호스트", "호스트명", "이름", "시스템명"),
    "address": ("address", "ip", "ipaddress", "url", "주소", "ip주소"),
    "kind": ("kind", "type", "종류", "유형"),
    "purpose": ("purpose", "용도"),
    "state": ("state", "status", "상태"),
    "finding": ("finding", "found", "발견내용", "피해내용"),
    "found_at": ("firstseen", "foundat", "firstseenat", "발견시각", "발견일시", "최초발견"),
    "found_by": ("foundby", "발견자", "발견주체"),
    "evidence": ("evidence", "증거"),
    "note": ("note", "notes", "comment", "비고", "메모"),
    "source": ("source", "출처"),
}  # fmt: skip
LONGEST = {
    "name": 200,
    "address": 200,
    "kind": 100,
    "purpose": 200,
    "finding": 300,
    "found_by": 200,
    "note": 1000,
    "source": 500,
}


@dataclass(frozen=True, slots=True)
class RowError:
    """One cell that cannot be taken over. ``row`` as the spreadsheet counts (the head is 1); ``kind`` says what was expected."""

    row: int
    column: str
    value: str
    kind: str
    more: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it is kept until the list is corrected."""
        return asdict(self)

    @property
    def column_words(self) -> str:
        """What the column is called."""
        return column_words().get(self.column, self.column)

    @property
    def expected(self) -> str:
        """What was expected, in words."""
        words = {
            "missing": _("a value"),
            "long": _("at most %(more)s characters"),
            "state": _("one of: %(more)s"),
            "time": _("a time such as 2025-09-15 14:00: %(more)s"),
            "future": _("a time that is not in the future"),
            "evidence": _("the number of a piece of evidence of this incident, such as E3"),
            "twice": _("each system once; it stands in row %(more)s already"),
            "recorded": _("a system that is not recorded yet"),
        }
        return words[self.kind] % {"more": self.more}


def column_words() -> dict[str, str]:
    """What the columns are called."""
    return {
        "name": _("System"), "address": _("Address"), "kind": _("Kind of system"), "purpose": _("Purpose"),
        "state": _("State"), "finding": _("Finding"), "found_at": _("First seen"), "found_by": _("Found by"),
        "evidence": _("Evidence"), "note": _("Note"), "source": _("Source"),
    }  # fmt: skip


def read(content: bytes, name: str) -> list[list[str]]:
    """The rows of a CSV or XLSX file as text, the head first.

    Raises:
        BadInput: too large, not such a file, damaged, or no row in it.
    """
    require_size(content, name)
    rows = _xlsx(content, name) if content[:4] == b"PK\x03\x04" else _csv(content, name)
    found: list[list[str]] = []
    for row in rows:
        if len(row) > MOST_COLUMNS:
            raise _refused(_("at most %(most)d columns") % {"most": MOST_COLUMNS}, name, "too_many_columns")
        found.append(row)
        if len(found) > MOST_ROWS + 1:
            raise _refused(_("at most %(most)d rows") % {"most": MOST_ROWS}, name, "too_many_rows")
    while found and not any(found[-1]):
        found.pop()
    if len(found) < 2:
        raise _refused(_("a head with the names of the columns, and rows below it"), name, "no_rows")
    return found


def require_size(content: bytes, name: str) -> None:
    """Refuse what is larger than a list of systems needs.

    Raises:
        BadInput: it is.
    """
    if len(content) > MOST_BYTES:
        raise _refused(_("at most %(most)d MB") % {"most": MOST_BYTES // 2**20}, name, "file_too_large")


def _refused(expected: object, name: str, code: str) -> BadInput:
    return BadInput(
        _("%(name)s cannot be read. Expected %(expected)s."), code=code, field="file", name=name, expected=expected
    )


def _csv(content: bytes, name: str) -> Iterator[list[str]]:
    for encoding in ("utf-8-sig", "cp949"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise _refused(_("an XLSX file, or CSV in UTF-8"), name, "not_a_table")
    if "\x00" in text:
        raise _refused(_("an XLSX file, or CSV in UTF-8"), name, "not_a_table")
    head = text.split("\n", 1)[0]
    mark = max("\t;,", key=head.count)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True):
            yield [clean(cell) for cell in row]
    except csv.Error:
        raise _refused(_("CSV whose quotes are closed"), name, "not_a_table") from None


def _xlsx(content: bytes, name: str) -> Iterator[list[str]]:
    """The first sheet. Formulas come as their text: nothing is calculated and no stored result is believed."""
    _require_sensible(content, name)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        for row in book.worksheets[0].iter_rows(values_only=True, max_col=MOST_COLUMNS + 1):
            yield _trimmed([_text(cell) for cell in row])
        book.close()
    except BadInput:
        raise
    except Exception:  # noqa: BLE001  a damaged file fails anywhere inside the library, with whatever error
        raise _refused(_("an XLSX file that a spreadsheet opens"), name, "not_a_table") from None


def _require_sensible(content: bytes, name: str) -> None:
    """Look at the archive before the library does: what comes out of it, and that no part defines entities."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise _refused(_("an XLSX file that a spreadsheet opens"), name, "not_a_table")
    try:
        uploads.check_packed(content)
    except BadInput:
        raise _refused(_("a workbook of sensible size when unpacked"), name, "file_too_large") from None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for part in archive.infolist():
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as opened:
                    if b"<!" in opened.read(512).replace(b"<!--", b""):
                        raise _refused(_("a workbook without definitions of its own"), name, "not_a_table")


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="minutes")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return clean(str(cell))


def _trimmed(row: list[str]) -> list[str]:
    while row and not row[-1]:
        row.pop()
    return row


def columns(head: Sequence[str]) -> dict[str, int]:
    """Which column holds what, by the names in ``head``. Columns of other names are left aside.

    Raises:
        BadInput: no column with the name of the system, or one name twice.
    """
    named = {alias: key for key, aliases in COLUMNS.items() for alias in aliases}
    found: dict[str, int] = {}
    for place, cell in enumerate(head):
        key = named.get("".join(cell.lower().split()).replace("_", ""))
        if key is None:
            continue
        if key in found:
            raise BadInput(
                _("Two columns are called “%(column)s”. Expected one."),
                code="column_twice", field="file", column=column_words()[key],
            )  # fmt: skip
        found[key] = place
    if "name" not in found:
        raise BadInput(
            _("No column holds the name of the system. Expected a head such as: %(example)s."),
            code="no_name_column", field="file", example=", ".join(column_words().values()),
        )  # fmt: skip
    return found


@dataclass(slots=True)
class Check:
    """What rows are held against. ``seen``: names of this list by row; ``recorded``: names the incident has already."""

    places: Mapping[str, int]
    zone: str
    at: datetime
    found_by: str
    evidence: Mapping[str, int]
    recorded: frozenset[str]
    seen: dict[str, int]

    def row(self, number: int, cells: Sequence[str]) -> tuple[dict[str, Any], list[RowError]]:
        """The values of one row, and what is wrong with it. ``number`` as the spreadsheet counts."""
        given = {key: cells[place] if place < len(cells) else "" for key, place in self.places.items()}
        given["found_by"] = given.get("found_by") or self.found_by
        errors = [
            RowError(number, key, value[:80], "long", str(LONGEST[key]))
            for key, value in given.items()
            if key in LONGEST and len(value) > LONGEST[key]
        ]
        errors += [RowError(number, key, "", "missing") for key in ("name", "found_by") if not given[key]]
        errors += self._name(number, given["name"])
        values: dict[str, Any] = {key: value for key, value in given.items() if key in LONGEST}
        when = given.get("found_at", "")
        # A day without a time is no moment: it stays the words it is.
        values["found_when"], given["found_at"] = (when, "") if _is_day(when) else ("", when)
        for key, convert in (("state", self._state), ("found_at", self._found_at), ("evidence", self._evidence)):
            values[key], error = convert(number, given.get(key, ""))
            errors += [error] if error else []
        return values, errors

    def _name(self, number: int, name: str) -> Iterator[RowError]:
        if not name:
            return
        if name in self.seen:
            yield RowError(number, "name", name[:80], "twice", str(self.seen[name]))
        elif name in self.recorded:
            yield RowError(number, "name", name[:80], "recorded")
        self.seen.setdefault(name, number)

    def _state(self, number: int, text: str) -> tuple[str, RowError | None]:
        if not text:
            return "", None
        known = {str(word).lower(): key for key, words in _state_words().items() for word in (key, *words)}
        state = known.get(text.lower())
        words = ", ".join(str(SystemState(key).label) for key in SystemState.values)
        return (state, None) if state else ("", RowError(number, "state", text[:80], "state", words))

    def _found_at(self, number: int, text: str) -> tuple[str | None, RowError | None]:
        if not text:
            return None, None
        try:
            at = parse_instant(text.replace("/", "-").replace(".", "-") if "T" not in text else text, self.zone)
        except TimeError as error:
            words = error.ko if (get_language() or "").startswith("ko") else error.en
            return None, RowError(number, "found_at", text[:80], "time", words)
        if at > self.at:
            return None, RowError(number, "found_at", text[:80], "future")
        return at.astimezone(UTC).isoformat(), None

    def _evidence(self, number: int, text: str) -> tuple[int | None, RowError | None]:
        if not text:
            return None, None
        found = self.evidence.get(text.upper().lstrip("E#"))
        return (found, None) if found else (None, RowError(number, "evidence", text[:80], "evidence"))


def _is_day(text: str) -> bool:
    return len(text) <= 10 and text.replace("-", "").replace("/", "").replace(".", "").isdigit()


@functools.cache
def _state_words() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {key: [] for key in SystemState.values}
    for language in ("ko", "en"):
        with override(language):
            for key in SystemState.values:
                found[key].append(str(SystemState(key).label))
    return {key: tuple(words) for key, words in found.items()}


def check(rows: Iterable[tuple[int, Sequence[str]]], held: Check) -> tuple[list[dict[str, Any]], list[RowError]]:
    """Every row's values, and every error. Empty rows are left aside."""
    values, errors = [], []
    for number, cells in rows:
        if not any(cells):
            continue
        value, wrong = held.row(number, cells)
        values.append(value)
        errors += wrong
    return values, errors
