"""What filings hold of a fact that is redacted. A draft is emptied of it; a frozen document never changes and is named."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from incidents import journal
from incidents.models import Fact
from incidents.services.redaction import Copy, register_copies, words_stand_in
from reports import prefill, record
from reports.models import Filing
from reports.states import FilingState

journal.register({"filing.redacted": _("Draft emptied of a redacted fact")})

# Where nobody but its author has it: others are asked to look at it once more if it changes.
OPEN_TO_CHANGE = (FilingState.DRAFT, FilingState.WITHDRAWN)


def copies(fact: Fact) -> Iterator[Copy]:
    """Each filing of the incident that quotes ``fact``: by where its fields come from, or by the very words."""
    for filing in (
        Filing.objects.filter(incident=fact.incident).select_related("incident", "document").order_by("number")
    ):
        fields = quoting(filing, fact)
        frozen = filing.document is not None
        if not fields and not (frozen and words_stand_in(fact, filing.statement)):
            continue
        link = reverse("reports:filing", args=[filing.incident.code, filing.number])
        if filing.document is not None:
            said = {"filing": str(filing), "digest": filing.document.sha256[:12]}
            yield Copy(str(filing), gettext("Frozen document %(filing)s (SHA-256 %(digest)s…)") % said, link)
        elif filing.state in OPEN_TO_CHANGE:
            title = gettext("Draft %(filing)s: %(many)d fields are emptied") % {
                "filing": str(filing), "many": len(fields),
            }  # fmt: skip
            yield Copy(str(filing), title, link, partial(_empty, filing.pk, fields))
        else:
            title = gettext("%(filing)s, which is under review: return it to its author and take the words out")
            yield Copy(str(filing), title % {"filing": str(filing)}, link)


def quoting(filing: Filing, fact: Fact) -> list[str]:
    """The fields of ``filing`` that were filled from ``fact``, or hold its words."""
    return [
        key
        for key, value in filing.values.items()
        if (value.get("provenance") or {}).get("fact") == fact.number or words_stand_in(fact, value.get("value"))
    ]


def _empty(pk: int, fields: list[str], reason: str, at: datetime, by: User) -> None:
    filing = Filing.objects.select_related("incident").get(pk=pk)
    form, version = prefill.form_of(filing), prefill.version_of(filing.obligations.all())
    values = dict(filing.values)
    for key in fields:
        status = prefill.status_of(None, form.field(key).at(filing.stage), filing.stage, version)
        values[key] = {"value": None, "status": status, "provenance": None, "edited": False}
    Filing.objects.filter(pk=pk).update(values=values, edition=filing.edition + 1)
    record.write(filing, "filing.redacted", at=at, by=by, new=values, detail={"fields": fields})


register_copies(copies)
