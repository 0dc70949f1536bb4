"""Roles are asked for once in a request, not once in a check."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from incidents.access.rights import remembering

Answer = Callable[[HttpRequest], HttpResponse]


def remember(answer: Answer) -> Answer:
    """Wrap every request in :func:`remembering`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with remembering():
            return answer(request)

    return middleware
