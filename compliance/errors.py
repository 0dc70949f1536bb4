"""Refusals that a person reads. Each names the field, the value and what was expected."""

from typing import Any

from django.utils.functional import Promise


class ClockError(ValueError):
    """An instant without a zone, or a clock asked to run backwards."""


class Refused(Exception):
    """A change that is not allowed; nothing was written.

    ``message`` is shown to the user as it is and may be lazily translated. ``field`` names the form field
    the message belongs to, or is empty for the whole form. ``code`` is stable and untranslated, for tests and the API.
    """

    def __init__(self, message: str | Promise, *, code: str, field: str = "", **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field
        self.context = context

    def __str__(self) -> str:
        return str(self.message % self.context) if self.context else str(self.message)


class NotPermitted(Refused):
    """The person may not do this; another one may."""


class BadInput(Refused):
    """A value that cannot be accepted as it stands."""
