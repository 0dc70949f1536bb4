"""Running incidents re-assessed after a release of the law: time, memory, and the ratio to plain SQL reading the same rows.

python -m tests.bench_review [INCIDENTS]            (make bench)
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

WORKERS = 2
AT = datetime(2026, 11, 2, 3, tzinfo=UTC)
READ = (
    "select * from incidents_fact where incident_id = %s order by number",
    "select * from incidents_peoplecount where incident_id = %s order by recorded_at, id",
    "select * from incidents_obligation where incident_id = %s order by id",
    "select * from incidents_ruledecision where incident_id = %s",
)


def _ready() -> None:
    import django

    django.setup()


def fill(count: int) -> None:
    """One incident through the real services, and copies of it."""
    from incidents import services
    from incidents.models import Fact, Incident, Obligation
    from tests.factories import make_company

    company = make_company()
    first = services.incident_report(
        title="Web shell", summary="", entities=[company.entity], at=AT, by=company.owner, known_at=AT, is_cyber=True
    )
    services.fact_record(incident=first, name="leak.confirmed", value=True, at=AT, by=company.owner)
    facts, duties = list(first.facts.all()), list(first.obligations.all())
    for begin in range(0, count - 1, 1000):
        made = Incident.objects.bulk_create(
            [
                Incident(code=f"B-{number}", title="Web shell", reported_at=AT, law_digest=first.law_digest, law_at=AT)
                for number in range(begin, min(begin + 1000, count - 1))
            ]
        )
        through = Incident.entities.through
        through.objects.bulk_create([through(incident=item, entity=company.entity) for item in made])
        Fact.objects.bulk_create([_copy(row, item) for item in made for row in facts])
        Obligation.objects.bulk_create([_copy(row, item) for item in made for row in duties])


def _copy(row: Any, incident: Any) -> Any:
    values = {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.attname != "id"
    }
    return type(row)(**{**values, "incident_id": incident.pk})


def review(part: int) -> None:
    """Every second incident: what the newer law would change."""
    from incidents import services
    from incidents.models import Incident

    begun, effects, count, early = time.perf_counter(), 0, 0, 0
    for incident in Incident.objects.filter(pk__in=_share(part)).iterator(chunk_size=200):
        effects += len(services.law_preview(incident=incident, at=AT + timedelta(hours=1)))
        count += 1
        if count == 200:
            early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = time.perf_counter() - begun
    late = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(f"{count} {effects} {seconds} {early // 1024} {late // 1024}\n")


def _share(part: int) -> list[int]:
    from incidents.models import Incident

    return list(Incident.objects.order_by("pk").values_list("pk", flat=True))[part::WORKERS]


def plain(part: int) -> None:
    """The same rows in plain SQL."""
    from django.db import connection

    begun = time.perf_counter()
    with connection.cursor() as cursor:
        for pk in _share(part):
            for statement in READ:
                cursor.execute(statement, [pk])
                cursor.fetchall()
    sys.stdout.write(f"{time.perf_counter() - begun}\n")


def _both(what: str) -> tuple[float, list[str]]:
    begun = time.perf_counter()
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.bench_review", what, str(part)], stdout=subprocess.PIPE, text=True
        )
        for part in range(WORKERS)
    ]
    said = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise SystemExit("a worker failed")
    return time.perf_counter() - begun, said


def main(count: int) -> None:
    """Start PostgreSQL, fill it, release new law, review."""
    from compliance.library import LAW
    from tests.servers import Postgres

    with tempfile.TemporaryDirectory(prefix="breachclock-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "postgres").mkdir()
        server = Postgres(folder / "postgres").start()
        try:
            os.environ |= {
                "DATABASE_URL": server.url(), "BREACHCLOCK_VAR": str(folder / "var"),
                "DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "only-for-benchmarks-" + "x" * 40,
        "BREACHCLOCK_KEY_COMMAND": "echo bench AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            }  # fmt: skip
            import psycopg

            psycopg.connect(server.url("postgres"), autocommit=True).execute("create database breachclock")
            _ready()
            from django.core.management import call_command

            call_command("migrate", verbosity=0)
            fill(count)
            shutil.copytree(LAW, folder / "law")
            report = folder / "law" / "kr" / "network-act" / "incident-report.yaml"
            report.write_text(report.read_text(encoding="utf-8").replace("within: 24", "within: 12"), encoding="utf-8")
            os.environ["BREACHCLOCK_LAW"] = str(folder / "law")
            seconds, said = _both("review")
            plain_seconds, _ = _both("plain")
            done = [line.split() for line in said]
            memory = ", ".join(f"{row[3]} MB after 200, {row[4]} MB at the end" for row in done)
            sys.stdout.write(
                f"{sum(int(row[0]) for row in done)} incidents re-assessed under two releases by {WORKERS} processes: "
                f"{seconds:.1f} s with their start, {sum(int(row[1]) for row in done)} effects; "
                f"plain SQL reading the same rows: {plain_seconds:.1f} s ({seconds / plain_seconds:.1f} x); {memory}\n"
            )
        finally:
            server.stop()


if __name__ == "__main__":
    if sys.argv[1:2] in (["review"], ["plain"]):
        _ready()
        {"review": review, "plain": plain}[sys.argv[1]](int(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
