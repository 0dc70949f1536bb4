"""The commands others rely on: answers on standard output, mistakes as one line and exit status 2."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT, subprocess_env

FACTS = """
entity: {key: kt, name: KT, roles: [ict_service_provider, controller], establishments: [KR]}
facts:
  incident.is_cyber: true
  incident.known_at: "2025-09-15T14:00+09:00"
people: [{residence: KR, count: 5561, categories: [phone]}]
"""


def manage(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    env = {**subprocess_env(), "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}  # no database is needed
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=env,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def test_assess_reads_a_file_and_standard_input_alike(tmp_path: Path) -> None:
    path = tmp_path / "facts.yaml"
    path.write_text(FACTS, encoding="utf-8")
    arguments = ("--as-of", "2025-09-16T00:00+09:00", "--format", "json")
    from_file, from_stdin = manage("assess", str(path), *arguments), manage("assess", "-", *arguments, stdin=FACTS)
    assert from_file.returncode == 0, from_file.stderr
    assert from_file.stdout == from_stdin.stdout
    duty = next(
        item for item in json.loads(from_file.stdout)["duties"] if item["rule"] == "kr.network-act.incident-report"
    )
    assert (duty["status"], duty["due_at"], duty["audience"]) == ("required", "2025-09-16T14:00:00+09:00", "regulator")
    assert {
        "starts_at",
        "standard",
        "alternatives",
        "trace",
        "because",
        "questions",
        "citations",
        "confidence",
        "addressees",
    } <= set(duty)


def test_unknown_facts_give_possible_duties_with_questions() -> None:
    done = manage("assess", "-", "--format", "json", stdin="entity: {roles: [controller]}")
    duties = [duty for duty in json.loads(done.stdout)["duties"] if duty["rule"] == "kr.pipa.regulator-report"]
    assert duties[0]["status"] == "possible"
    assert "leak.confirmed" in duties[0]["questions"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("entity: {rols: []}", "(standard input): entity.rols: unknown key; did you mean roles?"),
        ("entity: {}\nfacts: {incident.knwn_at: x}", "(standard input): facts.incident.knwn_at: unknown fact; did you mean incident.known_at?"),
        ('entity: {}\nfacts: {incident.known_at: "2025-09-15T14:00"}', "(standard input): facts.incident.known_at: 2025-09-15T14:00: has no time zone. Expected for example 2025-09-15T14:00+09:00"),
        ("entity: {}\nfacts: {incident.is_cyber: maybe}", "(standard input): facts.incident.is_cyber: 'maybe': expected true or false"),
        ("entity: {}\npeople: [{residence: KR, count: -1}]", "(standard input): people[0].count: -1: expected a whole number of at least 0"),
        ("entity: [", "(standard input): ?: line 2: expected YAML (did not find expected node content)"),
        ("facts: {}", "(standard input): entity: missing"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_facts_is_one_line_and_status_2(text: str, line: str) -> None:
    done = manage("assess", "-", stdin=text)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (2, "", line)


def test_a_file_that_is_not_there_is_named() -> None:
    done = manage("assess", "/nowhere/facts.yaml")
    assert (done.returncode, done.stderr.strip()) == (
        2,
        "/nowhere/facts.yaml: FILE: expected a readable UTF-8 file (No such file or directory)",
    )


def test_the_schema_describes_every_fact() -> None:
    schema = json.loads(manage("assess", "--schema").stdout)
    facts = schema["properties"]["facts"]["properties"]
    assert facts["leak.kinds"]["items"]["enum"] == ["loss", "theft", "leak", "forgery", "alteration", "damage"]
    assert "kr.pipa.regulator-report" in facts["leak.confirmed"]["x-rules"]
    entity = schema["properties"]["entity"]["properties"]
    assert entity["roles"]["items"]["x-labels"]["controller"] == "controller / 개인정보처리자(컨트롤러)"
    assert "incident.known_at" in facts


def test_the_table_speaks_korean() -> None:
    done = manage("assess", "-", "--lang", "ko", stdin=FACTS)
    assert "침해사고 최초신고" in done.stdout
    assert "2025-09-16 14:00 +09:00" in done.stdout


def test_explain_says_why_not() -> None:
    done = manage("assess", "-", "--explain", "kr.pipa.subject-notice", stdin="entity: {roles: []}")
    assert "not required" in done.stdout
    assert "role controller: no" in done.stdout


def test_law_check_passes_and_counts() -> None:
    done = manage("law", "check")
    assert done.returncode == 0, done.stdout
    assert re.search(r"^\d+ instruments, \d+ rules, \d+ versions, \d+ stages, \d+ cases \(\d+ pass\)", done.stdout)


def test_law_coverage_walks_every_quarter() -> None:
    assert len(manage("law", "coverage").stdout.strip().splitlines()) == 24


def test_law_show_of_an_unknown_rule_names_those_there_are() -> None:
    done = manage("law", "show", "kr.nothing")
    assert done.returncode == 2
    assert done.stderr.startswith("law show: kr.nothing: expected one of kr.")
    assert "kr.network-act.incident-report" in done.stderr


def test_broken_law_stops_every_command_with_one_line(tmp_path: Path) -> None:
    law = tmp_path / "law"
    shutil.copytree(ROOT / "compliance" / "law", law)
    path = law / "kr" / "pipa" / "possible-leak.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("kind: notice", "kind: notise"), encoding="utf-8")
    env = {**subprocess_env(), "BREACHCLOCK_LAW": str(law)}
    for command in (["law", "list"], ["migrate"], ["run_timers", "--once"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "kr/pipa/possible-leak.yaml: kind: 'notise': expected one of notice, report\n"


def test_a_scenario_that_is_wrong_is_one_line_and_status_2(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("scenario: x\n", encoding="utf-8")
    done = manage("replay", str(path))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "x.yaml: entities: missing\n")
    assert manage("replay", str(tmp_path / "none.yaml")).stderr.count("\n") == 1
