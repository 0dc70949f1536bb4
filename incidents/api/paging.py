"""Long lists, a page at a time."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from ninja import Schema
from pydantic import Field

from compliance.errors import BadInput
from incidents.api.reading import Strict

PAGE, LONGEST_PAGE = 50, 200


class Paging(Strict):
    """Where a list goes on, and how much of it is wanted."""

    cursor: Annotated[str, Field(max_length=300, description="`next` of the page before")] | None = None
    limit: Annotated[int, Field(ge=1, le=LONGEST_PAGE)] = PAGE


class Page[T](Schema):
    """A part of a list. ``next``: the cursor of the part after it; null at the end."""

    items: list[T]
    next: str | None


def page_of(rows: QuerySet[Any], paging: Paging, show: Callable[[Any], Any], *, by: str) -> dict[str, Any]:
    """One page of ``rows`` in the order of the column ``by`` ("-" in front: downwards), rows of one value by id.

    Raises:
        BadInput: not a cursor of this list.
    """
    column, down = by.removeprefix("-"), by.startswith("-")
    if paging.cursor is not None:
        value, pk = _read(paging.cursor, by)
        beyond = "lt" if down else "gt"
        rows = rows.filter(Q(**{f"{column}__{beyond}": value}) | Q(**{column: value, f"pk__{beyond}": pk}))
    found = list(rows.order_by(by, "-pk" if down else "pk")[: paging.limit + 1])
    more = len(found) > paging.limit
    last = found[paging.limit - 1] if more else None
    held = getattr(last, column) if last is not None else None
    told = signing.dumps([held.isoformat() if isinstance(held, datetime) else held, last.pk], salt=by) if last else None
    return {"items": [show(row) for row in found[: paging.limit]], "next": told}


def _read(cursor: str, by: str) -> tuple[Any, int]:
    try:
        value, pk = signing.loads(cursor, salt=by)
    except (ValueError, signing.BadSignature):
        raise BadInput(_("This is no cursor of this list."), code="wrong_cursor", field="cursor") from None
    return (datetime.fromisoformat(value) if isinstance(value, str) else value), pk
