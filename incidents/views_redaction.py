"""Redacting a fact: what goes, what stays all the same, and the two steps of saying so."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance import clock
from compliance.errors import NotPermitted, Refused
from incidents import access, services
from incidents.models import Fact, Incident
from incidents.services import redaction
from incidents.views import find

UNPROCESSABLE = 422


class RedactionForm(forms.Form):
    """Why, and that it was understood."""

    reason = forms.CharField(
        label=gettext_lazy("Why must it be redacted? (Without the words themselves: the reason stays.)"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "form-control"}),
    )
    confirm = forms.BooleanField(label=gettext_lazy("I understand that nobody can undo this."))


@access.decides("incident")
def redact(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """What redacting one fact would do; and, once confirmed, doing it."""
    incident = find(request, code)
    fact = incident.facts.filter(number=number).select_related("recorded_by", "redacted_by").first()
    if fact is None:
        raise Http404(number)
    now = incident.clock_at or clock.now()
    if incident.kind == Incident.Kind.REPLAY or not access.may_redact(request.user, incident):
        raise PermissionDenied
    form = RedactionForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _done(request, fact, form, at=now):
        return redirect(reverse("incidents:incident", args=[code]) + "#facts")
    status = UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "incidents/redact.html", _context(incident, fact, form, at=now), status=status)


def _done(request: HttpRequest, fact: Fact, form: RedactionForm, *, at: datetime) -> bool:
    try:
        services.fact_redact(fact=fact, reason=form.cleaned_data["reason"], at=at, by=request.user)
    except NotPermitted:
        raise PermissionDenied from None
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return False
    messages.success(
        request, _("Redacted. Of the words only a digest remains, and the journal says who did it and why.")
    )
    return True


def _context(incident: Incident, fact: Fact, form: RedactionForm, *, at: datetime) -> dict[str, Any]:
    found = redaction.copies(fact) if fact.redacted_at is None else []
    return {
        "incident": incident,
        "zone": next((entity.zone for entity in incident.entities.all()), "Asia/Seoul"),
        "fact": fact,
        "form": form,
        "obstacle": redaction.why_not(fact, at=at),
        "emptied": [copy for copy in found if copy.empty is not None],
        "stays": [copy for copy in found if copy.empty is None],
    }
