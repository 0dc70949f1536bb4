"""How the journal is told of a filing: one entry, in the transaction of the change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from incidents import journal
from reports.models import Filing


def write(
    filing: Filing,
    action: str,
    *,
    at: datetime,
    by: User | None,
    old: object = None,
    new: object = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write ``action`` on ``filing`` into the chain of its incident (:func:`incidents.journal.write`)."""
    journal.write(
        incident=filing.incident,
        at=at,
        by=by,
        action=action,
        subject=f"filing F{filing.number}",
        old=old,
        new=new,
        detail=detail,
    )
