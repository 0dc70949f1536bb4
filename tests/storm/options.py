"""What a storm is made of: how long, how many, which disasters and deeds, and when. The seed decides all of it."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.times import kst

START = kst("2025-09-16 13:30")
# Simulated seconds per second. Not more: a claim on a message is good for two simulated minutes, and must outlast a sending.
SPEED = 20
NUDGE_SECONDS = 0.5
MAIL_TIMEOUT = 2
# So many seconds may nothing move at the end: longer than the longest wait between two attempts.
PATIENCE = 150
RUN_UP = 10
# How often each kind of disaster comes, out of the sum.
DISASTERS = {
    "worker's child killed": 40, "worker killed": 12, "beat killed": 8, "Redis killed": 6, "Redis flushed": 6,
    "PostgreSQL stopped at once": 5, "mail refused": 4, "mail hangs": 4, "mail taken without an answer": 4,
    "mail port closed": 4, "webhook refused": 3, "webhook hangs": 3, "disk full": 6, "clock stepped": 6,
}  # fmt: skip
DEEDS = {"known earlier": 5, "known later": 3, "fact": 4, "people": 3, "filing": 5, "draft": 1, "document": 6, "anchor": 1,
         "acknowledge": 5, "preserve": 3, "evidence": 3, "incident": 1}  # fmt: skip


@dataclass
class Options:
    """What was asked for on the command line."""

    seconds: float = 180
    seed: int = 0
    incidents: int = 120
    workers: int = 4
    beats: int = 2
    kills: int = 120

    @property
    def again(self) -> str:
        """The arguments that make the same plan once more."""
        return " ".join(f"--{name} {value:g}" for name, value in vars(self).items())

    @property
    def end(self) -> datetime:
        """When the storm is over, by the simulated clock."""
        return START + timedelta(seconds=SPEED * self.seconds)


def plan(options: Options, what: dict[str, int], count: int, seed: str) -> list[tuple[float, str, float]]:
    """``count`` happenings: at which part of the hour, what, and a number that decides the rest."""
    chance = random.Random(f"{options.seed}:{seed}")
    names = chance.choices(list(what), weights=list(what.values()), k=count)
    if count >= len(what):
        names[: len(what)] = list(what)  # each at least once
        chance.shuffle(names)
    return [
        (at, name, chance.random())
        for at, name in zip(sorted(chance.uniform(0.03, 1) for _ in names), names, strict=True)
    ]
