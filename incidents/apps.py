"""Incidents: what happened, what is due, who was told."""

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """Registers the handlers of timers and the words of the journal."""

    name = "incidents"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from incidents import handlers  # noqa: F401  registers the timer kinds
