"""Roles that follow groups of an identity provider. The system's journal says of each which provider gave or took it."""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance.clock import require_aware
from compliance.errors import Refused
from compliance.models import Entity, Membership
from incidents import journal
from incidents.services.people import role_grant, role_revoke

log = logging.getLogger("breachclock.sign_in")

journal.register(
    {
        "person.roles_followed": _("Roles followed the groups of the identity provider"),
    }
)


def roles_follow(*, person: User, provider: str, wanted: Iterable[tuple[str, str]], at: datetime) -> None:
    """Give ``person`` the roles ``wanted``, pairs of an entity's key and a role, and take back what ``provider`` gave before.

    Roles that a person gave stay as they are. A role that may not be given or taken (no such entity, roles that must stay
    apart, the last administrator) stays as it was, and stands in the journal as refused.
    """
    require_aware(at)
    wished = set(wanted)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=person.pk)
        given = list(Membership.objects.filter(user=person, source=provider).select_related("entity"))
        # First what ends: roles that must stay apart may change places.
        ended = [row for row in given if (row.entity.key, row.role) not in wished]
        refused = [_named(row.entity.key, row.role) for row in ended if not _taken(person, row, at=at)]
        # What a person gave already is no change, and is not taken away later.
        held = set(Membership.objects.filter(user=person).values_list("entity__key", "role"))
        began = sorted(wished - held)
        refused += [_named(key, role) for key, role in began if not _given(person, key, role, provider, at=at)]
        if ended or began:
            detail = {
                "provider": provider,
                "given": sorted({_named(*pair) for pair in began} - set(refused)),
                "taken": sorted({_named(row.entity.key, row.role) for row in ended} - set(refused)),
                "refused": sorted(refused),
            }
            subject = f"user:{person.pk}"
            journal.write(incident=None, at=at, by=None, action="person.roles_followed", subject=subject, detail=detail)


def _named(key: str, role: str) -> str:
    return f"{key}:{role}"


def _taken(person: User, row: Membership, *, at: datetime) -> bool:
    try:
        role_revoke(person=person, entity=row.entity, role=row.role, at=at, by=None)
    except Refused as refused:
        log.warning("user %s keeps the role %s in %s: %s", person.pk, row.role, row.entity.key, refused.code)
        return False
    return True


def _given(person: User, key: str, role: str, provider: str, *, at: datetime) -> bool:
    entity = Entity.objects.filter(key=key).first()
    if entity is None:
        log.warning("the file of identity providers names an entity that is not there: %s", key)
        return False
    try:
        row = role_grant(person=person, entity=entity, role=role, at=at, by=None)
    except Refused as refused:
        log.warning("user %s does not get the role %s in %s: %s", person.pk, role, key, refused.code)
        return False
    Membership.objects.filter(pk=row.pk).update(source=provider)
    return True
