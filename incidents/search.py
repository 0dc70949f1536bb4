"""Searching in what a person may see: incidents, facts, systems, evidence, the journal, and what the room above adds.

Columns that are readable are asked by the database, with parts of words, so that Korean is found without knowing where its words
end. The words of facts are encrypted at rest and no database finds anything in them: the newest of them are opened and read here.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from compliance.engine import FactDef
from compliance.library import get_library
from incidents import access, journal
from incidents.models import AffectedSystem, Evidence, Fact, Incident, JournalEntry, JournalHead

SHORTEST, LONGEST = 2, 100
SHOWN = 20
# How many facts (or filings) are opened for one question, newest first.
MOST_OPENED = 3000
AROUND = 60
ENTRIES_ON_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found: where it leads, what it is, and the words around what was looked for."""

    url: str
    code: str
    title: str
    before: str = ""
    match: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind. ``more``: there is more than is shown."""

    key: str
    title: str
    hits: list[Hit]
    more: bool


Source = Callable[[User, QuerySet[Incident], str], Group]
_sources: list[Source] = []


def register_search(source: Source) -> None:
    """Let a room above search in what is its own: for whom, in which incidents, for which words."""
    if source not in _sources:
        _sources.append(source)


def find(user: User, words: str) -> list[Group]:
    """What ``user`` may see that holds ``words``, by kind; kinds with nothing are left out."""
    visible = Incident.objects.filter(pk__in=access.visible_incidents(user).order_by().values("pk"))
    groups = [source(user, visible, words) for source in (_incidents, _facts, *_sources, _systems, _evidence, _journal)]
    return [group for group in groups if group.hits]


def group(key: str, title: str, hits: Iterable[Hit]) -> Group:
    """The first of ``hits``."""
    found: list[Hit] = []
    for hit in hits:
        if len(found) == SHOWN:
            return Group(key, title, found, more=True)
        found.append(hit)
    return Group(key, title, found, more=False)


def hit(url: str, code: str, title: str, words: str, texts: Iterable[str]) -> Hit:
    """A hit with the surroundings of ``words`` in the first of ``texts`` that holds them."""
    for text in texts:
        place = text.lower().find(words.lower())
        if place >= 0:
            end = place + len(words)
            before = ("…" if place > AROUND else "") + text[max(0, place - AROUND) : place]
            after = text[end : end + AROUND] + ("…" if len(text) > end + AROUND else "")
            return Hit(url, code, title, before, text[place:end], after)
    return Hit(url, code, title)


def holds(words: str, texts: Iterable[object]) -> bool:
    """Whether one of ``texts`` holds ``words``, large or small."""
    wanted = words.lower()
    return any(wanted in str(text).lower() for text in texts if text)


def page_of(code: str, anchor: str = "") -> str:
    """The address of an incident's page."""
    return reverse("incidents:incident", args=[code]) + anchor


def _incidents(user: User, visible: QuerySet[Incident], words: str) -> Group:
    asked = Q(code__icontains=words) | Q(title__icontains=words) | Q(summary__icontains=words)
    rows = visible.filter(asked).order_by("-reported_at", "-pk")[: SHOWN + 1]
    found = (hit(page_of(row.code), row.code, row.title, words, [row.code, row.title, row.summary]) for row in rows)
    return group("incidents", _("Incidents"), found)


def _facts(user: User, visible: QuerySet[Incident], words: str) -> Group:
    rows = Fact.objects.filter(incident__in=visible, redacted_at=None).select_related("incident")
    return group("facts", _("Facts"), _opened(rows.order_by("-recorded_at", "-pk")[:MOST_OPENED].iterator(), words))


def _opened(rows: Iterable[Fact], words: str) -> Iterator[Hit]:
    known, language = get_library().facts, get_language() or "en"
    named = {name for name, item in known.items() if holds(words, (item.label.ko, item.label.en, name))}
    for row in rows:
        texts = [row.label, row.note, row.source, *_values(known.get(row.name), row.value)]
        if row.name in named or holds(words, texts):
            definition = known.get(row.name)
            title = f"#{row.number} {definition.label.get(language) if definition else row.name}"
            yield hit(page_of(row.incident.code, "#facts"), row.incident.code, title, words, texts)


def _values(definition: FactDef | None, value: object) -> list[str]:
    """The words of a value: a text as it is, a choice by what it is called."""
    language = get_language() or "en"
    if definition is None or not isinstance(value, str | list):
        return []
    picked = value if isinstance(value, list) else [value]
    return [definition.choices[item].get(language) if item in definition.choices else str(item) for item in picked]


def _systems(user: User, visible: QuerySet[Incident], words: str) -> Group:
    asked = (
        Q(name__icontains=words) | Q(address__icontains=words) | Q(note__icontains=words) | Q(finding__icontains=words)
    )
    rows = AffectedSystem.objects.filter(asked, incident__in=visible).select_related("incident").order_by("-pk")
    found = (
        hit(_system_url(row), row.incident.code, row.name, words, [row.name, row.address, row.note, row.finding])
        for row in rows[: SHOWN + 1]
    )
    return group("systems", _("Affected systems"), found)


def _system_url(row: AffectedSystem) -> str:
    query = urlencode({"q": row.name})
    return f"{reverse('incidents:systems', args=[row.incident.code])}?{query}#system-{row.pk}"


def _evidence(user: User, visible: QuerySet[Incident], words: str) -> Group:
    rows = Evidence.objects.filter(title__icontains=words, incident__in=visible).select_related("incident")
    found = (
        hit(page_of(row.incident.code, "#evidence"), row.incident.code, f"E{row.number}", words, [row.title])
        for row in rows.order_by("-pk")[: SHOWN + 1]
    )
    return group("evidence", _("Evidence"), found)


def _journal(user: User, visible: QuerySet[Incident], words: str) -> Group:
    actions = [action for action, message in journal.ACTIONS.items() if holds(words, (message,))]
    asked = Q(subject__icontains=words) | Q(action__in=actions)
    rows = list(
        JournalEntry.objects.filter(asked, chain__in=visible.values("code")).order_by("-at", "-sequence")[: SHOWN + 1]
    )
    heads = dict(JournalHead.objects.filter(chain__in={row.chain for row in rows}).values_list("chain", "sequence"))
    found = (
        hit(
            _entry_url(row, heads.get(row.chain, row.sequence)),
            row.chain,
            f"{row.sequence}",
            words,
            [str(journal.message(row.action)), row.subject],
        )
        for row in rows
    )
    return group("journal", _("Journal"), found)


def _entry_url(row: JournalEntry, last: int) -> str:
    page = (last - row.sequence) // ENTRIES_ON_A_PAGE + 1
    return f"{reverse('incidents:journal', args=[row.chain])}?page={page}#entry-{row.sequence}"
