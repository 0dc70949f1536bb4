"""A redacted fact and the filings that quote it: drafts are emptied, frozen documents stay and are named."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from incidents import journal, services
from incidents.export.bundle import export_incident
from incidents.models import Fact, JournalEntry
from incidents.services import redaction
from reports import prefill, verification
from tests.factories import kst
from tests.reports.conftest import NARRATIVE, Case

NOW = kst("2025-09-19 09:00")
NAME = NARRATIVE["response.person"]
PHONE = NARRATIVE["response.phone"]


@pytest.fixture(autouse=True)
def _anchors_folder(settings: Any, tmp_path: Path) -> None:
    settings.JOURNAL_ANCHORS = tmp_path / "anchors"


def fact_of(case: Case, name: str = "response.phone") -> Fact:
    return case.incident.facts.get(name=name)


def redact(case: Case, fact: Fact) -> None:
    services.fact_redact(fact=fact, reason="erasure asked for", at=NOW, by=case.company.counsel)


def test_a_draft_is_emptied_of_it_and_says_that_it_is_missing(case: Case) -> None:
    filing = case.draft()
    assert PHONE in json.dumps(filing.values, ensure_ascii=False)
    redact(case, fact_of(case))
    before = filing.edition
    filing.refresh_from_db()
    assert PHONE not in json.dumps(filing.values, ensure_ascii=False)
    assert filing.edition == before + 1
    entry = JournalEntry.objects.get(action="filing.redacted")
    emptied = [filing.values[key] for key in entry.detail["fields"]]
    assert emptied
    assert all(item["value"] is None and item["status"] != prefill.GIVEN for item in emptied)
    assert list(journal.verify()) == []


def test_a_draft_under_review_is_named_and_left_to_its_author(case: Case) -> None:
    filing = case.approved()
    redact(case, fact_of(case))
    before = filing.values
    filing.refresh_from_db()
    assert filing.values == before
    assert JournalEntry.objects.get(action="fact.redacted").detail["still_in"] == [str(filing)]


def test_a_frozen_document_stays_byte_for_byte_and_is_named(case: Case, client: Client) -> None:
    filing = case.frozen()
    client.force_login(case.company.counsel)
    client.cookies["django_language"] = "ko"
    fact = fact_of(case)
    page = client.get(f"/incidents/{case.incident.code}/facts/{fact.number}/redact/").content.decode()
    assert f"확정 문서 {filing}" in page
    before = (filing.statement, filing.values, filing.document.sha256 if filing.document else "")
    redact(case, fact)
    filing.refresh_from_db()
    assert (filing.statement, filing.values, filing.document.sha256 if filing.document else "") == before
    assert list(verification.verify(filing)) == []
    entry = JournalEntry.objects.get(action="fact.redacted")
    assert (entry.detail["still_in"], entry.detail["emptied"]) == ([str(filing)], [])


def test_another_fact_that_quotes_it_is_named(case: Case) -> None:
    given = {"incident": case.incident, "name": "incident.measures", "at": NOW, "by": case.company.owner}
    other = services.fact_record(value=f"{PHONE}로 알림", **given)
    (copy,) = redaction.copies(fact_of(case))
    assert (copy.name, copy.empty) == (f"fact:{other.number}", None)


def test_bundles_that_left_the_house_are_named(case: Case) -> None:
    made = export_incident(case.incident, at=NOW, by=case.company.counsel)
    (copy,) = redaction.copies(fact_of(case))
    assert copy.empty is None
    assert made.digest[:12] in copy.title


def test_a_bundle_taken_afterwards_verifies_by_itself_and_holds_the_words_in_the_filed_document_alone(
    case: Case, tmp_path: Path
) -> None:
    filing = case.frozen()
    services.classification_adopt(
        incident=case.incident, entity=case.company.entity, method="edpb",
        answers={"answers": {}, "reasons": {"factor_type": f"{PHONE}로 들은 대로"}}, chosen="high", reason="전화로 확인",
        at=NOW, by=case.company.cpo,
    )  # fmt: skip
    redact(case, fact_of(case))
    made = export_incident(case.incident, at=NOW, by=case.company.counsel)
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        holding = {name for name in archive.namelist() if PHONE in archive.read(name).decode("utf-8", "ignore")}
    assert holding == {f"filings/F{filing.number}.statement.json", "filings/filing.json"}
    (tmp_path / "bundle.zip").write_bytes(made.content)
    verifier = Path(redaction.__file__).parent.parent / "export" / "verify.py"
    done = subprocess.run(
        [sys.executable, "-I", str(verifier), str(tmp_path / "bundle.zip")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
