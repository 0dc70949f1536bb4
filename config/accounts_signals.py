"""What happens around signing in besides the pages: the system's journal, ended sessions, the moment of showing who it is."""

import logging
from typing import Any

from allauth.account import signals as account
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from allauth.usersessions.internal.flows.sessions import end_other_sessions
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from compliance import clock
from incidents import journal

log = logging.getLogger("breachclock.sign_in")
journal.register(
    {
        "person.factor_added": _("Second factor added"),
        "person.factor_removed": _("Second factor removed"),
        "person.recovery_codes_made": _("Recovery codes made"),
        "person.password_changed": _("Password changed"),
        "person.factors_reset": _("Second factors reset by the house"),
    }
)


def _note(action: str, user: User, **detail: str) -> None:
    with transaction.atomic():
        journal.write(
            incident=None, at=clock.now(), by=user, action=action, subject=f"user:{user.pk}", detail=detail or None
        )


@receiver(user_logged_in)
def _shown(sender: Any, request: HttpRequest | None, user: User, **rest: Any) -> None:
    """Whoever signs in shows who it is."""
    if request is not None and not get_authentication_records(request, user):
        record_authentication(request, user, "session")
    log.info("signed in: user %s", user.pk)


@receiver(user_login_failed)
def _failed(sender: Any, **rest: Any) -> None:
    """No name: what was typed may be a password."""
    log.warning("sign-in failed")


@receiver(post_save, sender=Authenticator)
def _added(sender: Any, instance: Authenticator, created: bool, **rest: Any) -> None:
    """Written in the transaction that adds it."""
    if created and instance.type == Authenticator.Type.RECOVERY_CODES:
        _note("person.recovery_codes_made", instance.user)
    elif created:
        _note("person.factor_added", instance.user, type=instance.type)


@receiver(mfa.authenticator_added)
def _begin_anew(sender: Any, request: HttpRequest, user: User, **rest: Any) -> None:
    """Sessions that began without it end."""
    end_other_sessions(request, user)


@receiver(mfa.authenticator_removed)
def _removed(sender: Any, request: HttpRequest, user: User, authenticator: Any, **rest: Any) -> None:
    _note("person.factor_removed", user, type=authenticator.type)


@receiver([account.password_changed, account.password_reset])
def _changed(sender: Any, request: HttpRequest, user: User, **rest: Any) -> None:
    _note("person.password_changed", user)
