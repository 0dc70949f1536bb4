"""What stands before every view: a second factor where the role needs one, and showing again who it is before some changes."""

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import suspend_request
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse

from compliance.access_policy import get_access_policy
from config.accounts import STRONG, recently_shown
from incidents import access

# Everything a browser could be asked for that no page of ours needs.
PERMISSIONS = ", ".join(
    [f"{name}=()" for name in (
        "accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "display-capture", "encrypted-media",
        "fullscreen", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone",
        "midi", "payment", "picture-in-picture", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
    )]
    + ["publickey-credentials-create=(self)", "publickey-credentials-get=(self)"]
)  # fmt: skip
# What a page does when it is sent (name of the address, and the value of "action" where the page does several things).
CONFIRMED: dict[str, tuple[str, str]] = {
    "access:people": ("people", ""),
    "access:person": ("people", ""),
    "access:entity": ("entities", ""),
    "access:entity_new": ("entities", ""),
    "incidents:tokens": ("tokens", ""),
    "access:glass": ("break_glass", ""),
    "reports:filing": ("approve", "approve"),
}
Answer = Callable[[HttpRequest], HttpResponse]


def permissions(answer: Answer) -> Answer:
    """Send the header Permissions-Policy."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response

    return middleware


class Guard:
    """Middleware after the one that knows the person."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        return self.answer(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Answer instead of the view where something has to be done first."""
        if not request.user.is_authenticated or access.decision_of(view) in _FREE:
            return None
        return _enrolment(request) or _confirmation(request)


_FREE = frozenset({access.Decision.PUBLIC, access.Decision.TOKEN})
# Where somebody without a second factor sets one up.
ENROLMENT = "accounts/"


def _enrolment(request: HttpRequest) -> HttpResponse | None:
    match = request.resolver_match
    if match is None or match.route.startswith(ENROLMENT) or not lacks_second_factor(request):
        return None
    if match.route.startswith("api/"):
        # A program with a token acts without this session.
        if "Authorization" in request.headers:
            return None
        return JsonResponse({"error": "second_factor", "message": "Set up a second factor first."}, status=403)
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": reverse("mfa_index")})
    return redirect("mfa_index")


def needs_second_factor(user: User) -> bool:
    """Whether the policy asks ``user``, by any role, for a second factor."""
    if settings.SECOND_FACTOR != "policy":
        return False
    needed = get_access_policy().sign_in.second_factor
    return any(right.role in needed for right in access.rights_of(user))


def lacks_second_factor(request: HttpRequest) -> bool:
    """Whether the person of ``request`` has to set one up before anything else."""
    user = request.user
    if not isinstance(user, User) or not needs_second_factor(user):
        return False
    if Authenticator.objects.filter(user=user, type__in=STRONG).exists():
        return False
    return not any(_verified_elsewhere(record) for record in get_authentication_records(request, user))


def _verified_elsewhere(record: dict[str, Any]) -> bool:
    """Whether an identity provider that asks for a second factor itself signed the person in."""
    provider = settings.SSO.get(record.get("provider", "")) if record["method"] == "socialaccount" else None
    return provider is not None and provider.verifies


def _confirmation(request: HttpRequest) -> HttpResponse | None:
    if request.method != "POST" or request.resolver_match is None:
        return None
    word, action = CONFIRMED.get(request.resolver_match.view_name, ("", ""))
    if word not in get_access_policy().sign_in.confirm or (action and request.POST.get("action") != action):
        return None
    ways = get_adapter().get_reauthentication_methods(request.user)
    # Whoever comes by single sign-on alone has shown there who it is.
    if not ways or recently_shown(request):
        return None
    return suspend_request(request, ways[0]["url"])
