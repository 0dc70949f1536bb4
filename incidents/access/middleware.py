"""What holds for every request: roles are asked for once, and what no page can have sent is refused at the door."""

from collections.abc import Callable, Iterator

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from incidents import standing
from incidents.access.rights import remembering

Answer = Callable[[HttpRequest], HttpResponse]


def remember(answer: Answer) -> Answer:
    """Wrap every request in :func:`remembering`: not once in a check."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with remembering(), standing.request():
            return answer(request)

    return middleware


def no_null(answer: Answer) -> Answer:
    """Refuse a null character in the address or a form: no browser sends one, and no database holds it.

    The API reads JSON and cleans it by itself.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/") and any("\0" in text for text in _given(request)):
            raise BadRequest("a null character")
        return answer(request)

    return middleware


def _given(request: HttpRequest) -> Iterator[str]:
    yield request.path_info
    for held in (request.GET, request.POST):
        for name, values in held.lists():
            yield name
            yield from values
