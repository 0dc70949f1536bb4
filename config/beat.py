"""Beat, with a sign of life of its own: so that a dead beat is told apart from dead workers."""

import logging
import time
from typing import Any

from celery.beat import PersistentScheduler

logger = logging.getLogger("breachclock.beat")

EVERY_SECONDS = 5.0


class Scheduler(PersistentScheduler):
    """Celery's scheduler; every few seconds it leaves a heartbeat in the database."""

    _told_at = float("-inf")

    def tick(self, *args: Any, **options: Any) -> float:
        """Send what is due, and leave a sign of life. A database that is gone does not stop beat."""
        wait = float(super().tick(*args, **options))
        if time.monotonic() - self._told_at >= EVERY_SECONDS:
            self._told_at = time.monotonic()
            self._tell()
        return min(wait, EVERY_SECONDS)

    def _tell(self) -> None:
        from django.db import close_old_connections

        from incidents import clock_check, health

        try:
            close_old_connections()
            health.beat(health.BEAT, at=clock_check.check().shared)
        except Exception as error:  # noqa: BLE001  beat goes on
            logger.error("no sign of life could be left: %s", type(error).__name__)
