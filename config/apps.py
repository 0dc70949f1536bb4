"""The room that wires the others."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Holds commands and templates that need all rooms."""

    name = "config"

    def ready(self) -> None:
        """Let evidence bundles hold what the upper rooms know; listen to what happens around signing in."""
        from config import accounts_signals, checks  # noqa: F401  register themselves
        from reports import export  # noqa: F401  registers itself
