"""The replays: what the cases of 2025 would have looked like with somebody watching the clock."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compliance.engine import LawError
from compliance.errors import Refused
from incidents import replay, services
from incidents.models import Incident, OutboxMessage
from tests.factories import kst
from tests.servers import ROOT, subprocess_env

SCENARIOS = ROOT / "incidents" / "scenarios"
REPORT = "kr.network-act.incident-report"


def played(name: str) -> dict[str, Any]:
    """What the command prints; it plays in a private database of its own."""
    command = [sys.executable, "manage.py", "replay", f"incidents/scenarios/{name}.yaml", "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, env=subprocess_env(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "timers fired" in done.stderr  # it shows progress while it runs
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def kt() -> dict[str, Any]:
    return played("kt-2025")


@pytest.fixture(scope="module")
def skt() -> dict[str, Any]:
    return played("skt-2025")


def clocks(result: dict[str, Any], incident: str, rule: str = REPORT, stage: str = "initial") -> list[dict[str, Any]]:
    return [row for row in result["clocks"] if (row["incident"], row["rule"], row["stage"]) == (incident, rule, stage)]


def test_the_servers_were_reported_57_hours_and_57_minutes_late(kt: dict[str, Any]) -> None:
    (row,) = clocks(kt, "KT-2025-014")
    assert (row["starts_at"], row["due_at"]) == ("2025-09-15T14:00:00+09:00", "2025-09-16T14:00:00+09:00")
    assert (row["done_at"], row["late_by_minutes"], row["status"]) == (
        "2025-09-18T23:57:00+09:00",
        57 * 60 + 57,
        "met_late",
    )


def test_the_payments_show_the_lateness_under_every_candidate(kt: dict[str, Any]) -> None:
    rows = clocks(kt, "KT-2025-013")
    assert [row["late_by_minutes"] for row in rows] == [153 * 60 + 16, 132 * 60 + 16, 64 * 60 + 16, 0]
    assert [row["awareness_candidate"]["driving"] for row in rows] == [True, False, False, False]


def test_the_malware_of_2024_was_due_at_once_and_never_reported(kt: dict[str, Any]) -> None:
    (row,) = clocks(kt, "KT-2024-01")
    assert (row["standard"], row["version"], row["due_at"]) == ("immediately", "2022-12-11", None)
    assert (row["done_at"], row["status"]) == (None, "never_done")


def test_the_malware_of_2024_climbed_the_whole_ladder(kt: dict[str, Any]) -> None:
    rungs = [
        row["rung"]
        for row in kt["escalations"]
        if row["incident"] == "KT-2024-01" and row["clock"] == f"{REPORT}/initial"
    ]
    assert list(dict.fromkeys(rungs))[:8] == [
        "opened",
        "half",
        "quarter",
        "tenth",
        "due",
        "plus-1h",
        "plus-4h",
        "plus-12h",
    ]
    repeats = [rung for rung in rungs if rung.startswith("repeat")]
    assert repeats == [f"repeat-{number}" for number in range(1, len(repeats) + 1)]
    assert len(repeats) > 90


def test_each_growth_of_the_figure_raised_a_supplement(kt: dict[str, Any]) -> None:
    rows = clocks(kt, "KT-2025-013", "kr.pipa.regulator-report", "supplement")
    assert [(row["starts_at"][:10], row["done_at"][:10]) for row in rows] == [
        ("2025-09-18", "2025-09-18"),
        ("2025-10-17", "2025-10-17"),
    ]


def test_sk_telecom_was_17_hours_and_26_minutes_late_on_the_adopted_awareness(skt: dict[str, Any]) -> None:
    rows = clocks(skt, "SKT-2025-01")
    adopted = rows[0]
    assert adopted["awareness_candidate"]["adopted"]
    assert (adopted["due_at"], adopted["done_at"]) == ("2025-04-19T23:20:00+09:00", "2025-04-20T16:46:00+09:00")
    assert adopted["late_by_minutes"] == 17 * 60 + 26
    assert [row["status"] for row in rows[1:]] == ["met_late", "met"]


def test_playing_twice_gives_the_same_result_down_to_the_documents(skt: dict[str, Any]) -> None:
    assert played("skt-2025") == skt


@pytest.mark.django_db
def test_a_replay_is_marked_from_its_first_moment_and_reaches_nobody() -> None:
    replay.play(replay.load(SCENARIOS / "skt-2025.yaml"))
    assert set(Incident.objects.values_list("kind", flat=True)) == {Incident.Kind.REPLAY}
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {OutboxMessage.State.WITHHELD}
    incident = Incident.objects.get()
    with pytest.raises(Refused) as refused:
        services.incident_confirm(incident=incident, at=kst("2026-11-02 09:00"), by=None)
    assert refused.value.code == "replay_stands_still"
    with pytest.raises(Refused, match="exists already"):
        replay.play(replay.load(SCENARIOS / "skt-2025.yaml"))


MISTAKES = [
    ("incident.is_cyber: true", "incident.is_cybr: true", "steps[2].facts.incident.is_cybr: unknown fact; expected a fact of facts.yaml"),
    ('at: "2025-04-18T23:20+09:00"', 'at: "2025-04-18T17:20+09:00"', "steps[1].at: 2025-04-18T17:20+09:00 is before the step above; expected steps in order of time"),
    ('at: "2025-04-18T23:20+09:00"', 'at: "2025-04-18T23:20"', "steps[1].at: 2025-04-18T23:20: has no time zone. Expected for example 2025-04-18T23:20+09:00"),
    ("do: candidate", "do: candidat", "steps[1].do: 'candidat': expected one of acknowledge, adopt, candidate, close, confirm, decide_dismissal, evidence, facts, file, file_all, late_reason, lose, people, preserve, report, request_dismissal, systems"),
    ("source: boannews, wikitree", "source: boannews, nobody", "steps[1].source: nobody: expected one of wikitree, boannews, ngetnews, segye, newsprime, news1, newsis, ichannela, assumed"),
    ("    why: The finding is documented, the hour of recording is not. Department and telephone are placeholders. No outage is in the sources; 0 minutes is assumed.\n", "", "steps[2].why: an assumed step says why it is assumed"),
    ('until: "2025-08-28T18:00+09:00"', 'until: "2025-08-01T18:00+09:00"', "until: expected an instant not before the last step"),
    ("scenario: skt-2025", "scenaro: skt-2025", "scenaro: unknown key; did you mean scenario?"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES, ids=[message[:40] for *_rest, message in MISTAKES])
def test_a_mistake_in_a_scenario_is_named_by_step_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (SCENARIOS / "skt-2025.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "bad.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(LawError) as refused:
        replay.load(path)
    assert str(refused.value) == f"bad.yaml: {message}"
