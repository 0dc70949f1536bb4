"""Acknowledging a step by the link in its message: no sign-in, and nothing changes before the button is pressed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from compliance import clock
from compliance.errors import Refused
from incidents import access, ack, services

GONE = 410


@access.decides("token")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge(request: HttpRequest, token: str) -> HttpResponse:
    """Show the step and ask; acknowledge it when told to. A link that is of no use says why."""
    now = clock.now()
    try:
        ticket = ack.read(token, at=now)
        step = ticket.escalation
        if request.method == "POST":
            step = services.escalation_acknowledge(escalation=step, at=now, by=ticket.person, link=ticket.name)
    except Refused as refused:
        return render(request, "incidents/acknowledge.html", {"refused": refused}, status=GONE)
    own = step.acknowledged_link == ticket.name
    return render(request, "incidents/acknowledge.html", {"ticket": ticket, "step": step, "own": own, "now": now})
