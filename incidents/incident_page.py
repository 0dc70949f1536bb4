"""What the page of one incident shows: as it stands, or as it stood at a moment of the past."""

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django import forms as django_forms
from django.contrib.auth.models import User
from django.core.cache import cache
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from compliance import clock
from compliance.engine import Duty, FactDef, Library, TimeError, assess, parse_instant
from compliance.library import get_library
from incidents import access, asof, forms, journal, selectors, services
from incidents.models import Fact, Incident, JournalEntry, JournalHead
from incidents.ribbon import draw
from incidents.services import sheets
from incidents.services.hindsight import ACTION as HINDSIGHT
from incidents.verification import Fault

# The rest stands on a page of its own.
JOURNAL_SHOWN = ESCALATIONS_SHOWN = 10
VERIFIED_FOR, MOST_FAULTS = 600, 20


@dataclass(frozen=True, slots=True)
class Filed:
    """A filing as a line of the page. ``url`` empty: it is privileged, and not for this person."""

    title: str
    state: str
    url: str = ""
    frozen_at: datetime | None = None
    sha256: str = ""


FilingSource = Callable[[Incident, User, datetime | None], list[Filed]]
_filing_sources: list[FilingSource] = []


def register_filings(source: FilingSource) -> None:
    """Let the room above say what was filed about an incident, for whom, by which moment (None: now)."""
    if source not in _filing_sources:
        _filing_sources.append(source)


class WrongMoment(ValueError):
    """An address that names no moment of the incident's life. Its message is for people."""


def moment_asked(text: str, incident: Incident, *, now: datetime, zone: str) -> datetime | None:
    """The past moment that ``?at=`` asks for; None: as it stands.

    Raises:
        WrongMoment: it cannot be read, or lies outside the incident's life.
    """
    if not text:
        return None
    try:
        # A plus sign of an offset reaches us as a blank from an address that was typed.
        at = parse_instant(text.strip().replace(" 0", "+0", 1) if text.count(" ") == 1 else text, zone)
    except TimeError as error:
        raise WrongMoment(error.ko if (get_language() or "").startswith("ko") else error.en) from None
    if not incident.reported_at <= at <= now:
        raise WrongMoment(
            _("%(value)s is not within the life of the incident. Choose one of the moments below.")
            % {"value": text[:40]}
        )
    return at.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Slider:
    """The moments to choose from, and where the page stands among them (the last one: now)."""

    moments: list[asof.Moment]
    at: datetime | None

    @property
    def place(self) -> int:
        """The number of the last moment not after the one shown."""
        if self.at is None:
            return len(self.moments) - 1
        return max((number for number, item in enumerate(self.moments) if item.at <= self.at), default=0)

    @property
    def here(self) -> asof.Moment | None:
        """That moment."""
        return self.moments[self.place] if self.moments else None

    @property
    def previous(self) -> asof.Moment | None:
        """The moment before the one shown."""
        place = self.place
        exact = self.at is None or (self.here is not None and self.here.at == self.at)
        back = place - 1 if exact else place
        return self.moments[back] if self.moments and back >= 0 else None

    @property
    def next(self) -> asof.Moment | None:
        """The moment after the one shown; None at the end."""
        after = self.place + 1
        return self.moments[after] if self.at is not None and after < len(self.moments) else None


def context(
    user: User,
    found: Incident,
    zone: str,
    *,
    fact: str = "",
    bound: forms.Action | None = None,
    at: datetime | None = None,
) -> dict[str, Any]:
    """Everything the template shows. ``fact``: the one to be recorded; ``bound``: an action that was refused."""
    with sheets.remembering():
        made = _then(user, found, at) if at is not None else _now(user, found, zone, bound)
        shared = _shared(found, made, zone, at)
        first = fact or next(iter(shared["questions"]), "")
        return {
            **made,
            **shared,
            "fact_form": _fact_form(found, zone, first, bound) if made.get("may_handle") else None,
        }


def _shared(found: Incident, made: dict[str, Any], zone: str, at: datetime | None) -> dict[str, Any]:
    now, known, library, clocks = made["now"], made["known"], made["library"], made["clocks"]
    entity = next(iter(found.entities.all()))
    standing = sheets.standing_of(known, entity)
    shown = [fact for rows in standing.values() for fact in rows]
    asked = assess(library, sheets.fact_sheet(found, entity, as_of=now, known=known), sheets.profile(entity), now)
    duties = [duty for duty in asked.duties if duty.concerns_entity]
    entries = JournalEntry.objects.filter(chain=found.code, at__lte=now).order_by("-sequence")
    done = asof.actions_of(found, until=found.clock_at or clock.now())
    by_then = [action for moment, action in done if moment <= now]
    return {
        "entity": entity,
        "zone": zone,
        "slider": Slider(asof.stops(done), at),
        "ribbon": draw(made["incident"], clocks, shown, now=now, zone=zone),
        "questions": asked.questions,
        "answers": _answers(found, asked.questions, known, now=now) if at is None else [],
        "not_required": [duty for duty in duties if duty.status == "not_required"],
        "for_others": len({duty.rule for duty in asked.duties if not duty.concerns_entity}),
        "told_by": {name: rows[-1] for name, rows in standing.items()},
        "values": [rows[-1] for rows in standing.values() if rows[-1].kind == Fact.Kind.VALUE],
        "contested": contested(standing),
        "events": [fact for fact in shown if fact.kind == Fact.Kind.EVENT],
        "history": list(reversed(known.facts)),
        "vocabulary": _vocabulary(library, duties),
        "people": _latest_people(known),
        "system_count": found.systems.filter(recorded_at__lte=now).count(),
        "entries": [(entry, journal.message(entry.action)) for entry in entries[:JOURNAL_SHOWN]],
        "entry_count": len(by_then),
        "hindsight": list(entries.filter(action=HINDSIGHT)) if HINDSIGHT in by_then else [],
    }


def _answers(found: Incident, questions: tuple[str, ...], known: sheets.Known, *, now: datetime) -> Any:
    return services.answers_preview(incident=found, name=questions[0], at=now, known=known) if questions else ()


def _now(user: User, found: Incident, zone: str, bound: forms.Action | None) -> dict[str, Any]:
    now = found.clock_at or clock.now()
    clocks = selectors.clocks_of(found, now=now)
    real = found.kind != Incident.Kind.REPLAY
    handles = access.may_handle(user, found) and real
    steps = asof.escalations_until(now).filter(incident=found).order_by("-at", "-pk")
    return {
        "past": None,
        "incident": found,
        "now": now,
        "known": sheets.read(found, as_of=now),
        "library": services.library_of(found),
        "clocks": clocks,
        "progress": selectors.progress_of([item.obligation for item in clocks]),
        "law_behind": real and services.law_behind().filter(pk=found.pk).exists(),
        "bound": bound,
        "forms": _empty_forms(found, zone, bound) if handles else {},
        "evidence": _with_time(found.evidence_items.select_related("settled_by"), now=now),
        "escalations": list(steps[:ESCALATIONS_SHOWN]),
        "escalation_count": found.escalations.count(),
        "dismissal": found.dismissals.filter(decision="pending").select_related("requested_by").first(),
        "filings": [line for source in _filing_sources for line in source(found, user, None)],
        "panels": selectors.panels_of(found, user, now=now),
        "verified": verified(found),
        "request_key": secrets.token_urlsafe(16),
        "may_handle": handles,
        "may_export": access.may_export(user, found),
        "may_export_privileged": access.may_see_privileged(user, found),
        "may_decide": access.may_decide(user, found) and real,
    }


def _then(user: User, found: Incident, at: datetime) -> dict[str, Any]:
    then = asof.incident_as_of(found, at=at)
    steps = asof.escalations_of(found, at=at)
    return {
        "past": at,
        "incident": then.incident,
        "now": at,
        "known": then.known,
        "library": then.library,
        "clocks": then.clocks,
        "evidence": _with_time(asof.evidence_of(found, at=at), now=at),
        "escalations": steps[:ESCALATIONS_SHOWN],
        "escalation_count": len(steps),
        "dismissal": asof.dismissal_of(found, at=at),
        "filings": [line for source in _filing_sources for line in source(found, user, at)],
    }


def _with_time(rows: Any, *, now: datetime) -> list[Any]:
    """Evidence with the time left until it is overwritten, while that still matters."""
    found = list(rows)
    for row in found:
        row.left = row.expires_at - now if row.expires_at is not None and row.state == "at_risk" else None
        row.gone = row.left is not None and row.left.total_seconds() < 0
    return found


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether the chain held, when that was looked at."""

    holds: bool
    at: datetime
    faults: tuple[Fault, ...] = ()


def verified(found: Incident, *, again: bool = False) -> Verified:
    """Whether the journal's chain verifies, as walked for this head within the last ten minutes, or walked now.

    What was changed behind the head in between is found by the journal's own page, which always walks (``again``), and nightly.
    """
    head = JournalHead.objects.filter(chain=found.code).values_list("sequence", "hash").first()
    key = f"chain:{found.code}:{head[0]}:{head[1]}" if head else f"chain:{found.code}:none"
    held = None if again else cache.get(key.replace(" ", "_"))
    if held is None:
        faults = tuple(itertools.islice(journal.verify(found.code), MOST_FAULTS))
        held = Verified(not faults, clock.now(), faults)
        if held.holds:
            cache.set(key.replace(" ", "_"), held, VERIFIED_FOR)
        else:
            cache.delete(key.replace(" ", "_"))
    return held


def _vocabulary(library: Library, duties: list[Duty]) -> list[FactDef]:
    """The facts that rules speaking to the entity rest on, and those that only feed filings."""
    rules = {duty.rule for duty in duties}
    used = set().union(*(library.rules[key].facts for key in rules)) if rules else set()
    return [
        item
        for item in library.facts.values()
        if item.type not in ("people", "profile") and (item.name in used or not item.legal)
    ]


def _latest_people(known: sheets.Known) -> list[Any]:
    latest = {(row.entity_id, row.residence): row for row in known.people}
    return [latest[key] for key in sorted(latest)]


def contested(standing: dict[str, list[Fact]]) -> list[dict[str, Any]]:
    """Candidates side by side, the adopted one marked."""
    groups = []
    for name, rows in standing.items():
        candidates = sorted((row for row in rows if row.kind == Fact.Kind.CANDIDATE), key=sheets.instant_of)
        if not candidates:
            continue
        adoptions = [row for row in rows if row.kind == Fact.Kind.ADOPTION]
        adopted = adoptions[-1] if adoptions else None
        groups.append(
            {
                "name": name,
                "candidates": candidates,
                "adopted": adopted.adopts_id if adopted else None,
                "reason": adopted.note if adopted else "",
            }
        )
    return groups


def _fact_form(found: Incident, zone: str, name: str, bound: forms.Action | None) -> forms.FactForm | None:
    if isinstance(bound, forms.FactForm):
        return bound
    definition = get_library().facts.get(name)
    if definition is None or definition.type in ("people", "profile"):
        return None
    return forms.FactForm(incident=found, zone=zone, fact=name)


def _empty_forms(found: Incident, zone: str, bound: forms.Action | None) -> dict[str, django_forms.Form]:
    made: dict[str, django_forms.Form] = {}
    for name, kind in forms.ACTIONS.items():
        if name != "fact":
            made[name] = bound if type(bound) is kind and bound is not None else kind(incident=found, zone=zone)
    return made
