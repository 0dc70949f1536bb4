"""A proposal for the reason of a delay, drawn from the record: what was known when, who decided what, when it was drafted.

It is a text for a person to correct, in the order of time; it never moves a moment and gives no excuse of its own.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import override

from compliance.cli import duration
from compliance.library import get_library
from compliance.models import Role
from incidents import journal
from incidents.models import Fact, JournalEntry, Obligation
from incidents.services import sheets
from incidents.services.assessment import subject_of
from incidents.wording import named
from reports import prefill
from reports.models import Filing

# What people decided, as the journal calls it.
_DECISIONS = (
    "incident.assessing",
    "incident.confirmed",
    "incident.dismissal_requested",
    "incident.dismissal_rejected",
    "incident.dismissed",
    "incident.reopened",
    "candidate.adopted",
)
MOST = 30


def late_reason_proposal(obligation: Obligation, *, at: datetime, language: str) -> str:
    """What the record says of how ``obligation`` came to be late, as known at ``at``, in ``language``."""
    with override(language):
        zone = obligation.due_zone
        lines = sorted(_lines(obligation, at=at, language=language), key=lambda line: line[0])
        shown = [f"{_moment(moment, zone)} {words}" for moment, words in lines]
        if len(shown) > MOST:
            shown = [*shown[: MOST // 2], "…", *shown[-MOST // 2 :]]
        return "\n".join(
            (*shown, _late_by(obligation, at=at, language=language), _("Reason for the delay: [to be written]"))
        )


def _moment(at: datetime, zone: str) -> str:
    return prefill.local_text(at, zone)


def _lines(row: Obligation, *, at: datetime, language: str) -> Iterator[tuple[datetime, str]]:
    yield from _known(row, at=at, language=language)
    if row.due_at is not None and row.due_at <= at:
        yield row.due_at, _("Deadline")
    yield from _told(row, at=at)
    yield from _decided(row, at=at)
    yield from _drafted(row, at=at)


def _known(row: Obligation, *, at: datetime, language: str) -> Iterator[tuple[datetime, str]]:
    """Every moment of awareness that bears on this duty, with when it was written down."""
    keys = {item["key"] for item in row.duty.get("alternatives", [])}
    for rows in sheets.standing(row.incident, row.entity, as_of=at).values():
        for fact in rows:
            if fact.kind == Fact.Kind.CANDIDATE and sheets.fact_key(fact) in keys:
                label = get_library().facts[fact.name].label.get(language)
                said = {
                    "label": label,
                    "what": f" ({fact.label})" if fact.label else "",
                    "recorded": _moment(fact.recorded_at, row.due_zone),
                }
                yield sheets.instant_of(fact), _("%(label)s%(what)s, recorded %(recorded)s") % said


def _told(row: Obligation, *, at: datetime) -> Iterator[tuple[datetime, str]]:
    """The first step that told somebody, and whoever said to have seen one."""
    steps = list(row.escalations.filter(fired_at__lte=at).select_related("acknowledged_by").order_by("fired_at", "pk"))
    if steps:
        yield steps[0].fired_at, _("First told to: %(roles)s") % {"roles": _labels(steps[0].roles)}
    for step in steps:
        if step.acknowledged_at is not None and step.acknowledged_at <= at and step.acknowledged_by is not None:
            yield step.acknowledged_at, _("Seen by %(name)s") % {"name": named(step.acknowledged_by)}


def _labels(roles: Iterable[str]) -> str:
    return ", ".join(str(Role(role).label) if role in Role else role for role in roles)


def _decided(row: Obligation, *, at: datetime) -> Iterator[tuple[datetime, str]]:
    entries = JournalEntry.objects.filter(chain=row.incident.code, at__lte=at)
    decisions = entries.filter(action__in=_DECISIONS) | entries.filter(
        action__startswith="obligation.excuse", subject=subject_of(row)
    )
    for entry in decisions.order_by("sequence"):
        yield entry.at, f"{journal.message(entry.action)} ({_actor(entry.actor)})"


def _actor(actor: str) -> str:
    kind, _sep, number = actor.partition(":")
    person = User.objects.filter(pk=number).first() if kind == "user" and number.isdigit() else None
    return named(person) if person else _("the system")


def _drafted(row: Obligation, *, at: datetime) -> Iterator[tuple[datetime, str]]:
    filings = Filing.objects.filter(obligations=row, created_at__lte=at).order_by("number")
    for filing in filings.select_related("author", "incident"):
        yield filing.created_at, _("%(filing)s begun by %(name)s") % {"filing": filing, "name": named(filing.author)}
        for approval in filing.approvals.filter(at__lte=at).select_related("by"):
            yield approval.at, _("%(filing)s approved by %(name)s") % {"filing": filing, "name": named(approval.by)}


def _late_by(row: Obligation, *, at: datetime, language: str) -> str:
    if row.due_at is None:
        return ""
    end = row.met_at or at
    return _("Later than the deadline by %(time)s") % {"time": duration(end - row.due_at, language)}
