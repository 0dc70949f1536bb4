"""Nudges. Beat sends them, a worker looks at the database; losing one costs seconds."""

from celery import shared_task

from compliance import clock
from incidents import health, outbox, sweep, timers, watch


@shared_task(name="incidents.tasks.fire_due")
def fire_due() -> int:
    """Fire what is due."""
    now = clock.now()
    health.beat("timers", at=now)
    return timers.fire_due(now=now).fired


@shared_task(name="incidents.tasks.send_outbox")
def send_outbox() -> int:
    """Send what is pending."""
    health.beat("outbox", at=clock.now())
    return outbox.send_reading(clock.now).sent


@shared_task(name="incidents.tasks.sweep")
def run_sweep() -> int:
    """Derive the timers that should exist and mend what is missing."""
    return len(sweep.sweep(at=clock.now()))


@shared_task(name="incidents.tasks.watch")
def run_watch() -> None:
    """Ping the outside watcher and catch up with what a night missed."""
    watch.tick(now=clock.now())


@shared_task(name="incidents.tasks.nightly")
def run_nightly() -> list[str]:
    """Sweep, verify the journal, anchor it."""
    return watch.nightly(now=clock.now())
