"""What the page of one rule shows: its versions on a time axis, how two of them differ, its cases, who relies on it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import yaml
from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import override

from compliance.engine import LocalText, Rule, Standing
from compliance.engine.rules import Stage, Version
from incidents import access
from incidents.models import Incident, Obligation
from incidents.services.law import ENDED
from incidents.states import ObligationState
from incidents.templatetags.clocks import confidence, standing, start_words
from incidents.word_diff import SAME, Piece, words_apart

WIDTH, NAMES, STEP, TOP, FOOT, BAR = 960, 210, 34, 26, 8, 16
YEAR = timedelta(days=365)
TICKS_AT_MOST = 12


@dataclass(frozen=True, slots=True)
class Span:
    """One version as a bar: ``x`` and ``width`` in units of the picture; ``open``: no end is known."""

    version: Version
    x: float
    y: float
    width: float
    open: bool
    now: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """The versions drawn to scale. ``ticks``: years and where they stand. ``today``: where the line of today stands."""

    width: float
    height: float
    spans: tuple[Span, ...]
    ticks: tuple[tuple[int, float], ...]
    today: float
    undated: tuple[Version, ...]


def axis(rule: Rule, today: date) -> Axis | None:
    """The versions of ``rule`` with a first day, oldest on top; None where none has one."""
    dated = [version for version in rule.versions if version.start is not None]
    if not dated:
        return None
    starts = [version.start for version in dated if version.start]
    ends = [version.until for version in dated if version.until]
    first = min(*starts, today) - timedelta(days=60)
    last = max(*starts, *ends, today) + YEAR / 2
    scale = (WIDTH - NAMES - 12) / (last - first).days

    def place(day: date) -> float:
        return round(NAMES + (day - first).days * scale, 1)

    spans = tuple(_span(version, number, place, last, today) for number, version in enumerate(dated))
    return Axis(
        WIDTH,
        TOP + len(dated) * STEP + FOOT,
        spans,
        tuple((year, place(date(year, 1, 1))) for year in _years(first, last)),
        place(today),
        tuple(version for version in rule.versions if version.start is None),
    )


def _span(version: Version, number: int, place: Any, last: date, today: date) -> Span:
    start, end = place(version.start), place(version.until or last)
    return Span(
        version, start, float(TOP + number * STEP), max(end - start, 2.0), version.until is None,
        version.in_force_on(today),
    )  # fmt: skip


def _years(first: date, last: date) -> list[int]:
    years = range(first.year + 1, last.year + 1)
    step = -(-len(years) // TICKS_AT_MOST) or 1
    return [year for year in years if year % step == 0]


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of a version that reads otherwise: in Korean, in English, and what is not written in a language."""

    part: str
    said: tuple[tuple[str, tuple[Piece, ...]], ...]


def differences(before: Version, after: Version) -> tuple[list[Difference], int]:
    """The parts of two versions that differ, word by word and in both languages, and how many parts are alike."""
    old, new = _parts(before), _parts(after)
    keys = list(dict.fromkeys([*old, *new]))
    found = [_difference(key, old.get(key), new.get(key)) for key in keys]
    changed = [item for item in found if item is not None]
    return changed, len(keys) - len(changed)


_NOTHING = LocalText(ko="", en="")


def _difference(part: str, before: LocalText | None, after: LocalText | None) -> Difference | None:
    if before == after:
        return None
    one, other = before or _NOTHING, after or _NOTHING
    if one.ko == one.en and other.ko == other.en:
        pairs = [("", one.en, other.en)]
    else:
        pairs = [("ko", one.ko, other.ko), ("en", one.en, other.en)]
    apart = ((language, tuple(words_apart(old, new))) for language, old, new in pairs)
    return Difference(part, tuple(item for item in apart if any(piece.kind != SAME for piece in item[1])))


def _parts(version: Version) -> dict[str, LocalText]:
    """Everything a version says, part by part, under names in the reader's language."""
    found = {
        _("What it asks"): version.carries_out,
        _("Standing"): _both(lambda: standing(version.standing.value)),
        _("Confidence"): _both(lambda: confidence(version.confidence)),
        _("Doubts"): version.doubts,
        _("Where it stands"): _joined([item.provision for item in version.citations]),
        _("When it applies (as the file has it)"): _plain(version.source.get("applies_when")),
    }
    for stage in version.stages:
        found |= _stage_parts(stage)
    found |= {
        _("Must contain"): _joined(version.contents),
        _("Exceptions"): _joined([item.text for item in version.exemptions]),
        _("Penalty"): version.penalties,
        _("Channel"): version.channel,
        _("Records"): version.records,
        _("Transition"): version.transition,
        _("Later starts"): _joined([item.text for item in version.later_starts]),
    }
    return {part: text for part, text in found.items() if text is not None and (text.ko or text.en)}


def _stage_parts(stage: Stage) -> dict[str, LocalText | None]:
    with override("ko"):
        korean = f"{stage.clock.limit.ko} · {start_words(stage.clock.start)}"
    with override("en"):
        english = f"{stage.clock.limit.en} · {start_words(stage.clock.start)}"
    name = {"stage": stage.key}
    return {
        _("Stage %(stage)s") % name: stage.title,
        _("Stage %(stage)s: period") % name: LocalText(ko=korean, en=english),
        _("Stage %(stage)s: note") % name: stage.note,
        _("Stage %(stage)s: must contain") % name: _joined(stage.contents or ()),
    }


def _both(words: Any) -> LocalText:
    with override("ko"):
        korean = str(words())
    with override("en"):
        return LocalText(ko=korean, en=str(words()))


def _joined(texts: Sequence[LocalText]) -> LocalText:
    return LocalText(ko="\n".join(text.ko for text in texts), en="\n".join(text.en for text in texts))


def _plain(value: Any) -> LocalText | None:
    """What the file says in no language of people: a condition."""
    if value is None:
        return None
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, sort_keys=False, width=10**6).strip()
    return LocalText(ko=text, en=text)


def pair(rule: Rule, given: Mapping[str, str]) -> tuple[Version, Version] | None:
    """The two versions to be compared: those named in ``given`` (before, after), else the one in force and its forerunner.

    None where the rule has fewer than two.
    """
    named = {version.key: version for version in rule.versions}
    if len(named) < 2:
        return None
    before, after = named.get(given.get("before", "")), named.get(given.get("after", ""))
    if before is not None and after is not None:
        return before, after
    return list(named.values())[-2], list(named.values())[-1]


@dataclass(frozen=True, slots=True)
class Reliance:
    """A running incident with its duties under the rule, as far as they still stand."""

    incident: Incident
    duties: tuple[Obligation, ...]


_GONE = (ObligationState.NOT_REQUIRED,)


def reliances(key: str, user: User) -> tuple[list[Reliance], list[str]]:
    """The running incidents ``user`` may see with duties under the rule ``key``; and the numbers of those that ended."""
    seen = access.visible_incidents(user).order_by().values("pk")
    rows = Obligation.objects.filter(rule=key, incident__in=seen).exclude(state__in=_GONE)
    running: dict[int, list[Obligation]] = {}
    ended: set[str] = set()
    for row in rows.select_related("incident", "entity").order_by("incident__code", "due_at", "pk"):
        if row.incident.state in ENDED or row.incident.kind == Incident.Kind.REPLAY:
            ended.add(row.incident.code)
        else:
            running.setdefault(row.incident_id, []).append(row)
    return [Reliance(duties[0].incident, tuple(duties)) for duties in running.values()], sorted(ended)


@dataclass(frozen=True, slots=True)
class WorkedCase:
    """A case as people read it: what is given, what is expected, and what went wrong (nothing: it passes)."""

    name: str
    given: tuple[tuple[str, str], ...]
    expected: tuple[str, ...]
    wrong: tuple[str, ...]


def worked(found: Iterator[tuple[dict[str, Any], Any]]) -> list[WorkedCase]:
    """The cases of a rule, read and run."""
    return [_worked(case, results) for case, results in found]


def _worked(case: Mapping[str, Any], results: Any) -> WorkedCase:
    expect = case["expect"] if isinstance(case["expect"], list) else [case["expect"]]
    given = [(f"{name}", _one(value)) for name, value in case.get("entity", {}).items()]
    given += [(name, _one(value)) for name, value in (case.get("facts") or {}).items()]
    given += [(key, _one(case[key])) for key in ("people", "submissions", "turned_on", "as_of") if case.get(key)]
    wrong = tuple(text for result in results for text in result.wrong)
    return WorkedCase(case["name"], tuple(given), tuple(_expectation(item) for item in expect), wrong)


def _expectation(item: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {_one(value)}" for key, value in item.items())


def _one(value: Any) -> str:
    """A value of a case on one line, as its file has it."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, sort_keys=False, width=10**6).strip(
        "\n. "
    )


def version_now(rule: Rule, today: date) -> Version:
    """The version in force ``today``, else the newest."""
    return rule.version_on(today) or rule.versions[-1]


def low(rule: Rule) -> bool:
    """Whether a lawyer must turn the rule on before it gives a deadline."""
    return any(
        "low" in (version.confidence, *(stage.confidence for stage in version.stages))
        for version in rule.versions
        if version.standing is Standing.IN_FORCE
    )
