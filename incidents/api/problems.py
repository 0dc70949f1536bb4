"""Refusals: one shape for all of them (RFC 9457), in the language asked for."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from ninja import Schema

from compliance.errors import BadInput, NotPermitted, Refused

MEDIA_TYPE = "application/problem+json"


class Fault(Schema):
    """One thing that is wrong with a request."""

    field: str
    code: str
    detail: str


class Problem(Schema):
    """Why it was refused (RFC 9457). ``code`` is stable; ``title`` and ``detail`` are in the language asked for."""

    type: str
    code: str
    title: str
    status: int
    detail: str
    field: str | None = None
    value: str | int | bool | None = None
    errors: list[Fault] | None = None


TITLES: dict[int, str | Promise] = {
    400: _("The request cannot be read"),
    401: _("Not signed in"),
    403: _("Not permitted"),
    404: _("Not found"),
    405: _("Not possible here"),
    409: _("Refused as things stand"),
    412: _("Changed by somebody else"),
    413: _("Too large"),
    422: _("Cannot be accepted"),
    428: _("Say which version you change"),
    429: _("Too many requests"),
    500: _("Something went wrong here"),
}
DETAILS: dict[int, str | Promise] = {
    400: _("Expected a body of JSON that is well formed, not nested too deeply, and without a key twice."),
    401: _("Sign in, or send a token that is still good: Authorization: Bearer bck_..."),
    403: _("You may not do this."),
    404: _("There is nothing here, or it is not for you."),
    405: _("This address does not take that method."),
    413: _("The body is too large."),
    429: _("Wait a little and try again."),
    500: _("It was noted. Nothing was changed."),
}
CSRF = _("The header X-CSRFToken is missing or wrong.")

ERRORS: dict[Any, Any] = {frozenset({400, 401, 403, 404, 409, 412, 413, 422, 428, 429}): Problem}


def problem(
    status: int,
    *,
    code: str = "",
    detail: str | Promise = "",
    field: str | None = None,
    value: object = None,
    errors: Sequence[Mapping[str, str]] | None = None,
) -> HttpResponse:
    """A refusal as every endpoint words it."""
    name = code or HTTPStatus(status).phrase.lower().replace(" ", "_")
    body = {
        "type": f"urn:breachclock:problem:{name}",
        "code": name,
        "title": str(TITLES[status]),
        "status": status,
        "detail": str(detail or DETAILS.get(status, "")),
        "field": field,
        "value": value if isinstance(value, str | int | bool) else None,
        "errors": list(errors) if errors is not None else None,
    }
    shown = {key: item for key, item in body.items() if item is not None}
    response = HttpResponse(json.dumps(shown, ensure_ascii=False), content_type=MEDIA_TYPE, status=status)
    response["Cache-Control"] = "no-store"
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    return response


# What was given may be repeated in a refusal where it cannot be about a person.
_HARMLESS = frozenset({"unknown_fact", "unknown_place", "in_the_future", "naive_instant", "unknown_channel", "negative",
                       "before_frozen", "due_before_received", "token_days", "unknown_rule", "unknown_stage"})  # fmt: skip


def refused(error: Refused) -> HttpResponse:
    """A refusal of a service: 403 the person, 422 the value, 412 the version, 409 the state of things."""
    if error.code in _HARMLESS:
        value = error.context.get("value", error.context.get("name"))
        detail, value = str(error), value if isinstance(value, int) else str(value or "") or None
    else:
        held = {key: ("…" if key == "value" else item) for key, item in error.context.items()}
        detail, value = str(error.message % held) if held else str(error.message), None
    return problem(_status(error), code=error.code, detail=detail, field=error.field or None, value=value)


def _status(error: Refused) -> int:
    if isinstance(error, NotPermitted):
        return HTTPStatus.FORBIDDEN
    if isinstance(error, BadInput):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.PRECONDITION_FAILED if error.code == "edition_conflict" else HTTPStatus.CONFLICT


_FAULTS: dict[str, str | Promise] = {
    "missing": _("It is missing."),
    "extra_forbidden": _("There is no such key."),
    "string_type": _("Expected a text."),
    "string_too_long": _("It is too long."),
    "string_too_short": _("It is too short."),
    "string_pattern_mismatch": _("It is not written as expected."),
    "bool_type": _("Expected true or false."),
    "bool_parsing": _("Expected true or false."),
    "int_type": _("Expected a whole number."),
    "int_parsing": _("Expected a whole number."),
    "int_from_float": _("Expected a whole number."),
    "greater_than_equal": _("The number is too small."),
    "less_than_equal": _("The number is too large."),
    "list_type": _("Expected a list."),
    "dict_type": _("Expected an object."),
    "model_attributes_type": _("Expected an object."),
    "too_long": _("There are too many."),
    "too_short": _("There are too few."),
    "enum": _("It is none of the possible values."),
    "literal_error": _("It is none of the possible values."),
    "timezone_aware": _("Expected a date and time with its offset, for example 2025-09-15T14:00+09:00."),
}
_ELSE = _("It cannot be used.")
_MOMENT = _FAULTS["timezone_aware"]


def faults(errors: Sequence[Mapping[str, Any]]) -> HttpResponse:
    """Everything that does not fit the document of the API. What was given is not repeated: it may be about a person."""
    found = [_fault(error) for error in errors]
    first = found[0] if found else {"field": None, "detail": str(_ELSE)}
    return problem(422, code="invalid", detail=first["detail"] or "", field=first["field"], errors=found)


def _fault(error: Mapping[str, Any]) -> dict[str, str]:
    kind = str(error.get("type", "invalid"))
    words = _MOMENT if kind.startswith(("datetime", "date_")) else _FAULTS.get(kind, _ELSE)
    # Where it is; "body" and the name of the argument say nothing.
    place = [str(part) for part in error.get("loc", ())]
    place = place[2:] if place[:1] == ["body"] else place[1:]
    return {"field": ".".join(place)[:200], "code": kind, "detail": str(words)}
