"""That somebody took a file with personal data in hand: a proof, a frozen document, a signed copy, a statement.

One entry in the system's chain for each; the incident's own chain, which is exported and shown, stays about the incident.
"""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from incidents import journal
from reports.models import Filing

journal.register({"file.read": _("File with personal data opened")})


def note(filing: Filing, what: str, sha256: str, *, at: datetime, by: User | None) -> None:
    """Write down that ``by`` reads ``what`` (proof, document, signed, statement) of ``filing``, known by its digest."""
    with transaction.atomic():
        journal.write(
            incident=None,
            at=at,
            by=by,
            action="file.read",
            subject=str(filing),
            detail={"what": what, "sha256": sha256},
        )
