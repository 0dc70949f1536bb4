"""The pages of daily administration: what there is to keep, how authorities are reached, the ladders as they apply."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from compliance import clock
from compliance.contact_policy import check_again_after
from compliance.engine.policies import Ladder
from compliance.errors import Refused
from compliance.library import get_policies
from compliance.models import AuthorityContact, DayOff, Entity
from incidents import access, services
from incidents.availability import Absence
from incidents.forms_contacts import ContactForm
from incidents.models import Incident, Obligation
from incidents.services import contacts
from incidents.states import OPEN_OBLIGATION

UNPROCESSABLE = 422


@dataclass(frozen=True, slots=True)
class Place:
    """One thing to keep: what it is for, how it stands (``wants``: somebody should look), and where."""

    title: str
    says: str
    stands: str
    url: str
    wants: bool = False


@access.decides("own")
@require_safe
def administration(request: HttpRequest) -> HttpResponse:
    """Everything that changes in daily life and that the person may keep or read, each with how it stands."""
    now = clock.now()
    places = [
        *_people(request),
        *_contacts(request, now),
        *_absences(request, now),
        *_law(request),
        _ladders(request),
    ]
    return render(request, "incidents/administration.html", {"places": places})


def _people(request: HttpRequest) -> list[Place]:
    if not access.may_configure(request.user):
        return []
    entities = access.configurable_entities(request.user).count()
    return [
        Place(
            _("People and roles"),
            _("Who works here, with which role; inviting, and letting go."),
            "",
            reverse("access:people"),
        ),
        Place(
            _("Entities"),
            _("The companies and their profiles, which decide the rules that speak to them."),
            str(entities),
            reverse("access:entities"),
        ),
    ]


def _contacts(request: HttpRequest, now: datetime) -> list[Place]:
    rows = list(contacts.contacts_for(request.user))
    stale = sum(contacts.is_stale(row, at=now) for row in rows)
    if not rows:
        stands = _("None is kept yet.")
    elif stale:
        stands = _("%(stale)s of %(many)s to be checked again.") % {"stale": stale, "many": len(rows)}
    else:
        stands = _("%(many)s kept, all checked in time.") % {"many": len(rows)}
    says = _("Portal, e-mail, telephone and address of each authority; used when a filing is handed over.")
    return [Place(_("How authorities are reached"), says, stands, reverse("administration:contacts"), bool(stale))]


def _absences(request: HttpRequest, now: datetime) -> list[Place]:
    entities = access.visible_entities(request.user)
    away = Absence.objects.filter(entity__in=entities, ended_at=None, ends_at__gt=now)
    many = away.count()
    stands = _("%(many)s now or to come.") % {"many": many} if many else _("Nobody is away.")
    says = _("When people are away and who stands in for them.")
    return [Place(_("Deputies and absences"), says, stands, reverse("incidents:availability"))]


def _law(request: HttpRequest) -> list[Place]:
    behind = services.law_behind().filter(pk__in=access.visible_incidents(request.user).order_by().values("pk")).count()
    stands = _("%(many)s running incidents wait for a decision.") % {"many": behind} if behind else _("None waits.")
    says = _("Running incidents stay on the release they began under until a person takes over the newer one.")
    found = [Place(_("Newer law"), says, stands, reverse("incidents:law"), bool(behind))]
    if access.may_keep_calendars(request.user):
        many = DayOff.objects.count()
        stands = _("%(many)s added by hand.") % {"many": many} if many else _("None was added.")
        says = _("Days off that the calendars of the library do not know yet.")
        found.append(Place(_("Days off"), says, stands, reverse("incidents:days_off")))
    return found


def _ladders(request: HttpRequest) -> Place:
    many = len(get_policies().ladders)
    says = _("Who is told when, and which duties climb which ladder. To be read here; changed in the policy files.")
    return Place(_("Ladders"), says, str(many), reverse("administration:ladders"))


@access.decides("own")
@require_safe
def ladders(request: HttpRequest) -> HttpResponse:
    """The ladders as they apply, in the order in which they are tried, with the duties that climb each."""
    seen = access.visible_incidents(request.user).order_by().values("pk")
    rows = Obligation.objects.filter(incident__in=seen, state__in=OPEN_OBLIGATION).exclude(
        incident__kind=Incident.Kind.REPLAY
    )
    rows = rows.filter(~Q(ladder="")).select_related("incident").order_by("due_at", "pk")
    climbing: dict[str, list[Obligation]] = {}
    for row in rows:
        climbing.setdefault(row.ladder, []).append(row)
    policies = get_policies()
    known = [item.key for item in policies.ladders]
    context = {
        "ladders": [_Shown(item, climbing.get(item.key, [])) for item in policies.ladders],
        "others": [(key, found) for key, found in climbing.items() if key not in known],
        "targets": policies.targets,
        "ranks": policies.ranks,
        "link_valid": policies.link_valid,
    }
    return render(request, "incidents/ladders.html", context)


MOST = 20


class _Shown:
    """A ladder with the duties that climb it, the soonest first."""

    def __init__(self, ladder: Ladder, rows: list[Obligation]) -> None:
        self.ladder = ladder
        self.many = len(rows)
        self.rows = rows[:MOST]
        self.more = max(0, len(rows) - MOST)

    @property
    def conditions(self) -> list[tuple[str, list[Any]]]:
        """What must hold, in words and values; empty for the ladder that takes what is left."""
        when = self.ladder.when
        lists = (
            (_("kind of clock"), when.kind),
            (_("severity"), when.severity),
            (_("place"), when.jurisdiction),
            (_("authority"), when.authority),
            (_("who is told"), when.audience),
        )
        return [(words, sorted(values)) for words, values in lists if values]


@access.decides("own")
@require_safe
def contact_list(request: HttpRequest) -> HttpResponse:
    """How each authority is reached, by entity, and what should be looked at again."""
    now = clock.now()
    rows = [(row, contacts.is_stale(row, at=now)) for row in contacts.contacts_for(request.user)]
    own = set(contacts.changeable_entities(request.user).values_list("pk", flat=True))
    context = {
        "rows": rows,
        "stale": [row for row, stale in rows if stale],
        "days": check_again_after().days,
        "changeable": own,
        "names": contacts.authorities(),
    }
    return render(request, "incidents/contacts.html", context)


def _entities(request: HttpRequest) -> Any:
    """Those for which the person may keep contact data; nobody else gets the form."""
    found = contacts.changeable_entities(request.user)
    if not found.exists():
        raise PermissionDenied
    return found


@access.decides("own")
def contact_new(request: HttpRequest) -> HttpResponse:
    """One more authority; the address may name it and the entity."""
    entities = _entities(request)
    started = {
        "authority": request.GET.get("authority", ""),
        "entity": entities.filter(key=request.GET.get("entity", "")).first() or entities.first(),
        "checked_on": clock.now().date(),
    }
    form = ContactForm(request.POST or None, entities=entities, initial=started)
    return _saved(request, form, None) or _form(request, form, None)


@access.decides("own")
def contact(request: HttpRequest, number: int) -> HttpResponse:
    """Change, check again or remove what is known of one authority."""
    entities = _entities(request)
    found = get_object_or_404(contacts.contacts_for(request.user).filter(entity__in=entities), pk=number)
    if request.POST.get("action") == "remove":
        contacts.contact_remove(contact=found, at=clock.now(), by=request.user)
        messages.success(request, _("Removed."))
        return redirect("administration:contacts")
    if request.method == "POST" and request.POST.get("action", "save") != "save":
        raise Http404
    form = ContactForm(request.POST or None, entities=entities, contact=found)
    return _saved(request, form, found) or _form(request, form, found)


def _saved(request: HttpRequest, form: ContactForm, found: AuthorityContact | None) -> HttpResponse | None:
    if request.method != "POST" or not form.is_valid():
        return None
    data: dict[str, Any] = dict(form.cleaned_data)
    entity: Entity = data.pop("entity")
    try:
        contacts.contact_save(entity=entity, contact=found, at=clock.now(), by=request.user, **data)
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return None
    messages.success(request, _("Saved."))
    return redirect("administration:contacts")


def _form(request: HttpRequest, form: ContactForm, found: AuthorityContact | None) -> HttpResponse:
    now = clock.now()
    context = {
        "form": form,
        "contact": found,
        "stale": contacts.is_stale(found, at=now) if found else False,
        "name": contacts.authorities().get(found.authority) if found else None,
        "days": check_again_after().days,
    }
    return render(request, "incidents/contact.html", context, status=UNPROCESSABLE if form.errors else 200)
