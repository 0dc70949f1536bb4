"""A full disk under the mail folder: messages wait and are sent once there is room, and nothing is called sent that was not."""

import errno
import os
import resource
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path

import pytest

from incidents.channels.models import DeliveryAttempt
from incidents.models import Incident, OutboxMessage
from tests import servers
from tests.factories import Company, kst, make_company, make_incident
from tests.storm import disk

AT = kst("2026-11-02 09:00")


def no_room() -> None:
    """In the child: the kernel lets no file grow by a byte (EFBIG, which like ENOSPC is an error of the write)."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def send(var: Path, *, full: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "django", "send_outbox", "--once"], cwd=servers.ROOT, capture_output=True, check=False,
        env=servers.subprocess_env(BREACHCLOCK_VAR=str(var)), preexec_fn=no_room if full else None,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()


def written(var: Path) -> list[str]:
    """The Message-IDs of the whole messages in the mail folder."""
    texts = [path.read_bytes() for path in (var / "mail").glob("*.log") if path.stat().st_size]
    parts = [part.strip() for text in texts for part in text.split(b"\n" + b"-" * 79 + b"\n")]
    return [str(message_from_bytes(part)["Message-ID"]) for part in parts if part]


@pytest.fixture
def incident(transactional_db: None) -> Incident:
    company: Company = make_company()
    return make_incident(company, at=AT, personal_data=False)


def test_messages_wait_for_room_and_are_written_once(incident: Incident, tmp_path: Path) -> None:
    from incidents import timers

    timers.fire_due(now=AT)
    var = tmp_path / "var"
    send(var, full=True)
    assert not OutboxMessage.objects.exclude(state="pending").exists()
    assert set(DeliveryAttempt.objects.values_list("outcome", flat=True)) == {"failed"}
    assert written(var) == []
    OutboxMessage.objects.update(attempt_at=AT)
    send(var, full=False)
    assert not OutboxMessage.objects.exclude(state="sent").exists()
    assert sorted(written(var)) == sorted(OutboxMessage.objects.values_list("message_id", flat=True))


def test_a_filled_small_disk_says_that_there_is_no_room(tmp_path: Path) -> None:
    """As the storm fills it, in a process of its own, since the mount belongs to the process."""
    program = (
        "import sys, pathlib\n"
        "from tests.storm import disk\n"
        "place = pathlib.Path(sys.argv[1])\n"
        "if not disk.mount_small_disk(place, 1):\n"
        "    print('refused'); raise SystemExit\n"
        "disk.fill(place)\n"
        "try:\n"
        "    (place / 'more').write_bytes(b'x' * 100_000)\n"
        "except OSError as error:\n"
        "    print(error.errno)\n"
        "disk.clear(place)\n"
        "print((place / 'more').write_bytes(b'x' * 100_000))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=servers.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() in (["refused"], [str(errno.ENOSPC), "100000"])
    assert not os.path.ismount(tmp_path)
    assert not (tmp_path / disk.FILLER).exists()
