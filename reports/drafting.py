"""Two people at one draft: what each of them changed, told apart by what the form showed when it was opened.

A form carries a short digest of every field as shown. A field that still has its digest was not touched by whoever sends it, so
that saving never puts back an old text of somebody else's field.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, JsonResponse

from compliance import clock
from compliance.engine import LocalText
from compliance.errors import Refused
from reports import prefill
from reports.models import Filing

EDITION_CONFLICT = "edition_conflict"
LENGTH = 12


def base_of(sections: Iterable[Mapping[str, Any]]) -> str:
    """The digests of all fields that can be typed, as the form carries them."""
    fields = (item for section in sections for item in section["fields"])
    return json.dumps(
        {item["field"].key: _digest(item["raw"]) for item in fields if "raw" in item}, separators=(",", ":")
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.replace("\r\n", "\n").strip().encode()).hexdigest()[:LENGTH]


def untouched(given: Mapping[str, Any], key: str, text: str) -> bool:
    """Whether ``text`` is what the form showed for ``key``. A form without digests touched everything."""
    try:
        base = json.loads(given.get("base") or "{}")
    except ValueError:
        return False
    return isinstance(base, dict) and base.get(key) == _digest(text)


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that the person changed: what stands in the draft now, and what the person typed. ``same``: both say the same."""

    key: str
    label: LocalText
    theirs: str
    mine: str
    same: bool


def mine(held: Filing, given: Any, typed_in: Callable[[Any, str], str]) -> dict[str, str]:
    """What the person changed, by field: raw text as typed."""
    found = {}
    for item in prefill.form_of(held).fields(held.stage):
        name = f"field-{item.key}"
        if name in given and item.type != "table":
            text = typed_in(item, name)
            if not untouched(given, item.key, text):
                found[item.key] = text
    return found


def clashes(sections: Iterable[Mapping[str, Any]], changed: Mapping[str, str]) -> list[Clash]:
    """The person's changes beside what stands there now. ``sections``: as stored, nothing typed."""
    return [
        Clash(
            item["field"].key,
            item["field"].label,
            item["raw"],
            changed[item["field"].key],
            _digest(item["raw"]) == _digest(changed[item["field"].key]),
        )
        for section in sections
        for item in section["fields"]
        if item["field"].key in changed
    ]


def autosave(
    request: HttpRequest,
    held: Filing,
    *,
    edit: Callable[[HttpRequest, Filing, datetime], Any],
    sections: Callable[[Filing], list[dict[str, Any]]],
) -> JsonResponse:
    """Save without leaving the page; answers the edition and digests to go on from, or why not."""
    try:
        edit(request, held, clock.now())
    except Refused as refused:
        code = 409 if refused.code == EDITION_CONFLICT else 422
        return JsonResponse({"error": str(refused), "code": refused.code}, status=code)
    fresh = Filing.objects.select_related("incident", "entity").get(pk=held.pk)
    return JsonResponse({"edition": fresh.edition, "base": base_of(sections(fresh))})
