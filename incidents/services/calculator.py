"""Counting one period of one rule from a given moment, without an incident: what would be due when."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from compliance import releases
from compliance.clock import require_aware
from compliance.engine import Deadline, EntityProfile, FactSheet
from compliance.engine.assess import Case
from compliance.engine.instants import zone_named
from compliance.engine.rules import Rule, Stage, Version
from compliance.engine.starts import Begun
from compliance.errors import BadInput


@dataclass(frozen=True, slots=True)
class Calculated:
    """The period, and by which text it was counted."""

    rule: Rule
    version: Version
    stage: Stage
    deadline: Deadline
    # Of whose days were counted.
    zone: str


def period_count(*, rule: str, stage: str, start: datetime, at: datetime, version: str | None = None) -> Calculated:
    """Count the period of ``stage`` of ``rule`` from ``start`` (aware), by the ``version`` of that name, else by the one in
    force on the day of ``start`` at the rule's place, with the days off known at ``at``.

    Raises:
        BadInput: no such rule, version or stage, or no version was in force on that day.
    """
    require_aware(start)
    library = releases.library_at("", days_known_at=at)
    held = library.rules.get(rule)
    if held is None:
        raise BadInput(_("There is no such rule."), code="unknown_rule", field="rule", value=rule)
    text = _version(held, start, version)
    part = text.stage(stage)
    if part is None:
        raise BadInput(
            _("There is no such stage. Expected one of %(expected)s."),
            code="unknown_stage",
            field="stage",
            value=stage,
            expected=", ".join(item.key for item in text.stages),
        )
    counter = Case(library, FactSheet(), EntityProfile(key="", name=""), at).counter(held, ())
    return Calculated(held, text, part, counter.deadline(part.clock, Begun(start)), counter.zone)


def _version(rule: Rule, start: datetime, wanted: str | None) -> Version:
    if wanted is not None:
        found = next((item for item in rule.versions if item.key == wanted), None)
    else:
        found = rule.version_on(start.astimezone(zone_named(rule.zone)).date())
    if found is None:
        raise BadInput(
            _("No version of this rule speaks there. Expected one of %(expected)s."),
            code="unknown_version",
            field="version",
            expected=", ".join(item.key for item in rule.versions),
        )
    return found
