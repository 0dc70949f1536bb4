"""What ``manage.py check`` says about signing in."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  Django's name

from compliance.models import Role


@register(Tags.security)
def roles_of_providers(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Every role in the file of identity providers is one of ours."""
    return [
        Error(
            f"BREACHCLOCK_SSO: {provider.key}: {grant.role!r}: expected one of {', '.join(Role.values)}", id="config.E1"
        )
        for provider in settings.SSO.values()
        for grants in provider.groups.values()
        for grant in grants
        if grant.role not in Role.values
    ]


@register(Tags.security, deploy=True)
def second_factor(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """A house that works for real keeps to its policy."""
    if settings.SECOND_FACTOR == "policy":
        return []
    words = "BREACHCLOCK_SECOND_FACTOR is 'offered': nobody is asked for a second factor. That is for demonstrations."
    return [Warning(words, id="config.W1")]


@register(Tags.security, deploy=True)
def shared_counts(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Attempts are counted together only through Redis."""
    if settings.REDIS_URL:
        return []
    return [Warning("REDIS_URL is not set: each process counts failed sign-ins by itself.", id="config.W2")]
