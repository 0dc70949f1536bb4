"""How one browser shows the desk: light or dark, whose time stands first, shortcuts on or off. Kept in cookies, not in the record."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from compliance.models import Membership
from incidents import access
from incidents.times import local, reader_zone

# The first of each is what holds until somebody chooses.
CHOICES = {
    "theme": ("auto", "light", "dark"),
    "times": ("both", "place", "own"),
    "keys": ("on", "off"),
}
PREFIX = "desk_"
KEPT_SECONDS = 365 * 24 * 3600


@dataclass
class Display:
    """The choices of one browser, and the zone of the person in front of it (asked for once, and only where it is shown)."""

    user: User | AnonymousUser
    theme: str
    times: str
    keys: str

    @classmethod
    def of(cls, request: HttpRequest) -> "Display":
        """From the cookies; what they do not say, or say wrongly, is the default."""
        held = {name: request.COOKIES.get(PREFIX + name, "") for name in CHOICES}
        chosen = {name: held[name] if held[name] in known else known[0] for name, known in CHOICES.items()}
        return cls(request.user, **chosen)

    @cached_property
    def zone(self) -> str:
        """The reader's own zone, or that of the first entity; empty for somebody without a role."""
        if not self.user.is_authenticated:
            return ""
        members = Membership.objects.filter(user=self.user.pk).select_related("entity", "user__reader")
        first = members.order_by("pk").first()
        return reader_zone(first) if first else ""

    def moments(self, at: datetime, zone: str) -> list[str]:
        """``at`` as people read it: in the authority's ``zone``, then in the reader's own where that shows another time."""
        place = local(at, zone)
        if self.times == "place" or not self.zone:
            return [place]
        own = local(at, self.zone)
        if at.astimezone(ZoneInfo(zone)).utcoffset() == at.astimezone(ZoneInfo(self.zone)).utcoffset():
            return [place]
        return [own] if self.times == "own" else [place, own]


def context(request: HttpRequest) -> dict[str, Any]:
    """For every template: ``desk``, the one that the view made if it made one."""
    if not hasattr(request, "user"):
        return {}
    return {"desk": display_of(request)}


def display_of(request: HttpRequest) -> Display:
    """The desk of this request, made once."""
    held: Display | None = getattr(request, "desk", None)
    if held is None:
        held = request.desk = Display.of(request)  # type: ignore[attr-defined]
    return held


@access.decides("own")
@require_POST
def settings(request: HttpRequest) -> HttpResponse:
    """Keep what was chosen, and go back to where it was chosen."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "/"
    response = HttpResponseRedirect(target)
    for name, known in CHOICES.items():
        chosen = request.POST.get(name)
        if chosen in known:
            response.set_cookie(
                PREFIX + name,
                chosen,
                max_age=KEPT_SECONDS,
                samesite="Lax",
                secure=request.is_secure(),
                httponly=True,
            )
    return response
