"""How the steps of ladders are put into words."""

from collections.abc import Iterable
from datetime import timedelta

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.engine.policies import DEPUTY, DUE, OPENED, Step
from compliance.models import Role
from incidents.law_search import AUDIENCE_WORDS
from incidents.templatetags.clocks import elapsed

register = template.Library()


@register.filter
def span_words(span: timedelta) -> str:
    """A length of time as policies give it, in whole hours where it is whole: 72 h, 30 min."""
    hours, rest = divmod(int(span.total_seconds()) // 60, 60)
    if rest:
        return elapsed(span)
    return _("%(hours)s h") % {"hours": hours}


_WORDS = {
    "required": gettext_lazy("certain duty"),
    "possible": gettext_lazy("possible duty"),
    "vague": gettext_lazy("no number in law"),
    "unsure": gettext_lazy("rule of low confidence"),
    "evidence": gettext_lazy("evidence to be preserved"),
    "high": gettext_lazy("high"),
    "immediately": gettext_lazy("at once"),
    "without_undue_delay": gettext_lazy("without delay"),
    "as_set": gettext_lazy("as set, no period in the law"),
    "start_unknown": gettext_lazy("start not recorded"),
    "to_confirm": gettext_lazy("to be confirmed by a lawyer"),
}


@register.filter
def condition_words(value: str) -> str:
    """A word of the policy files as people read it."""
    return str(_WORDS.get(value) or AUDIENCE_WORDS.get(value, value))


@register.filter
def roles_words(roles: Iterable[str]) -> str:
    """Roles by their names."""
    return ", ".join(_("deputy of those named") if role == DEPUTY else str(Role(role).label) for role in roles)


@register.filter
def step_when(step: Step) -> str:
    """Where a step stands on its clock."""
    if step.kind == OPENED:
        return _("when it opens")
    if step.kind == DUE:
        return _("at the due moment")
    if step.percent_left is not None:
        return _("with %(percent)s%% of the time left") % {"percent": step.percent_left}
    if step.before is not None:
        return _("%(span)s before it is due") % {"span": span_words(step.before)}
    return _("%(span)s past due") % {"span": span_words(step.after or timedelta())}
