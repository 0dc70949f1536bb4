"""Reports: what we file."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Registers what the rooms below may need from here: the steps of a replay, the channels of filings, timers."""

    name = "reports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from reports import (  # noqa: F401  register themselves
            dispatch,
            listed,
            outdated,
            redaction,
            replay_steps,
            requests,
            resealing,
            retention,
            searched,
            tasks,
        )
        from reports.channels import drop, email  # noqa: F401  register themselves
