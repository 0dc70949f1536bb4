"""The manager's month on paper: how deadlines were kept, what was late and why, and what is overdue while it is written."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from weasyprint import HTML
from weasyprint.text.fonts import FontConfiguration

from compliance.cli import duration
from compliance.engine import digest
from incidents import board
from incidents.board import Filters, authority_name
from incidents.models import Obligation
from incidents.overview import REAL, Kept, Month, kept_by, settled
from incidents.selectors import Clock, Tone, clock_of
from incidents.states import ObligationState
from incidents.times import local
from incidents.wording import named
from reports.kit import kit_of
from reports.render import ASSETS, PackagedFiles
from reports.typography import printable

# So many lines of a list are printed; the rest is counted.
LISTED = 200
# Any form's: they hold the same typefaces.
FORM = "generic"


def monthly_pdf(user: User, month: Month, *, at: datetime, zone: str) -> bytes:
    """The report on ``month`` of the real incidents ``user`` may see at ``at``, in the language in use, times in ``zone``.

    The same rows at the same moment give the same bytes.
    """
    html = render_to_string("reports/monthly.html", contents(user, month, at=at, zone=zone))
    page = HTML(string=printable(html), base_url=ASSETS, url_fetcher=PackagedFiles(kit_of(FORM, _language())))
    pdf: bytes = page.write_pdf(
        font_config=FontConfiguration(),
        pdf_variant="pdf/ua-1",
        pdf_tags=True,
        pdf_identifier=bytes.fromhex(digest({"html": html}))[:16],
    )
    return pdf


def _language() -> str:
    return "ko" if (get_language() or "").startswith("ko") else "en"


def contents(user: User, month: Month, *, at: datetime, zone: str) -> dict[str, Any]:
    """What is printed."""
    kept = kept_by(user, [month])
    whole = Kept()
    for row in kept.values():
        whole.add(row[month.key])
    late = _late(user, month)
    overdue = replace(REAL, state=Tone.OVERDUE)
    rows = board.narrowed(board.open_duties(user, overdue), overdue, now=at)
    listed = board.sorted_rows(rows, Filters(), now=at).select_related("incident", "incident__owner", "entity")
    open_now = [clock_of(row, now=at) for row in listed[:LISTED]]
    count = rows.count()
    return {
        "lang": _language(),
        "month": month.key,
        "compiled": local(at, zone),
        "created": at.astimezone(UTC).isoformat(),
        "person": named(user),
        "whole": _said(whole),
        "authorities": [
            (_authority(name), _said(row[month.key])) for name, row in sorted(kept.items(), key=lambda item: item[0])
        ],
        "late": [_line(clock_of(row, now=at)) for row in late[:LISTED]],
        "late_more": max(0, whole.late - LISTED),
        "overdue": [_line(item) for item in open_now],
        "overdue_more": max(0, count - LISTED),
    }


def _late(user: User, month: Month) -> Any:
    begin, end = month.begin.astimezone(UTC), month.end.astimezone(UTC)
    rows: Any = settled(user).filter(state=ObligationState.MET_LATE, met_at__gte=begin, met_at__lt=end)
    return rows.select_related("incident", "incident__owner", "entity").order_by("met_at", "pk")


def _authority(name: str) -> str:
    return authority_name(name).get(_language()) or _("not stated")


def _said(kept: Kept) -> dict[str, Any]:
    return {
        "kept": kept,
        "rate": f"{kept.rate:.1f} %" if kept.rate is not None else "–",
        "median": duration(kept.median, _language()) if kept.median is not None else "–",
    }


def _line(item: Clock) -> dict[str, str]:
    row: Obligation = item.obligation
    return {
        "incident": f"{row.incident.code} {row.incident.title}",
        "duty": item.title.get(_language()),
        "authority": _authority(row.authority or ""),
        "due": local(row.due_at, row.due_zone) if row.due_at else "",
        "late": duration(item.delta, _language()) if item.delta is not None else "",
        "reason": row.late_reason or _("not recorded"),
        "owner": named(row.incident.owner) if row.incident.owner else _("nobody"),
    }
