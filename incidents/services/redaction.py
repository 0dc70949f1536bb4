"""Destroying the words of a fact and their copies, and nothing else: what law on personal data may ask for, and the chain
still verifies. A document that was frozen to be filed never changes: it is named instead.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from compliance.engine import LocalText, digest
from compliance.errors import Refused
from compliance.library import get_library
from incidents import access, journal
from incidents.models import Classification, Fact, Incident, JournalEntry
from incidents.sealing import fact_subject, kept
from incidents.services import sheets
from incidents.services.common import changing, required_text

journal.register({"classification.redacted": _("Working papers of a classification redacted")})

# What is left of the working: the outcome, for which the row stands.
EMPTY: dict[str, Any] = {
    "working": [], "open": [], "beside": [], "readings": [], "to_record": [], "doubts": [], "sources": [],
    "value": None, "value_text": None, "until_decided": None,
}  # fmt: skip
KEPT = ("method", "version", "digest", "title", "status", "level", "levels", "range", "proposes", "confidence")

# A shorter text stands in others by chance.
WORTH_SEARCHING = 2


@dataclass(frozen=True, slots=True)
class Copy:
    """Where the words of a fact stand besides the fact itself.

    ``name``: for the journal, without personal data. ``title``: in the reader's language. ``empty``: destroys this copy, given
    the reason, at and by; None: it stays as it is (a document that was frozen or left the house).
    """

    name: str
    title: str
    link: str = ""
    empty: Callable[[str, datetime, User], None] | None = None


# A room above tells which copies it holds.
Source = Callable[[Fact], Iterable[Copy]]
_sources: list[Source] = []


def register_copies(source: Source) -> None:
    """Let ``source`` name the copies that it knows of a fact."""
    if source not in _sources:
        _sources.append(source)


def copies(fact: Fact) -> list[Copy]:
    """Everywhere the words of ``fact`` stand, as far as the house can tell."""
    found = [*_adoptions(fact), *_papers(fact), *_others(fact)]
    found += [copy for source in _sources for copy in source(fact)]
    return [*found, *_bundles(fact)]


def fact_redact(*, fact: Fact, reason: str, at: datetime, by: User) -> Fact:
    """Destroy value, label, source and note of ``fact``, and the salt with them; the salted digest stays. So do its copies:
    adoptions of it, working papers of classifications, drafts. Frozen documents stay; the journal names them.

    The fact no longer counts. One on which duties rest must be corrected or taken back first, so that no clock moves by
    redaction.

    Raises:
        NotPermitted: the house's table of roles does not let ``by`` redact.
        BadInput: no reason.
        Refused: redacted already, or duties still rest on it.
    """
    with changing(fact.incident, at=at) as locked:
        access.require_redact(by, locked, at=at)
        text = required_text(reason, field="reason", at_least=5)
        held = Fact.objects.get(pk=fact.pk)
        obstacle = why_not(held, at=at)
        if obstacle is not None:
            raise obstacle
        found = copies(held)
        for copy in found:
            if copy.empty is not None:
                copy.empty(text, at, by)
        _destroy(held, locked, text, found, at=at, by=by)
        return Fact.objects.get(pk=held.pk)


def why_not(fact: Fact, *, at: datetime) -> Refused | None:
    """Why ``fact`` cannot be redacted at ``at``; None when it can."""
    if fact.redacted_at is not None:
        return Refused(_("This fact was redacted already."), code="already_redacted")
    # An adoption counts only as long as what it adopts does.
    if _duties_rest_on(fact, fact.incident, at=at):
        return Refused(
            _("Duties rest on this fact. Record a corrected one or take it back first; then redact it."),
            code="fact_still_counts",
        )
    return None


def _destroy(fact: Fact, incident: Incident, reason: str, found: Iterable[Copy], *, at: datetime, by: User) -> None:
    Fact.objects.filter(pk=fact.pk).update(
        value=None, label="", source="", note="", salt="", redacted_at=at, redacted_by=by, redaction_reason=reason
    )
    journal.write(
        incident=incident,
        at=at,
        by=by,
        action="fact.redacted",
        subject=fact_subject(fact),
        old=journal.Digest(fact.digest),
        new=reason,
        detail={
            "kept": digest(kept(fact)),
            "emptied": [copy.name for copy in found if copy.empty is not None],
            "still_in": [copy.name for copy in found if copy.empty is None],
        },
    )


def _adoptions(fact: Fact) -> Iterator[Copy]:
    """The adoption of a contested moment repeats moment and label."""
    for row in fact.adoptions.filter(redacted_at=None).order_by("number"):
        title = gettext("Fact %(number)d: the adoption of this moment") % {"number": row.number}
        yield Copy(f"fact:{row.number}", title, empty=partial(_empty_adoption, row))


def _empty_adoption(row: Fact, reason: str, at: datetime, by: User) -> None:
    _destroy(row, row.incident, reason, (), at=at, by=by)


def _papers(fact: Fact) -> Iterator[Copy]:
    """Classifications that were worked out with the value of ``fact``, or repeat its words."""
    rows = fact.incident.classifications.filter(redacted_at=None, adopted_at__gte=fact.recorded_at)
    if fact.entity_id is not None:
        rows = rows.filter(entity=fact.entity_id)
    for number, row in enumerate(rows.select_related("entity"), 1):
        answered = row.answers.get("facts", {}).get(fact.name, ...) == fact.value
        if answered or words_stand_in(fact, [row.answers, row.proposal, row.reason]):
            title = gettext("Working papers of a classification (%(method)s), adopted as “%(level)s”")
            language = get_language() or "en"
            said = {
                "method": LocalText(**row.proposal["title"]).get(language),
                "level": LocalText(**row.level["text"]).get(language),
            }
            link = reverse("incidents:score", args=[fact.incident.code, row.method])
            yield Copy(f"classification {row.method} {number}", title % said, link, partial(_empty_paper, row))


def _others(fact: Fact) -> Iterator[Copy]:
    """Facts that repeat its words, such as a reason that quotes it: each is for a person to judge."""
    for row in fact.incident.facts.filter(redacted_at=None).exclude(pk=fact.pk).exclude(adopts=fact).order_by("number"):
        if words_stand_in(fact, [row.value, row.label, row.source, row.note]):
            title = gettext("Fact %(number)d repeats the words: redact it as well if it has to go")
            link = reverse("incidents:redact", args=[fact.incident.code, row.number])
            yield Copy(f"fact:{row.number}", title % {"number": row.number}, link)


def words_stand_in(fact: Fact, held: object) -> bool:
    """Whether a text of ``fact`` stands in ``held`` (plain JSON), word for word."""
    text = json.dumps(held, ensure_ascii=False)
    definition = get_library().facts.get(fact.name)
    said = [fact.label, fact.value if definition is not None and definition.type == "text" else None]
    texts = [item for item in said if isinstance(item, str) and len(item) >= WORTH_SEARCHING]
    return any(json.dumps(item, ensure_ascii=False)[1:-1] in text for item in texts)


def _empty_paper(row: Classification, reason: str, at: datetime, by: User) -> None:
    outcome = {key: row.proposal[key] for key in KEPT if key in row.proposal}
    Classification.objects.filter(pk=row.pk).update(
        answers={}, proposal={**outcome, **EMPTY}, reason="", salt="",
        redacted_at=at, redacted_by=by, redaction_reason=reason,
    )  # fmt: skip
    journal.write(
        incident=row.incident,
        at=at,
        by=by,
        action="classification.redacted",
        subject=f"classification {row.method}",
        new=reason,
        detail={"entity": row.entity.key, "chosen": row.chosen},
    )


def _bundles(fact: Fact) -> Iterator[Copy]:
    """Evidence bundles that left the house with it."""
    entries = JournalEntry.objects.filter(
        chain=journal.SYSTEM_CHAIN, action="incident.exported", subject=fact.incident.code, at__gte=fact.recorded_at
    )
    for entry in entries.order_by("sequence"):
        title = gettext("Evidence bundle %(digest)s, taken out of the house on %(day)s") % {
            "digest": entry.detail["digest"][:12], "day": entry.at.date().isoformat(),
        }  # fmt: skip
        yield Copy(f"bundle {entry.detail['digest'][:12]}", title)


def _duties_rest_on(fact: Fact, incident: Incident, *, at: datetime) -> bool:
    definition = get_library().facts.get(fact.name)
    if definition is not None and not definition.legal:
        return False
    places = [fact.entity] if fact.entity else [None, *incident.entities.all()]
    standing = (sheets.standing(incident, place, as_of=at).get(fact.name, []) for place in places)
    return any(row.pk == fact.pk for rows in standing for row in rows)
