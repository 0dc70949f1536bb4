"""Whether the watchers are watching."""

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse

from incidents import clock_check
from incidents.health import Report, report


def health(request: HttpRequest) -> JsonResponse:
    """200 while everything is well, 503 with what is wrong and since when otherwise. Says nothing about incidents."""
    try:
        found = report(now=clock_check.check().shared)
    except DatabaseError:
        found = Report({"database_gone": None}, 0, 0)
    return JsonResponse(found.to_json(), status=200 if found.healthy else 503)
