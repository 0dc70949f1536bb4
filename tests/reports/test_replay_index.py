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

SCENARIO = ROOT / "incidents/scenarios/multinational-2026.yaml"
# Here some of the states; `make multinational` plays them all. Georgia's law binds information brokers and public bodies.
STATES = ("US-CA", "US-GA", "US-MN", "US-NY", "US-PR", "US-TX", "US-VT")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("multinational")
    scenario = out.with_suffix(".yaml")
    text, cut = re.subn(r"US-AL,.*?US-VI,", ", ".join(STATES) + ",", SCENARIO.read_text(encoding="utf-8"), flags=re.S)
    assert cut == 1
    scenario.write_text(text, encoding="utf-8")
    command = [sys.executable, "manage.py", "replay", str(scenario), "--format", "json", "--quiet", "--out", str(out)]
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
    states = {f"us.{state[3:].lower()}.breach" for state in STATES} - {"us.ga.breach"}
    assert {rule for rule in met if re.fullmatch(r"us\.[a-z]{2}\.breach", rule)} == states


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
