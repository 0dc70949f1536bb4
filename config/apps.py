"""The room that wires the others."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Holds commands and templates that need all rooms."""

    name = "config"
