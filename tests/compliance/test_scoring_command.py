"""`manage.py score`: the proposal on standard output, mistakes as one line and exit status 2."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from compliance.engine import LawError
from compliance.engine.scoring import read_answers
from compliance.engine.strict import Node, read_yaml
from compliance.library import LAW
from tests.compliance.scoring import METHODS
from tests.compliance.test_commands import manage
from tests.servers import ROOT, subprocess_env

DORA = """
answers:
  critical_function: true
  clients_affected: 12
  clients_of_service: 100
  downtime_minutes: 180
reasons: {downtime_minutes: counted from the first alarm}
"""


def test_a_file_and_standard_input_give_the_same_proposal(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(DORA, encoding="utf-8")
    from_file = manage("score", "dora", str(path), "--format", "json")
    from_stdin = manage("score", "dora", "-", "--format", "json", stdin=DORA)
    assert from_file.returncode == 0, from_file.stderr
    assert from_file.stdout == from_stdin.stdout
    found = json.loads(from_file.stdout)
    assert (found["status"], found["level"]["key"], found["proposes"]) == ("determined", "major", {"dora.major": True})
    assert found["value"] == {"lowest": "2", "highest": "6"}
    share = next(step for step in found["working"] if step["key"] == "clients_share")
    assert share["answers"] == {"clients_affected": "12", "clients_of_service": "100"}
    assert share["detail"] == [{"ko": "12: 100의 10 % 초과? 예", "en": "12: more than 10 % of 100? yes"}]
    assert share["source"]["provision"]["en"] == "Delegated Reg. 2024/1772 art. 9(1)"


def test_the_table_shows_working_doubts_and_what_is_open_in_korean() -> None:
    done = manage("score", "dora", "-", "--lang", "ko", stdin=DORA)
    assert "제안: 중대한 사고." in done.stdout
    assert "제안하는 사실: dora.major = true" in done.stdout
    assert "downtime_minutes: counted from the first alarm" in done.stdout
    assert "아직 답하지 않은 질문:" in done.stdout
    assert "의문과 한계 (신뢰도 높음):" in done.stdout


def test_an_undetermined_proposal_says_what_holds_until_then() -> None:
    done = manage("score", "hipaa", "-", stdin="answers: {impermissible: true}")
    assert "proposal: undetermined: No breach, or excluded .. Presumed breach" in done.stdout
    assert "Until the assessment is complete, a breach is presumed." in done.stdout
    assert "proposes" not in done.stdout


def test_the_schema_needs_no_file_and_lists_choices_and_data_sets() -> None:
    done = manage("score", "enisa", "--schema")
    answers = json.loads(done.stdout)["properties"]["answers"]["properties"]
    assert answers["confidentiality"]["enum"] == ["exposed", "known", "unknown", None]
    categories = answers["datasets"]["items"]["properties"]["category"]["enum"]
    assert categories == ["simple", "behavioural", "financial", "sensitive", None]


@pytest.mark.parametrize(
    ("method", "text", "line"),
    [
        ("dora", "answers: []", "(standard input): answers: expected a mapping of questions and answers"),
        ("edpb", "answers: {severity: [limited]}", "(standard input): answers.severity: ['limited']: expected one of limited, moderate, serious, very_serious"),
        ("dora", "{}", "(standard input): answers: missing"),
        ("dora", "answers: [", "(standard input): ?: line 2: expected YAML (did not find expected node content)"),
        ("dora", "answers: {medea: true}", "(standard input): answers.medea: unknown key; did you mean media?"),
        ("dora", "answers: {media: yes}", "(standard input): answers.media: 'yes': expected true or false"),
        ("dora", "answers: {clients_affected: -1}", "(standard input): answers.clients_affected: -1: expected a whole number of at least 0"),
        ("dora", "answers: {clients_affected: 1.5}", "(standard input): answers.clients_affected: 1.5: expected a whole number of at least 0"),
        ("dora", "answers: {costs_eur: 100000.01}", "(standard input): answers.costs_eur: 100000.01: expected a whole number, or a decimal in quotes such as \"0.25\""),
        ("dora", "answers: {costs_eur: {at_least: 5, at_most: 4}}", "(standard input): answers.costs_eur.at_most: 4: expected no less than at_least (5)"),
        ("dora", "answers: {clients_affected: 11, clients_of_service: 10}", "(standard input): answers.clients_affected: 11: expected no more than clients_of_service (10)"),
        ("dora", "answers: {}\nreasons: {media: ''}", "(standard input): reasons.media: expected a text, found ''"),
        ("edpb", "answers: {severity: bad}", "(standard input): answers.severity: 'bad': expected one of limited, moderate, serious, very_serious"),
        ("enisa", "answers: {datasets: []}", "(standard input): answers.datasets: expected a list of at least 1"),
        ("enisa", "answers: {datasets: [{category: secret}]}", "(standard input): answers.datasets[0].category: 'secret': expected one of behavioural, financial, sensitive, simple"),
        ("enisa", "answers: {datasets: [{adjustment: 1}]}", "(standard input): answers.datasets[0].adjustment: expected a category beside it"),
        ("enisa", "answers: {datasets: [{category: sensitive, adjustment: 1}]}", "(standard input): answers.datasets[0].adjustment: 1: expected one of -3, -2, -1, 0 (sensitive)"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_answers_says_where(method: str, text: str, line: str) -> None:
    with pytest.raises(LawError) as refused:
        read_answers(Node(read_yaml(text, file="(standard input)"), file="(standard input)", key=""), METHODS[method])
    assert str(refused.value) == line


@pytest.mark.parametrize(
    ("method", "line"),
    [
        ("dora", "(standard input): answers.medea: unknown key; did you mean media?"),
        ("enissa", "score: enissa: unknown method; did you mean enisa?"),
        ("x", "score: x: unknown method; expected one of dora, dora_threat, edpb, enisa, hipaa, nis2"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(method: str, line: str) -> None:
    done = manage("score", method, "-", stdin="answers: {medea: true}")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line + "\n")


def test_a_file_that_is_not_given_or_not_there_is_named() -> None:
    assert manage("score", "dora").stderr == "score: FILE: expected a file, or - for standard input\n"
    done = manage("score", "dora", "/nowhere/x.yaml")
    assert (done.returncode, done.stderr) == (
        2,
        "/nowhere/x.yaml: FILE: expected a readable UTF-8 file (No such file or directory)\n",
    )


def test_a_broken_method_stops_every_command_with_one_line(tmp_path: Path) -> None:
    law = tmp_path / "law"
    shutil.copytree(LAW, law)
    path = law / "scoring" / "edpb.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("risk.level", "risk.levl"), encoding="utf-8")
    env = {**subprocess_env(), "BREACHCLOCK_LAW": str(law)}
    for command in (["law", "list"], ["migrate"], ["score", "dora", "--schema"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert (
            done.stderr
            == "scoring/edpb.yaml: proposes.risk.levl: risk.levl: not a fact of the vocabulary; did you mean risk.level?\n"
        )
