"""Reports: what we file."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Registers what the rooms below may need from here: the steps of a replay."""

    name = "reports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from reports import replay_steps  # noqa: F401  registers the filing steps
