"""The demo: the figures the case is known for, accounts that can sign in, and the same documents every time."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT


def demo(folder: Path) -> str:
    env = {**os.environ, "BREACHCLOCK_VAR": str(folder), "DATABASE_URL": "", "TZ": "Asia/Seoul"}
    run = {"cwd": ROOT, "env": env, "capture_output": True, "text": True, "check": True}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], **run)
    return str(subprocess.run([sys.executable, "manage.py", "demo"], **run).stdout)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "pdf").rglob("*.pdf")}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo")
    return folder, demo(folder)


def test_it_prints_the_clocks_the_case_is_known_for(played: tuple[Path, str]) -> None:
    text = played[1]
    assert re.search(
        r"KT-2025-014 .*2025-09-15 14:00 .*2025-09-16 14:00 .*2025-09-18 23:57 .*late by 57 h 57 min", text
    )
    assert len(re.findall(r"^KT-2025-013  Initial incident report", text, re.M)) == 4
    assert re.search(r"KT-2024-01 .*at once .*never reported", text)
    assert len(re.findall(r"^KT-2025-013  Supplementary leak report", text, re.M)) == 2
    assert re.search(r"climbed \d+ steps.*executive.*acknowledged: 0", text)


def test_the_printed_accounts_can_sign_in(played: tuple[Path, str]) -> None:
    folder, text = played
    accounts = re.findall(r"^  (\w+)\s+(\S+)  \w+$", text, re.M)
    assert len(accounts) == 9
    code = (
        "import sys, django; django.setup(); from django.contrib.auth import authenticate;"
        "sys.exit(not all(authenticate(username=a.split('=')[0], password=a.split('=', 1)[1]) for a in sys.argv[1:]))"
    )
    env = {
        **os.environ,
        "BREACHCLOCK_VAR": str(folder),
        "DATABASE_URL": "",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    command = [sys.executable, "-c", code, *(f"{name}={password}" for name, password in accounts)]
    assert subprocess.run(command, cwd=ROOT, env=env, check=False).returncode == 0


def test_running_it_again_gives_the_same_bytes(played: tuple[Path, str], tmp_path: Path) -> None:
    demo(tmp_path)
    assert len(digests(tmp_path)) == 14
    assert digests(tmp_path) == digests(played[0])


def test_it_refuses_a_database_that_is_in_use(played: tuple[Path, str]) -> None:
    env = {**os.environ, "BREACHCLOCK_VAR": str(played[0]), "DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, "manage.py", "demo"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "demo: database: expected an empty one; make demo prepares it\n")
