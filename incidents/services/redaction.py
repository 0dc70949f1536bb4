"""Destroying the words of a fact, and nothing else: what law on personal data may ask for, and the chain still verifies."""

from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from compliance.engine import digest
from compliance.errors import Refused
from compliance.library import get_library
from incidents import access, journal
from incidents.models import Fact, Incident
from incidents.sealing import fact_subject, kept
from incidents.services import sheets
from incidents.services.common import changing, required_text


def fact_redact(*, fact: Fact, reason: str, at: datetime, by: User) -> Fact:
    """Destroy value, label, source and note of ``fact``, and the salt with them; the salted digest stays.

    The fact no longer counts. One on which duties rest must be corrected or taken back first, so that no clock moves by
    redaction. What quoted it (frozen filings, an adoption of it) is not touched: that has rows of its own.

    Raises:
        NotPermitted: ``by`` is neither counsel nor approver.
        BadInput: no reason.
        Refused: redacted already, or duties still rest on it.
    """
    with changing(fact.incident, at=at) as locked:
        access.require_redact(by, locked, at=at)
        text = required_text(reason, field="reason", at_least=5)
        held = Fact.objects.get(pk=fact.pk)
        if held.redacted_at is not None:
            raise Refused(_("This fact was redacted already."), code="already_redacted")
        if _duties_rest_on(held, locked, at=at):
            raise Refused(
                _("Duties rest on this fact. Record a corrected one or take it back first; then redact it."),
                code="fact_still_counts",
            )
        Fact.objects.filter(pk=held.pk).update(
            value=None, label="", source="", note="", salt="", redacted_at=at, redacted_by=by, redaction_reason=text
        )
        journal.write(
            incident=locked,
            at=at,
            by=by,
            action="fact.redacted",
            subject=fact_subject(held),
            old=journal.Digest(held.digest),
            new=text,
            detail={"kept": digest(kept(held))},
        )
        return Fact.objects.get(pk=held.pk)


def _duties_rest_on(fact: Fact, incident: Incident, *, at: datetime) -> bool:
    definition = get_library().facts.get(fact.name)
    if definition is not None and not definition.legal:
        return False
    places = [fact.entity] if fact.entity else [None, *incident.entities.all()]
    standing = (sheets.standing(incident, place, as_of=at).get(fact.name, []) for place in places)
    return any(row.pk == fact.pk for rows in standing for row in rows)
