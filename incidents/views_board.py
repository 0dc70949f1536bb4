"""The board and the list of incidents: pages, the part that stays live, and exports of the rows that fit."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_cookie

from compliance import clock
from compliance.cli import duration
from compliance.library import get_library
from incidents import access, export_rows, feeds
from incidents import board as boards
from incidents.board import GROUPS, Board, Filters, Told, authority_name
from incidents.display import Display, display_of
from incidents.models import Incident
from incidents.selectors import Clock, Progress, Tone, progress_of
from incidents.wording import named

# How often a page that is open asks for news.
REFRESH_SECONDS = 30
WALL_SECONDS = 20
PEOPLE_SHOWN = 2


class _Writer:
    """Puts clocks into words for one reader. Language, names and zones are looked up once, not per row; each row is a
    plain mapping, which templates read fastest."""

    def __init__(self, desk: Display, told: dict[int, Told], steps: dict[int, Progress]) -> None:
        self.desk, self.told, self.steps = desk, told, steps
        self.language = get_language() or "en"
        self.facts = get_library().facts
        self.left, self.past = _("left"), _("past due")
        self.tags: dict[Tone, str] = {}
        self.place = reverse("incidents:list")

    def rows(self, clocks: Iterable[Clock], group: str = "") -> list[dict[str, Any]]:
        """The rows in this order, with the head of each group marked."""
        found, last = [], None
        for item in clocks:
            row = self._row(item)
            if group:
                head = self._group(item, group)
                row["group"] = head if head != last else ""
                last = head
            found.append(row)
        return found

    def _row(self, item: Clock) -> dict[str, Any]:
        duty, incident = item.obligation, item.obligation.incident
        url = f"{self.place}{quote(incident.code)}/"
        here = f"{url}#duty-{duty.pk}"
        return {
            "key": duty.pk,
            "generation": duty.generation,
            "tone": item.tone.value,
            "tag": self._tag(item.tone),
            "url": here,
            "title": duty.title_said,
            "addressee": authority_name(duty.authority or "").get(self.language),
            "code": incident.code,
            "incident": incident.title,
            "mark": incident.get_kind_display() if incident.kind != Incident.Kind.REAL else "",
            "until": _iso(duty.due_at) if duty.due_at and incident.clock_at is None else "",
            "past": item.past_due,
            "owner": named(incident.owner) if incident.owner else "–",
            "reason_missing": item.late_reason_missing,
            **self._time(item),
            **self._due(item),
            **self._next(item, url, here),
            **self._told(item),
        }

    def _tag(self, tone: Tone) -> str:
        if tone not in self.tags:
            self.tags[tone] = render_to_string("incidents/_tag.html", {"clock": {"tone": tone}})
        return self.tags[tone]

    def _time(self, item: Clock) -> dict[str, str]:
        if item.delta is not None:
            return {"lead": duration(item.delta, self.language), "tail": self.past if item.past_due else self.left}
        limit = item.obligation.limit_said
        if item.obligation.starts_at:
            return {"lead": limit, "tail": ""}
        return {"lead": "?", "tail": _("%(limit)s, start not recorded") % {"limit": limit}}

    def _due(self, item: Clock) -> dict[str, str]:
        duty = item.obligation
        if duty.due_at:
            first, *rest = self.desk.moments(duty.due_at, duty.due_zone)
            return {"due": first, "due_more": " ".join(rest)}
        words = _("No number in law.") if duty.starts_at else _("The start is not recorded.")
        if not duty.target_at:
            return {"due": words, "due_more": ""}
        target = " · ".join(self.desk.moments(duty.target_at, duty.due_zone))
        return {"due": words, "due_more": f"{_('House target (not law)')}: {target}"}

    def _next(self, item: Clock, url: str, here: str) -> dict[str, str]:
        """The one thing to do: answer the question that decides, go on with the filing, or start it."""
        duty = item.obligation
        fact = self.facts.get(duty.question_asked or "") if item.tone == Tone.POSSIBLE else None
        if fact is not None:
            return {"next": fact.question.get(self.language), "next_url": f"{url}?fact={fact.name}#record"}
        step = self.steps.get(duty.pk)
        if step is not None:
            return {"next": str(step.label), "next_url": step.url}
        if duty.incident.kind == Incident.Kind.REPLAY:
            return {"next": "–", "next_url": ""}
        return {"next": _("Start the filing"), "next_url": here}

    def _told(self, item: Clock) -> dict[str, str]:
        step = self.told.get(item.obligation.pk)
        if step is None:
            return {"told": "", "heard": ""}
        names = ", ".join(step.people[:PEOPLE_SHOWN]) or _("nobody could be told")
        if len(step.people) > PEOPLE_SHOWN:
            names = _("%(names)s and %(more)d more") % {"names": names, "more": len(step.people) - PEOPLE_SHOWN}
        when = self.desk.moments(step.at, item.obligation.due_zone)[0]
        said = _("Told %(when)s: %(names)s.") % {"when": when, "names": names}
        if step.acknowledged_at is None:
            return {"told": f"{said} {_('Not acknowledged.')}", "heard": ""}
        heard = _("Acknowledged by %(name)s.") % {"name": step.acknowledged_by}
        return {"told": f"{said} {heard}", "heard": "1"}

    def _group(self, item: Clock, group: str) -> str:
        duty, incident = item.obligation, item.obligation.incident
        words = {
            "incident": lambda: f"{incident.code} {incident.title}",
            "authority": lambda: authority_name(duty.authority or "").get(self.language) or _("not stated"),
            "country": lambda: duty.jurisdiction,
            "entity": lambda: duty.entity.name,
            "owner": lambda: named(incident.owner) if incident.owner else _("nobody"),
            "kind": lambda: str(incident.get_kind_display()),
        }
        return words[group]()


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@access.decides("own")
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """Every clock the person may see, overdue on top."""
    filters = Filters.read(request.GET)
    context = _context(request, filters)
    return render(request, "incidents/wall.html" if filters.wall else "incidents/board.html", context)


@access.decides("api")
@require_safe
@vary_on_cookie
@cache_control(private=True, no_cache=True)
def clocks(request: HttpRequest) -> HttpResponse:
    """The part of the board that stays live. Nothing changed: 304, and the page stays as it is."""
    filters = Filters.read(request.GET)
    if not request.user.is_authenticated:
        return _sign_in_again(filters)
    context = _context(request, filters)
    if request.headers.get("If-None-Match") == context["etag"]:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = render(request, "incidents/_board.html", {**context, "alone": True})
    response["ETag"] = context["etag"]
    return response


def _sign_in_again(filters: Filters) -> HttpResponse:
    """The session ended while the page stood open: the whole page goes to sign in, and comes back to where it was."""
    here = f"{reverse('incidents:board')}?{filters.query()}"
    return HttpResponse(status=204, headers={"HX-Redirect": f"{resolve_url('login')}?{urlencode({'next': here})}"})


def _context(request: HttpRequest, filters: Filters) -> dict[str, Any]:
    now, desk = clock.now(), display_of(request)
    found = boards.board(request.user, filters, now=now)
    steps = progress_of([item.obligation for item in (*found.clocks, *found.replays)])
    writer = _Writer(desk, found.told, steps)
    filters = found.filters
    context = {
        "board": found,
        "filters": filters,
        "counts": found.counts,
        "rows": writer.rows(found.clocks, filters.group),
        "replays": writer.rows(found.replays),
        "now": now,
        "now_iso": _iso(now),
        "seconds": WALL_SECONDS if filters.wall else REFRESH_SECONDS,
        "here": f"{reverse('incidents:board')}?{filters.query()}",
        "fragment": f"{reverse('incidents:clocks')}?{_next(found)}",
        "wall_next": f"{reverse('incidents:board')}?{_next(found)}",
        "figures": _figures(found, filters),
        "facets": _facets(found, filters),
        "chips": _chips(found, filters),
        "groups": [(name, label) for name, label in group_words().items()],
        "links": _links(found, filters),
        "clock_shown": desk.moments(now, desk.zone or "UTC")[0],
    }
    context["etag"] = _etag(request, context)
    context["headers"] = json.dumps({"If-None-Match": context["etag"]})
    return context


def _next(found: Board) -> str:
    """What an open page asks for next: itself, or on a wall the next page in turn."""
    if not found.filters.wall:
        return found.filters.query(page=found.filters.page)
    return found.filters.query(page=found.filters.page % found.pages + 1)


def _etag(request: HttpRequest, context: dict[str, Any]) -> str:
    """Of what the page says, but for the time that passes: the browser counts that by itself."""
    passing = {"lead"}
    rows = (*context["rows"], *context["replays"])
    shown = [[value for name, value in row.items() if name not in passing or not row["until"]] for row in rows]
    counts = context["counts"]
    about = (get_language(), request.user.pk, context["here"], counts.total, sorted(counts.tones.items()), shown)
    return f'"{sha256(repr(about).encode()).hexdigest()[:32]}"'


def _figures(found: Board, filters: Filters) -> list[dict[str, Any]]:
    """The four numbers on top; each leads to its rows. A number that is chosen leads back to all."""
    words = {
        Tone.OVERDUE: _("overdue"),
        Tone.NEAR: _("due within 24 hours"),
        Tone.POSSIBLE: _("to be decided"),
        Tone.OPEN_NOW: _("open now, no number in law"),
    }
    seen = {choice.value: choice.count for choice in found.counts.facets["state"]}
    return [
        {
            "tone": tone,
            "count": seen.get(tone, 0),
            "words": word,
            "url": "?" + filters.query(state="" if filters.state == tone else tone),
            "chosen": filters.state == tone,
        }
        for tone, word in words.items()
    ]


def facet_words() -> dict[str, str]:
    """What each list of choices is called."""
    return {
        "state": _("State"), "entity": _("Entity"), "country": _("Country"), "authority": _("Authority"),
        "owner": _("Owner"), "kind": _("Kind"),
    }  # fmt: skip


def group_words() -> dict[str, str]:
    """By what rows can be grouped, in words."""
    words = {"incident": _("Incident"), **{name: word for name, word in facet_words().items() if name != "state"}}
    return {name: words[name] for name in GROUPS}


def _facets(found: Board, filters: Filters) -> list[dict[str, Any]]:
    tones = export_rows.tone_words()
    made = []
    for name, words in facet_words().items():
        choices = [(item.value, _label(name, item, tones), item.count) for item in found.counts.facets[name]]
        chosen = getattr(filters, name)
        if chosen and chosen not in [value for value, _label_, _count in choices]:
            choices.append((chosen, chosen, 0))
        made.append({"name": name, "words": words, "choices": choices, "chosen": chosen})
    return made


def _label(name: str, choice: boards.Choice, tones: dict[str, str]) -> str:
    if name == "state":
        return tones[choice.value]
    if name == "kind":
        return str(Incident.Kind(choice.value).label)
    if name == "authority":
        return str(choice.label.get(get_language() or "en")) or _("not stated")
    return _("nobody") if choice.value == boards.NOBODY else str(choice.label)


def _chips(found: Board, filters: Filters) -> list[dict[str, str]]:
    """What narrows the board, each with a link that takes it away."""
    words = {**facet_words(), "q": _("Words"), "incident": _("Incident"), "within": _("Due"), "missing": _("Missing")}
    said = {"24": _("within 24 hours"), "72": _("within 72 hours"), "reason": _("reason for the delay")}
    said |= {"acknowledgement": _("acknowledgement")}
    tones = export_rows.tone_words()
    chips = []
    for name, value in filters.chosen.items():
        choices = {item.value: _label(name, item, tones) for item in found.counts.facets.get(name, [])}
        label = choices.get(value) or (said.get(value, value) if name in ("within", "missing") else value)
        chips.append({"text": f"{words[name]}: {label}", "url": "?" + filters.query(**{name: ""})})
    return chips


def _links(found: Board, filters: Filters) -> dict[str, str]:
    page, pages = filters.page, found.pages
    links = {
        "wall": "?" + filters.query(wall=True),
        "desk": "?" + filters.query(wall=False),
        "all": reverse("incidents:board"),
    }
    links |= {kind: f"{reverse('incidents:clocks_export', args=[kind])}?{filters.query(page=1)}" for kind in _KINDS}
    if page > 1:
        links |= {"first": "?" + filters.query(page=1), "previous": "?" + filters.query(page=page - 1)}
    if page < pages:
        links |= {"next": "?" + filters.query(page=page + 1), "last": "?" + filters.query(page=pages)}
    return links


_KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ics": "text/calendar; charset=utf-8",
}


@access.decides("own")
@require_safe
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """Every row that fits, not just the page: for spreadsheets and calendars."""
    if kind not in _KINDS:
        raise Http404(kind)
    now = clock.now()
    user: User = request.user
    found = list(boards.export_clocks(user, Filters.read(request.GET), now=now))
    if kind == "ics":
        content = feeds.calendar_of(found, user)
    else:
        lines = export_rows.rows(found, boards.last_told_of_many(item.obligation.pk for item in found))
        content = export_rows.to_csv(lines) if kind == "csv" else export_rows.to_xlsx(lines, _("Clocks"))
    name = f"breachclock-{now.astimezone(UTC):%Y-%m-%d-%H%M}Z.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(content, content_type=_KINDS[kind], headers=headers)
