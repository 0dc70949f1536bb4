"""The Celery application. It only wakes somebody up to look; what is due stands in the database."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("breachclock")


def _configure() -> None:
    from django.conf import settings

    app.conf.update(settings.CELERY)
    app.autodiscover_tasks(["incidents", "reports"])


_configure()
