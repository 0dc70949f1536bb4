"""Entities and their profiles. A changed profile moves no clock by itself: a person re-assesses each running incident."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from compliance.clock import require_aware
from compliance.engine import assess, diff
from compliance.errors import BadInput
from compliance.models import Entity, Membership, Role
from compliance.profiles import check_profile
from compliance.text import clean
from incidents import access, journal
from incidents.letters import language_of, letter
from incidents.models import Incident
from incidents.services import sheets
from incidents.services.assessment import held_of, library_of, reassess_locked
from incidents.services.common import changing
from incidents.services.law import ENDED

FIELDS = (
    "name",
    "name_en",
    "zone",
    "establishments",
    "main_establishment",
    "markets",
    "roles",
    "sectors",
    "particulars",
)

journal.register(
    {
        "entity.made": _("Entity made"),
        "entity.changed": _("Entity's profile changed"),
        "incident.reassessed": _("Assessed anew after the entity's profile changed"),
    }
)


def entity_make(*, key: str, profile: Mapping[str, Any], at: datetime, by: User | None) -> Entity:
    """Add an entity. ``by`` administers it from then on.

    Raises:
        NotPermitted: administers no entity yet.
        BadInput: a key in use, no name, or a word that the law library does not know.
    """
    require_aware(at)
    access.require_configure(by)
    checked = _checked(profile)
    if Entity.objects.filter(key=key).exists():
        raise BadInput(_("There is an entity with this short name already."), code="key_taken", field="key")
    with transaction.atomic():
        entity = Entity.objects.create(key=key, created_at=at, **checked)
        if by is not None:
            Membership.objects.create(user=by, entity=entity, role=Role.ADMINISTRATOR, language=language_of(by))
        access.forget()
        journal.write(incident=None, at=at, by=by, action="entity.made", subject=f"entity {key}", new=checked)
        return entity


def entity_change(*, entity: Entity, profile: Mapping[str, Any], at: datetime, by: User | None) -> int:
    """Change the profile; answers how many running incidents it may touch. Their clocks stay until a person re-assesses.

    Raises:
        NotPermitted: no administrator of ``entity``.
        BadInput: no name, or a word that the law library does not know.
    """
    require_aware(at)
    access.require_configure(by, entity)
    checked = _checked(profile)
    with transaction.atomic():
        held = Entity.objects.select_for_update().get(pk=entity.pk)
        before = {field: getattr(held, field) for field in FIELDS}
        changed = sorted(field for field in checked if before[field] != checked[field])
        if not changed:
            return 0
        for field in changed:
            setattr(held, field, checked[field])
        held.save(update_fields=changed)
        journal.write(
            incident=None,
            at=at,
            by=by,
            action="entity.changed",
            subject=f"entity {held.key}",
            old=before,
            new=checked,
            detail={"fields": changed},
        )
        running = running_in(held)
        _tell_owners(held, running, at=at)
        return running.count()


def _tell_owners(entity: Entity, running: QuerySet[Incident], *, at: datetime) -> None:
    """One letter to each person who owns a running incident, whatever their number."""
    for owner in User.objects.filter(pk__in=running.values("owner"), is_active=True).order_by("pk"):
        with override(language_of(owner)):
            letter(
                owner,
                key=f"entity:{entity.key}:{at.isoformat()}:{owner.pk}",
                headline=gettext("The profile of %(entity)s has changed") % {"entity": entity.name},
                lines={gettext("Entity"): entity.name},
                todo=gettext("See whether it changes duties of your running incidents, and re-assess them."),
                path=reverse("access:entity_incidents", args=[entity.key]),
                at=at,
            )


def _checked(profile: Mapping[str, Any]) -> dict[str, Any]:
    found = {field: profile[field] for field in FIELDS if field in profile}
    for field in ("name", "name_en"):
        if field in found:
            found[field] = clean(found[field])[:200]
    if not found.get("name"):
        raise BadInput(_("Write the name as it stands on filings."), code="name_required", field="name")
    check_profile(found)
    return found


def running_in(entity: Entity) -> QuerySet[Incident]:
    """The running incidents of ``entity``; replays stand still."""
    return entity.incidents.exclude(state__in=ENDED).exclude(kind=Incident.Kind.REPLAY).order_by("code")


def would_change(incident: Incident, entity: Entity, *, at: datetime) -> int:
    """How many duties of ``entity`` in ``incident`` a fresh assessment at ``at`` would change. Writes nothing."""
    sheet = sheets.fact_sheet(incident, entity, as_of=at)
    duties = assess(library_of(incident), sheet, sheets.profile(entity), at).duties
    held = [held_of(row) for row in incident.obligations.filter(entity=entity)]
    return sum(change.kind not in ("same", "vanish") for change in diff(held, duties))


def incident_reassess(*, incident: Incident, at: datetime, by: User) -> Incident:
    """Carry a changed profile into the clocks of one incident, by a person's decision.

    Raises:
        NotPermitted: may not work on it.
    """
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked, at=at)
        journal.write(incident=locked, at=at, by=by, action="incident.reassessed", subject=locked.code)
        reassess_locked(locked, at=at, by=by)
        return locked
