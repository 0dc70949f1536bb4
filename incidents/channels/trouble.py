"""A message does not arrive: others hear of it, through every channel there is."""

import logging
from collections.abc import Iterable
from datetime import datetime

from compliance.models import Entity, Membership, Role
from incidents import messages, outbox
from incidents.models import OutboxMessage

logger = logging.getLogger("breachclock.outbox")

# Who has to know that somebody was not told.
KEEPERS = (Role.MANAGER, Role.CISO)


def tell_others(lost: OutboxMessage, now: datetime) -> None:
    """Tell the managers, and every endpoint of the entities, that ``lost`` does not arrive.

    A notice about a lost message that is itself lost makes no further one; the board and the health report show both.
    """
    if lost.incident is None or lost.dedupe.startswith(messages.UNDELIVERED):
        return
    letters = [
        outbox.Letter(lost.incident, member, messages.undelivered_message(lost, member, at=now), everywhere=True)
        for entity in lost.incident.entities.order_by("pk")
        for member in _keepers(entity, but=lost.recipient_id)
    ]
    if not letters:
        logger.critical("nobody to tell that messages of incident %s do not arrive", lost.incident.code)
    outbox.enqueue_many(letters, at=now)


def _keepers(entity: Entity, *, but: int | None) -> list[Membership]:
    members = entity.memberships.filter(user__is_active=True).exclude(user=but).select_related("user").order_by("pk")
    return _once(item for item in members if item.role in KEEPERS) or _once(members)


def _once(members: Iterable[Membership]) -> list[Membership]:
    seen: dict[int, Membership] = {}
    for member in members:
        seen.setdefault(member.user_id, member)
    return list(seen.values())


outbox.on_undelivered(tell_others)
