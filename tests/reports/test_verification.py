"""A changed byte, a missing document, another template: each is found and named; what changed since does not touch what was filed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from incidents.models import Heartbeat
from incidents.services import fact_record
from reports import render, sealed, storage, verification
from reports.drawing import drawn_with
from reports.forms import registry
from reports.models import Filing
from reports.tasks import verify_filings
from tests.factories import later
from tests.reports.conftest import NOW, Case


@pytest.fixture
def filing(case: Case) -> Filing:
    return case.frozen()


def kinds(filing: Filing) -> list[str]:
    row = verification.frozen_filings().get(pk=filing.pk)
    return [fault.kind for fault in verification.verify(row)]


def stored(filing: Filing) -> Path:
    return storage.path_of(filing.document.sha256)


@pytest.fixture
def unsealed(db: None):
    """As somebody with the database's own password could."""
    with connection.cursor() as cursor:
        for line in sealed.removal(connection.vendor):
            cursor.execute(line)


def test_a_frozen_filing_verifies(filing: Filing) -> None:
    assert kinds(filing) == []


def test_a_changed_byte_is_found(filing: Filing) -> None:
    content = bytearray(stored(filing).read_bytes())
    content[len(content) // 2] ^= 1
    stored(filing).write_bytes(bytes(content))
    assert kinds(filing) == ["document_changed", "drawing_differs"]


def test_a_missing_document_is_found(filing: Filing) -> None:
    stored(filing).unlink()
    assert kinds(filing) == ["document_missing"]


def test_a_changed_statement_is_found(filing: Filing, unsealed) -> None:
    statement = filing.statement | {"author": "somebody else"}
    Filing.objects.filter(pk=filing.pk).update(statement=statement)
    assert kinds(filing) == ["statement_changed", "drawing_differs"]


def test_a_changed_template_is_named_and_the_stored_document_stands(
    filing: Filing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "forms"
    for path in registry.FOLDER.rglob("*.html"):
        target = folder / path.relative_to(registry.FOLDER)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text(encoding="utf-8").replace("<body", "<body data-new='1'"), encoding="utf-8")
    for path in (registry.FOLDER / "_shared").glob("*.css"):
        (folder / "_shared" / path.name).write_text(path.read_text(encoding="utf-8") + "\nbody { margin-top: 9mm }")
    monkeypatch.setattr("reports.drawing.FOLDER", folder)
    monkeypatch.setattr("reports.render.FOLDER", folder)
    for cached in (render._engine, render._packaged):
        cached.cache_clear()
    try:
        row = verification.frozen_filings().get(pk=filing.pk)
        (fault,) = verification.verify(row)
    finally:
        monkeypatch.undo()
        for cached in (render._engine, render._packaged):
            cached.cache_clear()
    assert fault.kind == "template_changed"
    assert "shared styles and templates" in fault.detail
    assert kinds(filing) == []


def test_another_version_of_the_renderer_that_draws_the_same_is_no_fault(filing: Filing, unsealed) -> None:
    Filing.objects.filter(pk=filing.pk).update(drawn_with=drawn_with(filing.form) | {"weasyprint": "1.0"})
    assert kinds(filing) == []


def test_labels_names_and_facts_that_change_later_change_nothing(
    filing: Filing, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    fact_record(
        incident=case.incident, name="incident.measures", value="다름", at=later(NOW, hours=1), by=case.company.owner
    )
    type(case.company.entity).objects.update(name="새 이름", name_en="New name")
    form = registry.get_form(filing.form)
    monkeypatch.setattr(type(form.sections[0].fields[0].label), "get", lambda self, language: "새 항목명")
    assert kinds(filing) == []


def test_the_command_ends_with_one_and_names_the_filing(filing: Filing, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_filings")
    stored(filing).unlink()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_filings", "--incident", "2025-014")
    assert ended.value.code == 1
    assert capsys.readouterr().out.startswith("2025-014/F1: document_missing")


def test_the_nightly_check_leaves_a_heartbeat_that_turns_health_red(filing: Filing) -> None:
    stored(filing).unlink()
    assert verify_filings() == 1
    assert Heartbeat.objects.get(name="filings").detail["wrong_since"]


def test_another_process_with_another_zone_and_locale_draws_the_same_bytes(filing: Filing, tmp_path: Path) -> None:
    from compliance.engine import canonical_json

    (tmp_path / "statement.json").write_bytes(canonical_json(filing.statement))
    program = (
        "import django, json, hashlib, sys; django.setup(); from reports.render import to_pdf; "
        "print(hashlib.sha256(to_pdf(json.load(open(sys.argv[1], encoding='utf-8')))).hexdigest())"
    )
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
        "LANGUAGE_CODE": "en",
        "PYTHONHASHSEED": "7",
    }
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "statement.json")],
        env=env, cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == filing.document.sha256
