"""The room that wires the others."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Holds commands and templates that need all rooms."""

    name = "config"

    def ready(self) -> None:
        """Let evidence bundles hold what the upper rooms know."""
        from reports import export  # noqa: F401  registers itself
