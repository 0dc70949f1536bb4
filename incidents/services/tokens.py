"""Making, finding and revoking tokens of the API."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from compliance.clock import require_aware
from compliance.errors import BadInput, NotPermitted
from compliance.models import Entity
from incidents import access, journal
from incidents.services.common import required_text
from incidents.tokens import ApiToken, Scope

journal.register({"token.made": _("API token made"), "token.revoked": _("API token revoked")})

# So that a token is known as one wherever it turns up, for example by scanners of source code.
PREFIX = "bck_"
BYTES = 32
USED_EVERY = timedelta(minutes=1)
MOST = 50


def token_make(
    *, label: str, scopes: Collection[str], entities: Sequence[Entity], days: int, at: datetime, by: User
) -> tuple[ApiToken, str]:
    """Make a token for ``by``, good for ``days`` days and for incidents of ``entities`` alone (none: all of the person's).

    Answers the row and the token itself, which is kept nowhere and so is shown once.

    Raises:
        BadInput: no name, no or an unknown scope, one that none of the person's roles allows, an entity that is not the
            person's, too long a time, or too many tokens.
    """
    require_aware(at)
    wanted = _scopes(scopes, by)
    if not 1 <= days <= settings.API_TOKEN_MAX_DAYS:
        raise BadInput(
            _("%(value)s days: expected 1 to %(most)d."),
            code="token_days",
            field="days",
            value=days,
            most=settings.API_TOKEN_MAX_DAYS,
        )
    mine = set(access.visible_entities(by).values_list("pk", flat=True))
    if {entity.pk for entity in entities} - mine:
        raise BadInput(_("You have no role in one of these entities."), code="no_role", field="entities")
    if by.api_tokens.filter(revoked_at=None, expires_at__gt=at).count() >= MOST:
        raise BadInput(_("You have too many tokens. Revoke one first."), code="too_many_tokens", field="label")
    token = PREFIX + secrets.token_urlsafe(BYTES)
    row = ApiToken(
        user=by,
        label=" ".join(required_text(label, field="label").split())[:80],
        scopes=wanted,
        limited=bool(entities),
        digest=_digest(token),
        hint=token[-4:],
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    with transaction.atomic():
        row.save(force_insert=True)
        row.entities.set(entities)
        detail = {"scopes": wanted, "entities": sorted(entity.key for entity in entities), "days": days}
        _journal(row, "token.made", detail, at=at, by=by)
    return row, token


def _scopes(given: Collection[str], by: User) -> list[str]:
    unknown = set(given) - set(Scope.values)
    if unknown or not given:
        raise BadInput(_("Choose at least one of what a token can be for."), code="scope_required", field="scopes")
    allowed = access.scopes_of(by)
    if not set(given) <= allowed:
        raise BadInput(
            _("None of your roles allows what this token would be for."), code="scope_beyond_roles", field="scopes"
        )
    return [scope for scope in Scope.values if scope in given]


def token_revoke(*, token: ApiToken, at: datetime, by: User) -> None:
    """End a token at once. Repeating changes nothing.

    Raises:
        NotPermitted: somebody else's.
    """
    require_aware(at)
    with transaction.atomic():
        held = ApiToken.objects.select_for_update().get(pk=token.pk)
        if held.user_id != by.pk:
            raise NotPermitted(_("This token is not yours."), code="not_yours")
        if held.revoked_at is None:
            held.revoked_at = at
            held.save(update_fields=["revoked_at"])
            _journal(held, "token.revoked", {}, at=at, by=by)


def token_for(token: str, *, at: datetime) -> ApiToken | None:
    """The token as it works at ``at``, or None: unknown, expired, revoked, or its person was deactivated."""
    if not token.startswith(PREFIX) or len(token) > 100:
        return None
    row = ApiToken.objects.select_related("user").filter(digest=_digest(token)).first()
    if row is None or not row.works_at(at) or not row.user.is_active:
        return None
    stale = Q(used_at=None) | Q(used_at__lt=at - USED_EVERY)
    ApiToken.objects.filter(stale, pk=row.pk).update(used_at=at)
    return row


def _digest(token: str) -> str:
    """A token has 256 random bits: its digest needs no salt, and nobody can try them all."""
    return hashlib.sha256(token.encode()).hexdigest()


def _journal(row: ApiToken, action: str, detail: dict[str, object], *, at: datetime, by: User) -> None:
    journal.write(incident=None, at=at, by=by, action=action, subject=f"token {row.pk}", detail=detail)
