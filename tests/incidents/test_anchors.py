"""Anchors outside the database: they find a chain that was forged as a whole, and changes of their own."""

import json
import resource
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from incidents import anchors, health, journal, sealed, stamps, verification, watch
from incidents.models import Heartbeat, Incident, JournalEntry, JournalHead, OutboxMessage
from tests.factories import Company, kst, later, make_incident
from tests.tsa import Listener, Tsa

AT = kst("2026-11-02 09:00")


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.JOURNAL_ANCHORS = tmp_path / "anchors"
    return settings.JOURNAL_ANCHORS


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT)


@pytest.fixture
def tsa(settings: Any, tmp_path: Path) -> Iterator[Tsa]:
    folder = tmp_path / "tsa"
    folder.mkdir()
    authority = Tsa(folder)
    settings.TSA_URL, settings.TSA_ROOTS = authority.url, str(authority.roots)
    yield authority
    authority.stop()


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_bytes().splitlines()]


def kinds() -> dict[tuple[str, int], str]:
    found = [*anchors.check(), *verification.verify(anchored=anchors.anchored())]
    return {(fault.chain, fault.sequence): fault.kind for fault in found}


def forge_whole_chain(chain: str, *, without: int) -> None:
    """Leave one entry out and hash all later ones anew, with a fitting head: perfect, but for what was written outside."""
    with connection.cursor() as cursor:
        for line in sealed.removal(connection.vendor):
            cursor.execute(line)
    entries = list(JournalEntry.objects.filter(chain=chain).order_by("sequence"))
    JournalEntry.objects.filter(chain=chain).delete()
    previous, number = journal.START, 0
    for entry in entries:
        if entry.sequence != without:
            number += 1
            entry.sequence, entry.previous, entry.pk = number, previous, journal.entry_id(chain, number)
            previous = entry.hash = journal.entry_hash(entry)
            entry.save(force_insert=True)
    JournalHead.objects.filter(chain=chain).update(sequence=number, hash=previous)


def test_an_anchor_names_all_heads_and_later_ones_only_what_moved(
    incident: Incident, company: Company, folder: Path
) -> None:
    anchors.anchor_journal(at=AT)
    other = make_incident(company, at=later(AT, hours=1))
    anchors.anchor_journal(at=later(AT, days=1))
    anchors.anchor_journal(at=later(AT, days=35))
    first, second, third = lines(folder)
    assert set(first["heads"]) == {incident.code}
    assert set(second["heads"]) == {other.code, "system"}
    assert set(third["heads"]) == {incident.code, other.code, "system"}
    assert sorted(path.name for path in folder.glob("*.jsonl")) == ["anchors-2026-11.jsonl", "anchors-2026-12.jsonl"]
    assert kinds() == {}


def test_a_chain_forged_as_a_whole_is_found_by_its_anchor(incident: Incident) -> None:
    last = JournalHead.objects.get(chain=incident.code).sequence
    anchors.anchor_journal(at=AT)
    with transaction.atomic():
        forge_whole_chain(incident.code, without=last - 1)
        assert [fault for fault in journal.verify(incident.code) if fault.kind != "fact"] == []
        assert kinds()[incident.code, last] == "removed"
        transaction.set_rollback(True)


def test_a_chain_that_is_gone_is_found_by_its_anchor(incident: Incident) -> None:
    last = JournalHead.objects.get(chain=incident.code).sequence
    anchors.anchor_journal(at=AT)
    with transaction.atomic():
        with connection.cursor() as cursor:
            for line in sealed.removal(connection.vendor):
                cursor.execute(line)
        JournalEntry.objects.filter(chain=incident.code).delete()
        JournalHead.objects.filter(chain=incident.code).delete()
        assert kinds()[incident.code, last] == "removed"
        transaction.set_rollback(True)


def test_any_changed_byte_of_the_anchor_files_is_found(incident: Incident, folder: Path) -> None:
    for day in range(3):
        anchors.anchor_journal(at=later(AT, days=day))
    path = next(folder.glob("*.jsonl"))
    content = path.read_bytes()
    missed = []
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        path.write_bytes(bytes(changed))
        if not list(anchors.check()):
            missed.append(position)
    path.write_bytes(content)
    assert missed == []
    assert list(anchors.check()) == []


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_removed_line_is_found(incident: Incident, folder: Path, gone: int) -> None:
    for day in range(3):
        anchors.anchor_journal(at=later(AT, days=day))
    path = next(folder.glob("*.jsonl"))
    kept = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(kept[:gone] + kept[gone + 1 :]))
    assert kinds()[anchors.PLACE, gone + 1] == "removed"


def test_half_a_line_left_by_a_power_cut_is_no_fault_and_is_not_built_upon(incident: Incident, folder: Path) -> None:
    anchors.anchor_journal(at=AT)
    path = next(folder.glob("*.jsonl"))
    path.write_bytes(path.read_bytes() + b'{"at":"2026')
    assert kinds() == {}
    anchors.anchor_journal(at=later(AT, days=1))
    assert kinds() == {}
    assert len(anchors.read()) == 2


def test_a_disk_that_takes_half_a_line_leaves_none_and_the_journal_tells_of_none(
    incident: Incident, folder: Path
) -> None:
    anchors.anchor_journal(at=AT)
    (path,) = folder.glob("*.jsonl")
    before, (soft, hard) = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, hard))
    try:
        with pytest.raises(OSError):
            anchors.anchor_journal(at=later(AT, hours=1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    anchors.anchor_journal(at=later(AT, hours=2))
    assert (len(anchors.read()), kinds()) == (2, {})


def test_an_authority_stamps_the_anchor_and_anybody_can_check_it(incident: Incident, tsa: Tsa, tmp_path: Path) -> None:
    anchor = anchors.anchor_journal(at=AT)
    (tmp_path / "stamp").write_bytes(anchor.stamp)
    tsa._run("ts", "-verify", "-digest", anchor.digest, "-in", str(tmp_path / "stamp"), "-CAfile", str(tsa.roots))
    assert list(anchors.check(signatures=True)) == []
    assert Heartbeat.objects.filter(name=health.STAMPS).exists()


def test_a_stamp_over_something_else_is_found(incident: Incident, tsa: Tsa) -> None:
    anchor = anchors.anchor_journal(at=AT)
    with pytest.raises(stamps.NoStamp, match="something else"):
        stamps.check(anchor.stamp, b"something else", signature=False)
    forged = bytearray(anchor.stamp)
    forged[-1] ^= 1
    with pytest.raises(stamps.NoStamp):
        stamps.check(bytes(forged), anchors.canonical_json(anchor.sealed), signature=True)


def test_a_stamp_of_an_authority_that_is_not_trusted_is_not_taken(
    incident: Incident, tsa: Tsa, settings: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "another"
    folder.mkdir()
    another = Tsa(folder)
    settings.TSA_ROOTS = str(another.roots)
    assert anchors.anchor_journal(at=AT).stamp == b""
    another.stop()


@pytest.mark.parametrize(
    "answer", [(500, b"", {}), (200, b"nonsense", {}), (302, b"", {"Location": "http://127.0.0.1:1/"})]
)
def test_without_an_answer_the_anchor_is_written_all_the_same_and_health_says_so(
    incident: Incident, settings: Any, answer: tuple[int, bytes, dict[str, str]]
) -> None:
    silent = Listener(lambda path, body: answer)
    settings.TSA_URL = silent.url
    assert anchors.anchor_journal(at=AT).stamp == b""
    assert len(anchors.read()) == 1
    assert "timestamps_silent" in health.report(now=AT).problems
    silent.stop()


def test_the_commands_anchor_and_verify(incident: Incident, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("anchor_journal")
    call_command("verify_journal")
    call_command("verify_journal", "--incident", incident.code)
    said = capsys.readouterr().out
    assert "anchor 1 " in said
    assert said.count("all valid") == 2


def test_a_journal_that_does_not_verify_turns_health_red_since_when_and_is_told(
    incident: Incident, company: Company
) -> None:
    JournalHead.objects.filter(chain=incident.code).update(sequence=1)
    assert watch.verify(at=AT)
    watch.verify(at=later(AT, hours=1))
    assert health.report(now=later(AT, hours=1)).problems["journal_not_verified"] == AT.isoformat()
    told = OutboxMessage.objects.filter(dedupe__startswith="alarm:journal:")
    assert {row.recipient for row in told} >= {company.manager, company.ciso}
    assert not [row for row in told if incident.code in row.body]
    with pytest.raises(SystemExit):
        call_command("verify_journal")


def test_a_journal_that_verifies_again_is_green_again(incident: Incident) -> None:
    head = JournalHead.objects.get(chain=incident.code)
    JournalHead.objects.filter(pk=head.pk).update(sequence=1)
    watch.verify(at=AT)
    head.save()
    assert watch.verify(at=AT + timedelta(hours=1)) == []
    assert "journal_not_verified" not in health.report(now=AT + timedelta(hours=1)).problems
