"""The watcher of the watchers: what runs each night (and is caught up with when a night was missed), and the outside ping."""

import functools
import logging
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from incidents import alarms, anchors, health, sweep, verification
from incidents.fetching import NoAnswer, post
from incidents.models import Heartbeat
from incidents.verification import Fault

logger = logging.getLogger("breachclock.watch")

PING_SECONDS = 5
# So many findings are kept in the heartbeat; the command names all.
KEPT = 20


def tick(*, now: datetime) -> health.Report | None:
    """Once a minute: tell the outside watcher how things stand, and catch up with nightly work that was missed."""
    report = None
    try:
        health.beat("watch", at=now)
        report = health.report(now=now)
    except DatabaseError:
        logger.exception("the database does not answer")
    ping(report)
    if report is not None:
        nightly(now=now, only_missed=True)
        tell(health.report(now=now), now=now)
    return report


def tell(report: health.Report, *, now: datetime) -> None:
    """Tell people what turned /health red, through every channel and once a day for each problem.

    Not what has never run at all: that is a house being set up, and the page shows it. Not what is told by whoever finds it.
    """
    told_elsewhere = {"clock_differs", *health.FINDINGS.values()}
    with transaction.atomic():
        for name, since in report.problems.items():
            if since is not None and name not in told_elsewhere:
                alarms.raise_alarm(f"health:{name}", functools.partial(health.words_of, name), at=now)


def ping(report: health.Report | None) -> None:
    """Tell the outside watcher: its address while all is green, ``/fail`` after it when not, with the names of what is wrong.

    Healthchecks understands this. A watcher that cannot be reached is only logged: its own silence is its alarm.
    """
    if not settings.WATCHER_URL:
        return
    healthy = report is not None and report.healthy
    names = sorted(report.problems) if report is not None else ["database_gone"]
    url = settings.WATCHER_URL.rstrip("/") + ("" if healthy else "/fail")
    try:
        post(url, "\n".join(names).encode(), content_type="text/plain", timeout=PING_SECONDS)
    except NoAnswer as error:
        logger.error("the outside watcher was not reached: %s", error)


def nightly(*, now: datetime, only_missed: bool = False) -> list[str]:
    """Sweep, verify and anchor; answers which of them ran. ``only_missed``: those that have not run for longer than a night."""
    jobs: dict[str, Callable[[datetime], object]] = {
        "sweep": lambda at: sweep.sweep(at=at),
        "journal": lambda at: verify(at=at),
        "anchors": lambda at: anchors.anchor_journal(at=at),
    }
    last = dict(Heartbeat.objects.filter(name__in=jobs).values_list("name", "at"))
    ran = []
    for name, job in jobs.items():
        if only_missed and name in last and now - last[name] <= health.WATCHERS[name]:
            continue
        try:
            job(now)
            ran.append(name)
        except Exception:  # the others must run all the same; its missing heartbeat turns health red
            logger.exception("nightly work %s failed", name)
    return ran


def verify(*, at: datetime, signatures: bool = False) -> list[Fault]:
    """Verify all chains and all anchors, and leave the result as the heartbeat ``journal``. Faults are told to people."""
    faults = [*anchors.check(signatures=signatures), *verification.verify(anchored=anchors.anchored())]
    detail = {"faults": len(faults), "first": [f"{f.chain} {f.sequence}: {f.what}"[:200] for f in faults[:KEPT]]}
    health.beat_found("journal", at=at, wrong=bool(faults), detail=detail)
    if faults:
        logger.error("the journal does not verify: %s faults, first in %s", len(faults), faults[0].chain)
        with transaction.atomic():
            alarms.raise_alarm("journal", _words, at=at)
    return faults


def _words() -> tuple[str, str]:
    return (
        _("The journal does not verify: entries were changed, removed or inserted"),
        _("Keep the database and the anchors as they are, run verify_journal to see which, and tell counsel."),
    )
