"""Each view says how it decides who may see what. A view that says nothing fails a test, and is for people signed in."""

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required, login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from incidents.access.checks import may_configure

View = Callable[..., HttpResponse]


class Decision(StrEnum):
    """How a view decides."""

    # For everybody, signed in or not; it shows nothing of anybody.
    PUBLIC = "public"
    # Whoever holds an address that nobody can guess; it ends, and can be withdrawn.
    TOKEN = "token"  # a word, no secret  # noqa: S105  # nosec B105
    # Whoever is signed in; all it shows went through the functions of this package.
    OWN = "own"
    # The incident in the address must be one the person may see; what is done to it, the services decide.
    INCIDENT = "incident"
    # A program's: the view itself asks who it is and answers with a status instead of the sign-in page.
    API = "api"
    # Administrators of an entity.
    CONFIGURE = "configure"


# These ask by themselves who it is, or need not know.
OPEN = frozenset({Decision.PUBLIC, Decision.TOKEN, Decision.API})


def decides(how: str) -> Callable[[View], View]:
    """Declare how a view decides: keep out who is not signed in where that is asked for, and methods that no page has.

    Raises:
        ValueError: no such decision.
    """
    decision = Decision(how)

    def declare(view: View) -> View:
        kept = view if decision is Decision.API else require_http_methods(["GET", "HEAD", "POST", "OPTIONS"])(view)
        if decision is Decision.CONFIGURE:
            kept = _administrators(kept)
        guarded = login_not_required(kept) if decision in OPEN else login_required(kept)
        guarded.access_decision = decision  # type: ignore[attr-defined]
        return guarded

    return declare


def _administrators(view: View) -> View:
    @wraps(view)
    def inside(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_configure(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return inside


def decision_of(view: View) -> Decision | None:
    """What ``view`` declared, if anything."""
    return getattr(view, "access_decision", None)
