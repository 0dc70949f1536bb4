"""Requests that come twice, and changes of a version that the caller has not seen."""

import hashlib

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja.errors import HttpError

from compliance.errors import Refused
from incidents.api.callers import caller

IDEMPOTENCY = "Idempotency-Key"
KEPT_SECONDS = 24 * 3600


def request_key(request: HttpRequest, *parts: object) -> str | None:
    """What makes a repeated request answer as the first: the header, bound to the person, the place and what was asked.

    Raises:
        HttpError: no key at all or an endless one in the header.
        Refused: the same key with another request.
    """
    given = request.headers.get(IDEMPOTENCY)
    if given is None:
        return None
    if not 1 <= len(given) <= 200:
        raise HttpError(400, IDEMPOTENCY)
    user = caller(request).user.pk
    told = hashlib.sha256("\n".join(map(str, (user, request.path, given, *parts))).encode()).hexdigest()[:48]
    asked = hashlib.sha256(request.body).hexdigest()
    held = cache.get_or_set(f"api:key:{told}", asked, KEPT_SECONDS)
    if held != asked:
        raise Refused(
            _("This %(header)s was used for another request."), code="key_used", field=IDEMPOTENCY, header=IDEMPOTENCY
        )
    return f"api:{told}"


class WrongVersion(Exception):
    """``If-Match`` names another version than there is, or is missing where it is needed."""

    def __init__(self, tag: str, *, missing: bool) -> None:
        super().__init__(tag)
        self.tag, self.missing = tag, missing


def require_version(request: HttpRequest, tag: str, *, needed: bool = False) -> None:
    """Refuse a change of a version that the caller has not seen.

    Raises:
        WrongVersion: ``If-Match`` is another, or ``needed`` and missing.
    """
    given = request.headers.get("If-Match")
    if given is None and not needed:
        return
    # An answer that was compressed on its way carries the tag as a weak one.
    if given is None or tag not in [item.strip().removeprefix("W/") for item in given.split(",")]:
        raise WrongVersion(tag, missing=given is None)
