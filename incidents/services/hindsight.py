"""A moment of awareness that is added, chosen or taken back after a deadline that hangs on it: allowed, and never in silence.

Nothing is refused, since it may be the truth. It is written in the journal under a name of its own, shown on the incident's
page, and told to the auditors of the entity.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.engine import LocalText
from compliance.library import get_library
from compliance.models import Membership, Role
from incidents import journal, notices
from incidents.models import Fact, Incident, Obligation
from incidents.sealing import fact_subject
from incidents.services.assessment import subject_of
from incidents.states import ObligationState
from incidents.times import local

ACTION = "awareness.changed_after_deadline"
journal.register({ACTION: gettext_lazy("Awareness time changed after the deadline")})


@dataclass(frozen=True, slots=True)
class Passed:
    """A duty whose deadline had passed, as it was due before the change (aware)."""

    duty: int
    due_at: datetime


def passed(incident: Incident, names: Sequence[str], *, at: datetime) -> list[Passed]:
    """The duties whose deadline lies before ``at`` and hangs on a candidate of the contested facts ``names``."""
    contested = [name for name in names if get_library().facts[name].type == "contested_instant"]
    if not contested:
        return []
    numbers = incident.facts.filter(name__in=contested).values_list("number", flat=True)
    keys = {f"fact:{number}" for number in numbers}
    if not keys:
        return []
    rows = incident.obligations.filter(due_at__lt=at).exclude(
        state__in=(ObligationState.NOT_REQUIRED, ObligationState.EXCUSED)
    )
    return [
        Passed(row.pk, row.due_at)
        for row in rows.order_by("pk")
        if row.due_at and keys & {item["key"] for item in row.duty.get("alternatives", [])}
    ]


def flag(
    incident: Incident, before: Sequence[Passed], changed: Sequence[Fact], *, at: datetime, by: User | None
) -> None:
    """Write down and tell what changed, once the duties are computed anew. Without a passed deadline nothing is written."""
    facts = [fact for fact in changed if get_library().facts[fact.name].type == "contested_instant"]
    if not before or not facts:
        return
    rows = incident.obligations.select_related("entity").in_bulk([item.duty for item in before])
    moves = [_move(rows[item.duty], item) for item in before if item.duty in rows]
    journal.write(
        incident=incident,
        at=at,
        by=by,
        action=ACTION,
        subject=fact_subject(facts[0]),
        detail={"changes": [f"{fact.kind} {fact_subject(fact)}" for fact in facts], "deadlines": moves},
    )
    _tell_auditors(incident, facts, [rows[item.duty] for item in before if item.duty in rows], at=at)


def _move(row: Obligation, was: Passed) -> dict[str, str | None]:
    return {
        "duty": subject_of(row),
        "was_due_at": was.due_at.astimezone(UTC).isoformat(),
        "due_at": row.due_at.astimezone(UTC).isoformat() if row.due_at else None,
    }


def _tell_auditors(incident: Incident, facts: Sequence[Fact], rows: Sequence[Obligation], *, at: datetime) -> None:
    auditors = Membership.objects.filter(entity__in=incident.entities.all(), role=Role.AUDITOR)

    def words(member: Membership) -> notices.Words:
        definition = get_library().facts[facts[0].name]
        duties = "; ".join(
            f"{LocalText(**row.duty['title']).get(member.language)} ({local(row.due_at, row.due_zone)})"
            for row in rows
            if row.due_at
        )
        return notices.Words(
            headline=_("%(code)s: an awareness time was changed after the deadline") % {"code": incident.code},
            lines={
                _("Incident"): f"{incident.code} {incident.title}",
                _("Fact"): definition.label.get(member.language),
                _("Deadlines that hang on it, as they stand now"): duties,
            },
            todo=_("See in the journal who changed it, when, and for what reason."),
            type=ACTION,
            data={"fact": facts[0].name, "facts": [fact.number for fact in facts]},
        )

    found = auditors.select_related("user__reader", "entity").order_by("pk")
    notices.tell(found, incident=incident, key=f"hindsight:{incident.pk}:{facts[0].number}", words=words, at=at)
