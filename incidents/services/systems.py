"""A list of affected systems, from a file to the record: begun, read and checked in steps, taken over whole or cancelled."""

import hashlib
import json
import zlib
from collections import Counter
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from compliance.errors import Refused
from compliance.text import clean
from incidents import access, bulk
from incidents.models import Incident, SystemImport
from incidents.services.common import changing, zone_of
from incidents.services.facts import systems_add

State = SystemImport.State


def import_begin(
    *, incident: Incident, content: bytes, name: str, found_by: str = "", at: datetime, by: User
) -> SystemImport:
    """Keep a file (or a paste) of systems for the steps that follow. Earlier lists of this person that wait are let go.

    Raises:
        NotPermitted: ``by`` may not handle the incident.
        BadInput: too large.
    """
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked)
        bulk.require_size(content, name)
        locked.system_imports.filter(made_by=by).exclude(state=State.DONE).delete()
        return SystemImport.objects.create(
            incident=locked,
            name=clean(name)[:200],
            sha256=hashlib.sha256(content).hexdigest(),
            found_by=clean(found_by)[:200],
            content=content,
            made_at=at,
            made_by=by,
        )


def import_step(*, held: SystemImport, at: datetime, by: User) -> SystemImport:
    """Go one step on: read the file, or check the next rows. One that is ready, refused or over stays as it is.

    Raises:
        BadInput: the file cannot be read; the list is refused then, and says why.
    """
    with changing(held.incident, at=at) as locked:
        access.require_handle(by, locked)
        row = SystemImport.objects.select_for_update().get(pk=held.pk)
        if row.state == State.WAITING:
            cells = bulk.read(bytes(row.content or b""), row.name)
            bulk.columns(cells[0])
            row.rows, row.content = _pack(cells), None
            row.total, row.state = len(cells) - 1, State.CHECKING
        elif row.state == State.CHECKING:
            _check_next(row, locked, at=at)
        row.save()
        return row


def _check_next(row: SystemImport, incident: Incident, *, at: datetime) -> None:
    cells = _unpack(row)
    held = _against(row, incident, cells, at=at)
    begin, end = row.checked, min(row.checked + bulk.CHUNK, row.total)
    place = held.places["name"]
    for number in range(begin):  # the names of the rows that were checked before
        line = cells[number + 1]
        if place < len(line) and line[place]:
            held.seen.setdefault(line[place], number + 2)
    values, errors = bulk.check(((number + 2, cells[number + 1]) for number in range(begin, end)), held)
    row.errors = (row.errors + [error.to_json() for error in errors])[: bulk.MOST_ERRORS]
    row.error_count += len(errors)
    row.counts = _counted(row.counts, values)
    row.checked = end
    if end == row.total:
        row.state = State.REFUSED if row.error_count else State.READY


def _counted(before: dict[str, Any], values: list[dict[str, Any]]) -> dict[str, Any]:
    counts: dict[str, Any] = {"rows": before.get("rows", 0) + len(values)}
    for key in ("state", "kind", "found_by"):
        found = Counter(before.get(key, {}))
        found.update(value.get(key) or "" for value in values)
        counts[key] = dict(found.most_common(50))
    return counts


def _against(row: SystemImport, incident: Incident, cells: list[list[str]], *, at: datetime) -> bulk.Check:
    return bulk.Check(
        places=bulk.columns(cells[0]),
        zone=zone_of(incident),
        at=at,
        found_by=row.found_by,
        evidence={str(number): pk for number, pk in incident.evidence_items.values_list("number", "pk")},
        recorded=frozenset(incident.systems.values_list("name", flat=True)),
        seen={},
    )


def import_first_rows(held: SystemImport, many: int = 20) -> tuple[list[str], list[list[str]]]:
    """The head and the first rows, as they were read."""
    cells = _unpack(held) if held.rows else [[]]
    return cells[0], cells[1 : many + 1]


def import_cancel(*, held: SystemImport, at: datetime, by: User) -> SystemImport:
    """Let the list go; nothing of it was recorded."""
    with changing(held.incident, at=at) as locked:
        access.require_handle(by, locked)
        row = SystemImport.objects.select_for_update().get(pk=held.pk)
        if row.state != State.DONE:
            row.state, row.content, row.rows, row.errors = State.CANCELLED, None, None, []
            row.save()
        return row


def import_adopt(*, held: SystemImport, at: datetime, by: User) -> int:
    """Record every system of the list, or none; answers how many. All rows are checked again.

    Raises:
        Refused: it is not ready, or a row does not fit any more.
    """
    with changing(held.incident, at=at) as locked:
        access.require_handle(by, locked)
        row = SystemImport.objects.select_for_update().get(pk=held.pk)
        if row.state != State.READY:
            raise Refused(_("This list is not ready to be taken over."), code="import_not_ready")
        cells = _unpack(row)
        values, errors = bulk.check(enumerate(cells[1:], start=2), _against(row, locked, cells, at=at))
        if errors:
            raise Refused(
                _("The record changed since the list was checked: row %(row)d does not fit any more. Upload it again."),
                code="import_outdated",
                row=errors[0].row,
            )
        count = systems_add(
            incident=locked,
            systems=[_given(value) for value in values],
            at=at,
            by=by,
            detail={"sha256": row.sha256},
        )
        row.state, row.rows, row.content = State.DONE, None, None
        row.save()
        return count


def _given(value: dict[str, Any]) -> dict[str, Any]:
    at = value.pop("found_at")
    return {
        **{key: item for key, item in value.items() if key != "evidence"},
        "found_at": datetime.fromisoformat(at) if at else None,
        "evidence_id": value["evidence"],
    }


def _pack(cells: list[list[str]]) -> bytes:
    return zlib.compress(json.dumps(cells, ensure_ascii=False).encode(), 6)


def _unpack(row: SystemImport) -> list[list[str]]:
    return json.loads(zlib.decompress(bytes(row.rows or b"")))  # type: ignore[no-any-return]
