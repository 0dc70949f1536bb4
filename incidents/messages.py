"""The words of a message: incident, duty, authority, due moment with its zone, time left or late, what to do, the link.

Nothing about data subjects, no free text of the incident beyond its title.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from compliance.cli import duration
from compliance.engine import LocalText
from compliance.engine.policies import UNSURE
from compliance.library import get_library
from compliance.models import Membership
from incidents.layout import Layout, lay_out
from incidents.models import Escalation, Evidence, Incident, Obligation, OutboxMessage, Timer
from incidents.outbox import Message
from incidents.states import ObligationState
from incidents.timers import kind_of
from incidents.times import local
from incidents.wording import Extra


@dataclass(frozen=True, slots=True)
class Page:
    """A message but for what is for one reader alone, in one language, laid out as text and HTML.

    ``event`` names what happened. ``text`` and ``html`` have places for remarks and for the link that acknowledges.
    """

    event: str
    subject: str
    text: Layout
    html: Layout
    about_all: tuple[str, ...]
    data: Mapping[str, Any]

    def to(self, member: Membership, extra: Extra | None = None) -> Message:
        """The message for ``member``."""
        extra = extra or Extra()
        notes = self.about_all + extra.notes
        return Message(
            dedupe=f"{self.event}:{member.user_id}",
            subject=self.subject,
            text=self.text.filled(notes, extra.ack),
            shared=self.text.filled(self.about_all, ""),
            html=self.html.filled(notes, extra.ack),
            data=self.data,
        )


def duty_page(
    escalation: Escalation, row: Obligation, timer: Timer, language: str, zone: str, *, now: datetime
) -> Page:
    """What a rung of a duty's ladder tells those who read ``language`` and have their clocks in ``zone``."""
    with override(language):
        duty = LocalText(**row.duty["title"]).get(language)
        lines = {
            _("Incident"): f"{row.incident.code} {row.incident.title}",
            _("Duty"): duty,
            _("To"): ", ".join(LocalText(**name).get(language) for name in row.duty["addressees"]),
            **_moment(row, language, zone, now=now),
            **_unknown(row, language),
            **_lateness(row, now=now),
            _("Step"): _step(row, timer, language),
        }
        return _page(
            f"escalation:{escalation.pk}",
            _headline(row, duty, language, now=now),
            lines,
            todo=_todo(row, language),
            incident=row.incident,
            late=escalation.late_seconds,
            data=_duty_data(escalation, row, timer, now=now),
        )


def _step(row: Obligation, timer: Timer, language: str) -> str:
    """The rung's name. Where the law gives no number it stands on the house's target, and says so."""
    name = LocalText(**timer.payload["name"]).get(language)
    return name if row.due_at is not None or timer.key == "opened" else _("House target: %(step)s") % {"step": name}


def _moment(row: Obligation, language: str, own: str, *, now: datetime) -> dict[str, str]:
    """The due moment where the law gives one; otherwise its words and the house's target, marked as such."""
    if row.due_at is not None:
        left = _("Time left") if row.due_at >= now else _("Past due by")
        name = _("Decide by") if row.state == ObligationState.POSSIBLE else _("Due")
        lines = {name: local(row.due_at, row.due_zone)}
        return {
            **lines,
            **in_own_time(row.due_at, row.due_zone, own),
            left: duration(row.due_at - now, language),
        }
    lines = {_("Period in law"): LocalText(**row.duty["limit"]).get(language)}
    if row.target_at is not None:
        lines[_("House target (not law)")] = local(row.target_at, row.due_zone)
        lines |= in_own_time(row.target_at, row.due_zone, own)
        left = _("Time to the house target") if row.target_at >= now else _("House target passed by")
        lines[left] = duration(row.target_at - now, language)
    return lines


def in_own_time(at: datetime, zone: str, own: str) -> dict[str, str]:
    """The same moment as the reader's clock in ``own`` shows it, where that is another time of day than in ``zone``."""
    if at.astimezone(ZoneInfo(own)).utcoffset() == at.astimezone(ZoneInfo(zone)).utcoffset():
        return {}
    return {_("In your time (%(zone)s)") % {"zone": own}: local(at, own)}


def _unknown(row: Obligation, language: str) -> dict[str, str]:
    """What is not known yet and would decide or move the duty, besides the question that is asked below."""
    facts = get_library().facts
    names = row.duty.get("questions", [])[1 if row.state == ObligationState.POSSIBLE else 0 :]
    asked = [facts[name].question.get(language) for name in names if name in facts]
    name = _("Also not known") if row.state == ObligationState.POSSIBLE else _("Not known yet")
    lines = {name: " / ".join(asked[:QUESTIONS_SHOWN])} if asked else {}
    if row.duty.get("provisional"):
        lines[_("Start")] = _("not recorded; counted from an earlier moment until it is")
    return lines


QUESTIONS_SHOWN = 3


def _lateness(row: Obligation, *, now: datetime) -> dict[str, str]:
    """Once it is late, whether the reason for that was recorded: every message asks for it until it was."""
    if row.due_at is None or now <= row.due_at or row.state == ObligationState.POSSIBLE:
        return {}
    return {_("Reason for the delay"): _("recorded") if row.late_reason else _("not recorded yet: record it now")}


def _duty_data(escalation: Escalation, row: Obligation, timer: Timer, *, now: datetime) -> dict[str, Any]:
    """The same for programs: both languages, instants in UTC, the zone apart."""
    facts = get_library().facts
    return {
        "type": "escalation.reached",
        "incident": _incident_data(row.incident),
        "duty": {
            "rule": row.rule,
            "stage": row.stage,
            "occurrence": row.occurrence,
            "title": row.duty["title"],
            "state": str(row.state),
        },
        "authorities": row.duty["addressees"],
        "due_at": _utc(row.due_at),
        "due_zone": row.due_zone,
        "seconds_left": int((row.due_at - now).total_seconds()) if row.due_at else None,
        "period_in_law": row.duty["limit"],
        "house_target_at": _utc(row.target_at) if row.due_at is None else None,
        "unknown": [
            {"fact": name, "question": facts[name].question.to_json()}
            for name in row.duty.get("questions", [])
            if name in facts
        ],
        **_step_data(escalation, timer),
    }


def _step_data(escalation: Escalation, timer: Timer) -> dict[str, Any]:
    return {
        "step": {"key": escalation.rung, "kind": escalation.kind, "name": timer.payload["name"]},
        "told_late_by_seconds": escalation.late_seconds,
    }


def _incident_data(incident: Incident) -> dict[str, str]:
    return {"code": incident.code, "title": incident.title, "kind": str(incident.kind), "link": link_to(incident)}


def _utc(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def link_to(incident: Incident) -> str:
    """The page of ``incident``."""
    return str(settings.SITE_URL) + reverse("incidents:incident", args=[incident.code])


def _headline(row: Obligation, duty: str, language: str, *, now: datetime) -> str:
    """One sentence that can stand alone on a locked screen."""
    said = {"code": row.incident.code, "duty": duty}
    if kind_of(row) == UNSURE:
        return _("%(code)s: a lawyer must confirm whether “%(duty)s” applies") % said
    if row.due_at is None:
        said["limit"] = LocalText(**row.duty["limit"]).get(language)
        if row.starts_at is None:
            return _("%(code)s: the start of “%(duty)s” is not recorded") % said
        if row.state == ObligationState.POSSIBLE:
            return _("%(code)s: decide whether “%(duty)s” (%(limit)s) applies") % said
        return _("%(code)s: “%(duty)s” is due %(limit)s and not done") % said
    said["time"] = duration(row.due_at - now, language)
    past = row.due_at < now
    if row.state == ObligationState.POSSIBLE:
        words = (
            _("%(code)s: “%(duty)s” would be past due by %(time)s; decide")
            if past
            else _("%(code)s: decide on “%(duty)s”, %(time)s left")
        )
    else:
        words = _("%(code)s: “%(duty)s” is past due by %(time)s") if past else _("%(code)s: “%(duty)s”, %(time)s left")
    return words % said


def _todo(row: Obligation, language: str) -> str:
    questions = row.duty.get("questions", [])
    if kind_of(row) == UNSURE:
        return _("We are not sure of this rule: counsel or an approver decides on the page whether to follow it.")
    if row.state == ObligationState.POSSIBLE and questions:
        question = get_library().facts[questions[0]].question.get(language)
        return _("Not known yet: %(question)s Answer it; until then the clock is treated as running.") % {
            "question": question
        }
    if row.state == ObligationState.OVERDUE and not row.late_reason:
        return _("Record the reason for the delay and file.")
    return _("File it and record the receipt, or record the fact that ends the duty.")


def evidence_page(
    escalation: Escalation, row: Evidence, timer: Timer, zone: str, language: str, own: str, *, now: datetime
) -> Page:
    """What a rung of "preserve before" tells those who read ``language`` and have their clocks in ``own``; ``zone``: of
    the incident."""
    with override(language):
        expires = row.expires_at or now
        past = expires < now
        said = {"code": row.incident.code, "title": row.title, "time": duration(expires - now, language)}
        headline = (
            _("%(code)s: “%(title)s” may be overwritten since %(time)s")
            if past
            else _("%(code)s: preserve “%(title)s”, %(time)s left")
        ) % said
        lines = {
            _("Incident"): f"{row.incident.code} {row.incident.title}",
            _("Evidence"): row.title,
            _("Preserve before"): local(expires, zone),
            **in_own_time(expires, zone, own),
            _("Step"): LocalText(**timer.payload["name"]).get(language),
        }
        return _page(
            f"escalation:{escalation.pk}",
            headline,
            lines,
            todo=_("Preserve it and record where, or record that it is lost."),
            incident=row.incident,
            late=escalation.late_seconds,
            data={
                "type": "escalation.reached",
                "incident": _incident_data(row.incident),
                "evidence": {"number": row.number, "title": row.title},
                "preserve_before": _utc(expires),
                "seconds_left": int((expires - now).total_seconds()),
                **_step_data(escalation, timer),
            },
        )


def failure_message(incident: Incident, timer: Timer, member: Membership, *, now: datetime) -> Message:
    """A timer fails again and again: somebody has to look."""
    with override(member.language):
        headline = _("%(code)s: a reminder could not be carried out and is tried again") % {"code": incident.code}
        lines = {
            _("Incident"): f"{incident.code} {incident.title}",
            _("Step"): LocalText(**timer.payload["name"]).get(member.language),
            _("Attempts"): str(timer.attempts + 1),
        }
        return _page(
            f"timer-failed:{timer.pk}:{now.date().isoformat()}",
            headline,
            lines,
            todo=_("Look at the incident yourself until this is mended."),
            incident=incident,
            data={"type": "timer.failed", "incident": _incident_data(incident), "attempts": timer.attempts + 1},
        ).to(member)


UNDELIVERED = "undelivered:"


def undelivered_message(lost: OutboxMessage, member: Membership, *, at: datetime) -> Message:
    """Somebody could not be reached: tell that person another way. Once a day for each reader, incident and way."""
    incident = lost.incident
    if incident is None:
        raise ValueError("expected a message about an incident")
    with override(member.language):
        said = {"code": incident.code, "way": way_of(lost)}
        if lost.recipient is None:
            headline = _("%(code)s: %(way)s takes no messages") % said
        else:
            said["name"] = lost.recipient.get_full_name() or lost.recipient.get_username()
            headline = _("%(code)s: %(name)s could not be reached by %(way)s") % said
        lines = {
            _("Incident"): f"{incident.code} {incident.title}",
            _("Not delivered"): lost.subject,
            _("Attempts"): _("%(number)d, and it goes on trying") % {"number": lost.attempts},
        }
        who = f"{lost.recipient_id or '-'}.{lost.endpoint_id or '-'}"
        return _page(
            f"{UNDELIVERED}{incident.pk}:{who}:{at.date().isoformat()}",
            headline,
            lines,
            todo=_("Tell whoever was meant another way, and look at the incident."),
            incident=incident,
            data={
                "type": "message.undelivered",
                "incident": _incident_data(incident),
                "channel": lost.channel,
                "attempts": lost.attempts,
            },
        ).to(member)


def way_of(row: OutboxMessage) -> str:
    """By what a message goes, in words."""
    if row.endpoint is None:
        return _("e-mail")
    return _("%(kind)s “%(label)s”") % {"kind": row.endpoint.get_kind_display(), "label": row.endpoint.label}


LATE_WORTH_SAYING = timedelta(minutes=2)


def message_of(
    event: str,
    member: Membership,
    headline: str,
    lines: Mapping[str, str],
    *,
    todo: str,
    incident: Incident,
    data: Mapping[str, Any],
) -> Message:
    """A message for ``member`` in the language in use, laid out as text and HTML; ``event`` names what it tells of."""
    return _page(event, headline, lines, todo=todo, incident=incident, data=data).to(member)


def _page(
    event: str,
    headline: str,
    lines: Mapping[str, str],
    *,
    todo: str,
    incident: Incident,
    data: Mapping[str, Any],
    late: int = 0,
) -> Page:
    kinds = {Incident.Kind.DRILL: _("[DRILL] "), Incident.Kind.REPLAY: _("[REPLAY] ")}
    mark = kinds.get(Incident.Kind(incident.kind), "")
    about_all: tuple[str, ...] = ()
    if late > LATE_WORTH_SAYING.total_seconds():
        about_all = (
            _("This message is late by %(minutes)d minutes: the watcher was not running.") % {"minutes": late // 60},
        )
    words = {"headline": headline, "todo": todo, "link": link_to(incident), "mark": mark}
    text, html = (lay_out(kind, lines, **words) for kind in ("txt", "html"))
    return Page(event, mark + headline, text, html, about_all, data)
