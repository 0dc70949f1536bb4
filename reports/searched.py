"""Searching in filings. Privileged drafts are left out for everybody: nothing of them shows where it was not opened on purpose."""

from collections.abc import Iterable, Iterator

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from incidents import search
from incidents.models import Incident
from reports import prefill
from reports.models import Filing

MOST_OPENED = 500


def filings(user: User, visible: QuerySet[Incident], words: str) -> search.Group:
    """Filings whose form, stage or fields hold ``words``; the newest are opened, since their fields are encrypted at rest."""
    rows = Filing.objects.filter(incident__in=visible, privileged=False).select_related("incident", "entity")
    return search.group("filings", _("Filings"), _opened(rows.order_by("-created_at", "-pk")[:MOST_OPENED], words))


def _opened(rows: Iterable[Filing], words: str) -> Iterator[search.Hit]:
    language = get_language() or "en"
    for row in rows:
        form = prefill.form_of(row)
        texts = [form.title.ko, form.title.en, row.form, row.stage, *_texts(row)]
        if search.holds(words, texts):
            url = reverse("reports:filing", args=[row.incident.code, row.number])
            title = f"F{row.number} {form.title.get(language)}"
            yield search.hit(url, row.incident.code, title, words, texts)


def _texts(row: Filing) -> list[str]:
    values = (item.get("value") for item in row.values.values() if isinstance(item, dict))
    return [value for value in values if isinstance(value, str)]


search.register_search(filings)
