"""A person's word on the law itself: newer law for a running incident, a rule we are not sure of, a day off."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from compliance import releases
from compliance.engine import Change, Duty, Held, Library, assess, diff
from compliance.engine.changes import touched_rules
from compliance.errors import BadInput, Refused
from compliance.library import get_library
from compliance.models import DayOff, Entity
from compliance.text import clean
from incidents import access, journal
from incidents.models import Incident, RuleDecision
from incidents.services import sheets
from incidents.services.assessment import library_of, reassess_locked
from incidents.services.common import changing, required_text
from incidents.states import IncidentState

ENDED = (IncidentState.CLOSED, IncidentState.DISMISSED)


@dataclass(frozen=True, slots=True)
class LawEffect:
    """What newer law would do to one duty of one entity. ``before`` None: the duty is new; ``after`` None: it is gone."""

    entity: Entity
    kind: str
    before: Duty | None
    after: Duty | None


def law_behind() -> QuerySet[Incident]:
    """The running incidents that stay on an earlier release of the law, or do not know of every day off."""
    newest = DayOff.objects.order_by("-added_at").values_list("added_at", flat=True).first()
    older = ~Q(law_digest=get_library().digest)
    if newest is not None:
        older |= Q(law_at__lt=newest)
    running = Incident.objects.filter(older).exclude(state__in=ENDED).exclude(kind=Incident.Kind.REPLAY)
    return running.prefetch_related("entities").order_by("code")


def law_preview(*, incident: Incident, at: datetime) -> tuple[LawEffect, ...]:
    """What accepting the law in use now would change in ``incident``. Writes nothing; empty when nothing would change."""
    now = releases.library_at("", days_known_at=at)
    known = sheets.read(incident, as_of=at)
    held = library_of(incident)
    touched = _touched(held, now)
    return tuple(
        effect
        for entity in incident.entities.order_by("pk")
        for effect in _effects(incident, entity, known, held, now, only=touched, at=at)
    )


def _touched(held: Library, now: Library) -> frozenset[str] | None:
    """:func:`touched_rules`, worked out once for each pair of releases and days off."""
    key = (held.digest, now.digest, *(_days(library) for library in (held, now)))
    if key not in _compared:
        _compared.clear()  # a review goes through incidents of one pair at a time
        _compared[key] = touched_rules(held, now)
    return _compared[key]


def _days(library: Library) -> frozenset[object]:
    return frozenset((key, day) for key, calendar in library.calendars.items() for day in calendar.added)


_compared: dict[object, frozenset[str] | None] = {}


def _effects(
    incident: Incident,
    entity: Entity,
    known: sheets.Known,
    held: Library,
    now: Library,
    *,
    only: frozenset[str] | None,
    at: datetime,
) -> Iterable[LawEffect]:
    sheet = sheets.fact_sheet(incident, entity, as_of=at, known=known)
    before, after = (
        {duty.identity: duty for duty in assess(library, sheet, sheets.profile(entity), at, only=only).duties}
        for library in (held, now)
    )
    for change in diff([_held(duty) for duty in before.values()], after.values()):
        effect = _effect(change, before.get(change.identity))
        if effect:
            yield LawEffect(entity, effect, before.get(change.identity), change.duty)


def _held(duty: Duty) -> Held:
    return Held(duty.identity, duty.status, duty.due_at, duty.starts_at, duty.standard, open=True)


def _effect(change: Change, before: Duty | None) -> str:
    """The kind of change, "reworded" where only the words of the law differ, or nothing."""
    if change.kind != "same":
        return "" if change.kind == "vanish" and before is not None and not before.concerns_entity else change.kind
    differs = before is not None and change.duty is not None and before.digest != change.duty.digest
    return "reworded" if differs and change.duty is not None and change.duty.status != "not_required" else ""


def law_accept(*, incident: Incident, reason: str, at: datetime, by: User) -> Incident:
    """Put ``incident`` under the law in use now, with every day off known now, and re-assess it.

    Raises:
        BadInput: no reason.
        NotPermitted: ``by`` is neither counsel nor approver of an entity of the incident.
        Refused: the incident is under that law already.
    """
    with changing(incident, at=at) as locked:
        access.require_decide(by, locked, at=at)
        text = required_text(reason, field="reason", at_least=5)
        if not law_behind().filter(pk=locked.pk).exists():
            raise Refused(_("The incident is under the law in use already."), code="law_in_use")
        effects = law_preview(incident=locked, at=at)
        was, library = locked.law_digest, get_library()
        releases.keep(library, at=at)
        locked.law_digest, locked.law_at = library.digest, at
        locked.save(update_fields=["law_digest", "law_at"])
        journal.write(
            incident=locked,
            at=at,
            by=by,
            action="law.accepted",
            subject=locked.code,
            old=was,
            new={"digest": library.digest, "reason": text},
            detail={"from": was[:16], "to": library.digest[:16], "effects": len(effects)},
        )
        reassess_locked(locked, at=at, by=by)
        return locked


def rule_decide(
    *, incident: Incident, entity: Entity, rule: str, follow: bool, reason: str, at: datetime, by: User
) -> RuleDecision:
    """Follow a rule of low confidence as hard law in this incident, or stop following it, for a stated reason.

    Raises:
        BadInput: no reason, or not a rule of low confidence.
        NotPermitted: ``by`` is neither counsel nor approver of an entity of the incident.
    """
    with changing(incident, at=at) as locked:
        access.require_decide(by, locked, at=at)
        text = required_text(reason, field="reason", at_least=5)
        if rule not in unsure_rules(library_of(locked)):
            raise BadInput(
                _("%(rule)s: expected a rule of low confidence."), code="not_unsure", field="rule", rule=rule
            )
        row = RuleDecision.objects.create(
            incident=locked, entity=entity, rule=rule, follow=follow, reason=text, decided_by=by, decided_at=at
        )
        journal.write(
            incident=locked,
            at=at,
            by=by,
            action="law.rule_followed" if follow else "law.rule_not_followed",
            subject=f"rule {rule}",
            new=text,
            detail={"entity": entity.key},
        )
        reassess_locked(locked, at=at, by=by)
        return row


def unsure_rules(library: Library) -> frozenset[str]:
    """The rules with a version or stage of low confidence."""
    return frozenset(
        rule.key
        for rule in library.rules.values()
        for version in rule.versions
        if version.confidence == "low" or any(stage.confidence == "low" for stage in version.stages)
    )


def day_off_add(*, calendar: str, on: date, name: str, source: str, at: datetime, by: User) -> DayOff:
    """Add a day off to a calendar. Incidents that begin from now on count by it; running ones wait for a person.

    Raises:
        BadInput: an unknown calendar, no name, no source, or a day that is there already.
        NotPermitted: ``by`` is neither counsel nor manager of any entity.
    """
    access.require_keep_calendars(by)
    if calendar not in get_library().calendars:
        raise BadInput(
            _("%(value)s: expected a calendar of the library, for example KR."),
            code="unknown_calendar",
            field="calendar",
            value=calendar,
        )
    named, cited = required_text(name, field="name"), required_text(source, field="source", at_least=5)
    try:
        with transaction.atomic():
            row = DayOff.objects.create(
                calendar=calendar, on=on, name=named, source=clean(cited), added_by=by, added_at=at
            )
            journal.write(
                incident=None,
                at=at,
                by=by,
                action="law.day_off_added",
                subject=f"{calendar} {on.isoformat()}",
                new={"name": named, "source": cited},
            )
            return row
    except IntegrityError:
        raise BadInput(
            _("%(calendar)s %(day)s is a day off already."),
            code="day_off_twice",
            field="on",
            calendar=calendar,
            day=on.isoformat(),
        ) from None
