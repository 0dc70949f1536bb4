"""What may stand in an entity's profile: words of the law's vocabulary, places, zones. Asked by pages and commands alike."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from django.utils.translation import gettext_lazy as _

from compliance.engine import LocalText
from compliance.engine.conditions import PLACE
from compliance.errors import BadInput
from compliance.library import get_library

# Which fact's choices a field of the profile takes its words from.
VOCABULARY = {"roles": "entity.roles", "sectors": "entity.sectors"}
PARTICULAR = re.compile(r"[a-z][a-z0-9_]{0,59}")


def words_for(field: str) -> Mapping[str, LocalText]:
    """The words that ``field`` (roles or sectors) may hold, with what they mean."""
    return get_library().facts[VOCABULARY[field]].choices


def check_profile(profile: Mapping[str, Any]) -> None:
    """Refuse what the law library does not know. ``profile`` holds the fields of an Entity that are to be set.

    Raises:
        BadInput: naming the field and the value.
    """
    for field in VOCABULARY:
        _each(field, profile.get(field, ()), words_for(field).__contains__, ", ".join(words_for(field)))
    for field in ("establishments", "markets"):
        _each(field, profile.get(field) or (), PLACE.fullmatch, "KR, DE-HE, US-CA")
    if "zone" in profile and profile["zone"] not in available_timezones():
        raise _unknown("zone", profile["zone"], "Asia/Seoul")
    if "establishments" in profile and not profile["establishments"]:
        raise BadInput(
            _("Name at least one place where the entity is established."), code="no_place", field="establishments"
        )
    main = profile.get("main_establishment")
    if main and main not in profile.get("establishments", ()):
        raise _unknown("main_establishment", main, ", ".join(profile.get("establishments", ())))
    for key, value in (profile.get("particulars") or {}).items():
        if not PARTICULAR.fullmatch(key) or not isinstance(value, str):
            raise _unknown("particulars", key, "business_number = 000-00-00000")


def _each(field: str, values: Sequence[str], known: Any, expected: str) -> None:
    for value in values:
        if not known(value):
            raise _unknown(field, value, expected)


def _unknown(field: str, value: object, expected: str) -> BadInput:
    return BadInput(
        _("%(value)s is not known here. Expected such as: %(expected)s."),
        code="unknown_word",
        field=field,
        value=str(value),
        expected=expected,
    )
