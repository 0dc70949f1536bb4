"""Whether the watchers are watching."""

from django.http import HttpRequest, JsonResponse

from compliance import clock
from incidents.health import report


def health(request: HttpRequest) -> JsonResponse:
    """200 while everything is well, 503 with the reasons otherwise. Says nothing about incidents."""
    found = report(now=clock.now())
    return JsonResponse(found.to_json(), status=200 if found.healthy else 503)
