"""GDPR art. 33 notification as JSON, in the structure of the EDPB's common template (see forms/eu_gdpr_art33/README.md)."""

import re
from collections.abc import Mapping
from typing import Any

from reports.exports.values import Values

# By the template: what must be there in every notification.
REQUIRED = (3, 4, 12, 13, 21, 22, 23, 29, 30, 31, 38, 39, 40, 41, 44, 48, 50, 51, 55, 60, 61, 62, 63, 65, 66, 67, 70, 71, 72, 73, 75, 76, 85, 87, 89, 90, 92, 94, 95, 97, 113, 120)  # fmt: skip
# The choice that says "not yet known", where there is one.
NOT_YET = {"44": "e", "60": "x", "61": "e", "65": "k", "67": "d", "70": "t", "72": "d", "75": "l", "85": "o", "87": "d", "94": "o", "97": "c", "113": "c", "120": "c"}  # fmt: skip
# Room for one choice only: where the further ones are named.
DESCRIBED_IN = {"55": "62", "60": "62", "65": "66", "70": "71", "75": "76", "85": "86", "94": "92"}
REMARKS = "53"
INSTANTS, WHOLE, FLAGS = ("46", "47", "48"), ("68", "73"), ("45",)
# One number where the form lists countries; a choice that names no authority.
TOTALS, LEFT_OUT = ("117", "122"), ("118", "123")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
UNKNOWN, NOT_APPLICABLE = "Not known yet (will follow)", "Not applicable"


def export(statement: Mapping[str, Any]) -> dict[str, Any]:
    """The template's fields with their values."""
    values = Values(statement)
    made: dict[str, Any] = {}
    for number, field in values.fields.items():
        value = _value(values, number, field["type"])
        if value is not None and number not in LEFT_OUT:
            made[f"field_{number}"] = value
    for number in map(str, REQUIRED):
        made.setdefault(f"field_{number}", _absent(values, number))
    _describe(values, made)
    return made


def _value(values: Values, number: str, kind: str) -> Any:
    if number in INSTANTS:
        return values.instant(number)
    if number in FLAGS:
        return values.flag(number)
    if number in WHOLE or number in TOTALS:
        return values.whole(number)
    if number == "95":
        found = DATE.search(values.text(number) or "")
        return found.group() if found else values.text(number)
    if kind == "choices":
        return next(iter(values.keys(number)), None)
    return values.raw(number) if kind == "choice" else values.text(number)


def _absent(values: Values, number: str) -> Any:
    """What stands in a required field without a value. Unknown never looks like "none"."""
    if number in NOT_YET:
        return NOT_YET[number]
    if number in WHOLE:
        return 0
    return NOT_APPLICABLE if values.status(number) == "blank" else UNKNOWN


def _describe(values: Values, made: dict[str, Any]) -> None:
    """Names what the structure has no room for in the description beside it, or among the remarks."""
    added: dict[str, list[str]] = {}
    for number, field in values.fields.items():
        if field["type"] == "choices" and len(values.keys(number)) > 1:
            place = DESCRIBED_IN.get(number, REMARKS)
            added.setdefault(place, []).append(f"Field {number}, all that apply: {values.text(number)}")
        elif number in TOTALS and values.text(number):
            added.setdefault(REMARKS, []).append(f"Field {number}: {values.text(number)}")
        elif number == "95" and DATE.fullmatch(str(made.get("field_95"))):
            added.setdefault(REMARKS, []).append(f"Field 95: {values.text(number)}")
        elif number in WHOLE and values.status(number) == "unknown":
            added.setdefault(REMARKS, []).append(f"Field {number}: {UNKNOWN}")
    for place, lines in added.items():
        before = made.get(f"field_{place}")
        made[f"field_{place}"] = "\n".join([before, *lines] if before else lines)
