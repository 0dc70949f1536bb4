"""Who sees an incident by name: restricting it, sharing it, and opening a restricted one with a reason."""

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from compliance.access_policy import get_access_policy
from compliance.clock import require_aware
from compliance.errors import BadInput, NotPermitted
from compliance.models import Membership, Role
from incidents import access, journal, notices
from incidents.admissions import Admission, in_force
from incidents.models import Incident
from incidents.services.common import changing, required_text

journal.register(
    {
        "incident.restricted": _("Restricted to people by name"),
        "incident.unrestricted": _("No longer restricted"),
        "incident.named": _("Who may see it by name changed"),
        "incident.glass_broken": _("Restricted incident opened with a reason"),
        "incident.glass_ended": _("Access opened with a reason ended"),
    }
)


def named_in(incident: Incident) -> list[User]:
    """The people who are named in ``incident``, whether it is restricted or shared with them."""
    rows = incident.admissions.filter(kind=Admission.Kind.NAMED, ended_at=None).select_related("person")
    return [row.person for row in rows.order_by("pk")]


def people(numbers: Collection[int]) -> list[User]:
    """The people of these numbers; nothing is asked for none."""
    return list(User.objects.filter(pk__in=numbers).order_by("pk")) if numbers else []


def opened_by(incident: Incident, *, at: datetime) -> list[Admission]:
    """Through a broken glass at ``at``: who, why, until when."""
    rows = incident.admissions.filter(in_force(at), kind=Admission.Kind.GLASS)
    return list(rows.select_related("person").order_by("pk"))


def incident_name(
    *, incident: Incident, restricted: bool, people: Collection[User], reason: str, at: datetime, by: User
) -> Incident:
    """Set whether ``incident`` is restricted, and who is named in it.

    Restricted: nobody else learns that it exists; its owner and ``by`` always stay named, and one who may work on it must be.
    Not restricted: people named may read it although no role of theirs would let them, such as a reporter.

    Raises:
        NotPermitted: neither counsel nor the handler who owns it.
        BadInput: no reason, a person without a role in its entities, or nobody who may work on it.
    """
    with changing(incident, at=at) as locked:
        access.require_restrict(by, locked, at=at)
        text = required_text(reason, field="reason", at_least=10)
        wanted = {person.pk: person for person in people}
        if restricted:
            wanted |= {person.pk: person for person in (locked.owner, by) if person is not None and person.is_active}
        _require_fit(locked, wanted, restricted=restricted)
        added, ended = _set_names(locked, wanted, at=at, by=by)
        was = locked.restricted
        locked.restricted = restricted
        locked.save(update_fields=["restricted"])
        access.forget()
        action = "incident.named" if was == restricted else f"incident.{'' if restricted else 'un'}restricted"
        detail = {"added": [f"user:{pk}" for pk in added], "ended": [f"user:{pk}" for pk in ended]}
        journal.write(incident=locked, at=at, by=by, action=action, subject=locked.code, new=text, detail=detail)
        return locked


def _require_fit(incident: Incident, people: Collection[int], *, restricted: bool) -> None:
    held = Membership.objects.filter(entity__in=incident.entities.all(), user__in=people, user__is_active=True)
    roles: dict[int, set[str]] = {}
    for person, role in held.values_list("user", "role"):
        roles.setdefault(person, set()).add(role)
    if set(roles) != set(people):
        raise BadInput(
            _("Only people with a role in an entity of the incident can be named. Give the role first."),
            code="named_without_role",
            field="people",
        )
    if restricted and not any(held & access.handling_roles() for held in roles.values()):
        raise BadInput(
            _("Name at least one person who may work on the incident. Its clocks go on."),
            code="nobody_handles",
            field="people",
        )


def _set_names(incident: Incident, wanted: Collection[int], *, at: datetime, by: User) -> tuple[list[int], list[int]]:
    rows = incident.admissions.filter(kind=Admission.Kind.NAMED, ended_at=None)
    held = set(rows.values_list("person", flat=True))
    added, ended = sorted(set(wanted) - held), sorted(held - set(wanted))
    rows.filter(person__in=ended).update(ended_at=at, ended_by=by)
    Admission.objects.bulk_create(
        Admission(incident=incident, person_id=person, given_by=by, given_at=at) for person in added
    )
    return added, ended


def glass_break(*, code: str, reason: str, at: datetime, by: User) -> Admission:
    """Open the restricted incident ``code`` for a while. Its owner and counsel are told at once, by whom and why.

    Whoever asks for what is not there, is not restricted or is not for any role of theirs hears the same in each case. The
    attempt is journaled all the same.

    Raises:
        BadInput: no proper reason.
        NotPermitted: there is nothing that ``by`` could open.
    """
    require_aware(at)
    policy = get_access_policy()
    text = required_text(reason, field="reason", at_least=policy.glass_reason)
    found = Incident.objects.filter(code=code.strip()[:40], restricted=True).first()
    if found is None or not access.may_break_glass(by, found, at=at):
        _refuse_glass(at=at, by=by)
        raise NotPermitted(
            _("There is no restricted incident of this number that your roles could open."), code="nothing_to_open"
        )
    with changing(found, at=at) as locked:
        row = Admission.objects.create(
            incident=locked,
            person=by,
            kind=Admission.Kind.GLASS,
            reason=text,
            given_by=by,
            given_at=at,
            expires_at=at + policy.glass_for,
        )
        access.forget()
        journal.write(
            incident=locked,
            at=at,
            by=by,
            action="incident.glass_broken",
            subject=f"admission {row.pk}",
            new=text,
            detail={"until": row.expires_at.isoformat() if row.expires_at else ""},
        )
        _tell_of_glass(locked, row, at=at)
        return row


journal.register({"access.glass_refused": _("Tried to open a restricted incident")})


def _refuse_glass(*, at: datetime, by: User) -> None:
    with transaction.atomic():
        journal.write(incident=None, at=at, by=by, action="access.glass_refused", subject=f"user:{by.pk}")


def _tell_of_glass(incident: Incident, row: Admission, *, at: datetime) -> None:
    """The owner and the counsel who are named; with none of them there, whoever is told in their stead."""
    members = Membership.objects.filter(entity__in=incident.entities.all(), user__is_active=True)
    members = members.exclude(user=row.person_id).select_related("user", "entity").order_by("pk")
    named = {person.pk for person in named_in(incident)}
    told = [
        member
        for member in members
        if member.user_id in named and (member.user_id == incident.owner_id or member.role == Role.COUNSEL)
    ] or [member for member in members if member.user_id in named]
    notices.tell(
        told or [member for member in members if member.role in get_access_policy().fallback],
        incident=incident,
        key=f"glass:{row.pk}",
        words=lambda member: _words(row, member),
        at=at,
    )


def _words(row: Admission, member: Membership) -> notices.Words:
    from incidents.times import local, reader_zone

    until = local(row.expires_at, reader_zone(member)) if row.expires_at else ""
    name = row.person.get_full_name() or row.person.get_username()
    return notices.Words(
        headline=gettext("%(name)s has opened restricted incident %(code)s")
        % {"name": name, "code": row.incident.code},
        lines={gettext("Incident"): row.incident.code, gettext("Reason"): row.reason, gettext("Until"): until},
        todo=gettext("See whether this was right. You can end the access on the page on who sees the incident."),
        type="incident.glass_broken",
    )


def glass_end(*, admission: Admission, at: datetime, by: User) -> Admission:
    """End an access that was opened with a reason before its time. Repeating changes nothing.

    Raises:
        NotPermitted: neither the person who opened it, nor who may say who sees the incident.
    """
    with changing(admission.incident, at=at) as locked:
        if admission.person_id != by.pk:
            access.require_restrict(by, locked, at=at)
        if Admission.objects.filter(pk=admission.pk, kind=Admission.Kind.GLASS, ended_at=None).update(
            ended_at=at, ended_by=by
        ):
            access.forget()
            journal.write(
                incident=locked, at=at, by=by, action="incident.glass_ended", subject=f"admission {admission.pk}"
            )
        return Admission.objects.get(pk=admission.pk)
