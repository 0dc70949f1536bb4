"""What the pages show of a filing's review, of the ways it may leave, and of lateness."""

import re
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from compliance.engine import LocalText
from compliance.library import get_library
from compliance.models import Membership
from incidents import access
from incidents.availability import Absence
from incidents.models import Incident, JournalEntry
from incidents.selectors import register_panel
from incidents.services import is_late, library_of
from incidents.services.assessment import subject_of
from incidents.services.hindsight import ACTION
from incidents.states import EvidenceState
from reports import approvals, channels, comments, outdated, prefill, selectors, services, signing
from reports import late as lateness
from reports.conflicts import filing_conflicts
from reports.denials import denials
from reports.forms import Form, get_form, is_translated, languages_of
from reports.forms.words import NAMES
from reports.models import Filing, InformationRequest
from reports.states import FilingState


def review(filing: Filing, user: User, *, at: datetime, real: bool) -> dict[str, Any]:
    """Denials, conflicts, approvals, comments, and what ``user`` may do about them at ``at``."""
    open_ = filing.document_id is None and filing.state != FilingState.WITHDRAWN
    deny = denials(filing) if open_ else []
    missing = approvals.still_needed(filing, at=at) if open_ else 0
    waits = filing.state == FilingState.IN_REVIEW or (filing.state == FilingState.APPROVED and missing > 0)
    return {
        "denials": deny,
        "bare": [denial for denial in deny if not denial.supported],
        "grounds": _grounds(filing) if deny and filing.state == FilingState.DRAFT else {},
        "conflicts": filing_conflicts(filing, at=at) if open_ else [],
        "approvals": approvals.given(filing),
        "approvals_needed": approvals.needed(filing, at=at) if open_ else 0,
        "approvals_missing": missing,
        "waits_for_approval": waits,
        "may_approve": waits and real and approvals.may_approve(filing, user, at=at),
        "own": user.pk in approvals.writers(filing),
        "threads": _threads(filing, user),
        **_asked(filing, user, waits=waits, at=at),
        "fields": prefill.form_of(filing).fields(filing.stage),
        "outdated": next((row for row in outdated.outdated(filing.incident, at=at) if row.filing.pk == filing.pk), None)
        if filing.document_id
        else None,
    }


def language(filing: Filing) -> dict[str, Any]:
    """The languages the document can be written in, and what to look at where it is a translation."""
    base, form = get_form(filing.form), prefill.form_of(filing)
    return {
        "languages": [(key, NAMES[key]) for key in languages_of(base)] if len(languages_of(base)) > 1 else [],
        "language": form.language,
        "language_name": NAMES[form.language],
        "translated": is_translated(form),
        "foreign": _foreign(filing, form) if is_translated(form) else [],
    }


def _foreign(filing: Filing, form: Form) -> list[LocalText]:
    """The fields of a letter in Latin letters that still hold Korean, Japanese or Chinese words."""
    values = ((item, (filing.values.get(item.key) or {}).get("value")) for item in form.fields(filing.stage))
    return [item.label for item, value in values if isinstance(value, str) and _EAST_ASIAN.search(value)]


# Kana, Chinese characters, Hangul.
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def _grounds(filing: Filing) -> dict[str, list[Any]]:
    """What a denial can rest on: evidence that is not lost, and facts that name their source."""
    facts = filing.incident.facts.filter(
        ~Q(source="") | Q(evidence__isnull=False), redacted_at=None, superseded_by=None
    )
    return {
        "evidence": list(filing.incident.evidence_items.exclude(state=EvidenceState.LOST)),
        "facts": list(facts.filter(Q(entity=None) | Q(entity=filing.entity_id)).order_by("-number")[:200]),
    }


def _threads(filing: Filing, user: User) -> list[dict[str, Any]]:
    labels = {item.key: item.label for item in prefill.form_of(filing).fields(filing.stage)}
    rows = selectors.comments_for(filing, user)
    return [
        {
            "first": row,
            "label": labels.get(row.field),
            "replies": [reply for reply in rows if reply.answers_id == row.pk],
            "may_resolve": row.resolved_at is None and comments.may_resolve(row, user),
        }
        for row in rows
        if row.answers_id is None
    ]


def _asked(filing: Filing, user: User, *, waits: bool, at: datetime) -> dict[str, Any]:
    """Who is asked to review it, whom ``user`` could ask, the request to ``user``, and the comments nobody resolved."""
    asked = services.asked(filing) if waits else []
    return {
        "asked": asked,
        "asked_me": next((row for row in asked if row.reviewer_id == user.pk), None),
        "reviewers": _reviewers(filing, {row.reviewer_id for row in asked}, at=at) if waits else [],
        "open_comments": comments.open_threads(filing) if waits else [],
    }


def _reviewers(filing: Filing, besides: set[int], *, at: datetime) -> list[User]:
    """Everybody who could approve ``filing``, in the own right or for somebody who is away."""
    entities = filing.incident.entities.all()
    deciding = Membership.objects.filter(entity__in=entities, role__in=access.deciding_roles())
    deputies = Absence.objects.filter(entity__in=entities, begins_at__lte=at, ends_at__gt=at, ended_at=None)
    people = User.objects.filter(
        Q(pk__in=deciding.values("user")) | Q(pk__in=deputies.values("deputy")), is_active=True
    )
    people = people.exclude(pk__in=besides).order_by("username")
    return [person for person in people if approvals.may_approve(filing, person, at=at)]


def ways(filing: Filing, *, at: datetime) -> dict[str, Any]:
    """The channels of this house, what went through them, and what authorities asked."""
    dispatches = list(filing.dispatches.select_related("requested_by", "resolved_by"))
    return {
        "ways": channels.offered() if filing.state == FilingState.FROZEN else [],
        "dispatches": dispatches,
        "on_its_way": any(row.state in ("waiting", "sending", "uncertain") for row in dispatches),
        "requests": list(filing.requests.select_related("recorded_by", "answered_by")),
        "signature": getattr(filing, "signature", None),
        "can_sign": signing.configured() and filing.state == FilingState.FROZEN,
        "real": filing.incident.kind == Incident.Kind.REAL,
    }


def late(filing: Filing, *, at: datetime) -> list[dict[str, Any]]:
    """The late duties that have no reason yet, each with a proposal drawn from the record in the form's language."""
    if filing.document_id is not None or filing.state == FilingState.WITHDRAWN:
        return []
    language = prefill.form_of(filing).language
    language = language if language in ("ko", "en") else (get_language() or "en")
    rows = [row for row in filing.obligations.select_related("incident", "entity") if is_late(row, at=at)]
    return [
        {"duty": row, "proposal": lateness.late_reason_proposal(row, at=at, language=language)}
        for row in rows
        if not row.late_reason
    ]


def hindsight(filing: Filing, *, at: datetime) -> list[dict[str, Any]]:
    """When an awareness time was added, chosen or taken back after a deadline of ``filing`` had passed, by whom."""
    duties = {subject_of(row): row for row in filing.obligations.select_related("incident", "entity")}
    rows = JournalEntry.objects.filter(chain=filing.incident.code, action=ACTION, at__lte=at).order_by("sequence")
    found = []
    for entry in rows:
        moves = [item for item in entry.detail["deadlines"] if item["duty"] in duties]
        found += [
            {
                "entry": entry,
                "by": _person(entry.actor),
                "duty": duties[item["duty"]],
                "was": datetime.fromisoformat(item["was_due_at"]),
                "now": datetime.fromisoformat(item["due_at"]) if item["due_at"] else None,
            }
            for item in moves
        ]
    return found


def _person(actor: str) -> User | None:
    kind, _colon, number = actor.partition(":")
    return User.objects.filter(pk=number).first() if kind == "user" and number.isdigit() else None


def channel_words(filing: Filing) -> list[LocalText]:
    """What the law says of how to hand it over, for each rule it answers."""
    library, found = library_of(filing.incident), []
    for row in filing.obligations.order_by("pk"):
        try:
            words = library.version(row.rule, row.version).channel
        except KeyError:
            words = None
        if words is not None and words not in found:
            found.append(words)
    return found


def panel(incident: Incident, user: User, now: datetime) -> str:
    """On the page of an incident: filings out of date, what is uncertain, open requests, public statements."""
    filings = incident.filings.all()
    context = {
        "incident": incident,
        "outdated": outdated.outdated(incident, at=now),
        "uncertain": list(filings.filter(dispatches__state="uncertain")),
        "requests": list(
            InformationRequest.objects.filter(filing__incident=incident, answered_at=None).select_related(
                "filing__incident"
            )
        ),
        "may_handle": access.may_handle(user, incident),
        "facts": get_library().facts,
        "zone": incident.entities.order_by("pk").values_list("zone", flat=True).first() or "UTC",
    }
    html: SafeString = render_to_string("reports/_panel.html", context)
    return html


register_panel(panel)
