"""Nudges. Beat sends them, a worker looks at the database; losing one costs seconds."""

from celery import shared_task

from incidents import clock_check, health, outbox, sweep, timers, watch


@shared_task(name="incidents.tasks.fire_due")
def fire_due() -> int:
    """Fire what is due, and nothing early because this process's clock was stepped."""
    health.beat("timers", at=clock_check.check().shared)
    return timers.fire_reading(lambda: clock_check.read().earliest).fired


@shared_task(name="incidents.tasks.send_outbox")
def send_outbox() -> int:
    """Send what is pending."""
    health.beat("outbox", at=clock_check.check().shared)
    return outbox.send_reading(clock_check.agreed).sent


@shared_task(name="incidents.tasks.sweep")
def run_sweep() -> int:
    """Derive the timers that should exist and mend what is missing."""
    return len(sweep.sweep(at=clock_check.agreed()))


@shared_task(name="incidents.tasks.watch")
def run_watch() -> None:
    """Ping the outside watcher and catch up with what a night missed."""
    watch.tick(now=clock_check.agreed())


@shared_task(name="incidents.tasks.nightly")
def run_nightly() -> list[str]:
    """Sweep, verify the journal, anchor it."""
    return watch.nightly(now=clock_check.agreed())
