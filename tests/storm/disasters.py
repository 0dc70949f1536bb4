"""What is done to the machines: killed, flushed, closed, filled, set wrong; and the dead are raised again a moment later."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.storm import disk
from tests.storm.machines import Storm
from tests.storm.options import DISASTERS, plan

MAIL_MOODS = {"mail refused": "refuse", "mail hangs": "hang", "mail taken without an answer": "mute"}
WEB_MOODS = {"webhook refused": "refuse", "webhook hangs": "hang"}
# By how many seconds a clock is stepped: a lifetime of a deadline, and hardly more than is let pass.
STEPS = (86400, 3600, 60, -60, -3600)


def wreck(storm: Storm) -> None:
    """Kill what the plan says when it says so; the dead are raised again a moment later."""
    from compliance import clock

    begun = time.monotonic()
    for part, name, chance in plan(storm.options, DISASTERS, storm.options.kills, "kills"):
        while time.monotonic() - begun < part * storm.options.seconds:
            time.sleep(0.05)
            storm.keep_running()
        at = clock.now()
        if _strike(storm, name, chance):
            storm.killed[name] += 1
        storm.keep_running()
        storm.outages.append((at, clock.now()))
    storm.mail.handler.mood = storm.web.mood = ""
    storm.step_clock(0)
    if storm.disk is not None:
        disk.clear(storm.disk)


def _strike(storm: Storm, name: str, chance: float) -> bool:
    if name == "worker's child killed":
        return _kill_child(storm, chance)
    if name in ("worker killed", "beat killed"):
        kind, many = ("worker", storm.options.workers) if name == "worker killed" else ("beat", storm.options.beats)
        storm.running[f"{kind}-{int(chance * many)}"].kill()
    elif name == "Redis killed":
        storm.redis.kill()
        time.sleep(0.3 + chance)
        storm.redis.start()
    elif name == "Redis flushed":
        import redis

        redis.Redis.from_url(storm.redis.url).flushall()
    elif name == "PostgreSQL stopped at once":
        storm.postgres.crash()
        time.sleep(0.3 + chance)
        storm.postgres.again()
    else:
        return _trouble(storm, name, chance)
    return True


def _trouble(storm: Storm, name: str, chance: float) -> bool:
    """What lasts for a while and ends by itself. The clock and the disk: longer, so that something meets them."""
    if name in MAIL_MOODS:
        storm.mail.handler.mood = MAIL_MOODS[name]
        _later(1 + 2 * chance, lambda: setattr(storm.mail.handler, "mood", ""))
    elif name in WEB_MOODS:
        storm.web.mood = WEB_MOODS[name]
        _later(1 + 2 * chance, lambda: setattr(storm.web, "mood", ""))
    elif name == "mail port closed":
        storm.mail.close()
        time.sleep(0.3 + chance)
        storm.mail.open()
    elif name == "clock stepped":
        storm.step_clock(STEPS[int(chance * len(STEPS))])
        _later(4 + 4 * chance, lambda: storm.step_clock(0))
    elif storm.disk is None:
        return False
    else:
        place = storm.disk
        disk.fill(place)
        _later(2 + 3 * chance, lambda: disk.clear(place))
    return True


def _later(seconds: float, what: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, what)
    timer.daemon = True
    timer.start()


def _kill_child(storm: Storm, chance: float) -> bool:
    """kill -9 of the process that does a worker's work, most likely with a timer or a message in hand."""
    workers = [server for name, server in sorted(storm.running.items()) if name.startswith("worker")]
    for turn in range(len(workers)):
        process = workers[(int(chance * len(workers)) + turn) % len(workers)].process
        children = _children(process.pid) if process is not None and process.poll() is None else []
        if children:
            os.kill(children[0], signal.SIGKILL)
            return True
    return False


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
