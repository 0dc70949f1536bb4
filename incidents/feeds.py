"""Clocks as a calendar that other programs read: a private address per person, or per person and incident.

An event stands for one duty. Its UID never changes; SEQUENCE and LAST-MODIFIED move with every journal entry about the
duty, so that a calendar program moves the event when the deadline moves and strikes it out when the duty lapses.
Whatever the person may not see (any more) is not in it.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from icalendar import Alarm, Calendar, Event

from compliance.clock import require_aware
from compliance.engine import LocalText
from compliance.errors import NotPermitted, Refused
from compliance.models import Membership
from incidents import access, journal
from incidents.channels.models import CalendarLink
from incidents.messages import in_own_time, link_to
from incidents.models import Incident, JournalEntry, Obligation
from incidents.selectors import Clock, Tone, clock_of
from incidents.services.assessment import subject_of
from incidents.times import local, reader_zone

journal.register(
    {
        "calendar.link_made": gettext_lazy("Private calendar address made"),
        "calendar.link_revoked": gettext_lazy("Private calendar address withdrawn"),
    }
)

# How long a link may be good, in days, and how often a program should ask again. House limits.
LIFETIMES = (30, 90, 365)
REFRESH = timedelta(minutes=15)
# The alarm of an event: so long before, or a quarter of the period where that is shorter.
ALARM = timedelta(hours=1)
# Settled duties of a closed incident leave the calendar after so long.
KEPT_AFTER_CLOSING = timedelta(days=30)
TOKEN_BYTES = 32


def link_make(*, user: User, incident: Incident | None, days: int, at: datetime) -> tuple[CalendarLink, str]:
    """A new private address and its token, which is shown once and kept as a digest only.

    Raises:
        NotPermitted: the person may not see the incident.
        Refused: a replay, or a lifetime that is not offered.
    """
    require_aware(at)
    if incident is not None and not access.visible_incidents(user).filter(pk=incident.pk).exists():
        raise NotPermitted(_("You may not see this incident."), code="not_visible")
    if incident is not None and incident.kind == Incident.Kind.REPLAY:
        raise Refused(_("A replay stands still and has no calendar."), code="replay_stands_still")
    if days not in LIFETIMES:
        raise Refused(_("Choose one of the offered lifetimes."), code="bad_lifetime", field="days")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        link = CalendarLink.objects.create(
            user=user,
            incident=incident,
            token_digest=digest_of(token),
            created_at=at,
            expires_at=at + timedelta(days=days),
        )
        _write(link, "calendar.link_made", at=at, by=user)
    return link, token


def link_revoke(*, link: CalendarLink, at: datetime, by: User) -> None:
    """Withdraw one's own address. Repeating changes nothing.

    Raises:
        NotPermitted: somebody else's.
    """
    require_aware(at)
    if link.user_id != by.pk:
        raise NotPermitted(_("This address belongs to somebody else."), code="not_yours")
    with transaction.atomic():
        if CalendarLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=at):
            _write(link, "calendar.link_revoked", at=at, by=by)


def digest_of(token: str) -> str:
    """What is kept of a token. It is random and long: no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def link_for(token: str) -> CalendarLink | None:
    """The link of ``token``, also one that ended."""
    return CalendarLink.objects.select_related("user").filter(token_digest=digest_of(token)).first()


def _write(link: CalendarLink, action: str, *, at: datetime, by: User) -> None:
    detail = {"incident": link.incident.code if link.incident else "", "until": link.expires_at.isoformat()}
    journal.write(incident=None, at=at, by=by, action=action, subject=f"calendar link {link.pk}", detail=detail)


def calendar(link: CalendarLink, *, at: datetime) -> bytes:
    """What the link shows at ``at``, as iCalendar (RFC 5545).

    An ended link shows an empty calendar rather than an error: a calendar program then drops what it had.
    """
    require_aware(at)
    good = link.opens_at(at) and link.user.is_active
    reader = _Reader.of(link.user)
    with override(reader.language):
        rows = list(_obligations(link, at=at)) if good else []
        name = _name(link) if good else _("Breachclock (this address has ended)")
        return _written([clock_of(row, now=at) for row in rows], reader, name)


def calendar_of(clocks: Iterable[Clock], user: User) -> bytes:
    """These clocks of ``user``'s as iCalendar: what has no moment, and replays, are left out."""
    reader = _Reader.of(user)
    rows = [item for item in clocks if item.obligation.incident.kind != Incident.Kind.REPLAY]
    timed = [item for item in rows if item.obligation.due_at or item.obligation.target_at]
    with override(reader.language):
        return _written(timed, reader, _("Breachclock: my clocks"))


def _written(clocks: list[Clock], reader: "_Reader", name: str) -> bytes:
    found = Calendar()
    found.add("prodid", "-//Breachclock//Clocks//EN")
    found.add("version", "2.0")
    found.add("method", "PUBLISH")
    found.add("x-wr-calname", name)
    found.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    found.add("x-published-ttl", REFRESH)
    changes = _changes({item.obligation.incident.code for item in clocks})
    for item in clocks:
        found.add_component(_event(item, reader, changes))
    return bytes(found.to_ical())


@dataclass(frozen=True, slots=True)
class _Reader:
    """How the person reads: the first role's language, and the zone by entity."""

    language: str
    zones: Mapping[int, str]

    @classmethod
    def of(cls, user: User) -> "_Reader":
        members = list(Membership.objects.filter(user=user).select_related("entity", "user").order_by("pk"))
        language = members[0].language if members else settings.LANGUAGE_CODE
        return cls(language, {item.entity_id: reader_zone(item) for item in members})


def _name(link: CalendarLink) -> str:
    return f"Breachclock {link.incident.code}" if link.incident else _("Breachclock: my clocks")


def _obligations(link: CalendarLink, *, at: datetime) -> Iterable[Obligation]:
    """Duties with a moment, of the incidents that the person may see at this moment."""
    incidents = access.visible_incidents(link.user).exclude(kind=Incident.Kind.REPLAY)
    incidents = incidents.filter(Q(closed_at=None) | Q(closed_at__gt=at - KEPT_AFTER_CLOSING))
    if link.incident_id is not None:
        incidents = incidents.filter(pk=link.incident_id)
    timed = Q(due_at__isnull=False) | Q(target_at__isnull=False)
    rows = Obligation.objects.filter(timed, incident__in=incidents.values("pk"))
    return rows.select_related("incident", "entity").order_by("pk")


Changes = Mapping[tuple[str, str], tuple[int, datetime]]


def _changes(codes: set[str]) -> Changes:
    """For each duty how many journal entries are about it, and when the last was written."""
    found = (
        JournalEntry.objects.filter(chain__in=codes, action__startswith="obligation.")
        .order_by()
        .values("chain", "subject")
        .annotate(times=Count("pk"), last=Max("at"))
    )
    return {(item["chain"], item["subject"]): (item["times"], item["last"]) for item in found}


def uid_of(row: Obligation) -> str:
    """The name of a duty's event: the same for ever."""
    parts = (row.incident.code, row.entity.key, row.rule, row.stage, row.occurrence)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40] + "@breachclock"


def _event(clock: Clock, reader: _Reader, changes: Changes) -> Event:
    row = clock.obligation
    moment = row.due_at or row.target_at
    if moment is None:
        raise ValueError("expected a duty with a moment")
    times, last = changes.get((row.incident.code, subject_of(row)), (0, row.opened_at))
    event = Event()
    event.add("uid", uid_of(row))
    event.add("dtstamp", last.astimezone(UTC))
    event.add("last-modified", last.astimezone(UTC))
    event.add("sequence", times)
    event.add("dtstart", moment.astimezone(UTC))
    event.add("summary", _summary(clock, reader.language))
    event.add("description", _description(clock, reader))
    event.add("url", link_to(row.incident))
    event.add("class", "CONFIDENTIAL")
    event.add("transp", "TRANSPARENT")
    event.add("status", _status(clock))
    if clock.tone in _WAITING:
        event.add_component(_alarm(clock, moment, reader.language))
    return event


_WAITING = frozenset({Tone.RUNNING, Tone.NEAR, Tone.POSSIBLE, Tone.OPEN_NOW})


def _status(clock: Clock) -> str:
    if clock.tone in (Tone.NOT_REQUIRED, Tone.EXCUSED):
        return "CANCELLED"
    return "TENTATIVE" if clock.tone == Tone.POSSIBLE else "CONFIRMED"


def _alarm(clock: Clock, moment: datetime, language: str) -> Alarm:
    start = clock.obligation.starts_at or clock.obligation.opened_at
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _summary(clock, language))
    alarm.add("trigger", -min(ALARM, max(moment - start, timedelta()) / 4))
    return alarm


def _summary(clock: Clock, language: str) -> str:
    """Code and duty, with what it is in front; never the incident's title, which strangers' servers need not know."""
    row = clock.obligation
    said = {"code": row.incident.code, "duty": clock.title.get(language)}
    drill = _("[DRILL] ") if row.incident.kind == Incident.Kind.DRILL else ""
    by_law, by_house = _("Decide: %(duty)s · %(code)s"), _("Decide (house target, not law): %(duty)s · %(code)s")
    decide = by_law if row.due_at is not None else by_house
    words = {
        Tone.OVERDUE: _("OVERDUE: %(duty)s · %(code)s"),
        Tone.POSSIBLE: decide,
        Tone.OPEN_NOW: _("House target, not law: %(duty)s · %(code)s"),
        Tone.MET: _("Done: %(duty)s · %(code)s"),
        Tone.MET_LATE: _("Done late: %(duty)s · %(code)s"),
        Tone.NOT_REQUIRED: _("Does not apply: %(duty)s · %(code)s"),
        Tone.EXCUSED: _("Excepted: %(duty)s · %(code)s"),
    }
    return drill + words.get(clock.tone, _("Due: %(duty)s · %(code)s")) % said


def _description(clock: Clock, reader: _Reader) -> str:
    row, language = clock.obligation, reader.language
    moment = row.due_at or row.target_at
    if moment is None:
        raise ValueError("expected a duty with a moment")
    own = reader.zones.get(row.entity_id, row.entity.zone)
    name = _("Due") if row.due_at else _("House target (not law)")
    lines = [
        f"{_('To')}: {', '.join(item.get(language) for item in clock.addressees)}",
        f"{_('Entity')}: {row.entity.name}",
        f"{_('Period in law')}: {LocalText(**row.duty['limit']).get(language)}",
        f"{name}: {local(moment, row.due_zone)}",
    ]
    lines += [f"{name}: {value}" for name, value in in_own_time(moment, row.due_zone, own).items()]
    return "\n".join([*lines, link_to(row.incident)])
