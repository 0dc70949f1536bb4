"""Who is away and who stands in; quiet hours and standing deputies. Kept by each person, or by a manager or counsel."""

from datetime import datetime, time

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance import clock
from compliance.errors import BadInput, NotPermitted, Refused
from compliance.models import Entity, Membership
from incidents import access, journal
from incidents.availability import Absence, Preference

journal.register(
    {
        "absence.recorded": _("Absence recorded"),
        "absence.ended": _("Absence ended early or taken back"),
        "preference.changed": _("Quiet hours or deputy changed"),
    }
)


def absence_record(
    *,
    entity: Entity,
    person: User,
    begins_at: datetime,
    ends_at: datetime,
    deputy: User | None,
    at: datetime,
    by: User,
) -> Absence:
    """Say that ``person`` is away from ``begins_at`` until ``ends_at`` (aware) and who stands in.

    Whoever stands in is told what ``person`` would be told, and for whom. ``person`` is still told as well.

    Raises:
        BadInput: the end is not after the begin, or past; ``person`` has no role there; ``deputy`` may not work on incidents.
        NotPermitted: neither the person, nor counsel or a manager of ``entity``.
    """
    _require_may_keep(entity, person, by)
    clock.require_aware(begins_at)
    if clock.require_aware(ends_at) <= max(begins_at, at):
        raise BadInput(
            _("The absence must end after it begins, and in the future."), code="absence_ends", field="ends_at"
        )
    _require_deputy(entity, person, deputy)
    with transaction.atomic():
        row = Absence.objects.create(
            entity=entity,
            person=person,
            begins_at=begins_at,
            ends_at=ends_at,
            deputy=deputy,
            recorded_by=by,
            recorded_at=at,
        )
        _journal("absence.recorded", entity, person, deputy, at=at, by=by)
        return row


def absence_end(*, absence: Absence, at: datetime, by: User) -> Absence:
    """The person is back, or not away after all, from ``at`` on.

    Raises:
        NotPermitted: neither the person, nor counsel or a manager.
        Refused: it has ended.
    """
    _require_may_keep(absence.entity, absence.person, by)
    with transaction.atomic():
        row = Absence.objects.select_for_update().get(pk=absence.pk)
        if row.ended_at is not None or row.ends_at <= at:
            raise Refused(_("This absence has ended."), code="absence_over")
        row.ended_at, row.ended_by = at, by
        row.save(update_fields=["ended_at", "ended_by"])
        _journal("absence.ended", absence.entity, absence.person, None, at=at, by=by)
        return row


def preference_set(
    *,
    entity: Entity,
    person: User | None,
    quiet_from: time | None,
    quiet_until: time | None,
    deputy: User | None,
    at: datetime,
    by: User,
) -> Preference:
    """Set the quiet hours of ``person``, or of the whole ``entity`` without one, and who always deputises for the person.

    Both times or none; the same twice means no quiet hours even where the entity has some.

    Raises:
        BadInput: only one of the two times; a deputy who may not work on incidents.
        NotPermitted: neither the person, nor counsel or a manager of ``entity``.
    """
    _require_may_keep(entity, person, by)
    if (quiet_from is None) != (quiet_until is None):
        raise BadInput(_("Give both times or none."), code="quiet_half", field="quiet_from")
    if person is not None:
        _require_deputy(entity, person, deputy)
    elif deputy is not None:
        raise BadInput(_("A deputy stands in for a person."), code="deputy_of_nobody", field="deputy")
    with transaction.atomic():
        row, _made = Preference.objects.update_or_create(
            entity=entity,
            person=person,
            defaults={
                "quiet_from": quiet_from,
                "quiet_until": quiet_until,
                "deputy": deputy,
                "changed_by": by,
                "changed_at": at,
            },
        )
        _journal("preference.changed", entity, person, deputy, at=at, by=by)
        return row


def may_keep_for_others(user: User, entity: Entity) -> bool:
    """Whether ``user`` may record absences of others and the quiet hours of ``entity``."""
    return access.may_keep(user, entity)


def _require_may_keep(entity: Entity, person: User | None, by: User) -> None:
    if person is not None and person.pk == by.pk and access.roles_in(by, [entity]):
        return
    if not may_keep_for_others(by, entity):
        raise NotPermitted(
            _("Only the person, or counsel or a manager of the entity, can change this."), code="may_not_keep_absence"
        )


def _require_deputy(entity: Entity, person: User, deputy: User | None) -> None:
    if not access.roles_in(person, [entity]):
        raise BadInput(
            _("%(person)s has no role in %(entity)s."),
            code="no_role",
            field="person",
            person=person.get_full_name() or person.get_username(),
            entity=entity.name,
        )
    if deputy is None:
        return
    fit = Membership.objects.filter(entity=entity, user=deputy, user__is_active=True, role__in=access.handling_roles())
    if deputy.pk == person.pk or not fit.exists():
        raise BadInput(
            _("A deputy is another person who may work on incidents of %(entity)s."),
            code="unfit_deputy",
            field="deputy",
            entity=entity.name,
        )


def _journal(action: str, entity: Entity, person: User | None, deputy: User | None, *, at: datetime, by: User) -> None:
    detail = {"person": journal.actor(person) if person else "", "deputy": journal.actor(deputy) if deputy else ""}
    journal.write(incident=None, at=at, by=by, action=action, subject=f"entity {entity.key}", detail=detail)
