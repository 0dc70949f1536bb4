"""Run a program of the project with a clock of its own: python -m tests.storm.stepped FILE celery|django ARGUMENTS...

FILE holds by how many seconds the clock is ahead; it is read again each time, so the clock can be stepped while the program
runs (by replacing the file). Only this process and its children read it. Python's ``time.time`` is what the product reads; unlike a preloaded
library this needs nothing installed, and the programs' own waiting (monotonic) stays right, as it does when an
administrator sets a clock.
"""

import sys
import time
from pathlib import Path

_real = time.time


def step_clock(file: Path) -> None:
    """Let this process's clock be ahead by what stands in ``file``."""

    def stepped() -> float:
        return _real() + float(file.read_text())

    time.time = stepped


def main(file: str, program: str, *arguments: str) -> None:
    """Step the clock and run the program."""
    step_clock(Path(file))
    sys.argv = [program, *arguments]
    if program == "celery":
        from celery.__main__ import main as celery

        celery()
    else:
        import os

        from django.core.management import execute_from_command_line

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main(*sys.argv[1:])
