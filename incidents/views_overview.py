"""The manager's view."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from compliance import clock
from compliance.cli import duration
from incidents import access, charts
from incidents.board import NOBODY, authority_name
from incidents.charts import Series
from incidents.display import display_of
from incidents.listing import Wanted
from incidents.overview import NEAR_MISS_SHARE, REAL, Kept, Load, Month, Overview, overview
from incidents.selectors import Tone

OWNERS_DRAWN = 15


@access.decides("own")
@require_safe
def manager(request: HttpRequest) -> HttpResponse:
    """What is late or soon due, who carries it, and how well deadlines were kept."""
    now, desk = clock.now(), display_of(request)
    found = overview(request.user, now=now, zone=desk.zone or "UTC")
    context = {
        "found": found,
        "now": now,
        "clock_shown": desk.moments(now, desk.zone or "UTC")[0],
        "figures": _figures(found),
        "load": [{"row": row, "name": _owner(row), **_load_links(row)} for row in found.load],
        "load_chart": charts.bars([_load_bar(row) for row in found.load[:OWNERS_DRAWN]]),
        "months": [_month(month, kept) for month, kept in found.months],
        "month_chart": charts.columns([_month_column(month, kept) for month, kept in found.months]),
        "authorities": [_authority(name, kept) for name, kept in found.authorities],
        "median_chart": charts.bars([_median_bar(name, kept) for name, kept in found.authorities if kept.median]),
        "whole": _kept(found.whole, REAL_LIST),
        "share": round(100 * NEAR_MISS_SHARE),
        "table": _table(found),
        "monthly": reverse("reports:monthly"),
        "report_months": [month.key for month, _kept in reversed(found.months)],
    }
    return render(request, "incidents/overview.html", context)


REAL_LIST = Wanted(kind="real")


def _board(**changes: Any) -> str:
    return f"{reverse('incidents:board')}?{REAL.query(**changes)}"


def _list(wanted: Wanted) -> str:
    return f"{reverse('incidents:list')}?{wanted.query()}"


def _figures(found: Overview) -> list[dict[str, Any]]:
    tones = found.counts.tones
    return [
        {"tone": "overdue", "count": tones[Tone.OVERDUE], "words": _("overdue"), "url": _board(state=Tone.OVERDUE)},
        {"tone": "near", "count": tones[Tone.NEAR], "words": _("due within 24 hours"), "url": _board(state=Tone.NEAR)},
        {"tone": "", "count": found.counts.within_72, "words": _("due within 72 hours"), "url": _board(within="72")},
        {"tone": "possible", "count": tones[Tone.POSSIBLE], "words": _("to be decided"),
         "url": _board(state=Tone.POSSIBLE)},
        {"tone": "overdue", "count": found.reasons_missing, "words": _("late without a reason"),
         "url": _board(missing="reason")},
        {"tone": "near", "count": found.unacknowledged, "words": _("not acknowledged"),
         "url": _board(missing="acknowledgement")},
    ]  # fmt: skip


def _owner(row: Load) -> str:
    return _("nobody") if row.username == NOBODY else row.name


def _load_links(row: Load) -> dict[str, str]:
    owned = {"owner": row.username}
    return {
        "all_url": _board(**owned),
        "overdue_url": _board(**owned, state=Tone.OVERDUE),
        "near_url": _board(**owned, state=Tone.NEAR),
        "possible_url": _board(**owned, state=Tone.POSSIBLE),
    }


def _load_bar(row: Load) -> Series:
    pieces = [("overdue", row.overdue), ("near", row.near), ("running", row.later), ("possible", row.possible)]
    said = _("%(total)d, overdue %(overdue)d") % {"total": row.total, "overdue": row.overdue}
    return Series(_owner(row), pieces, said, _board(owner=row.username))


def _percent(kept: Kept) -> str:
    return f"{kept.rate:.1f} %" if kept.rate is not None else "–"


def _took(median: timedelta | None) -> str:
    return duration(median, get_language() or "en") if median is not None else "–"


def _kept(kept: Kept, wanted: Wanted) -> dict[str, Any]:
    links = {name: f"{reverse('incidents:list')}?{wanted.query(outcome=name)}" for name in ("in_time", "late", "near")}
    return {"kept": kept, "rate": _percent(kept), "median": _took(kept.median), "links": links}


def _month(month: Month, kept: Kept) -> dict[str, Any]:
    return {"name": month.key, **_kept(kept, Wanted(kind="real", month=month.key))}


def _month_column(month: Month, kept: Kept) -> Series:
    pieces = [("met", kept.in_time - kept.near), ("close", kept.near), ("late", kept.late)]
    said = f"{kept.rate:.0f} %" if kept.rate is not None else ""
    return Series(month.key[2:], pieces, said, _list(Wanted(kind="real", month=month.key)))


def _authority(name: str, kept: Kept) -> dict[str, Any]:
    said = authority_name(name).get(get_language() or "en") or _("not stated")
    return {
        "name": said,
        "board": f"{reverse('incidents:board')}?{urlencode({'authority': name, 'kind': 'real'})}",
        **_kept(kept, Wanted(kind="real", authority=name)),
    }


def _median_bar(name: str, kept: Kept) -> Series:
    said = authority_name(name).get(get_language() or "en") or _("not stated")
    hours = kept.median.total_seconds() / 3600 if kept.median else 0
    return Series(said, [("running", hours)], _took(kept.median))


def _table(found: Overview) -> dict[str, Any]:
    """On-time rate of each authority in each month."""
    keys = [month.key for month, _kept in found.months]
    rows = []
    for name, _total in found.authorities:
        held = found.cells.get(name, {})
        cells = [
            (f"{held[key].in_time}/{held[key].total}" if key in held else "", key in held and held[key].late > 0)
            for key in keys
        ]
        rows.append((authority_name(name).get(get_language() or "en") or _("not stated"), cells))
    return {"keys": keys, "rows": rows}
