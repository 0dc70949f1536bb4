"""The organisation and the law it lives under."""

from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    """Loads the law at start: a process with a broken law, or without its keys, must not run."""

    name = "compliance"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from pathlib import Path

        from django.conf import settings

        from compliance import vault
        from compliance.access_policy import get_access_policy
        from compliance.library import get_library, get_methods, get_policies
        from compliance.retention_policy import get_retention

        if settings.KEY_FILE_IS_OURS:
            vault.make_file(Path(settings.KEY_FILE))
        vault.ring()
        get_library()
        get_methods()
        get_policies()
        get_access_policy()
        get_retention()
