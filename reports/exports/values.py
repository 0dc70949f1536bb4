"""The fields of a statement by their number, as values."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reports.forms.formats import chosen


class Values:
    """What a statement says under each number of its form; a field without a value is not there."""

    def __init__(self, statement: Mapping[str, Any]) -> None:
        self.fields = {field["number"]: field for section in statement["sections"] for field in section["fields"]}

    def text(self, number: str) -> str | None:
        """The value as it is printed."""
        field = self.fields.get(number)
        return field["text"] if field and field["status"] == "given" and field["text"] else None

    def raw(self, number: str) -> str | None:
        """The value as it is kept: an option's key, an instant in ISO 8601."""
        field = self.fields.get(number)
        return str(field["value"]) if field and field["status"] == "given" else None

    def keys(self, number: str) -> list[str]:
        """The option keys of several choices."""
        return chosen(self.raw(number) or "")

    def flag(self, number: str) -> bool | None:
        """Yes or no."""
        return {"true": True, "false": False}.get((self.raw(number) or "").lower())

    def whole(self, number: str) -> int | None:
        """A whole number; None for what is none."""
        text = (self.raw(number) or "").replace(",", "")
        return int(text) if text.isascii() and text.isdigit() else None

    def decimal(self, number: str) -> float | None:
        """A number with decimals; a whole one stays whole."""
        text = self.raw(number)
        try:
            found = float(text) if text is not None else None
        except ValueError:
            return None
        return int(found) if found is not None and found.is_integer() else found

    def instant(self, number: str) -> str | None:
        """A moment in UTC to the second: 2026-11-02T05:00:00Z. None for a text that is none."""
        try:
            found = datetime.fromisoformat(self.raw(number) or "")
        except ValueError:
            return None
        return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if found.tzinfo else None

    def status(self, number: str) -> str:
        """given, unknown, missing, blank, or absent: not asked in this stage."""
        field = self.fields.get(number)
        return field["status"] if field else "absent"
