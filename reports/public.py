"""What the company said in public, kept as evidence with the figures it quoted, to be held against what is filed."""

from collections.abc import Mapping
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from compliance.engine import LocalText
from compliance.errors import BadInput
from compliance.library import get_library
from compliance.text import clean
from incidents import access, journal
from incidents.models import Incident
from incidents.services import evidence_add, evidence_preserve
from incidents.services.common import changing, not_in_future, required_text, zone_of
from reports.conflicts import PEOPLE
from reports.models import PublicStatement

journal.register({"public_statement.recorded": _("Public statement recorded")})
PEOPLE_LABEL = LocalText(ko="영향을 받은 사람 수", en="Number of people affected")


def topics() -> dict[str, LocalText]:
    """What a quoted figure can be about: the number of people, and every fact of the vocabulary."""
    return {PEOPLE: PEOPLE_LABEL, **{name: item.label for name, item in get_library().facts.items()}}


def public_statement_record(
    *,
    incident: Incident,
    title: str,
    text: str,
    published_at: datetime,
    figures: Mapping[str, str],
    at: datetime,
    by: User,
    location: str = "",
) -> PublicStatement:
    """Keep a press statement (or the like) as evidence; ``figures`` quotes what it says of a topic, in its own words.

    Raises:
        BadInput: no title or text, published in the future, or an unknown topic.
    """
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked, at=at)
        not_in_future(published_at, at=at, field="published_at", zone=zone_of(locked))
        words = required_text(text, field="text", at_least=5)
        quoted = {topic: clean(value)[:300] for topic, value in figures.items() if clean(value)}
        unknown = sorted(set(quoted) - set(topics()))
        if unknown:
            raise BadInput(
                _("%(value)s is not a topic. Expected people.count or a fact of the vocabulary."),
                code="unknown_topic",
                field="figures",
                value=unknown[0],
            )
        evidence = evidence_add(
            incident=locked, title=title, description=words, location=location, source=location, at=at, by=by
        )
        # Its text is kept here: nothing will overwrite it.
        evidence_preserve(evidence=evidence, note=str(_("Public statement recorded")), at=at, by=by)
        row = PublicStatement.objects.create(evidence=evidence, published_at=published_at, figures=quoted)
        journal.write(
            incident=locked,
            at=at,
            by=by,
            action="public_statement.recorded",
            subject=f"evidence:{evidence.number}",
            new={"text": words, "figures": quoted},
            detail={"published_at": published_at.astimezone(UTC).isoformat(), "topics": sorted(quoted)},
        )
        return row
