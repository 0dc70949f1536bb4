"""What the addressee answered."""

from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from compliance.text import clean
from incidents import access, journal
from incidents.services import obligation_reopen
from incidents.services.common import changing, not_in_future, required_text
from reports.models import Submission
from reports.services.checks import movable, save

journal.register({"filing.acknowledged": _("Filing acknowledged"), "filing.refused": _("Filing refused")})


def submission_outcome(
    *, submission: Submission, acknowledged: bool, outcome_at: datetime, note: str, at: datetime, by: User
) -> Submission:
    """Record what came back. A refusal opens the duties again with their old due moments.

    Raises:
        BadInput: in the future, or a refusal without a note.
        Refused: an answer is recorded already.
    """
    with changing(submission.filing.incident, at=at) as incident:
        access.require_handle(by, incident)
        not_in_future(outcome_at, at=at, field="outcome_at", zone=submission.filing.entity.zone)
        text = clean(note) if acknowledged else required_text(note, field="note", at_least=5)
        held = movable(submission.filing, "acknowledge" if acknowledged else "refuse", by)
        row = Submission.objects.get(pk=submission.pk)
        row.outcome = Submission.Outcome.ACKNOWLEDGED if acknowledged else Submission.Outcome.REFUSED
        row.outcome_at, row.outcome_note = outcome_at, text
        row.save()
        (held.acknowledge if acknowledged else held.refuse)()
        save(held, "filing.acknowledged" if acknowledged else "filing.refused", at=at, by=by, new=text)
        if not acknowledged:
            # Only what this hand-over met: another filing may have met it, or opened it again.
            for obligation in held.obligations.filter(met_at=row.submitted_at).order_by("pk"):
                obligation_reopen(obligation=obligation, reason=text, at=at, by=by)
        return row
