"""Incidents: what happened, what is due, who was told."""

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """Registers the handlers of timers, the channels and the words of the journal."""

    name = "incidents"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from incidents import handlers  # noqa: F401  registers the timer kinds
        from incidents.channels import chat, endpoints, mail, trouble, webhook  # noqa: F401  register themselves
