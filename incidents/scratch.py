"""A private, temporary SQLite database: replays play in it unless told otherwise, and touch nothing of yours."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management import call_command
from django.db import connections
from django.test.utils import override_settings


@contextmanager
def scratch_database() -> Iterator[Path]:
    """Within the block the default database is an empty, migrated SQLite file in a folder that is removed afterwards."""
    original = connections["default"]
    with tempfile.TemporaryDirectory(prefix="breachclock-replay-") as folder:
        wanted = {
            **connections.settings["default"],
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(Path(folder) / "replay.sqlite3"),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;",
            },
            "CONN_MAX_AGE": None,
        }
        held = connections.settings["default"]
        connections.settings["default"] = wanted
        connections["default"] = connections.create_connection("default")
        try:
            with override_settings(FILES_ROOT=Path(folder) / "files"):
                call_command("migrate", verbosity=0, skip_checks=True)
                yield Path(folder)
        finally:
            connections["default"].close()
            connections.settings["default"] = held
            connections["default"] = original
