"""The few pages of signing in that are not allauth's."""

from typing import Any

from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

FORBIDDEN = 403


class SessionsView(ListUserSessionsView):
    """The person's sessions; one of them, or all others, can be ended."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """End one (``session``, its number), or all others."""
        if "session" not in request.POST:
            return super().post(request, *args, **kwargs)
        number = request.POST["session"]
        row = UserSession.objects.filter(user=request.user, pk=number if number.isdecimal() else 0).first()
        if row is None or row.is_current():
            raise Http404
        row.end()
        messages.success(request, _("The session is ended."))
        return redirect("usersessions_list")


sessions = SessionsView.as_view()


def closed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Nobody makes an account for himself."""
    return render(request, "account/signup_closed.html", status=FORBIDDEN)


def no_password(request: HttpRequest) -> HttpResponse:
    """Whoever comes by single sign-on has no password here, and makes none."""
    return redirect("mfa_index")


def gone(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Nothing is here."""
    raise Http404
