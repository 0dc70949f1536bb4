"""What our sign-in does otherwise than django-allauth: letters by our outbox, no self-registration, roles from groups."""

import base64
import uuid
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from compliance import clock
from compliance.access_policy import get_access_policy
from config.sso import Provider, groups_of
from incidents.letters import language_of, letter
from incidents.services.sso import roles_follow

# Headline and what to do, by the name of allauth's letter. What is not here is not sent.
NOT_YOU = _("If this was not you, tell an administrator at once, and change your password.")
LETTERS = {
    "account/email/password_reset_key": (
        _("Choose a new password"),
        _("Open the link and choose a new password. If you did not ask for this, do nothing: your password stays."),
    ),
    "account/email/password_changed": (_("Your password was changed"), NOT_YOU),
    "account/email/password_reset": (_("Your password was reset"), NOT_YOU),
    "mfa/email/totp_activated": (_("An app with codes was set up for your account"), NOT_YOU),
    "mfa/email/totp_deactivated": (_("The app with codes was taken off your account"), NOT_YOU),
    "mfa/email/recovery_codes_generated": (_("New recovery codes were made for your account"), NOT_YOU),
    "mfa/email/webauthn_added": (_("A passkey or security key was added to your account"), NOT_YOU),
    "mfa/email/webauthn_removed": (_("A passkey or security key was taken off your account"), NOT_YOU),
}
# What a page says after something was done, by the name of allauth's message. What is not here is not said.
MESSAGES = {
    "account/messages/password_changed.txt": _("Your password is changed."),
    "mfa/messages/totp_activated.txt": _("The app with codes is set up."),
    "mfa/messages/totp_deactivated.txt": _("The app with codes is taken off."),
    "mfa/messages/recovery_codes_generated.txt": _("New recovery codes are made. The old ones are of no use any more."),
    "mfa/messages/webauthn_added.txt": _("The key is added."),
    "mfa/messages/webauthn_removed.txt": _("The key is taken off."),
    "usersessions/messages/sessions_logged_out.txt": _("The other sessions are ended."),
}


class AccountAdapter(DefaultAccountAdapter):
    """Accounts with a user name and a password."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _("This account is not active."),
        "enter_current_password": _("This is not your current password."),
        "incorrect_password": _("This is not your password."),
        "invalid_login": _("User name and password do not match. Both are case-sensitive."),
        "invalid_password_reset": _("This link is not complete, or was used already."),
        "rate_limited": _("Too many attempts. Try again in a few minutes."),
        "too_many_login_attempts": _("Too many attempts. Try again in a few minutes."),
        "username_password_mismatch": _("User name and password do not match. Both are case-sensitive."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account for himself; administrators invite."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Only addresses of the very site that was asked."""
        request = context.request
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not within the minutes of the policy after showing, in whichever way, who it is."""
        return not recently_shown(context.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """The ways of allauth in our words."""
        words = {
            "reauthenticate": _("Use the password"),
            "mfa_reauthenticate": _("Use a code"),
            "mfa_reauthenticate:webauthn": _("Use a passkey or security key"),
        }
        return [entry | {"description": words[entry["id"]]} for entry in super().get_reauthentication_methods(user)]

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Say it in our words, or not at all."""
        text = message or MESSAGES.get(message_template or "")
        if text:
            messages.add_message(request, level, text, extra_tags=extra_tags)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Put the letter into the outbox, to the address of the account and in its language."""
        person = context.get("user")
        if isinstance(person, User):
            # The address of a link is the site's, whatever host was asked.
            path = urlsplit(context.get("password_reset_url", "")).path
            _write(person, template_prefix, path or "/")

    def send_notification_mail(
        self, template_prefix: str, user: Any, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Tell the person what happened to the account."""
        _write(user, template_prefix, "/")


def _write(person: User, name: str, path: str) -> None:
    words = LETTERS.get(name)
    if words is None or not person.email:
        return
    at = clock.now()
    with override(language_of(person)):
        letter(
            person,
            key=f"account:{person.pk}:{uuid.uuid4().hex}",
            headline=str(words[0]),
            lines={gettext("User name"): person.username},
            todo=str(words[1]),
            path=path,
            at=at,
        )


def recently_shown(request: HttpRequest) -> bool:
    """Whether the person showed who it is, by any means, within the minutes of the policy."""
    records = get_authentication_records(request, request.user)  # type: ignore[arg-type]
    limit = get_access_policy().sign_in.confirm_after.total_seconds()
    # The library notes wall seconds.
    return bool(records) and clock.now().timestamp() - records[-1]["at"] < limit


class MfaAdapter(DefaultMFAAdapter):
    """Second factors. Their secrets are encrypted with a key that comes from ``SECRET_KEY``."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is not right, or was used already."),
        "cannot_generate_recovery_codes": _("Set up an app with codes or a passkey first."),
    }

    def encrypt(self, text: str) -> str:
        """For the database."""
        return _box().encrypt(text.encode()).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        """From the database."""
        return _box().decrypt(encrypted_text.encode("ascii")).decode()

    def get_totp_issuer(self) -> str:
        """What the app shows beside the account."""
        return "Breachclock"

    def get_totp_label(self, user: Any) -> str:
        """What the app shows as the account."""
        return str(user.username)

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002  allauth's name
        """A name to begin with."""
        return gettext("Key %(number)s") % {"number": Authenticator.objects.filter(user=user, type=type).count() + 1}


# What counts as a second factor; recovery codes only help out.
STRONG = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def _box() -> MultiFernet:
    return MultiFernet([Fernet(_derived(key)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _derived(secret: str) -> bytes:
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"breachclock.second-factor").derive(secret.encode())
    return base64.urlsafe_b64encode(made)


class SocialAdapter(DefaultSocialAccountAdapter):
    """Single sign-on: the house's own providers, from the file of settings only."""

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """Those of the file; none from the database."""
        found = super().list_apps(request, provider=provider, client_id=client_id)
        return [app for app in found if app.pk is None]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find the account that the provider vouches for, and let its roles follow the groups."""
        provider = provider_of(sociallogin)
        held = groups_of(provider, sociallogin.account.extra_data)
        sociallogin.wanted_roles = {(grant.entity, grant.role) for grant in provider.wanted(held)}
        # Of what the provider tells about a person, nothing is kept.
        sociallogin.account.extra_data = {}
        if sociallogin.is_existing:
            sociallogin.account.save(update_fields=["extra_data"])
        else:
            known = _known(sociallogin, provider)
            if known is not None:
                sociallogin.connect(request, known)
        if sociallogin.is_existing and sociallogin.user.is_active:
            _follow(sociallogin, provider)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whoever a group gives a role; nobody else. Not where an account holds the address already."""
        address = sociallogin.user.email
        taken = User.objects.filter(email__iexact=address).exists()
        return bool(address and sociallogin.wanted_roles and not taken)

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """There is nothing to ask."""
        return True

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """Name and address as invitations write them."""
        user: User = super().populate_user(request, sociallogin, data)
        parts = (data.get("last_name"), data.get("first_name"))
        named = data.get("name") or " ".join(part for part in parts if part)
        user.first_name, user.last_name = named[:150], ""
        user.email = user.email.lower()
        user.username = "" if User.objects.filter(username=user.email[:150]).exists() else user.email[:150]
        return user

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """Make the account of somebody new."""
        user: User = super().save_user(request, sociallogin, form)
        _follow(sociallogin, provider_of(sociallogin))
        return user


def provider_of(sociallogin: SocialLogin) -> Provider:
    """The entry of our file."""
    found: Provider = settings.SSO[sociallogin.provider.app.provider_id]
    return found


def _known(sociallogin: SocialLogin, provider: Provider) -> User | None:
    """The one account with the address, if the provider vouches for the address."""
    for address in sociallogin.email_addresses:
        domain = address.email.rpartition("@")[2].lower()
        if (address.verified and provider.kind == "openid_connect") or domain in provider.trusted_domains:
            found = list(User.objects.filter(email__iexact=address.email)[:2])
            if len(found) == 1:
                return found[0]
    return None


def _follow(sociallogin: SocialLogin, provider: Provider) -> None:
    roles_follow(person=sociallogin.user, provider=provider.key, wanted=sociallogin.wanted_roles, at=clock.now())
