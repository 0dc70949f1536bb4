"""Severity and classification on the page: the questions, the working, and the level that a person adopts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from compliance import clock
from compliance.engine.scoring import Method
from compliance.errors import Refused
from compliance.library import get_methods
from compliance.models import Entity
from incidents import access, services
from incidents.forms_score import AdoptLevelForm, AnswersForm
from incidents.models import Classification, Incident
from incidents.templatetags.score import working_of
from incidents.views import find

UNPROCESSABLE = 422


@dataclass(slots=True)
class Page:
    """What one request is about, and what is to be shown for it."""

    request: HttpRequest
    incident: Incident
    entity: Entity
    method: Method
    form: AnswersForm | None = None
    adopt: AdoptLevelForm | None = None
    answers: Mapping[str, Any] | None = None
    proposal: dict[str, Any] | None = None

    @property
    def last(self) -> Classification | None:
        """What was adopted last."""
        rows = self.incident.classifications.filter(entity=self.entity, method=self.method.key)
        return rows.select_related("adopted_by").last()


@access.decides("incident")
def score(request: HttpRequest, code: str, method: str) -> HttpResponse:
    """One method for one entity of an incident."""
    found = find(request, code)
    if method not in get_methods():
        raise Http404(method)
    page = Page(request, found, _entity(request, found), get_methods()[method])
    status = 200
    if request.method == "POST" and request.POST.get("action") == "adopt":
        if done := _adopted(page):
            return done
        status = UNPROCESSABLE
    elif request.method == "POST":
        status = _worked_out(page)
    if page.form is None:
        last = page.last
        page.form = AnswersForm(method=page.method, answers=page.answers or (last.answers if last else None))
    return render(request, "incidents/score.html", _context(page), status=status)


def _entity(request: HttpRequest, found: Incident) -> Entity:
    """The entity that is named, or the first one."""
    entities = list(found.entities.order_by("pk"))
    named = request.POST.get("entity") or request.GET.get("entity")
    if not named:
        return entities[0]
    for entity in entities:
        if named == str(entity.pk):
            return entity
    raise Http404(named)


def _worked_out(page: Page) -> int:
    """Work out what was answered, or leave the errors beside the questions."""
    form = AnswersForm(page.request.POST, method=page.method)
    if not form.is_valid() or not _propose(page, form.result):
        page.form = form
        return UNPROCESSABLE
    return 200


def _propose(page: Page, answers: Mapping[str, Any]) -> bool:
    try:
        proposal = services.classification_propose(
            incident=page.incident, entity=page.entity, method=page.method.key, answers=answers, at=_now(page.incident)
        )
    except Refused as refused:
        messages.error(page.request, str(refused))
        return False
    page.answers, page.proposal = answers, services.proposal_json(proposal)
    if page.adopt is None:
        page.adopt = AdoptLevelForm(
            method=page.method,
            settled=proposal.level is not None,
            initial={
                "chosen": proposal.level.key if proposal.level else None,
                "answers": json.dumps(answers, ensure_ascii=False),
                "digest": page.method.digest,
            },
        )
    return True


def _now(found: Incident) -> Any:
    """A replayed incident stands still."""
    return found.clock_at or clock.now()


def _adopted(page: Page) -> HttpResponseRedirect | None:
    """Adopt, and go back to the incident; or show again what was worked out, with what is wrong beside the field."""
    settled = page.request.POST.get("settled") == "yes"
    page.adopt = form = AdoptLevelForm(page.request.POST, method=page.method, settled=settled)
    if form.is_valid():
        data = form.cleaned_data
        try:
            services.classification_adopt(
                incident=page.incident,
                entity=page.entity,
                method=page.method.key,
                answers=data["answers"],
                chosen=data["chosen"],
                reason=data["reason"],
                at=clock.now(),
                by=page.request.user,
            )
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            messages.success(page.request, _("Adopted. The facts it stands for are recorded."))
            return redirect(reverse("incidents:incident", args=[page.incident.code]) + "#severity")
    if answers := form.cleaned_data.get("answers") or _typed(page.request):
        _propose(page, answers)
    return None


def _typed(request: HttpRequest) -> dict[str, Any]:
    """The answers that came along, as far as they can be read; a refused one has its error beside it already."""
    try:
        found = json.loads(request.POST.get("answers", ""))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _context(page: Page) -> dict[str, Any]:
    last = page.last
    real = page.incident.kind != Incident.Kind.REPLAY
    return {
        "incident": page.incident,
        "entity": page.entity,
        "entities": page.incident.entities.order_by("pk"),
        "zone": page.entity.zone,
        "method": page.method,
        "form": page.form,
        "adopt": page.adopt if page.proposal else None,
        "proposal": page.proposal,
        "steps": working_of(page.proposal, page.answers or {}) if page.proposal else [],
        "last": last,
        "last_steps": working_of(last.proposal, last.answers) if last else [],
        "language": get_language(),
        "may_handle": real and access.may_handle(page.request.user, page.incident),
    }
