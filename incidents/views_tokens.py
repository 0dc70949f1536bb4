"""The page of one's own tokens of the API."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from compliance import clock
from compliance.errors import Refused
from compliance.text import number_in
from incidents import access
from incidents.forms_tokens import TokenForm
from incidents.services.tokens import token_make, token_revoke

UNPROCESSABLE = 422


@access.decides("own")
def tokens(request: HttpRequest) -> HttpResponse:
    """My tokens, a form to make one, and the buttons that end them."""
    made: dict[str, str] = {}
    form = _form(request, request.POST if request.POST.get("action") == "make" else None)
    if request.method == "POST":
        if request.POST.get("action") == "revoke":
            _revoke(request)
            return redirect("incidents:tokens")
        if request.POST.get("action") != "make":
            raise Http404
        # Shown once: no redirect, or it would have to be kept somewhere.
        made = _make(request, form)
    failed = request.method == "POST" and not made
    context = {
        "form": _form(request, None) if made else form,
        "made": made,
        "tokens": request.user.api_tokens.prefetch_related("entities"),
        "now": clock.now(),
    }
    response = render(request, "incidents/tokens.html", context, status=UNPROCESSABLE if failed else 200)
    response["Cache-Control"] = "no-store"
    return response


def _form(request: HttpRequest, given: Any) -> TokenForm:
    entities = access.visible_entities(request.user)
    return TokenForm(given, scopes=access.scopes_of(request.user), entities=entities)


def _make(request: HttpRequest, form: TokenForm) -> dict[str, str]:
    if not form.is_valid():
        return {}
    try:
        row, token = token_make(**form.cleaned_data, at=clock.now(), by=request.user)
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return {}
    return {"label": row.label, "token": token}


def _revoke(request: HttpRequest) -> None:
    row = request.user.api_tokens.filter(pk=number_in(request.POST.get("subject"))).first()
    if row is None:
        raise Http404
    token_revoke(token=row, at=clock.now(), by=request.user)
    messages.success(request, _("Revoked."))
