"""Settings that make no sense stop the start with one line: name, value, what was expected."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT


def check(tmp_path: Path, **given: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in ("SECRET_KEY", "DATABASE_URL")}
    env |= {"BREACHCLOCK_VAR": str(tmp_path), **given}
    return subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"DEBUG": "perhaps"}, "settings: DEBUG: 'perhaps': expected yes or no"),
        ({"BREACHCLOCK_NUDGE_SECONDS": "often"}, "settings: BREACHCLOCK_NUDGE_SECONDS: 'often': expected a number"),
        ({"BREACHCLOCK_NUDGE_SECONDS": "0"}, "settings: BREACHCLOCK_NUDGE_SECONDS: '0': expected at least 0.2"),
        ({"SECRET_KEY": "short"}, "settings: SECRET_KEY: expected at least 40 random characters"),
        ({"SECRET_KEY_FILE": "/nowhere"}, "settings: SECRET_KEY_FILE: /nowhere: expected a readable file"),
        (
            {"DATABASE_URL": "postgres://x@127.0.0.1:1/x"},
            "settings: SECRET_KEY: expected one (or SECRET_KEY_FILE) when DATABASE_URL is set",
        ),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(tmp_path: Path, given: dict[str, str], line: str) -> None:
    done = check(tmp_path, **given)
    assert (done.returncode, done.stderr.strip()) == (2, line)


def test_the_embedded_default_needs_no_settings_and_keeps_its_secret_to_itself(tmp_path: Path) -> None:
    assert check(tmp_path).returncode == 0
    key = tmp_path / "secret_key"
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_text()
    assert check(tmp_path).returncode == 0
    assert key.read_text() == before


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s" * 50 + "\n")
    assert check(tmp_path, SECRET_KEY_FILE=str(tmp_path / "secret")).returncode == 0
