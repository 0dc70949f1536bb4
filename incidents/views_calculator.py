"""The calculator: a rule, a stage and a start give the due moment with every step. It records nothing."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from compliance import clock
from compliance.engine import Rule
from compliance.engine.instants import in_zone, zone_named
from compliance.engine.rules import Office, Stage, Version
from compliance.errors import BadInput
from compliance.library import get_library
from incidents import access
from incidents.display import display_of
from incidents.forms import InstantForm, LocalInstant
from incidents.services import calculator
from incidents.services.calculator import SUBMITTED, Calculated
from incidents.templatetags.clocks import fact_label, said, start_words


@dataclass
class Chosen:
    """What the address asks for, as far as the library knows it. ``named``: a version was asked for by name."""

    rule: Rule | None = None
    version: Version | None = None
    stage: Stage | None = None
    office: Office | None = None
    named: bool = False
    further: list[str] = field(default_factory=list)

    @property
    def zone(self) -> str:
        """Whose clock the moments are read on."""
        if self.office is not None:
            return self.office.zone
        return self.rule.zone if self.rule is not None else "UTC"


def _chosen(request: HttpRequest, today: date) -> Chosen:
    rule = get_library().rules.get(request.GET.get("rule", ""))
    if rule is None:
        return Chosen()
    named = next((item for item in rule.law if item.key == request.GET.get("version")), None)
    office = rule.offices.get(request.GET.get("office", ""))
    version = named or _on_the_day(rule, request.GET.get("start", "")) or rule.version_on(today)
    version = version or next(iter(rule.law), None)
    if version is None:
        return Chosen(rule, office=office)
    stage = version.stage(request.GET.get("stage", "")) or version.stages[0]
    return Chosen(rule, version, stage, office, named is not None, calculator.further_starts(rule, version, stage))


def _on_the_day(rule: Rule, start: str) -> Version | None:
    """The version in force on the day that ``start`` begins with; whether it is a moment is asked later."""
    try:
        return rule.version_on(date.fromisoformat(start.strip()[:10]))
    except ValueError:
        return None


class StartsForm(InstantForm):
    """The moments a clock needs, on the clock of the authority's place."""

    def __init__(self, *args: Any, chosen: Chosen, stage: Stage, **options: Any) -> None:
        super().__init__(*args, **options)
        where = str(_("local time in %(zone)s") % {"zone": chosen.zone})
        self.fields["start"] = LocalInstant(
            zone=chosen.zone, label=start_words(stage.clock.start), help_text=where, required=True
        )
        for name in chosen.further:
            self.fields[f"at-{name}"] = LocalInstant(
                zone=chosen.zone, label=_label(name), help_text=where, required=False
            )

    def further(self) -> dict[str, datetime]:
        """The moments given beside the start."""
        given = {name.removeprefix("at-"): moment for name, moment in self.cleaned_data.items() if name != "start"}
        return {name: moment for name, moment in given.items() if moment is not None}


def _label(name: str) -> str:
    if not name.startswith(SUBMITTED):
        return fact_label(name)
    key, _slash, stage = name.removeprefix(SUBMITTED).partition("/")
    rule = get_library().rules.get(key)
    titles = [found.title for version in rule.law if (found := version.stage(stage))] if rule else []
    return str(_("When this was done: %(stage)s") % {"stage": said(titles[0]) if titles else stage})


@access.decides("own")
@require_safe
def calculate(request: HttpRequest) -> HttpResponse:
    """Choose a rule, a stage and a start; see the due moment and how it was counted. The address says it all."""
    now = clock.now()
    chosen = _chosen(request, now.date())
    form, result, refused = None, None, None
    if chosen.rule and chosen.version and chosen.stage:
        asked = "start" in request.GET
        form = StartsForm(request.GET if asked else None, chosen=chosen, stage=chosen.stage)
        if asked and form.is_valid():
            result, refused = _count(chosen, form, now)
    context = {
        "rules": _by_place() if chosen.rule is None else (),
        "unknown": request.GET.get("rule", "") if chosen.rule is None else "",
        "chosen": chosen,
        "offices": sorted(chosen.rule.offices.values(), key=lambda item: item.place) if chosen.rule else (),
        "form": form,
        "result": result,
        "refused": refused,
        "moments": display_of(request).moments(result.deadline.due_at, result.zone)
        if result is not None and result.deadline.due_at
        else (),
        "weekend": _not_a_working_day(result),
        "address": request.build_absolute_uri(f"?{_address(chosen, form)}") if result is not None else "",
    }
    return render(request, "incidents/calculate.html", context)


def _address(chosen: Chosen, form: StartsForm) -> str:
    """The query that gives the same answer to everybody on every day: version, stage and offsets are said."""
    said_there = {name: moment for name, moment in form.cleaned_data.items() if moment is not None}
    moments = {name: in_zone(moment, chosen.zone) for name, moment in said_there.items()}
    named = {
        "rule": chosen.rule.key if chosen.rule else "",
        "version": chosen.version.key if chosen.version else "",
        "stage": chosen.stage.key if chosen.stage else "",
        "office": chosen.office.place if chosen.office else "",
    }
    return urlencode({name: value for name, value in {**named, **moments}.items() if value})


def _count(chosen: Chosen, form: StartsForm, now: datetime) -> tuple[Calculated | None, BadInput | None]:
    if chosen.rule is None or chosen.stage is None:
        return None, None
    try:
        return calculator.period_count(
            rule=chosen.rule.key,
            stage=chosen.stage.key,
            start=form.cleaned_data["start"],
            version=chosen.version.key if chosen.named and chosen.version else None,
            further=form.further(),
            office=chosen.office.place if chosen.office else "",
            at=now,
        ), None
    except BadInput as refused:
        return None, refused


def _not_a_working_day(result: Calculated | None) -> bool:
    """Whether the period ends on a Saturday or Sunday there: worth a look, whatever the counting rule made of it."""
    if result is None or result.deadline.due_at is None:
        return False
    return result.deadline.due_at.astimezone(zone_named(result.zone)).weekday() > 4


def _by_place() -> list[tuple[str, list[Rule]]]:
    """The rules with a text that is or was law, by place."""
    found: dict[str, list[Rule]] = {}
    for rule in sorted(get_library().rules.values(), key=lambda rule: (rule.jurisdiction, said(rule.title), rule.key)):
        if rule.law:
            found.setdefault(rule.jurisdiction, []).append(rule)
    return list(found.items())
