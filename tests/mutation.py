"""Break the engine in one small place at a time and count the breaks that its tests notice: ``make mutation``.

mutmut works on a copy in ``mutants/``; its settings are in ``pyproject.toml``, what survives and why in ``docs/mutation.md``.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path("mutants")
LEAST_PERCENT = 90


def main(workers: str) -> int:
    """Run all mutants from scratch; 0 when enough of them are killed."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    mutmut("run", "--max-children", workers)
    mutmut("export-cicd-stats")
    found = json.loads((FOLDER / "mutmut-cicd-stats.json").read_text(encoding="utf-8"))
    # A mutant that never ends is noticed too.
    killed, total = found["killed"] + found["timeout"], found["total"]
    untested = f" ({found['no_tests']} of them in code that no chosen test reaches)" if found["no_tests"] else ""
    print(f"killed {killed}, survived {total - killed}{untested}, of {total}: {100 * killed / total:.1f} % killed")
    print("The survivors: mutmut results. One of them: mutmut show NAME")
    return 0 if 100 * killed >= LEAST_PERCENT * total else 1


def mutmut(*arguments: str) -> None:
    """Run mutmut of this very environment; stop when it does."""
    subprocess.run([Path(sys.executable).with_name("mutmut"), *arguments], check=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
