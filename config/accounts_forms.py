"""allauth's forms in our words."""

from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.contrib.auth import password_validation
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _


def _field(field: forms.Field, label: Any, help_text: Any = "") -> None:
    """Our label, and no second one inside the field."""
    field.label, field.help_text = label, help_text
    field.widget.attrs.pop("placeholder", None)
    field.widget.attrs["class"] = "form-control"


def _rules() -> str:
    return " ".join(str(text) for text in password_validation.password_validators_help_texts())


_RULES = lazy(_rules, str)()
_AGAIN = _("The new password again")
_DIFFERENT = _("The two passwords are not the same.")


class _SameTwice:
    """Say it in our words when the two passwords differ."""

    def add_error(self, field: str | None, error: Any) -> None:
        """As the form does."""
        if field == "password2" and isinstance(error, str | type(_DIFFERENT)):
            error = _DIFFERENT
        super().add_error(field, error)  # type: ignore[misc]


class LoginForm(account.LoginForm):
    """User name and password. Nobody is asked whether to be remembered: a session ends by itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("remember", None)
        _field(self.fields["login"], _("User name"))
        _field(self.fields["password"], _("Password"))


class ReauthenticateForm(account.ReauthenticateForm):
    """The password once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _field(self.fields["password"], _("Password"))


class ChangePasswordForm(_SameTwice, account.ChangePasswordForm):
    """The old password and a new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _field(self.fields["oldpassword"], _("Current password"))
        _field(self.fields["password1"], _("New password"), _RULES)
        _field(self.fields["password2"], _AGAIN)


class ResetPasswordForm(account.ResetPasswordForm):
    """The address of the account. Whoever has no password (single sign-on) gets none this way."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _field(self.fields["email"], _("E-mail address"))

    def clean_email(self) -> str:
        """As allauth does, without people who sign in elsewhere."""
        email = super().clean_email()
        self.users = [user for user in self.users if user.has_usable_password()]
        return email


class ResetPasswordKeyForm(_SameTwice, account.ResetPasswordKeyForm):
    """A new password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _field(self.fields["password1"], _("New password"), _RULES)
        _field(self.fields["password2"], _AGAIN)


class AuthenticateForm(mfa.AuthenticateForm):
    """A code of the app, or a recovery code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self.fields["code"])


class ReauthenticateCodeForm(mfa.ReauthenticateForm):
    """A code once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self.fields["code"])


class ActivateForm(totp.ActivateTOTPForm):
    """The first code of the app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self.fields["code"])
        self.fields["code"].label = _("Code that the app shows")


class AddKeyForm(webauthn.AddWebAuthnForm):
    """A passkey or security key, and what to call it."""

    # allauth decides on this field while its module is read, when its settings may not be there yet.
    passwordless = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Sign in with this key alone (passkey): the device asks for a PIN, a finger or a face"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _field(self.fields["name"], _("Name of the key"))


class RenameKeyForm(webauthn.EditWebAuthnForm):
    """What to call the key."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _field(self.fields["name"], _("Name of the key"))


def _code(field: forms.Field) -> None:
    _field(field, _("Code"))
