"""Filings that no longer say what the record says, and what follows: a supplement duty where the law has one, else a warning."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from compliance.library import get_library
from incidents.models import Fact, Incident, Obligation
from incidents.services import library_of
from incidents.services.facts import register_consequence
from incidents.states import OPEN_OBLIGATION
from reports import prefill, statement
from reports.forms import Field
from reports.models import Filing
from reports.states import LEFT_THE_HOUSE

# Who answers the telephone is not about the incident; the rest of the record is.
_ABOUT_US = "contact"


@dataclass(frozen=True, slots=True)
class Moved:
    """One field that would read differently now."""

    field: Field
    told: str
    now: str
    facts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outdated:
    """A filing that left the house and what of it is out of date. ``duties``: the open supplement duties, if the law has one."""

    filing: Filing
    moved: tuple[Moved, ...]
    duties: tuple[Obligation, ...]
    law_has_supplement: bool


def outdated(incident: Incident, *, at: datetime) -> list[Outdated]:
    """The newest filing of each form that left the house, where the record says otherwise now."""
    found = []
    for filing in newest(incident):
        moved = tuple(_moved(filing, at=at))
        if moved:
            events = supplement_events(filing)
            found.append(Outdated(filing, moved, tuple(_open_supplements(filing)), bool(events)))
    return found


def newest(incident: Incident) -> list[Filing]:
    """Of each chain of filings to one addressee the last one that left the house."""
    rows = (
        Filing.objects.filter(incident=incident, state__in=LEFT_THE_HOUSE)
        .select_related("incident", "entity", "previous", "submission")
        .prefetch_related("obligations", "previous__obligations")
    )
    sent = {row.pk: row for row in rows.order_by("number")}
    followed = {row.previous_id for row in sent.values()}
    return [row for row in sent.values() if row.pk not in followed]


def _moved(filing: Filing, *, at: datetime) -> list[Moved]:
    form, found = prefill.form_of(filing), []
    for key, (told, teller) in statement.told(filing).items():
        try:
            item = form.field(key)
        except KeyError:
            continue
        origin = told.get("provenance") or {}
        if not _compared(item) or origin.get("kind") == "person":
            continue
        now = prefill.value_now(item, teller, prefill.form_of(teller), at=at)
        if (now["value"], now["status"]) == (told["value"], told["status"]) or prefill.GIVEN not in (
            now["status"],
            told["status"],
        ):
            continue
        language = form.language
        text = prefill.shown(now, item, filing.entity.zone, language)
        fact = (now["provenance"] or {}).get("fact")
        found.append(
            Moved(
                item.at(teller.stage),
                prefill.printed(told["status"], told["text"], language),
                prefill.printed(now["status"], text, language),
                (fact,) if fact else (),
            )
        )
    return found


def _compared(item: Field) -> bool:
    if item.source in ("fact", "awareness"):
        return get_library().facts[item.source_name].group != _ABOUT_US
    return item.source == "derived" and item.source_name in ("people", "people_number", "systems")


def supplement_events(filing: Filing) -> list[str]:
    """The happenings that open a supplement to ``filing`` under the rules it answers; none where the law has no supplement."""
    library = library_of(filing.incident)
    events: list[str] = []
    for row in filing.obligations.all():
        version = library.version(row.rule, row.version)
        events += [stage.per_event for stage in version.stages if stage.per_event in _CONFIRMED]
    return list(dict.fromkeys(events))


# The happenings that mean "something more about it was confirmed".
_CONFIRMED = ("incident.new_fact_confirmed_at", "leak.new_fact_confirmed_at", "incident.material_change_at")


def _open_supplements(filing: Filing) -> list[Obligation]:
    rules = {row.rule for row in filing.obligations.all()}
    rows = filing.incident.obligations.filter(entity=filing.entity, rule__in=rules, state__in=OPEN_OBLIGATION)
    return list(rows.exclude(occurrence="").order_by("due_at", "pk"))


def events_for(incident: Incident, changed: Sequence[Fact], *, at: datetime) -> list[dict[str, Any]]:
    """The happenings to record because ``changed`` (recorded just now) makes filings out of date, by fact, none twice.

    A batch in which somebody names the happening says it all already.
    """
    named = {fact.name for fact in changed}
    values = [fact for fact in changed if fact.kind in (Fact.Kind.VALUE, Fact.Kind.CANDIDATE, Fact.Kind.ADOPTION)]
    if not values:
        return []
    wanted: dict[str, dict[str, Any]] = {}
    numbers = {(fact.adopts or fact).number for fact in values}
    for item in outdated(incident, at=at):
        moved = [field for field in item.moved if numbers & set(field.facts)]
        for event in supplement_events(item.filing) if moved else ():
            if event not in named:
                label = f"{item.filing}: " + ", ".join(field.field.label.get("ko") for field in moved)
                wanted.setdefault(
                    event, {"name": event, "value": at, "label": label[:300], "entity": item.filing.entity}
                )
    return list(wanted.values())


register_consequence(events_for)
