"""The pages of administrators: people and their roles, entities and their profiles. They show no incident."""

from collections.abc import Callable
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy
from django.views.decorators.cache import never_cache

from compliance import clock
from compliance.errors import Refused
from compliance.models import Entity, Invitation, Membership, Role
from incidents import access
from incidents.forms_access import EntityForm, InviteForm, LeaveForm, PasswordForm, RoleForm
from incidents.services import entities as entity_services
from incidents.services import people as services

UNPROCESSABLE, GONE = 422, 410


def _mine(request: HttpRequest) -> QuerySet[Entity]:
    return access.configurable_entities(request.user).order_by("name", "pk")


def _people(request: HttpRequest) -> QuerySet[User]:
    """Everybody with a role in an entity that the person administers."""
    held = Membership.objects.filter(user=OuterRef("pk"), entity__in=_mine(request))
    return User.objects.filter(Exists(held)).order_by("-is_active", "first_name", "username")


@access.decides("configure")
def people(request: HttpRequest) -> HttpResponse:
    """Who has which role where; inviting somebody."""
    form = InviteForm(request.POST or None, entities=_mine(request))
    if request.method == "POST" and form.is_valid():
        person = _attempt(form, lambda: services.person_invite(**form.cleaned_data, at=clock.now(), by=request.user))
        if person is not None:
            messages.success(request, _("Done. An invitation is on its way if the person had no account."))
            return redirect("access:person", person.pk)
    context = {
        "rows": _rows(request),
        "form": form,
        "gaps": [(entity, services.unheld(entity, Role.values)) for entity in _mine(request)],
    }
    return render(request, "incidents/people.html", context, status=UNPROCESSABLE if form.errors else 200)


def _rows(request: HttpRequest) -> list[dict[str, Any]]:
    found = list(_people(request))
    held: dict[int, list[Membership]] = {person.pk: [] for person in found}
    rows = Membership.objects.filter(user__in=found, entity__in=_mine(request)).select_related("entity")
    for member in rows.order_by("entity__name", "pk"):
        held[member.user_id].append(member)
    waiting = _waiting([person.pk for person in found])
    return [{"person": person, "roles": held[person.pk], "invited": person.pk in waiting} for person in found]


def _waiting(people: list[int]) -> set[int]:
    """Of ``people`` those with an invitation that was not used yet."""
    rows = Invitation.objects.filter(user__in=people, used_at=None, withdrawn_at=None, expires_at__gt=clock.now())
    return set(rows.values_list("user", flat=True))


def _attempt(form: django_forms.Form, does: Callable[[], Any]) -> Any:
    """What the service answers; None when it refuses, with the refusal in the form."""
    try:
        return does()
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return None


@access.decides("configure")
def person(request: HttpRequest, number: int) -> HttpResponse:
    """One person: roles, deactivating, inviting again."""
    found = get_object_or_404(_people(request), pk=number)
    forms = _person_forms(request, found)
    if request.method == "POST":
        action = _ACTIONS.get(request.POST.get("action", ""))
        if action is None:
            raise Http404
        if action(request, found, forms):
            messages.success(request, _("Saved."))
            return redirect("access:person", found.pk)
    context = {
        "person": found,
        "own": found.pk == request.user.pk,
        "roles": Membership.objects.filter(user=found, entity__in=_mine(request)).select_related("entity"),
        "elsewhere": Membership.objects.filter(user=found).exclude(entity__in=_mine(request)).exists(),
        "invited": bool(_waiting([found.pk])),
        "owns": services.running_of(found).count(),
        "forms": forms,
    }
    failed = request.method == "POST"
    return render(request, "incidents/person.html", context, status=UNPROCESSABLE if failed else 200)


Forms = dict[str, django_forms.Form]


def _person_forms(request: HttpRequest, found: User) -> Forms:
    given = {request.POST.get("action", ""): request.POST} if request.method == "POST" else {}
    handlers = User.objects.filter(
        memberships__entity__in=_mine(request), memberships__role__in=access.handling_roles(), is_active=True
    )
    return {
        "grant": RoleForm(given.get("grant"), entities=_mine(request)),
        "revoke": RoleForm(given.get("revoke"), entities=_mine(request)),
        "deactivate": LeaveForm(given.get("deactivate"), people=handlers.exclude(pk=found.pk).distinct()),
        "invite": django_forms.Form(given.get("invite")),
    }


def _grant(request: HttpRequest, found: User, forms: Forms) -> bool:
    form = forms["grant"]
    return form.is_valid() and None is not _attempt(
        form, lambda: services.role_grant(person=found, **form.cleaned_data, at=clock.now(), by=request.user)
    )


def _revoke(request: HttpRequest, found: User, forms: Forms) -> bool:
    form = forms["revoke"]
    return form.is_valid() and None is not _attempt(
        form, lambda: services.role_revoke(person=found, **form.cleaned_data, at=clock.now(), by=request.user)
    )


def _deactivate(request: HttpRequest, found: User, forms: Forms) -> bool:
    form = forms["deactivate"]
    return form.is_valid() and None is not _attempt(
        form, lambda: services.person_deactivate(person=found, **form.cleaned_data, at=clock.now(), by=request.user)
    )


def _invite(request: HttpRequest, found: User, forms: Forms) -> bool:
    form = forms["invite"]
    return form.is_valid() and None is not _attempt(
        form, lambda: services.person_reactivate(person=found, at=clock.now(), by=request.user)
    )


_ACTIONS: dict[str, Callable[[HttpRequest, User, Forms], bool]] = {
    "grant": _grant, "revoke": _revoke, "deactivate": _deactivate, "invite": _invite,
}  # fmt: skip


@access.decides("token")
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Where an invitation leads: choosing one's own password."""
    now = clock.now()
    form = PasswordForm(request.POST or None)
    try:
        row = services.invitation_read(token, at=now)
    except Refused as refused:
        return render(request, "incidents/invitation.html", {"refused": refused}, status=GONE)
    if request.method == "POST" and form.is_valid():
        password = form.cleaned_data["password"]
        if _attempt(form, lambda: services.invitation_accept(token=token, password=password, at=now)) is not None:
            messages.success(request, _("Your password is set. Sign in with it."))
            return redirect("login")
    context = {"form": form, "person": row.user}
    response = render(request, "incidents/invitation.html", context, status=UNPROCESSABLE if form.errors else 200)
    response["Referrer-Policy"] = "no-referrer"
    return response


@access.decides("configure")
def entities(request: HttpRequest) -> HttpResponse:
    """The entities that the person administers."""
    return render(request, "incidents/entities.html", {"entities": _mine(request)})


@access.decides("configure")
def entity_new(request: HttpRequest) -> HttpResponse:
    """One more entity."""
    form = EntityForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        key = form.cleaned_data["key"]
        made = _attempt(
            form,
            lambda: entity_services.entity_make(key=key, profile=form.profile(), at=clock.now(), by=request.user),
        )
        if made is not None:
            messages.success(request, _("Made. You administer it; invite the people who work there."))
            return redirect("access:entity", made.key)
    return render(request, "incidents/entity.html", {"form": form}, status=UNPROCESSABLE if form.errors else 200)


@access.decides("configure")
def entity(request: HttpRequest, key: str) -> HttpResponse:
    """The profile of one entity, and how many running incidents a change may touch."""
    found = get_object_or_404(_mine(request), key=key)
    form = EntityForm(request.POST or None, entity=found)
    if request.method == "POST" and form.is_valid():
        touched = _attempt(
            form,
            lambda: entity_services.entity_change(
                entity=found, profile=form.profile(), at=clock.now(), by=request.user
            ),
        )
        if touched is not None:
            messages.success(request, _said(touched))
            return redirect("access:entity", found.key)
    context = {"entity": found, "form": form, "running": entity_services.running_in(found).count()}
    return render(request, "incidents/entity.html", context, status=UNPROCESSABLE if form.errors else 200)


def _said(touched: int) -> str:
    if not touched:
        return _("Saved.")
    return str(
        ngettext_lazy(
            "Saved. %(count)d running incident may be touched: its handler has been told.",
            "Saved. %(count)d running incidents may be touched: their handlers have been told.",
            touched,
        )
        % {"count": touched}
    )
