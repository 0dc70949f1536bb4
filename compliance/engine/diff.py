"""What changes between the duties held and the duties as now computed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from compliance.engine.types import Duty, Standard, Status

Identity = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Held:
    """A duty as it is held. ``open``: neither met nor settled otherwise."""

    identity: Identity
    status: Status
    due_at: datetime | None
    starts_at: datetime | None
    standard: Standard | str
    open: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What to do about one duty. ``duty`` is None when the law no longer names it at all."""

    kind: str
    identity: Identity
    duty: Duty | None


def diff(held: Iterable[Held], assessed: Iterable[Duty]) -> tuple[Change, ...]:
    """One change for every duty held or asked for: open, retime, harden, soften, lapse, revive, vanish or same."""
    before = {item.identity: item for item in held}
    after = {duty.identity: duty for duty in assessed}
    changes = []
    for identity, duty in after.items():
        if identity in before:
            changes.append(Change(_kind(before[identity], duty), identity, duty))
        elif duty.status != Status.NOT_REQUIRED:
            changes.append(Change("open", identity, duty))
    changes += [Change("vanish", identity, None) for identity in before if identity not in after]
    return tuple(changes)


def _kind(held: Held, duty: Duty) -> str:
    moves = {
        (Status.POSSIBLE, Status.REQUIRED): "harden",
        (Status.REQUIRED, Status.POSSIBLE): "soften",
        (Status.NOT_REQUIRED, Status.REQUIRED): "revive",
        (Status.NOT_REQUIRED, Status.POSSIBLE): "revive",
    }
    if duty.status == Status.NOT_REQUIRED:
        return "lapse" if held.status != Status.NOT_REQUIRED else "same"
    if held.status != duty.status:
        return moves[(held.status, duty.status)]
    return "retime" if (held.due_at, held.starts_at) != (duty.due_at, duty.starts_at) else "same"
