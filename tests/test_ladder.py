"""Arrows only point down, and nobody but the clock reads the clock."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.servers import ROOT

CLOCK = ROOT / "compliance" / "clock.py"
ROOMS = ("compliance", "incidents", "reports", "config")
READERS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("timezone", "now"),
    ("time", "time"),
    ("timezone", "localtime"),
}


def test_imports_keep_the_ladder() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_only_the_clock_reads_the_clock() -> None:
    found = []
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if path == CLOCK:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and (node.value.id, node.attr) in READERS
                ):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def test_the_engine_can_be_imported_without_django() -> None:
    code = "import sys; import compliance.engine; sys.exit(any(name.startswith('django') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
