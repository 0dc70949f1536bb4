"""What happens to filings every night: they are checked, and what is found turns the health page red and is told."""

import logging
from collections.abc import Sequence
from datetime import datetime

from celery import shared_task
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance import clock
from incidents import alarms, health
from reports import verification
from reports.models import Filing

logger = logging.getLogger("breachclock.filings")
NAME = "filings"
# So many findings are kept in the heartbeat; the command names all.
KEPT = 20

health.FINDINGS[NAME] = "filings_not_verified"
health.WORDS["filings_not_verified"] = (
    gettext_lazy("Frozen filings do not verify"),
    gettext_lazy("Keep everything as it is and tell counsel."),
)


@shared_task(name="reports.tasks.verify_filings")
def verify_filings() -> int:
    """Check every frozen filing; answers the number of faults."""
    rows = list(verification.frozen_filings())
    faults = [fault for filing in rows for fault in verification.verify(filing)]
    note(rows, faults, at=clock.now())
    return len(faults)


def note(rows: Sequence[Filing], faults: Sequence[verification.Fault], *, at: datetime) -> None:
    """Leave the result as the heartbeat ``filings``; faults are told to people."""
    detail = {"checked": len(rows), "faults": len(faults), "first": [str(fault)[:200] for fault in faults[:KEPT]]}
    health.beat_found(NAME, at=at, wrong=bool(faults), detail=detail)
    if faults:
        logger.error("%s faults in frozen filings, the first: %s", len(faults), faults[0])
        with transaction.atomic():
            alarms.raise_alarm(NAME, _words, at=at)


def _words() -> tuple[str, str]:
    return (
        _("Frozen filings do not verify: a document is missing, changed, or no longer follows from its statement"),
        _("Keep database and files as they are, run verify_filings to see which, and tell counsel."),
    )
