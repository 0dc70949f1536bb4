"""Ways to reach people: mail, chat and pagers, signed webhooks. Look-alike modules, found by their kind.

Each module registers one :class:`Channel`. ``send`` takes a row of the outbox and either returns (the other side has
taken it) or raises :class:`Undelivered`. It never writes to the database and never puts an address into a log.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from incidents.models import OutboxMessage

MAIL, CHAT, WEBHOOK = "email", "apprise", "webhook"


class Undelivered(Exception):
    """The other side did not take the message.

    ``code`` is short and holds nothing of the address or the answer. ``permanent``: trying again soon is pointless.
    ``unreachable``: nobody answered, so that whatever else goes the same way can wait for the next run.
    """

    def __init__(self, code: str, *, permanent: bool = False, unreachable: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.permanent = permanent
        self.unreachable = unreachable


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach somebody.

    ``check`` raises :class:`compliance.errors.BadInput` for a target that cannot be right; ``shown`` is the little of
    a target that may be shown again.
    """

    kind: str
    send: Callable[["OutboxMessage", datetime], None]
    check: Callable[[str], None]
    shown: Callable[[str], str]


_channels: dict[str, Channel] = {}


def register(channel: Channel) -> None:
    """Let ``channel`` carry the messages of its kind."""
    _channels[channel.kind] = channel


def channel_of(kind: str) -> Channel:
    """The channel of ``kind``.

    Raises:
        Undelivered: no such channel is there (a row written by a newer version).
    """
    if kind not in _channels:
        raise Undelivered("no such channel", permanent=True)
    return _channels[kind]
