"""The evidence bundle: complete, the same bytes each time, and no byte of it can be changed unseen."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from incidents import anchors, services, timers
from incidents.export import verify
from incidents.export.bundle import export_incident
from incidents.models import JournalEntry
from tests.factories import kst, later
from tests.reports.conftest import Case

NOW = kst("2026-11-10 09:00")


@pytest.fixture(autouse=True)
def anchors_folder(settings: Any, tmp_path: Path) -> None:
    settings.JOURNAL_ANCHORS = tmp_path / "anchors"


@pytest.fixture
def members(case: Case) -> dict[str, bytes]:
    return unpacked(bundle_of(case))


def bundle_of(case: Case) -> bytes:
    timers.fire_due(now=NOW)
    anchors.anchor_journal(at=NOW)
    return export_incident(case.incident, at=NOW, by=case.company.counsel).content


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def places(members: dict[str, bytes]) -> set[tuple[str, int, str]]:
    return {(fault.place, fault.sequence, fault.kind) for fault in verify.check(members)}


def with_manifest(members: dict[str, bytes]) -> dict[str, bytes]:
    """What a forger does last: digests and manifest that fit again."""
    manifest = json.loads(members["manifest.json"])
    del manifest["digest"]
    for name in manifest["members"]:
        manifest["members"][name] = {"sha256": hashlib.sha256(members[name]).hexdigest(), "size": len(members[name])}
    return {**members, "manifest.json": verify.canonical({**manifest, "digest": verify.digest(manifest)})}


def with_journal(members: dict[str, bytes], entries: list[dict[str, Any]]) -> dict[str, bytes]:
    return with_manifest({**members, "journal.json": verify.canonical(entries)})


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The verifier by itself: no packages, no environment."""
    return subprocess.run(
        [sys.executable, "-I", "-S", *arguments], cwd=folder, capture_output=True, text=True, check=False, env={}
    )


def test_the_bundle_verifies_alone_packed_and_unpacked(case: Case, tmp_path: Path) -> None:
    content = bundle_of(case)
    (tmp_path / "b.zip").write_bytes(content)
    for name, data in unpacked(content).items():
        path = tmp_path / "unpacked" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for target in ("b.zip", "unpacked"):
        done = run("unpacked/verify.py", target, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert "all valid" in done.stdout
        assert json.loads(unpacked(content)["manifest.json"])["digest"] in done.stdout


def test_the_same_content_gives_the_same_bytes(case: Case) -> None:
    first = bundle_of(case)
    assert export_incident(case.incident, at=later(NOW, days=3), by=None).content == first


def test_it_holds_facts_duties_messages_filings_law_and_anchors(case: Case, members: dict[str, bytes]) -> None:
    read = {name: json.loads(data) for name, data in members.items() if name.endswith(".json")}
    assert len(read["facts.json"]) == case.incident.facts.count() > 0
    duty = read["obligations.json"][0]
    assert duty["duty"]["trace"]
    assert f"law/rules/{duty['rule_digest']}.json" in members
    assert f"law/releases/{case.incident.law_digest}.json" in members
    message = read["messages.json"][0]
    assert message["recipient"] in {person["id"] for person in read["people.json"]}
    assert case.incident.code in message["body"]
    assert read["escalations.json"]
    assert [anchor["number"] for anchor in read["anchors.json"]] == [1]
    assert read["journal.json"][-1]["hash"] == read["manifest.json"]["head"]["hash"]


def test_it_holds_the_frozen_document_its_statement_and_its_approvals(case: Case) -> None:
    filing = case.frozen()
    members = unpacked(bundle_of(case))
    assert verify.check(members) == []
    (shown,) = json.loads(members["filings/filing.json"])
    (document,) = json.loads(members["filings/documents.json"])
    assert hashlib.sha256(members[document["file"]]).hexdigest() == document["sha256"] == filing.document.sha256
    statement = members[f"filings/F{filing.number}.statement.json"]
    assert hashlib.sha256(statement).hexdigest() == shown["statement_digest"]


def test_no_key_and_no_link_that_lets_in_leaves_the_house(case: Case, members: dict[str, bytes]) -> None:
    everything = b"\n".join(members.values()).decode("utf-8", "replace")
    for person in (case.company.owner, case.company.counsel):
        assert person.password not in everything
    assert "/acknowledge/" not in everything.replace("/acknowledge/…", "").replace('r"(/acknowledge/', "")


def test_any_changed_byte_of_the_zip_file_is_found(case: Case) -> None:
    content = bundle_of(case)
    # All bytes would take an hour: those of the beginning and the end, and a hundred in between.
    tried = sorted({*range(40), *range(0, len(content), len(content) // 100), *range(len(content) - 60, len(content))})
    missed = []
    for position in tried:
        changed = bytearray(content)
        changed[position] ^= 1
        if not verify.read_zip(bytes(changed))[1]:
            missed.append(position)
    assert missed == []
    assert verify.read_zip(content)[1] == []
    assert verify.read_zip(content + b"\0")[1]


def test_any_changed_byte_of_any_file_is_found_and_the_file_named(members: dict[str, bytes]) -> None:
    for name, data in members.items():
        for position in {0, len(data) // 2, len(data) - 1}:
            changed = bytearray(data)
            changed[position] ^= 1
            faults = list(verify.check_members({**members, name: bytes(changed)}))
            assert name in {fault.place for fault in faults}, (name, position)


def test_every_byte_of_the_manifest_is_watched(members: dict[str, bytes]) -> None:
    data = members["manifest.json"]
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        assert list(verify.check_members({**members, "manifest.json": bytes(changed)})), position


def test_a_missing_and_an_additional_file_are_named(members: dict[str, bytes]) -> None:
    less = {name: data for name, data in members.items() if name != "people.json"}
    assert ("people.json", 0, "removed") in places(less)
    assert ("more.txt", 0, "inserted") in places({**members, "more.txt": b"x"})


def test_a_forged_journal_is_named_even_when_the_manifest_fits_again(case: Case, members: dict[str, bytes]) -> None:
    code = case.incident.code
    entries = json.loads(members["journal.json"])

    def forged(change: Any) -> set[tuple[str, int, str]]:
        made = json.loads(members["journal.json"])
        change(made)
        return {item for item in places(with_journal(members, made)) if item[0] == code}

    assert places(with_manifest(members)) == set()
    assert (code, 2, "changed") in forged(lambda made: made[1].update(actor="user:999"))
    assert (code, 3, "removed") in forged(lambda made: made.pop(2))
    assert (code, len(entries), "removed") in forged(lambda made: made.pop())

    def swap(made: list[dict[str, Any]]) -> None:
        made[1]["sequence"], made[2]["sequence"] = 3, 2

    assert {(code, 2, "reordered"), (code, 3, "reordered")} <= forged(swap)

    def insert(made: list[dict[str, Any]]) -> None:
        new = {**made[-1], "sequence": len(made) + 1, "previous": made[-1]["hash"]}
        made.append({**new, "hash": verify.entry_hash(new)})

    assert (code, len(entries) + 1, "inserted") in forged(insert)


def test_a_forged_fact_is_named_even_when_the_manifest_fits_again(members: dict[str, bytes]) -> None:
    facts = json.loads(members["facts.json"])
    facts[0]["content"]["value"] = "another"
    assert ("facts.json", 1, "changed") in places(with_manifest({**members, "facts.json": verify.canonical(facts)}))
    gone = with_manifest({**members, "facts.json": verify.canonical(facts[1:])})
    assert ("facts.json", 0, "removed") in places(gone)


def test_a_bundle_forged_as_a_whole_is_found_by_its_anchor(case: Case, members: dict[str, bytes]) -> None:
    entries = json.loads(members["journal.json"])
    entries[1]["actor"], previous = "user:999", verify.START
    for entry in entries:
        entry["previous"] = previous
        previous = entry["hash"] = verify.entry_hash(entry)
    manifest = json.loads(members["manifest.json"])
    manifest["head"]["hash"] = previous
    forged = with_journal({**members, "manifest.json": verify.canonical(manifest)}, entries)
    assert {item[2] for item in places(forged)} == {"changed"}
    assert any("anchor 1" in fault.what for fault in verify.check(forged))


def test_a_redacted_fact_shows_its_digest_only_and_the_bundle_verifies(case: Case) -> None:
    fact = services.fact_record(
        incident=case.incident, name="response.person", value="홍길동", at=NOW, by=case.company.owner
    )
    services.fact_redact(fact=fact, reason="erasure asked for", at=NOW, by=case.company.counsel)
    members = unpacked(bundle_of(case))
    assert verify.check(members) == []
    assert "홍길동" not in members["facts.json"].decode()
    shown = next(item for item in json.loads(members["facts.json"]) if item["number"] == fact.number)
    assert (shown["content"], shown["salt"], shown["digest"]) == (None, "", fact.digest)


def test_every_export_is_in_the_chain_of_the_system_and_leaves_that_of_the_incident_alone(case: Case) -> None:
    before = JournalEntry.objects.filter(chain=case.incident.code).count()
    made = export_incident(case.incident, at=NOW, by=case.company.auditor)
    entry = JournalEntry.objects.get(chain="system", action="incident.exported")
    assert (entry.subject, entry.detail["digest"], entry.actor) == (
        case.incident.code,
        made.digest,
        f"user:{case.company.auditor.pk}",
    )
    assert JournalEntry.objects.filter(chain=case.incident.code).count() == before


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("auditor", 200),
        ("counsel", 200),
        ("manager", 200),
        ("owner", 403),
        ("executive", 403),
        ("reporter", 404),
        ("stranger", 404),
    ],
)
def test_only_auditors_counsel_and_managers_may_download_it(case: Case, client: Client, who: str, status: int) -> None:
    client.force_login(getattr(case.company, who))
    address = f"/incidents/{case.incident.code}/export/"
    response = client.post(address)
    assert response.status_code == status
    assert JournalEntry.objects.filter(action="incident.exported").exists() == (status == 200)
    if status == 200:
        assert verify.check(unpacked(response.content)) == []
        assert "Download the evidence bundle" in client.get(f"/incidents/{case.incident.code}/").content.decode()
    assert client.get(address).status_code == 405


def test_the_command_writes_the_file_and_overwrites_nothing(case: Case, tmp_path: Path) -> None:
    out = tmp_path / "bundle.zip"
    call_command("export_incident", case.incident.code, "--out", str(out))
    assert verify.check(unpacked(out.read_bytes())) == []
    with pytest.raises(CommandError, match="exists already"):
        call_command("export_incident", case.incident.code, "--out", str(out))
    with pytest.raises(CommandError, match="no such incident"):
        call_command("export_incident", "2000-001", "--out", str(tmp_path / "no.zip"))


def test_the_verifier_is_short_enough_to_be_read() -> None:
    assert len(Path(verify.__file__).read_text(encoding="utf-8").splitlines()) < 300
