"""The index of a replay, and the multinational: one break-in, six companies, no duty without a document."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reports.replay_index import page
from tests.servers import ROOT, subprocess_env

SCENARIO = "incidents/scenarios/multinational-2026.yaml"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("multinational")
    command = [sys.executable, "manage.py", "replay", SCENARIO, "--format", "json", "--quiet", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, env=subprocess_env(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out, dict(json.loads(done.stdout))


def test_every_required_duty_has_a_frozen_filing(played: tuple[Path, dict[str, Any]]) -> None:
    _out, result = played
    assert {row["why"] for row in result["without_filing"]} <= {"open_question"}
    driving = [row for row in result["clocks"] if row["awareness_candidate"]["driving"]]
    assert {row["status"] for row in driving} == {"met", "met_late", "possible", "not_required"}
    # A filing may answer one duty that two happenings opened.
    assert len({(row["entity"], row["rule"], row["stage"]) for row in driving if row["done_at"]}) == len(
        result["filings"]
    )


def test_every_company_files_and_every_state_of_the_residents_is_answered(
    played: tuple[Path, dict[str, Any]],
) -> None:
    _out, result = played
    assert {row["entity"] for row in result["filings"]} == {
        "seoul", "amsterdam", "frankfurt", "dallas", "tokyo", "singapore"
    }  # fmt: skip
    met = {row["rule"] for row in result["clocks"] if row["entity"] == "dallas" and row["done_at"]}
    # All 54 but Georgia, whose law binds information brokers and public bodies.
    assert len([rule for rule in met if re.fullmatch(r"us\.[a-z]{2}\.breach", rule)]) == 53


def test_the_index_lists_each_filing_with_the_digest_of_its_file(played: tuple[Path, dict[str, Any]]) -> None:
    out, result = played
    index = json.loads((out / "index.json").read_text(encoding="utf-8"))
    html = (out / "index.html").read_text(encoding="utf-8")
    assert [row["sha256"] for row in index["filings"]] == [row["sha256"] for row in result["filings"]]
    assert len(list(out.glob("*.pdf"))) == len(index["filings"])
    for row in index["filings"]:
        path = Path(row["path"])
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
        assert row["sha256"] in html
        assert f'href="{path.name}"' in html


def test_a_late_filing_is_marked_by_word_and_shape(played: tuple[Path, dict[str, Any]]) -> None:
    out, result = played
    assert [row["form"] for row in result["filings"] if row["late_by_minutes"]] == ["us_consumer_reporting_agencies"]
    html = (out / "index.html").read_text(encoding="utf-8")
    assert html.count("▲") == 1
    assert "late: 18 h 30 min" in html


def test_the_index_says_which_duties_have_no_filing_and_why() -> None:
    row = {
        "incident": "X-1", "entity": "x", "entity_name": "<b>X</b>", "rule": "r", "stage": "s", "why": "never_made",
        "title": {"ko": "신고", "en": "Report"}, "authority": {"ko": "기관", "en": "Office"}, "due_at": None,
        "due_zone": "Asia/Seoul", "limit": {"ko": "즉시", "en": "at once"}, "questions": [],
    }  # fmt: skip
    told = {"title": {"ko": "가", "en": "A"}, "until": "2026-01-01T00:00+09:00", "filings": [], "without_filing": [row]}
    english, korean = page(told, "en"), page(told, "ko")
    assert "Never made in the course of events that is replayed." in english
    assert "재현한 경과에서는 이루어지지 않았습니다." in korean
    assert '<html lang="ko">' in korean
    assert "<b>X</b>" not in english
