"""The state machines as data: the code, the drawing in the docs and the tests all read these tables."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Move:
    """One permitted change of state, from any of ``source`` to ``target``."""

    source: tuple[str, ...]
    target: str


class IncidentState(models.TextChoices):
    """Where an incident stands."""

    REPORTED = "reported", _("Reported")
    ASSESSING = "assessing", _("Assessing")
    CONFIRMED = "confirmed", _("Confirmed")
    CLOSED = "closed", _("Closed")
    DISMISSED = "dismissed", _("Dismissed")


class ObligationState(models.TextChoices):
    """Where a duty stands. Overdue is stored and computed: see :mod:`incidents.selectors`."""

    POSSIBLE = "possible", _("Possible")
    RUNNING = "running", _("Running")
    OVERDUE = "overdue", _("Overdue")
    MET = "met", _("Met")
    MET_LATE = "met_late", _("Met late")
    NOT_REQUIRED = "not_required", _("Not required")
    EXCUSED = "excused", _("Excused")


class EvidenceState(models.TextChoices):
    """Whether a piece of evidence is safe."""

    AT_RISK = "at_risk", _("To be preserved")
    PRESERVED = "preserved", _("Preserved")
    LOST = "lost", _("Lost")


class SystemState(models.TextChoices):
    """How an affected system stands. A note, not a machine: it is what the list said."""

    SUSPECTED = "suspected", _("Suspected")
    COMPROMISED = "compromised", _("Compromised")
    ISOLATED = "isolated", _("Isolated")
    RESTORED = "restored", _("Restored")
    CLEARED = "cleared", _("Found clean")


OPEN_OBLIGATION = (ObligationState.POSSIBLE, ObligationState.RUNNING, ObligationState.OVERDUE)
CLOCK_RUNS = (ObligationState.RUNNING, ObligationState.OVERDUE)

INCIDENT: Mapping[str, Move] = {
    "begin_assessment": Move(("reported",), "assessing"),
    "confirm": Move(("reported", "assessing"), "confirmed"),
    "dismiss": Move(("reported", "assessing"), "dismissed"),
    "close": Move(("confirmed",), "closed"),
    "reopen": Move(("closed", "dismissed"), "assessing"),
}

OBLIGATION: Mapping[str, Move] = {
    "harden": Move(("possible",), "running"),
    "soften": Move(("running", "overdue"), "possible"),
    "lapse": Move(("possible", "running", "overdue"), "not_required"),
    "revive": Move(("not_required",), "running"),
    "revive_as_possible": Move(("not_required",), "possible"),
    "mark_overdue": Move(("running",), "overdue"),
    "extend": Move(("overdue",), "running"),
    "meet": Move(("possible", "running", "overdue"), "met"),
    "meet_late": Move(("running", "overdue", "possible"), "met_late"),
    "judge_late": Move(("met",), "met_late"),
    "judge_timely": Move(("met_late",), "met"),
    "excuse": Move(("running", "overdue"), "excused"),
    "reopen": Move(("met", "met_late", "excused"), "running"),
}

EVIDENCE: Mapping[str, Move] = {
    "preserve": Move(("at_risk",), "preserved"),
    "lose": Move(("at_risk",), "lost"),
}
