"""People and their roles: inviting, granting, revoking, deactivating. Every change is in the journal of the system.

Nobody gives a role to himself; nobody who configures an entity decides in it; the last administrator stays.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth import password_validation
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from compliance.access_policy import get_access_policy
from compliance.clock import require_aware
from compliance.errors import BadInput, NotPermitted, Refused
from compliance.library import get_policies
from compliance.models import Entity, Invitation, Membership, Role
from compliance.text import clean
from incidents import access, journal
from incidents.letters import language_of, letter
from incidents.services.leaving import cut_off, hand_over, running_of, tell_of_gaps

journal.register(
    {
        "person.invited": _("Person invited"),
        "person.joined": _("Invitation used"),
        "person.role_granted": _("Role given"),
        "person.role_revoked": _("Role taken away"),
        "person.deactivated": _("Person deactivated"),
        "person.role_unheld": _("Nobody holds a role that ladders name"),
    }
)

_SALT = "breachclock.invitation"


def person_invite(
    *, email: str, name: str, entity: Entity, roles: Collection[str], language: str, at: datetime, by: User | None
) -> User:
    """Give ``email`` an account with ``roles`` in ``entity`` and send the link by which the person sets a password.

    Until the link is used the account is not active: nothing is told to it, and no ladder counts on it. Where the address
    has an account already, only the roles are given.

    Raises:
        NotPermitted: no administrator of ``entity``.
        BadInput: no address, no name, no role.
    """
    access.require_configure(by, entity)
    address = _address(email)
    if not roles:
        raise BadInput(_("Choose at least one role."), code="no_role", field="roles")
    with transaction.atomic():
        person = User.objects.select_for_update().filter(email__iexact=address).order_by("pk").first()
        new = person is None
        if person is None:
            if not clean(name):
                raise BadInput(_("Write the name of the person."), code="name_required", field="name")
            person = User(username=address[:150], email=address, first_name=clean(name)[:150], is_active=False)
            person.set_unusable_password()
            person.save()
        for role in sorted(set(roles)):
            role_grant(person=person, entity=entity, role=role, language=language, at=at, by=by)
        if new:
            _invite(person, at=at, by=by)
        return person


def _address(email: str) -> str:
    address = clean(email).lower()
    try:
        validate_email(address)
    except ValidationError:
        raise BadInput(_("Write an e-mail address."), code="bad_email", field="email") from None
    return address


def _invite(person: User, *, at: datetime, by: User | None) -> Invitation:
    """A new link; an older one is of no use any more."""
    Invitation.objects.filter(user=person, used_at=None, withdrawn_at=None).update(withdrawn_at=at)
    row = Invitation.objects.create(
        user=person, made_by=by, made_at=at, expires_at=at + get_access_policy().invitation_for
    )
    journal.write(incident=None, at=at, by=by, action="person.invited", subject=f"user:{person.pk}")
    with override(language_of(person)):
        letter(
            person,
            key=f"invitation:{row.pk}",
            headline=gettext("You are invited to Breachclock"),
            lines={gettext("Valid until (UTC)"): row.expires_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")},
            todo=gettext("Open the link and choose a password. It can be used once."),
            path=reverse("access:invitation", args=[token_of(row)]),
            at=at,
        )
    return row


def token_of(invitation: Invitation) -> str:
    """What stands in the link: signed, and of use for this invitation alone."""
    return Signer(salt=_SALT).sign_object({"invitation": invitation.pk, "to": invitation.user_id})


def invitation_read(token: str, *, at: datetime) -> Invitation:
    """The invitation of ``token`` that is still good at ``at`` (aware).

    Raises:
        Refused: changed, used, withdrawn or expired.
    """
    try:
        held = Signer(salt=_SALT).unsign_object(token)
        row = Invitation.objects.select_related("user").get(pk=int(held["invitation"]), user=int(held["to"]))
    except (BadSignature, Invitation.DoesNotExist, ValueError, TypeError, KeyError):
        raise Refused(_("This link is not complete, or was changed."), code="link_broken") from None
    if row.used_at or row.withdrawn_at or at >= row.expires_at:
        raise Refused(_("This invitation has ended. Ask your administrator for a new one."), code="invitation_over")
    return row


def invitation_accept(*, token: str, password: str, at: datetime) -> User:
    """Set the person's own password and let the account begin.

    Raises:
        Refused: the link is of no use (any more).
        BadInput: a password that is too weak.
    """
    row = invitation_read(token, at=at)
    try:
        password_validation.validate_password(password, row.user)
    except ValidationError as error:
        raise BadInput(" ".join(error.messages), code="weak_password", field="password") from None
    with transaction.atomic():
        # Whoever is first; the second of two clicks changes nothing.
        if not Invitation.objects.filter(pk=row.pk, used_at=None, withdrawn_at=None).update(used_at=at):
            raise Refused(_("This invitation has ended. Ask your administrator for a new one."), code="invitation_over")
        person = User.objects.select_for_update().get(pk=row.user_id)
        person.set_password(password)
        person.is_active = True
        person.save(update_fields=["password", "is_active"])
        journal.write(incident=None, at=at, by=person, action="person.joined", subject=f"user:{person.pk}")
        return person


def role_grant(
    *, person: User, entity: Entity, role: str, at: datetime, by: User | None, language: str = ""
) -> Membership:
    """Give ``person`` a role in ``entity``. Repeating changes nothing.

    Raises:
        NotPermitted: no administrator of ``entity``, or for oneself.
        BadInput: no such role, or one that may not meet another: who configures does not decide.
    """
    require_aware(at)
    access.require_configure(by, entity)
    if role not in Role.values:
        raise BadInput(_("There is no such role."), code="unknown_role", field="role")
    if by is not None and by.pk == person.pk:
        raise NotPermitted(_("Nobody gives a role to himself. Another administrator can."), code="own_role")
    with transaction.atomic():
        held = set(Membership.objects.filter(user=person, entity=entity).values_list("role", flat=True)) | {role}
        if Role.ADMINISTRATOR in held and held & access.deciding_roles():
            raise BadInput(
                _("Who configures the people of an entity cannot also approve in it. Give the roles to two people."),
                code="roles_apart",
                field="role",
            )
        row, made = Membership.objects.get_or_create(
            user=person, entity=entity, role=role, defaults={"language": language or language_of(person)}
        )
        access.forget()
        if made:
            _journal("person.role_granted", person, entity, role, at=at, by=by)
        return row


def role_revoke(*, person: User, entity: Entity, role: str, at: datetime, by: User | None) -> list[str]:
    """Take a role away; answers the roles of ladders that nobody holds now, of which managers are told.

    Raises:
        NotPermitted: no administrator of ``entity``.
        Refused: the last administrator.
    """
    access.require_configure(by, entity)
    with transaction.atomic():
        if role == Role.ADMINISTRATOR:
            _keep_an_administrator([entity], person)
        if not Membership.objects.filter(user=person, entity=entity, role=role).delete()[0]:
            return []
        access.forget()
        _journal("person.role_revoked", person, entity, role, at=at, by=by)
        gaps = unheld(entity, [role])
        _tell(entity, gaps, at=at, by=by)
        return gaps


def person_deactivate(
    *, person: User, at: datetime, by: User | None, successor: User | None = None
) -> dict[str, list[str]]:
    """Let ``person`` in no more: password, sessions, tokens, calendar and chat addresses end. The name stays as it was.

    ``successor`` takes over the running incidents that ``person`` owns, as far as the successor may work on them; of the
    others counsel and managers are told. Answers, by key of the entity, the roles of ladders that nobody holds any more.

    Raises:
        NotPermitted: no administrator of every entity of ``person``, or oneself.
        Refused: the last administrator of an entity; inactive already.
    """
    require_aware(at)
    entities = list(Entity.objects.filter(memberships__user=person).distinct().order_by("key"))
    _require_all(by, entities)
    if by is not None and by.pk == person.pk:
        raise NotPermitted(_("Nobody deactivates himself. Another administrator can."), code="own_account")
    with transaction.atomic():
        held = User.objects.select_for_update().get(pk=person.pk)
        if not held.is_active and not _invited(held):
            raise Refused(_("This person is not active."), code="not_active")
        _keep_an_administrator(entities, held)
        was_active = held.is_active
        held.is_active = False
        # Also ends every session, and leaves nothing that would work again by reactivating.
        held.set_unusable_password()
        held.save(update_fields=["is_active", "password"])
        ended = cut_off(held, at=at, by=by)
        access.forget()
        journal.write(incident=None, at=at, by=by, action="person.deactivated", subject=f"user:{held.pk}", detail=ended)
        hand_over(running_of(held), person=held, successor=successor, at=at)
        found = {}
        for entity in entities if was_active else ():
            roles = Membership.objects.filter(entity=entity, user=held).values_list("role", flat=True)
            found[entity.key] = unheld(entity, roles)
            _tell(entity, found[entity.key], at=at, by=by)
        return {key: roles for key, roles in found.items() if roles}


def person_reactivate(*, person: User, at: datetime, by: User | None) -> Invitation:
    """Send a new link: with it the person sets a new password and is active again, with the roles as they stand.

    Raises:
        NotPermitted: no administrator of every entity of ``person``.
        Refused: active already.
    """
    entities = list(Entity.objects.filter(memberships__user=person).distinct())
    _require_all(by, entities)
    with transaction.atomic():
        held = User.objects.select_for_update().get(pk=person.pk)
        if held.is_active:
            raise Refused(_("This person is active."), code="active_already")
        return _invite(held, at=at, by=by)


def unheld(entity: Entity, roles: Iterable[str]) -> list[str]:
    """Of ``roles`` those that a ladder may name and nobody active holds in ``entity``."""
    named = {role for rank in get_policies().ranks for role in rank}
    held = set(entity.memberships.filter(user__is_active=True).values_list("role", flat=True))
    return sorted(set(roles) & named - held)


def _tell(entity: Entity, roles: list[str], *, at: datetime, by: User | None) -> None:
    if roles:
        journal.write(
            incident=None,
            at=at,
            by=by,
            action="person.role_unheld",
            subject=f"entity {entity.key}",
            detail={"roles": roles},
        )
        tell_of_gaps(entity, roles, at=at)


def _invited(person: User) -> bool:
    return Invitation.objects.filter(user=person, used_at=None, withdrawn_at=None).exists()


def _require_all(by: User | None, entities: Collection[Entity]) -> None:
    """An account belongs to all its entities: only who administers each of them closes it."""
    if by is None:
        return
    if not entities or not all(access.may_configure(by, entity) for entity in entities):
        raise NotPermitted(
            _(
                "This person also has roles where you are no administrator. Take away the roles in your entities instead."
            ),
            code="not_all_entities",
        )


def _keep_an_administrator(entities: Collection[Entity], person: User) -> None:
    for entity in entities:
        administrators = entity.memberships.filter(role=Role.ADMINISTRATOR, user__is_active=True)
        if administrators.filter(user=person).exists() and not administrators.exclude(user=person).exists():
            raise Refused(
                _("%(entity)s would be left without an administrator. Give the role to another person first."),
                code="last_administrator",
                entity=entity.name,
            )


def _journal(action: str, person: User, entity: Entity, role: str, *, at: datetime, by: User | None) -> None:
    detail = {"entity": entity.key, "role": role}
    journal.write(incident=None, at=at, by=by, action=action, subject=f"user:{person.pk}", detail=detail)


def invitation_address(invitation: Invitation) -> str:
    """The whole address of the link, for a command that prints it."""
    return str(settings.SITE_URL) + reverse("access:invitation", args=[token_of(invitation)])
