"""Settings from the environment: refused, with a name and what was expected, when they make no sense."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_YES = {"1", "true", "yes", "on"}
_NO = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    """``name``, or the content of the file that ``name_FILE`` points to, or ``default``."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {path}: expected a readable file") from error
    return os.environ.get(name, default)


def flag(name: str, *, default: bool) -> bool:
    """``name`` as yes or no."""
    given = os.environ.get(name)
    if given is None:
        return default
    value = given.strip().lower()
    if value in _YES or value in _NO:
        return value in _YES
    raise ImproperlyConfigured(f"{name}: {given!r}: expected yes or no")


def number(name: str, default: float, *, least: float = 0) -> float:
    """``name`` as a number of at least ``least``."""
    given = os.environ.get(name)
    if given is None:
        return default
    try:
        value = float(given)
    except ValueError:
        raise ImproperlyConfigured(f"{name}: {given!r}: expected a number") from None
    if value < least:
        raise ImproperlyConfigured(f"{name}: {given!r}: expected at least {least}")
    return value


def words(name: str, default: str = "") -> list[str]:
    """``name`` as a list, separated by commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def address(name: str) -> str:
    """``name`` as an address of HTTP or HTTPS, or nothing."""
    given = text(name)
    if given:
        parts = urlsplit(given)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ImproperlyConfigured(f"{name}: {given!r}: expected an address that begins with http:// or https://")
    return given
