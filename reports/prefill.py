"""A draft that writes itself: each value with where it came from. Missing is missing and unknown is said to be unknown."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from compliance.engine import LocalText
from compliance.library import get_library
from compliance.models import Entity
from incidents.models import Fact, Incident, Obligation
from incidents.services import sheets
from incidents.states import ObligationState
from reports.forms import Field, Form, contents, get_form, tailored, translated
from reports.forms.formats import chosen
from reports.forms.tailor import LETTERS
from reports.models import Filing, Submission
from reports.sayings import say

GIVEN, UNKNOWN, MISSING, BLANK = "given", "unknown", "missing", "blank"


@dataclass(frozen=True, slots=True)
class Source:
    """What a draft is filled from."""

    incident: Incident
    entity: Entity
    form: Form
    stage: str
    obligations: Sequence[Obligation]
    at: datetime
    standing: dict[str, list[Fact]] = field(default_factory=dict)


Value = dict[str, Any]


def form_of(filing: Filing) -> Form:
    """The form of ``filing``, made to measure for the duty it answers as pinned with the obligation, in its language."""
    form = get_form(filing.form)
    # Sorted here: where the duties were fetched with many filings, they are not asked for once more.
    rows = sorted(filing.obligations.all(), key=lambda row: row.pk) if form.takes or filing.language else []
    made = tailored(form, rows[0].duty) if rows else form
    return translated(made, filing.language, rule=rows[0].rule) if rows else made


def prefill(source: Source) -> dict[str, Value]:
    """Every field of the stage with value, status and provenance."""
    known = replace(source, standing=sheets.standing(source.incident, source.entity, as_of=source.at))
    return {item.key: field_value(item, known) for item in source.form.fields(source.stage)}


def field_value(item: Field, source: Source) -> Value:
    """One field, filled if anything is known for it."""
    found = _FILLERS[item.source](item, source) if item.source else None
    if found is not None and item.options:
        found = _as_option(item, found)
    if found is not None:
        return found
    status = status_of(None, item, source.stage, version_of(source.obligations))
    return {"value": None, "status": status, "provenance": None, "edited": False}


def version_of(obligations: Iterable[Obligation]) -> str:
    """The newest version of law that the duties of a filing rest on."""
    return max((row.version for row in obligations), default="")


def status_of(value: object, item: Field, stage: str, version: str) -> str:
    """given, or what the absence of a value means in this stage and under this version of the law."""
    if value not in (None, "", []):
        return GIVEN
    return {"required": MISSING, "if_known": UNKNOWN}.get(item.needed(stage, version) or "", BLANK)


def _as_option(item: Field, found: Value) -> Value | None:
    """What is known as the form's own choice; None if the form has none for it, so that a person chooses."""
    options = [item.translate.get(key) for key in chosen(str(found["value"]))]
    named = list(dict.fromkeys(key for key in options if key is not None))
    if not named or (item.type == "choice" and len(named) > 1):
        return None
    return {**found, "value": ", ".join(named)}


def _given(value: object, provenance: dict[str, Any]) -> Value:
    return {"value": value, "status": GIVEN, "provenance": provenance, "edited": False}


def _fact(item: Field, source: Source) -> Value | None:
    rows = source.standing.get(item.source_name)
    if not rows:
        return None
    text = fact_text(rows[-1], source.entity.zone, item.type, source.form.language)
    return _given(text, fact_provenance(rows[-1]))


def fact_provenance(row: Fact) -> dict[str, Any]:
    """Which fact, who recorded it, when, and on what."""
    return {
        "kind": "fact",
        "fact": row.number,
        "name": row.name,
        "recorded_at": row.recorded_at.isoformat(),
        "recorded_by": row.recorded_by.get_username() if row.recorded_by else "",
        "source": row.source,
        "documented": row.documented,
    }


def fact_text(row: Fact, zone: str, kind: str, language: str = "ko") -> object:
    """The fact's value as the form prints it; an instant stays an instant only in a field of that type.

    A field that offers a choice of its own gets the keys of the fact's choices, to be translated.
    """
    definition = get_library().facts[row.name]
    if definition.type in ("instant", "contested_instant", "event"):
        return row.value if kind == "instant" else local_text(sheets.instant_of(row), zone)
    if kind in ("choice", "choices", "boolean"):
        return ", ".join(row.value) if isinstance(row.value, list) else str(row.value).lower()
    if definition.type == "bool":
        return say("yes" if row.value else "no", language)
    if definition.type == "choice":
        return definition.choices[row.value].get(language)
    if definition.type == "choices":
        return ", ".join(definition.choices[item].get(language) for item in row.value)
    return row.value


def local_text(at: datetime, zone: str) -> str:
    """``at`` as every form writes it: 2025-09-15 14:00 KST."""
    there = at.astimezone(ZoneInfo(zone))
    return f"{there:%Y-%m-%d %H:%M} {there.tzname()}"


def _awareness(item: Field, source: Source) -> Value | None:
    """The candidate that drives the clock: a filing never moves the awareness time."""
    rows = [row for row in source.standing.get(item.source_name, []) if row.kind == Fact.Kind.CANDIDATE]
    driving = {
        alternative["key"]
        for obligation in source.obligations
        for alternative in obligation.duty["alternatives"]
        if alternative["driving"]
    }
    chosen = next((row for row in rows if sheets.fact_key(row) in driving), None)
    if chosen is None:
        arguable = [row for row in rows if row.arguable]
        chosen = min(arguable, key=sheets.instant_of) if arguable else None
    return _given(chosen.value, fact_provenance(chosen)) if chosen else None


def _particular(item: Field, source: Source) -> Value | None:
    value = source.entity.name if item.source_name == "name" else source.entity.particulars.get(item.source_name)
    return _given(value, {"kind": "particulars", "entity": source.entity.key}) if value else None


def _derived(item: Field, source: Source) -> Value | None:
    value = _DERIVED[item.source_name](source)
    return _given(value, {"kind": "derived", "from": item.source_name}) if value else None


def _stage(source: Source) -> str:
    return source.form.stages[source.stage].get(source.form.language)


def _first_receipt(source: Source) -> str | None:
    earlier = Submission.objects.filter(
        filing__incident=source.incident, filing__entity=source.entity, filing__form=source.form.key
    )
    # One form may answer the law of many places: a number of another authority is none here.
    earlier = earlier.filter(filing__obligations__rule__in=[row.rule for row in source.obligations]).distinct()
    # What the authority did not take, or gave no number for, is no number to refer to.
    earlier = earlier.exclude(outcome=Submission.Outcome.REFUSED).exclude(receipt_number="")
    return earlier.order_by("submitted_at", "pk").values_list("receipt_number", flat=True).first() or None


def _systems(source: Source) -> list[dict[str, str]]:
    zone = source.entity.zone
    return [
        {
            "name": row.name,
            "purpose": row.purpose,
            "finding": row.finding,
            "found": local_text(row.found_at, zone) if row.found_at else row.found_when,
            "found_by": row.found_by,
        }
        for row in source.incident.systems.order_by("pk")
    ]


def _new_facts(source: Source) -> str:
    """The happenings that opened the supplement duties this filing answers."""
    keys = {obligation.occurrence for obligation in source.obligations if obligation.occurrence}
    rows = [row for rows in source.standing.values() for row in rows if sheets.fact_key(row) in keys]
    rows.sort(key=sheets.instant_of)
    return "\n".join(f"{local_text(sheets.instant_of(row), source.entity.zone)} {row.label}".strip() for row in rows)


def _people(source: Source) -> str | None:
    known = sheets.read(source.incident, as_of=source.at)
    latest = {row.residence: row for row in known.people if row.entity_id == source.entity.pk}
    if not latest:
        return None
    total = sheets.people_total(known.people, source.entity)
    language = source.form.language
    parts = [f"{place} {_number_of_people(row.count, language)}" for place, row in sorted(latest.items())]
    whole = say("people_total", language, count=f"{total:,}") if total is not None else say("being_checked", language)
    return f"{whole} ({', '.join(parts)})" if len(parts) > 1 else whole


def _number_of_people(count: int | None, language: str) -> str:
    return say("people", language, count=f"{count:,}") if count is not None else say("being_checked", language)


def _people_number(source: Source) -> str | None:
    known = sheets.read(source.incident, as_of=source.at)
    if not any(row.entity_id == source.entity.pk for row in known.people):
        return None
    total = sheets.people_total(known.people, source.entity)
    return str(total) if total is not None else None


def _people_places(source: Source) -> str:
    known = sheets.read(source.incident, as_of=source.at)
    return ", ".join(sorted({row.residence for row in known.people if row.entity_id == source.entity.pk}))


def _submitted(source: Source, rule_prefix: str) -> list[Obligation]:
    rows = source.incident.obligations.filter(entity=source.entity, rule__startswith=rule_prefix, met_at__isnull=False)
    return list(rows.order_by("met_at"))


def _leak_report(source: Source) -> str | None:
    done = _submitted(source, "kr.pipa.regulator-report")
    if done:
        return "신고함: " + ", ".join(local_text(row.met_at, source.entity.zone) for row in done if row.met_at)
    waiting = source.incident.obligations.filter(
        entity=source.entity,
        rule="kr.pipa.regulator-report",
        state__in=(ObligationState.RUNNING, ObligationState.OVERDUE),
    )
    return "신고 예정" if waiting.exists() else None


def _notice_state(source: Source) -> str | None:
    rows = source.standing.get("leak.notice_state")
    if rows:
        return str(rows[-1].value)
    done = _submitted(source, "kr.pipa.subject-notice")
    return (
        "통지함: " + ", ".join(local_text(row.met_at, source.entity.zone) for row in done if row.met_at)
        if done
        else None
    )


def _late_reason(source: Source) -> str:
    return "\n".join(dict.fromkeys(row.late_reason for row in source.obligations if row.late_reason))


def _text_of(source: Source, name: str) -> str:
    rows = source.standing.get(name)
    return str(fact_text(rows[-1], source.entity.zone, "text", source.form.language)) if rows else ""


def _contact(source: Source) -> str:
    """Department, person, telephone and e-mail, as far as they are recorded."""
    names = ("response.department", "response.person", "response.phone", "response.email")
    return ", ".join(text for text in (_text_of(source, name) for name in names) if text)


def _clock_start(source: Source) -> str | None:
    """The earliest start of the duties that are answered: a filing never moves it."""
    starts = [row.starts_at for row in source.obligations if row.starts_at]
    return min(starts).isoformat() if starts else None


def _times(source: Source) -> str:
    """Every recorded moment by its name, oldest first; of a contested one each candidate."""
    kinds = ("instant", "contested_instant", "event")
    vocabulary, language = get_library().facts, source.form.language
    rows = [row for name, rows in source.standing.items() if vocabulary[name].type in kinds for row in rows]
    rows.sort(key=lambda row: (sheets.instant_of(row), row.name, row.number))
    lines = (
        f"{local_text(sheets.instant_of(row), source.entity.zone)} {vocabulary[row.name].label.get(language)}"
        + (f" ({row.label})" if row.label else "")
        for row in rows
    )
    return "\n".join(dict.fromkeys(lines))


def _other_filings(source: Source) -> str:
    """What is recorded of reports under other law, and the duties to authorities that this product saw done."""
    rules = {row.rule for row in source.obligations}
    done = source.incident.obligations.filter(
        entity=source.entity, audience__in=("regulator", "csirt"), met_at__isnull=False
    ).exclude(rule__in=rules)
    lines = [
        f"{local_text(row.met_at, source.entity.zone)} {LocalText(**row.duty['title']).get(source.form.language)}"
        for row in done.order_by("met_at", "pk")
        if row.met_at
    ]
    return "\n".join([text for text in (_text_of(source, "incident.other_filings"),) if text] + lines)


def _people_here(source: Source) -> str | None:
    """How many of the people live where the law of the duty holds; None if no place of it is recorded."""
    known = sheets.read(source.incident, as_of=source.at)
    here = {row.jurisdiction for row in source.obligations}
    latest = {row.residence: row for row in known.people if row.entity_id == source.entity.pk}
    counts = [row.count for place, row in latest.items() if _within(place, here)]
    if not counts:
        return None
    total = sum(count for count in counts if count is not None)
    return _number_of_people(total if None not in counts else None, source.form.language)


def _within(place: str, jurisdictions: set[str]) -> bool:
    return any(place == name or place.startswith(f"{name}-") for name in jurisdictions)


def _contents(item: Field, source: Source) -> Value | None:
    """An item of the law's own list: one kind of content as it is, several with a line of each that is known."""
    kinds = [contents.kind(key) for key in item.source_name.split(",")]
    letter = source.form.audience in LETTERS
    found = [(kind, _first_known(item, kind.letter if letter else kind.sources, source)) for kind in kinds]
    known = [(kind, value) for kind, value in found if value is not None]
    if not known:
        return None
    if len(kinds) == 1:
        return known[0][1]
    language = source.form.language
    text = "\n".join(f"{kind.label.get(language)}: {value['value']}" for kind, value in known)
    origins = [value["provenance"] for _kind, value in known]
    return _given(text, {"kind": "derived", "from": contents.CONTENTS, "parts": origins})


def _first_known(item: Field, sources: Iterable[tuple[str, str]], source: Source) -> Value | None:
    for kind, name in sources:
        found = _FILLERS[kind](replace(item, source=kind, source_name=name), source)
        if found is not None:
            # The only source that gives a moment as such; every other gives words.
            moment = kind == "awareness"
            text = local_text(datetime.fromisoformat(found["value"]), source.entity.zone) if moment else found["value"]
            return {**found, "value": text}
    return None


_DERIVED: dict[str, Callable[[Source], Any]] = {
    "stage": _stage,
    "stage_key": lambda source: source.stage,
    "people_here": _people_here,
    "people_number": _people_number,
    "people_places": _people_places,
    "contact": _contact,
    "incident_code": lambda source: source.incident.code,
    "clock_start": _clock_start,
    "times": _times,
    "other_filings": _other_filings,
    "first_receipt": _first_receipt,
    "systems": _systems,
    "new_facts": _new_facts,
    "people": _people,
    "leak_report": _leak_report,
    "notice_state": _notice_state,
    "late_reason": _late_reason,
}
_FILLERS: dict[str, Callable[[Field, Source], Value | None]] = {
    "fact": _fact,
    "awareness": _awareness,
    "particular": _particular,
    "derived": _derived,
    contents.CONTENTS: _contents,
}


def printed(status: str, text: str, language: str = "ko") -> str:
    """What the cell of a field shows. Unknown never looks like "none"."""
    return text if status == GIVEN else say(status, language)


def shown(value: Value, item: Field, zone: str, language: str = "ko") -> str:
    """A stored value as text, an instant in the entity's zone, a choice in its words."""
    held = value.get("value")
    if held in (None, "", []):
        return ""
    if item.type == "instant":
        return local_text(datetime.fromisoformat(str(held)), zone)
    if item.type == "table":
        return systems_summary(held, language)
    if item.type == "boolean":
        return say({"true": "yes", "false": "no"}.get(str(held).lower(), "being_checked"), language)
    if item.options:
        keys = chosen(str(held))
        return "; ".join(item.options[key].get(language) if key in item.options else key for key in keys)
    return str(held)


def systems_summary(rows: Sequence[dict[str, str]], language: str = "ko") -> str:
    """How many systems, by who found them."""
    finders: dict[str, int] = {}
    for row in rows:
        finder = row["found_by"] or say("finder_unknown", language)
        finders[finder] = finders.get(finder, 0) + 1
    listed = ", ".join(f"{finder} {say('units', language, count=f'{count:,}')}" for finder, count in finders.items())
    return say("systems", language, count=f"{len(rows):,}", listed=listed)


def table_changes(before: Sequence[dict[str, str]], now: Sequence[dict[str, str]], language: str = "ko") -> str:
    """How many rows of a table are new, gone or different, told by their names."""
    told, known = ({row["name"]: row for row in rows} for rows in (before, now))
    different = sum(told[name] != known[name] for name in told.keys() & known.keys())
    new, gone = len(known.keys() - told.keys()), len(told.keys() - known.keys())
    return say("table_changes", language, new=f"{new:,}", gone=f"{gone:,}", different=f"{different:,}")


def value_now(item: Field, filing: Filing, form: Form, *, at: datetime) -> Value:
    """What ``filing`` would say in ``item`` if it were begun at ``at``."""
    standing = sheets.standing(filing.incident, filing.entity, as_of=at)
    obligations = list(filing.obligations.order_by("pk"))
    return field_value(item, Source(filing.incident, filing.entity, form, filing.stage, obligations, at, standing))


def last_filing(incident: Incident, entity: Entity, form: str, obligations: Iterable[Obligation]) -> Filing | None:
    """The newest filing of ``form`` under the same rules that left the house."""
    sent = Filing.objects.filter(
        incident=incident,
        entity=entity,
        form=form,
        state__in=("submitted", "acknowledged", "superseded"),
        obligations__rule__in={row.rule for row in obligations},
    ).distinct()
    return sent.order_by("-submission__submitted_at", "-number").first()
