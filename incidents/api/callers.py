"""Who asks, for which incidents, and how often."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from ninja.errors import AuthenticationError
from ninja.security import HttpBearer, SessionAuth
from ninja.throttling import SimpleRateThrottle

from compliance import clock
from incidents import access, selectors, standing
from incidents.models import Incident
from incidents.services.tokens import PREFIX, token_for
from incidents.tokens import ApiToken, Scope


@dataclass(frozen=True, slots=True)
class Caller:
    """A person, signed in or through a token. ``entities``: the ids a token is limited to; None: no limit."""

    user: User
    token: ApiToken | None = None
    entities: frozenset[int] | None = None


class Token(HttpBearer):
    """``Authorization: Bearer bck_...``. The token must be for ``scope``."""

    openapi_bearerFormat = f"{PREFIX}..."  # noqa: N815  the name that OpenAPI gives it
    openapi_description = "A token that a person made for this use; see the page of API tokens."

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Caller | None:
        """The caller; None without the header, so that a session may be looked at."""
        given = request.headers.get(self.header)
        if given is None:
            return None
        kind, _space, token = given.partition(" ")
        if kind.lower() != self.openapi_scheme:
            raise AuthenticationError
        return self.authenticate(request, token.strip())

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """The caller with the token's limits.

        Raises:
            AuthenticationError: unknown, expired, revoked, or its person was deactivated.
            WrongScope: not made for this.
            TooMany: asked too often.
        """
        # Before it is looked up, so that guessing is slow.
        count_address(request, ADDRESS_SHARE)
        row = token_for(token, at=clock.now())
        if row is None:
            count_address(request)
            raise AuthenticationError
        count(request, f"token:{row.pk}")
        if self.scope not in row.scopes:
            raise WrongScope(self.scope)
        limit = frozenset(row.entities.values_list("pk", flat=True)) if row.limited else None
        request.user = row.user
        standing.act_through(row.user_id, f"token:{row.pk}")
        return Caller(row.user, row, limit)


class Session(SessionAuth):
    """Whoever is signed in on the pages. Anything but reading needs the CSRF token in the header ``X-CSRFToken``."""

    openapi_description = "The session of the pages; anything but reading needs the header X-CSRFToken too."

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        """The caller, or None."""
        user = request.user
        if not user.is_authenticated or not user.is_active:
            count_address(request)
            return None
        count(request, f"user:{user.pk}")
        return Caller(cast(User, user))


def needs(scope: Scope) -> list[Callable[[HttpRequest], Any]]:
    """Who may call an operation: a token for ``scope``, or a session. What of it succeeds, the person's roles decide."""
    return [Token(scope), Session()]


READ, HANDLE = needs(Scope.READ), needs(Scope.HANDLE)
DECIDE, EXPORT = needs(Scope.DECIDE), needs(Scope.EXPORT)


class WrongScope(Exception):
    """A token that was made for something else."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


def caller(request: HttpRequest) -> Caller:
    """Who asks."""
    return cast(Caller, request.auth)  # type: ignore[attr-defined]


def incidents_of(request: HttpRequest) -> QuerySet[Incident]:
    """The incidents the caller may know of, newest first."""
    return access.limited(selectors.incidents_of(caller(request).user), caller(request).entities)


def find(request: HttpRequest, code: str) -> Incident:
    """The incident ``code``, if the caller may know of it.

    Raises:
        Http404: there is none, or it is not for this caller.
    """
    found = incidents_of(request).select_related("reported_by").filter(code=code).first()
    if found is None:
        raise Http404
    return found


def one[T](rows: QuerySet[Any, T], **wanted: object) -> T:
    """The row.

    Raises:
        Http404: there is none.
    """
    found = rows.filter(**wanted).first()
    if found is None:
        raise Http404
    return found


class TooMany(Exception):
    """Asked too often; ``wait`` in seconds."""

    def __init__(self, wait: float | None) -> None:
        super().__init__(wait)
        self.wait = wait


# Many tokens may come from one house.
ADDRESS_SHARE = 10


class Rate(SimpleRateThrottle):
    """So many requests in a time (``API_RATE``) under one name, counted in the cache that all processes share.

    Made anew for each request: the library keeps what it counts in the object, which threads would share.
    """

    def __init__(self, name: str, times: int = 1) -> None:
        super().__init__(settings.API_RATE)
        self.name = name
        self.num_requests = (self.num_requests or 0) * times

    def get_cache_key(self, request: HttpRequest) -> str:
        """The name."""
        return f"api:rate:{self.name}"


def count(request: HttpRequest, name: str, times: int = 1) -> None:
    """Count one request under ``name``.

    Raises:
        TooMany: there were too many.
    """
    rate = Rate(name, times)
    if not rate.allow_request(request):
        raise TooMany(rate.wait())


def count_address(request: HttpRequest, times: int = 1) -> None:
    """Count one request of an address.

    Raises:
        TooMany: there were too many.
    """
    address = hashlib.sha256(str(request.META.get("REMOTE_ADDR")).encode()).hexdigest()[:32]
    count(request, f"address:{times}:{address}", times)
