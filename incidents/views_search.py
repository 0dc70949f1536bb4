"""Searching across everything a person may see."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from incidents import access
from incidents import search as searching


@access.decides("own")
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """What holds the words ``q``, by kind, with links to the place."""
    words = " ".join(request.GET.get("q", "").replace("\x00", "").split())[: searching.LONGEST]
    long_enough = len(words) >= searching.SHORTEST
    context = {
        "words": words,
        "groups": searching.find(request.user, words) if long_enough else [],
        "too_short": bool(words) and not long_enough,
        "opened": searching.MOST_OPENED,
    }
    return render(request, "incidents/search.html", context)
