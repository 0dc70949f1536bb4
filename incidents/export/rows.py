"""Rows as plain JSON, the same bytes for the same rows."""

import base64
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Model

from incidents.export.verify import canonical

# What lets somebody in, or was only ever meant for a form.
LEFT_OUT = frozenset({"request_key"})


class Rows:
    """Turns rows into JSON and remembers which people they name, and how many privileged rows it met.

    ``chosen``: privileged rows go along.
    """

    def __init__(self, *, chosen: bool = False) -> None:
        self.people: set[int] = set()
        self.privileged = 0
        self.chosen = chosen

    def plain(self, row: Model, *, without: Iterable[str] = ()) -> dict[str, Any]:
        """Every column of ``row`` by name; other rows by their number, instants in UTC."""
        found: dict[str, Any] = {}
        for field in row._meta.concrete_fields:
            if field.name in LEFT_OUT or field.name in without:
                continue
            value = getattr(row, field.attname)
            if value is not None and field.is_relation and self._is_person(field.related_model):
                self.people.add(value)
            found[field.name] = _plain(value)
        return found

    def all(self, rows: Iterable[Model], *, without: Iterable[str] = ()) -> list[dict[str, Any]]:
        """:meth:`plain` of each, but for privileged ones."""
        return [self.plain(row, without=without) for row in rows if not self.withheld(row)]

    def withheld(self, row: Model) -> bool:
        """Whether ``row`` is privileged: such rows leave the house in a bundle only if that was chosen. Counted."""
        privileged = bool(getattr(row, "privileged", False))
        self.privileged += privileged
        return privileged and not self.chosen

    def named(self) -> list[dict[str, Any]]:
        """The people that were met so far, by number."""
        people = get_user_model().objects.filter(pk__in=self.people).order_by("pk")
        return [{"id": user.pk, "name": user.get_full_name() or user.get_username()} for user in people]

    @staticmethod
    def _is_person(model: Any) -> bool:
        return bool(model._meta.label == settings.AUTH_USER_MODEL)


def as_member(value: Any) -> bytes:
    """``value`` as the content of a file."""
    return canonical(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return value
