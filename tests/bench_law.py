"""How fast the law answers: ratios measured in one run, ours against the plain library doing the same work.

python -m tests.bench_law            (make bench)
"""

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from compliance.engine import Assessment, EntityProfile, FactSheet, Library, Status, assess
from compliance.engine.cases import reference_entity, reference_sheet
from compliance.engine.library import load_library
from compliance.library import LAW

AT = datetime(2026, 11, 2, 3, tzinfo=UTC)
PLACES = ("KR", "DE", "FR", "US-CA", "US-NY", "JP", "SG")


def timed(work: Callable[[], Any], *, runs: int) -> float:
    """The median of ``runs`` runs, in seconds."""
    work()
    gc.collect()
    taken = []
    for _ in range(runs):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def line(name: str, ours: float, plain: float, what: str) -> None:
    sys.stdout.write(f"{name:58} {ours * 1000:9.2f} ms   {plain * 1000:9.2f} ms   {ours / plain:6.2f} x   {what}\n")


def plain_answers(found: Assessment) -> Callable[[], list[dict[str, Any]]]:
    """As many answers as the engine gives, with the dates already known: the least any program must do for them."""
    wanted = [(duty.rule, duty.stage, duty.status.value, duty.starts_at, duty.due_at) for duty in found.duties]

    def write() -> list[dict[str, Any]]:
        return [
            {
                "rule": rule,
                "stage": stage,
                "status": status,
                "starts_at": starts.isoformat() if starts else None,
                "due_at": (due + timedelta(0)).isoformat() if due else None,
            }
            for rule, stage, status, starts, due in wanted
        ]

    return write


def assessing(library: Library) -> None:
    everything = (reference_entity(library), reference_sheet(library, AT))
    people = tuple(row for row in everything[1].people if row.residence in PLACES)
    bank = EntityProfile(
        key="bank",
        name="Bank",
        roles=("controller", "bank", "financial_entity", "listed_company"),
        sectors=("finance",),
        establishments=("DE-HE",),
        main_establishment="DE-HE",
        markets=PLACES,
    )
    for name, entity, sheet in (
        ("one bank, seven places, all facts", bank, FactSheet(everything[1].facts, people)),
        ("an entity that is everything everywhere, all facts", *everything),
    ):
        found = assess(library, sheet, entity, AT)
        owed = sum(duty.status is not Status.NOT_REQUIRED for duty in found.duties)
        ours = timed(lambda entity=entity, sheet=sheet: assess(library, sheet, entity, AT), runs=60)  # type: ignore[misc]
        plain = timed(plain_answers(found), runs=60)
        line(f"assess: {name}", ours, plain, f"{len(found.duties)} answers, {owed} owed or possible")


def loading(folder: Path) -> None:
    cache = folder / "law.json"
    load_library(LAW, cache=cache)
    texts = [path.read_text(encoding="utf-8") for path in sorted(LAW.rglob("*.yaml")) if path.parent.name != "cases"]
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    from_copy = timed(lambda: load_library(LAW, cache=cache), runs=9)
    plain_json = timed(lambda: json.loads(cache.read_bytes()), runs=9)
    line("load: files unchanged, from the parsed copy", from_copy, plain_json, "against json.loads of the copy")
    from_yaml = timed(lambda: load_library(LAW), runs=3)
    plain_yaml = timed(lambda: [yaml.load(text, Loader=loader) for text in texts], runs=3)
    line("load: files changed, from YAML", from_yaml, plain_yaml, f"against PyYAML on the same {len(texts)} files")


def main() -> None:
    """Print the table."""
    import tempfile

    library = load_library(LAW)
    versions = sum(len(rule.versions) for rule in library.rules.values())
    sys.stdout.write(f"{len(library.rules)} rules, {versions} versions; medians\n")
    sys.stdout.write(f"{'':58} {'ours':>12}   {'plain':>12}   {'ratio':>8}\n")
    assessing(library)
    with tempfile.TemporaryDirectory() as folder:
        loading(Path(folder))


if __name__ == "__main__":
    main()
