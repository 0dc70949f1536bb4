"""Sealing what lies in the tables: rows from before encryption (migrations), and rows under another key (``rotate_keys``).

In batches, each a transaction of its own in which a row is changed only if it still is as it was read: whoever writes
meanwhile wins, a run that dies loses nothing, and the next one goes on with what is left.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from compliance import vault
from compliance.fields import Encrypted, EncryptedJSONField

BATCH = 200


@dataclass(frozen=True, slots=True)
class Column:
    """An encrypted column, and where its rows are."""

    model: type[models.Model]
    field: Any

    @property
    def json(self) -> bool:
        """Whether it holds JSON."""
        return isinstance(self.field, EncryptedJSONField)

    @property
    def name(self) -> str:
        """The column's name, as SQL writes it."""
        return connection.ops.quote_name(self.field.column)

    @property
    def table(self) -> str:
        """The table's name, as SQL writes it."""
        return connection.ops.quote_name(self.model._meta.db_table)


def columns(registry: Any = apps) -> list[Column]:
    """Every encrypted column there is."""
    return [
        Column(model, field)
        for model in registry.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, Encrypted)
    ]


def left(column: Column) -> int:
    """How many rows are sealed under another key than the one that seals today."""
    return sum(
        1 for _pk, text in _rows(column, 0, None) if vault.is_sealed(_held(column, text)) and _stale(column, text)
    )


def keys_used(column: Column) -> set[str]:
    """The names of the keys under which rows of ``column`` are sealed."""
    held = (_held(column, text) for _pk, text in _rows(column, 0, None))
    return {text.split(":", 2)[1] for text in held if vault.is_sealed(text)}


def reseal(column: Column, *, batch: int = BATCH, plain: Callable[[int], bool] | None = None) -> Iterator[int]:
    """Seal every row of ``column`` under today's key; after each batch, how many rows it changed.

    ``plain``: whether a row that is not sealed at all is sealed too, told by its primary key; without it such rows stay.
    """
    after = 0
    while True:
        rows = list(_rows(column, after, batch))
        if not rows:
            return
        after = rows[-1][0]
        with transaction.atomic():
            changed = sum(_resealed(column, pk, text, plain) for pk, text in rows)
        yield changed


def _rows(column: Column, after: int, many: int | None) -> Iterator[tuple[int, str]]:
    """Primary key and text of the rows after ``after``, in order."""
    empty = f"CAST({column.name} AS text) NOT IN ('', 'null')"
    limit = f" LIMIT {many}" if many else ""
    sql = (
        f"SELECT id, CAST({column.name} AS text) FROM {column.table} "  # our own names  # noqa: S608  # nosec B608
        f"WHERE id > %s AND {column.name} IS NOT NULL AND {empty} ORDER BY id{limit}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [after])
        yield from cursor.fetchall()


def _held(column: Column, text: str) -> str:
    """The sealed text in a column, or something that is none."""
    if not column.json:
        return text
    return str(json.loads(text)) if text.startswith('"') else ""


def _stale(column: Column, text: str) -> bool:
    return not vault.under_current(_held(column, text))


def _resealed(column: Column, pk: int, text: str, plain: Callable[[int], bool] | None) -> int:
    held, place = _held(column, text), column.field.place
    if vault.is_sealed(held):
        if not _stale(column, text):
            return 0
        said = vault.unseal_text(held, place)
    elif plain is not None and plain(pk):
        said = text
    else:
        return 0
    return _put(column, pk, text, vault.seal_text(said, place))


def _put(column: Column, pk: int, before: str, sealed: str) -> int:
    value, cast = (json.dumps(sealed), "::jsonb") if column.json else (sealed, "")
    cast = cast if connection.vendor == "postgresql" else ""
    sql = (
        f"UPDATE {column.table} SET {column.name} = %s{cast} "  # our own names  # noqa: S608  # nosec B608
        f"WHERE id = %s AND CAST({column.name} AS text) = %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [value, pk, before])
        return int(cursor.rowcount)
