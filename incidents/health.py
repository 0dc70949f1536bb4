"""Whether the watchers are watching: the oldest due timer and message, the last sign of life of each, the journal.

A watcher leaves a :class:`Heartbeat` each time it looks; what it found stands in the row's detail under ``wrong_since``.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Min
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from incidents.models import WALL_CLOCK, Heartbeat, OutboxMessage, Timer

# House limits of what is still well.
TIMER_LATE = timedelta(minutes=2)
MESSAGE_LATE = timedelta(minutes=10)
SILENT = timedelta(minutes=2)
NIGHTLY = timedelta(hours=26)
# How long each watcher may be silent.
WATCHERS = {
    "timers": SILENT,
    "outbox": SILENT,
    "watch": timedelta(minutes=5),
    "sweep": NIGHTLY,
    "journal": NIGHTLY,
    "anchors": NIGHTLY,
}
BEAT, STAMPS = "beat", "timestamps"
# A process whose clock differs says so under a name that begins like this; its word counts for so long.
CLOCK = "clock:"
CLOCK_SAID = timedelta(minutes=5)
# So far may a sign of life lie ahead of the reader's clock.
AHEAD = timedelta(minutes=1)
STAMPS_LATE = 2 * NIGHTLY
# What is wrong when a watcher has found something.
FINDINGS = {"journal": "journal_not_verified", "sweep": "timers_missing"}

# What is wrong, in words; and what to look at first.
WORDS: dict[str, tuple[str | Promise, str | Promise]] = {
    "timers_late": (_("Due reminders have not been carried out"), _("See whether workers are running.")),
    "outbox_stuck": (_("Messages have not been sent for a while"), _("See whether the mail server can be reached.")),
    "timers_silent": (_("Nobody carries out reminders"), _("Start the workers (or run_timers).")),
    "outbox_silent": (_("Nobody sends messages"), _("Start the workers (or send_outbox).")),
    "watch_silent": (_("The watch of the watchers is not running"), _("Start the workers and beat (or run_watch).")),
    "beat_silent": (_("Celery's beat is not running"), _("Start beat.")),
    "sweep_silent": (_("The timers were not compared with the duties for a day"), _("Run sweep_timers.")),
    "journal_silent": (_("The journal was not verified for a day"), _("Run verify_journal.")),
    "anchors_silent": (_("The journal was not anchored for a day"), _("Run anchor_journal; is the disk full?")),
    "timestamps_silent": (_("The anchors have had no time stamp for two days"), _("See whether TSA_URL answers.")),
    "timers_missing": (_("Timers were missing or changed and were set again"), _("Find out who changed the database.")),
    "journal_not_verified": (_("The journal does not verify"), _("Keep everything as it is and tell counsel.")),
    "clock_differs": (_("The clock of a process differs from the database's"), _("Set the machines' clocks right.")),
    "database_gone": (_("The database does not answer"), _("See whether it is running.")),
}


def words_of(problem: str) -> tuple[str, str]:
    """What ``problem`` means and what to do first, in the language that is active."""
    means, todo = WORDS.get(problem, (problem, ""))
    return str(means), str(todo)


def beat(name: str, *, at: datetime, detail: dict[str, Any] | None = None) -> None:
    """Record that the watcher ``name`` is alive, and what it found."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": at, "detail": detail or {}})


def beat_found(name: str, *, at: datetime, wrong: bool, detail: dict[str, Any]) -> None:
    """:func:`beat` of a watcher that found something ``wrong`` or nothing; since when is carried on."""
    before = Heartbeat.objects.filter(name=name).values_list("detail", flat=True).first() or {}
    since = before.get("wrong_since") or at.astimezone(UTC).isoformat()
    beat(name, at=at, detail={**detail, "wrong_since": since if wrong else None})


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong, by name, and since when (ISO 8601, UTC; None: ever since it was set up). Empty when all is well."""

    problems: dict[str, str | None]
    timer_late_seconds: int
    message_late_seconds: int

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "healthy": self.healthy,
            "problems": self.problems,
            "texts": {name: _in_each_language(name) for name in self.problems},
            "timer_late_seconds": self.timer_late_seconds,
            "message_late_seconds": self.message_late_seconds,
        }


def _in_each_language(problem: str) -> dict[str, str]:
    said = {}
    for language, _name in settings.LANGUAGES:
        with override(language):
            said[language] = " ".join(text for text in (f"{words_of(problem)[0]}.", words_of(problem)[1]) if text)
    return said


def report(*, now: datetime) -> Report:
    """How things stand at ``now``."""
    timer = _oldest(Timer.objects.filter(clock=WALL_CLOCK, state=Timer.State.PENDING, due_at__lte=now), "due_at")
    unsent = (OutboxMessage.State.PENDING, OutboxMessage.State.CLAIMED)
    message = _oldest(OutboxMessage.objects.filter(state__in=unsent), "created_at")
    problems: dict[str, str | None] = {}
    if timer and now - timer > TIMER_LATE:
        problems["timers_late"] = _iso(timer)
    if message and now - message > MESSAGE_LATE:
        problems["outbox_stuck"] = _iso(message)
    hearts = {row.name: row for row in Heartbeat.objects.all()}
    problems.update(_silent(hearts, now))
    for name, problem in FINDINGS.items():
        if name in hearts and hearts[name].detail.get("wrong_since"):
            problems[problem] = hearts[name].detail["wrong_since"]
    problems.update(_clocks(hearts, now))
    return Report(problems, _seconds(timer, now), _seconds(message, now))


def _silent(hearts: dict[str, Heartbeat], now: datetime) -> dict[str, str | None]:
    """Who is silent, and since when. A missing beat is told apart from missing workers."""
    limits = dict(WATCHERS)
    if settings.TSA_URL:
        limits[STAMPS] = STAMPS_LATE
    found: dict[str, str | None] = {}
    for name, limit in limits.items():
        if name not in hearts:
            found[f"{name}_silent"] = None
        elif now - hearts[name].at > limit:
            found[f"{name}_silent"] = _iso(hearts[name].at)
    # Without Celery there is no beat; with it, its silence explains that of the others.
    if found and BEAT in hearts and now - hearts[BEAT].at > SILENT:
        found["beat_silent"] = _iso(hearts[BEAT].at)
    return found


def _clocks(hearts: dict[str, Heartbeat], now: datetime) -> dict[str, str | None]:
    """Since when a process has another clock than the database: by its own word, or by a sign of life that lies ahead."""
    said = [
        row.detail["wrong_since"]
        for name, row in hearts.items()
        if name.startswith(CLOCK) and abs(now - row.at) <= CLOCK_SAID
    ]
    if any(row.at - now > AHEAD for row in hearts.values()):
        said.append(_iso(now))
    return {"clock_differs": min(said)} if said else {}


def _oldest(rows: Any, column: str) -> datetime | None:
    oldest: datetime | None = rows.aggregate(oldest=Min(column))["oldest"]
    return oldest


def _seconds(oldest: datetime | None, now: datetime) -> int:
    return max(0, int((now - oldest).total_seconds())) if oldest else 0


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
