"""How authorities are reached: kept by hand, with its source, and looked at again after a while (house policy)."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from compliance.clock import require_aware
from compliance.contact_policy import check_again_after
from compliance.engine import LocalText
from compliance.engine.instants import zone_named
from compliance.errors import BadInput, NotPermitted
from compliance.library import get_library
from compliance.models import AuthorityContact, Entity
from compliance.text import clean
from incidents import access, journal
from incidents.access import Capability
from incidents.services.common import required_text

WAYS = ("portal", "email", "phone", "address")
FIELDS = (*WAYS, "source", "checked_on")

journal.register(
    {
        "contact.saved": _("Contact data of an authority saved"),
        "contact.removed": _("Contact data of an authority removed"),
    }
)


def may_change(user: User, entity: Entity) -> bool:
    """Whether ``user`` may keep contact data for ``entity``: who keeps its channels, and its administrators."""
    return access.may_keep(user, entity) or access.may_configure(user, entity)


def changeable_entities(user: User) -> QuerySet[Entity]:
    """The entities for which ``user`` may keep contact data."""
    held = access.places(user, Capability.KEEP) | access.places(user, Capability.CONFIGURE)
    return Entity.objects.filter(pk__in=held).order_by("name", "pk")


def contacts_for(user: User) -> QuerySet[AuthorityContact]:
    """The contact data that ``user`` may read: of entities whose incidents the person reads, or which the person keeps."""
    held = access.places(user, Capability.READ) | access.places(user, Capability.KEEP)
    held |= access.places(user, Capability.CONFIGURE)
    return AuthorityContact.objects.filter(entity__in=held).select_related("entity", "checked_by")


@cache
def authorities() -> Mapping[str, LocalText]:
    """Every authority that the library in use names, by its English name."""
    found: dict[str, LocalText] = {}
    for rule in get_library().rules.values():
        stages = [stage for version in rule.versions for stage in version.stages]
        names = [*rule.addressees, *(name for stage in stages for name in stage.addressees)]
        names += [office.addressee.name for office in rule.offices.values()]
        for name in names:
            found.setdefault(name.en, name)
    return dict(sorted(found.items()))


def is_stale(row: AuthorityContact, *, at: datetime) -> bool:
    """Whether ``row`` was checked longer ago than the house trusts it, on the entity's clock."""
    return _today(row.entity, at) - row.checked_on > check_again_after()


def contacts_of(entity: Entity, names: Iterable[str]) -> list[AuthorityContact]:
    """What ``entity`` knows of the authorities with these English names."""
    rows = AuthorityContact.objects.filter(entity=entity, authority__in=list(names))
    return list(rows.select_related("entity", "checked_by").order_by("authority"))


def _today(entity: Entity, at: datetime) -> date:
    return at.astimezone(zone_named(entity.zone)).date()


def contact_save(
    *,
    entity: Entity,
    authority: str,
    at: datetime,
    by: User,
    contact: AuthorityContact | None = None,
    **given: Any,
) -> AuthorityContact:
    """Keep how ``authority`` (an English name of the library) is reached; ``contact``: the row to change.

    ``given``: portal (https), email, phone, address, of which one at least; source; checked_on (a civil date of the entity's
    zone, not after ``at``).

    Raises:
        BadInput: an unknown authority, no way to reach it, an address that cannot be right, no source, a day to come, or
            the entity has a row for it already.
        NotPermitted: ``by`` neither keeps the channels of ``entity`` nor administers it.
    """
    require_aware(at)
    _require(by, entity)
    values = _checked(entity, authority, given, at=at)
    row = contact if contact is not None else AuthorityContact(entity=entity)
    before = {name: str(getattr(row, name)) for name in FIELDS} if row.pk else {}
    for name, value in values.items():
        setattr(row, name, value)
    row.checked_by, row.saved_at = by, at
    try:
        with transaction.atomic():
            row.save()
            _write("contact.saved", row, at=at, by=by, old=before, new={name: str(values[name]) for name in FIELDS})
            return row
    except IntegrityError:
        raise BadInput(
            _("There is contact data of this authority for this entity already. Change that one."),
            code="contact_twice",
            field="authority",
        ) from None


def contact_remove(*, contact: AuthorityContact, at: datetime, by: User) -> None:
    """Forget how an authority is reached.

    Raises:
        NotPermitted: ``by`` neither keeps the channels of the entity nor administers it.
    """
    require_aware(at)
    _require(by, contact.entity)
    with transaction.atomic():
        before = {name: str(getattr(contact, name)) for name in FIELDS}
        _write("contact.removed", contact, at=at, by=by, old=before, new={})
        contact.delete()


def _write(
    action: str, row: AuthorityContact, *, at: datetime, by: User, old: dict[str, str], new: dict[str, str]
) -> None:
    journal.write(
        incident=None,
        at=at,
        by=by,
        action=action,
        subject=f"contact {row.pk}",
        old=old or None,
        new=new or None,
        detail={
            "entity": row.entity.key,
            "authority": row.authority[:120],
            "fields": sorted(name for name in FIELDS if old.get(name, "") != new.get(name, "")),
        },
    )


def _require(by: User, entity: Entity) -> None:
    if not may_change(by, entity):
        raise NotPermitted(
            _("Counsel, a manager or an administrator of the entity keeps the contact data of authorities."),
            code="may_not_keep_contacts",
        )


def _checked(entity: Entity, authority: str, given: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    name = clean(authority)
    if name not in authorities():
        raise BadInput(
            _("Choose an authority that the law library names."), code="unknown_authority", field="authority"
        )
    values = {way: clean(str(given.get(way) or "")) for way in WAYS}
    if not any(values.values()):
        raise BadInput(_("Give one way at least: portal, e-mail, telephone or address."), code="no_way", field="portal")
    _validate(values)
    day = given.get("checked_on")
    if not isinstance(day, date) or day > _today(entity, at):
        raise BadInput(_("Give the day it was checked, today or earlier."), code="checked_on", field="checked_on")
    source = required_text(str(given.get("source") or ""), field="source", at_least=5)
    return {"authority": name, **values, "source": source[:300], "checked_on": day}


def _validate(values: Mapping[str, str]) -> None:
    if values["portal"]:
        try:
            URLValidator(schemes=["https"])(values["portal"])
        except ValidationError:
            raise BadInput(
                _("%(value)s is not an address of a portal. Expected for example https://www.example.org/report"),
                code="portal",
                field="portal",
                value=values["portal"][:80],
            ) from None
    if values["email"]:
        try:
            validate_email(values["email"])
        except ValidationError:
            raise BadInput(
                _("%(value)s is not an e-mail address."), code="email", field="email", value=values["email"][:80]
            ) from None
