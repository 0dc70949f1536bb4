"""Messages that no clock sends: something happened that certain people have to know. Written with the change it tells of."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import override

from compliance.models import Membership
from incidents import messages, outbox
from incidents.models import Incident


@dataclass(frozen=True, slots=True)
class Words:
    """A headline that can stand alone, the particulars by name, what to do, and what kind of news it is for programs."""

    headline: str
    lines: Mapping[str, str]
    todo: str
    type: str
    data: Mapping[str, Any] = field(default_factory=dict)


def tell(
    members: Iterable[Membership], *, incident: Incident, key: str, words: Callable[[Membership], Words], at: datetime
) -> int:
    """Write one message for each person among ``members``, in that person's language; answers how many.

    ``key`` names the news once and for all: telling it again writes nothing. ``words`` is called with the reader's language on.
    """
    readers = {member.user_id: member for member in members if member.user.is_active}
    letters = []
    for member in readers.values():
        with override(member.language):
            letters.append(outbox.Letter(incident, member, _message(words(member), incident, key, member)))
    outbox.enqueue_many(letters, at=at)
    return len(letters)


def _message(said: Words, incident: Incident, key: str, member: Membership) -> outbox.Message:
    data = {
        "type": said.type,
        "incident": {"code": incident.code, "title": incident.title, "kind": str(incident.kind)},
        **said.data,
    }
    return messages.message_of(key, member, said.headline, said.lines, todo=said.todo, incident=incident, data=data)
