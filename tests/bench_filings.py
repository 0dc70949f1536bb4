"""What a filing costs: from the click to the stored document, against the bare renderer, two hundred in a row, and the largest.

python -m tests.bench_filings [FILINGS]            (make bench)
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

WORKERS, CLICKS, PAIRS = 2, 9, 9
AT = datetime(2026, 11, 2, 3, tzinfo=UTC)


def _ready() -> None:
    import django

    django.setup()


def drafted(company: Any, at: datetime) -> Any:
    """A filing that waits for approval, through the real services."""
    from incidents import services
    from reports import services as reports

    incident = services.incident_report(
        title="Web shell", summary="", entities=[company.entity], at=at, by=company.owner, known_at=at, is_cyber=True
    )
    narrative = {
        "incident.types": ["malware", "web_shell"],
        "incident.summary": "고객센터 웹 서버에서 웹셸이 발견됨",
        "incident.detection_route": "외부 전문업체의 점검 결과를 통보받음",
        "incident.measures": "서버 격리, 로그 보전, 원인 분석 중",
        "response.department": "정보보안단", "response.person": "처리 담당", "response.phone": "02-000-0000",
    }  # fmt: skip
    facts = [{"name": name, "value": value} for name, value in narrative.items()]
    services.facts_record(incident=incident, facts=facts, at=at, by=company.owner)
    duty = incident.obligations.get(rule="kr.network-act.incident-report", stage="initial")
    filing = reports.filing_start(incident=incident, obligations=[duty], at=at, by=company.owner)
    reports.filing_send_to_review(filing=filing, at=at, by=company.owner)
    return filing


def clicks() -> None:
    """Freeze by POST of the person who handles it, as the page does; the answer comes when the document is stored."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from compliance import clock
    from reports import services as reports
    from tests.factories import make_company

    company, taken, asked = make_company(), [], []
    client = Client(headers={"host": "localhost"})
    client.force_login(company.owner)
    for _ in range(CLICKS + 1):
        filing = drafted(company, clock.now() - timedelta(minutes=5))
        reports.filing_approve(filing=filing, at=clock.now(), by=company.counsel)
        address = f"/incidents/{filing.incident.code}/filings/{filing.number}/"
        with CaptureQueriesContext(connection) as queries:
            begun = time.perf_counter()
            client.post(address, {"action": "freeze"})
            taken.append(time.perf_counter() - begun)
        filing = type(filing).objects.get(pk=filing.pk)
        if filing.document is None:
            raise SystemExit(f"{filing} was not frozen: {filing.state}")
        asked.append(len(queries))
    sys.stdout.write(
        f"one filing from click to stored PDF: first {taken[0] * 1000:.0f} ms, then median "
        f"{statistics.median(taken[1:]) * 1000:.0f} ms, {statistics.median(asked[1:]):.0f} queries (aim: under 700 ms)\n"
    )


def pairs() -> None:
    """Our path and bare WeasyPrint on the same page, turn by turn; processor time, which other work on the machine does not lengthen."""
    from weasyprint import HTML

    from compliance.engine import digest
    from reports import render
    from reports.forms import get_form
    from reports.kit import kit_of
    from reports.sample import sample_statement

    for key, stage in (("kr_incident_report", "initial"), ("eu_dora_incident", "final")):
        made = sample_statement(get_form(key), stage)
        kit = kit_of(key, made["form"]["language"])
        page = render.to_html(made, statement_digest=digest(made))
        ours, bare = [], []
        for _ in range(PAIRS + 1):
            begun = time.process_time()
            render.to_pdf(made)
            middle = time.process_time()
            HTML(string=page, base_url=render.ASSETS, url_fetcher=render.PackagedFiles(kit)).write_pdf(
                pdf_variant="pdf/a-3a", pdf_tags=True
            )
            ours.append(middle - begun)
            bare.append(time.process_time() - middle)
        ratio = statistics.median(mine / plain for mine, plain in zip(ours[1:], bare[1:], strict=True))
        sys.stdout.write(
            f"{key} {stage}: {statistics.median(ours[1:]) * 1000:.0f} ms, bare WeasyPrint on the same page "
            f"{statistics.median(bare[1:]) * 1000:.0f} ms, {ratio:.2f} x\n"
        )


def work(count: int) -> None:
    """Documents one after the other; memory at a tenth, the middle and the end."""
    from reports import render
    from reports.forms import get_form
    from reports.sample import sample_statement

    keys = ("kr_incident_report", "kr_leak_report", "eu_gdpr_art33", "jp_ppc_report", "us_state_ag")
    marks, memory = {count // 10, count // 2, count}, []
    for number in range(1, count + 1):
        form = get_form(keys[number % len(keys)])
        render.to_pdf(sample_statement(form, next(iter(form.stages))) | {"filing": f"B/F{number}"})
        if number in marks:
            memory.append(_resident())
    sys.stdout.write(" ".join(str(part) for part in memory) + "\n")


def _resident() -> int:
    """Megabytes in use now, where the system tells; else the most there ever were."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() // 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def many(count: int) -> None:
    begun = time.perf_counter()
    command = [sys.executable, "-m", "tests.bench_filings", "work", str(count // WORKERS)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(WORKERS)]
    said = [process.communicate()[0].split() for process in running]
    if any(process.returncode for process in running):
        raise SystemExit("a worker failed")
    memory = "; ".join(" → ".join(row) + " MB" for row in said)
    sys.stdout.write(f"{count} filings on {WORKERS} workers: {time.perf_counter() - begun:.1f} s; memory {memory}\n")


def main(count: int) -> None:
    """On a PostgreSQL of its own."""
    from tests.servers import Postgres

    with tempfile.TemporaryDirectory(prefix="breachclock-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "postgres").mkdir()
        server = Postgres(folder / "postgres").start()
        try:
            os.environ |= {
                "BREACHCLOCK_SECOND_FACTOR": "offered",
                "DATABASE_URL": server.url(), "BREACHCLOCK_VAR": str(folder / "var"),
                "DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "only-for-benchmarks-" + "x" * 40,
                "BREACHCLOCK_KEY_COMMAND": "echo bench AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            }  # fmt: skip
            import psycopg

            psycopg.connect(server.url("postgres"), autocommit=True).execute("create database breachclock")
            _ready()
            from django.core.management import call_command

            call_command("migrate", verbosity=0)
            clicks()
            pairs()
            many(count)
        finally:
            server.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        _ready()
        work(int(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
