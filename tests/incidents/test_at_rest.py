"""What lies encrypted, how keys are changed, and what is deleted by rule: the journal verifies after each."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from compliance import rekey, vault
from compliance.errors import Refused
from incidents import services, verification
from incidents.channels import endpoints
from incidents.holds import LegalHold
from incidents.models import Evidence, Fact, Incident, JournalEntry, OutboxMessage
from incidents.services import people, retention
from reports import resealing, storage
from reports.models import Document, Filing
from reports.verification import frozen_filings, verify
from tests.factories import Company, kst, make_incident, make_user
from tests.servers import ROOT, key_file, subprocess_env

NOW = kst("2025-09-15 14:00")
LATER = kst("2036-01-01 00:00")
WORDS = "홍길동 010-0000-0000"


@pytest.fixture
def keys(settings, tmp_path: Path) -> Path:
    """Keys and files of this test's own."""
    settings.KEY_FILE, settings.FILES_ROOT = key_file(tmp_path), tmp_path / "files"
    return Path(settings.KEY_FILE)


@pytest.fixture
def fact(company: Company, keys: Path) -> Fact:
    incident = make_incident(company, at=NOW)
    given = {"name": "response.person", "value": WORDS, "source": f"전화 {WORDS}", "note": "확인"}
    return services.fact_record(incident=incident, at=NOW, by=company.owner, **given)


def raw(table: str, column: str, pk: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT CAST("{column}" AS text) FROM {table} WHERE id = %s', [pk])
        return str(cursor.fetchone()[0])


def valid() -> bool:
    return not list(verification.verify()) and not [fault for row in frozen_filings() for fault in verify(row)]


@pytest.mark.both_databases
def test_the_database_holds_no_word_of_a_fact_and_the_journal_still_verifies(fact: Fact) -> None:
    held = [raw("incidents_fact", column, fact.pk) for column in ("value", "source", "note")]
    assert all("bc1:" in text and WORDS not in text for text in held)
    assert Fact.objects.get(pk=fact.pk).value == WORDS
    assert valid()


@pytest.mark.both_databases
def test_a_choice_of_the_vocabulary_stays_readable_for_the_database(fact: Fact) -> None:
    row = services.fact_record(incident=fact.incident, name="leak.confirmed", value=True, at=NOW, by=fact.recorded_by)
    assert raw("incidents_fact", "value", row.pk) == "true"


@pytest.mark.both_databases
def test_addresses_secrets_and_messages_are_encrypted(company: Company, keys: Path) -> None:
    target = "https://1.1.1.1/in"
    row = endpoints.endpoint_add(
        entity=company.entity, kind="webhook", label="SOC", target=target, at=NOW, by=company.manager
    )
    message = endpoints.endpoint_try(endpoint=row, at=NOW, by=company.manager)
    assert "bc1:" in raw("incidents_endpoint", "target", row.pk)
    assert "bc1:" in raw("incidents_endpoint", "secret", row.pk)
    assert "bc1:" in raw("incidents_outboxmessage", "body", message.pk)
    row.refresh_from_db()
    assert row.target == target


@pytest.mark.both_databases
def test_nothing_can_be_looked_up_in_an_encrypted_column(fact: Fact) -> None:
    for wrong in ({"label": WORDS}, {"note__icontains": "확"}, {"value": WORDS}, {"value__key": 1}):
        with pytest.raises(FieldError, match="encrypted"):
            list(Fact.objects.filter(**wrong))
    assert Fact.objects.exclude(source="").filter(pk=fact.pk).exists()


@pytest.mark.both_databases
def test_a_sealed_value_does_not_open_in_another_place_or_changed(keys: Path) -> None:
    sealed = vault.seal_text(WORDS, "a.b")
    assert vault.unseal_text(sealed, "a.b") == WORDS
    for text, place in ((sealed, "a.c"), (sealed[:-6] + "AAAAA=", "a.b"), (sealed.replace("bc1:", "bc1:x"), "a.b")):
        with pytest.raises(vault.Unopened):
            vault.unseal_text(text, place)


@pytest.mark.both_databases
def test_a_word_changed_with_the_key_is_found_by_the_journal(fact: Fact) -> None:
    with connection.cursor() as cursor:
        sealed = vault.seal_text("다른 말", "incidents.fact.note")
        cursor.execute("UPDATE incidents_fact SET note = %s WHERE id = %s", [sealed, fact.pk])
    assert [fault.kind for fault in verification.verify()] == ["fact"]


@pytest.mark.both_databases
def test_the_database_lets_a_new_key_through_and_no_plain_word(fact: Fact) -> None:
    for column, value in (("note", "다른 말"), ("name", "other")):
        with (
            pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor,
        ):  # fmt: skip
            cursor.execute(f"UPDATE incidents_fact SET {column} = %s WHERE id = %s", [value, fact.pk])


@pytest.mark.parametrize(
    "line", ["", "k1 c2hvcnQ=", "k1 " + "A" * 43 + "=", "K1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]
)
def test_a_weak_or_broken_key_is_refused(line: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="expected"):
        vault.parse(line, where="keys")


def test_a_key_file_that_others_may_read_is_refused(keys: Path) -> None:
    keys.chmod(0o644)
    with pytest.raises(ImproperlyConfigured, match="owner alone"):
        vault.ring()


def test_a_command_gives_the_keys(settings, keys: Path) -> None:
    settings.KEY_COMMAND = f"cat {keys}"
    assert vault.unseal_text(vault.seal_text(WORDS, "a"), "a") == WORDS
    settings.KEY_COMMAND = "false"
    with pytest.raises(ImproperlyConfigured, match="BREACHCLOCK_KEY_COMMAND"):
        vault.ring()


@pytest.mark.both_databases
def test_a_file_on_the_disk_is_encrypted_and_known_by_the_digest_of_what_it_was(db: None, keys: Path) -> None:
    row = storage.store(WORDS.encode(), media_type="text/plain", name="x", at=NOW)
    assert row.sha256 == storage.digest_of(WORDS.encode())
    assert WORDS.encode() not in storage.path_of(row.sha256).read_bytes()
    assert storage.read(row) == WORDS.encode()
    storage.path_of(row.sha256).write_bytes(vault.seal(b"other", row.sha256))
    with pytest.raises(storage.MissingDocument):
        storage.read(row)


class TestRetention:
    """What is deleted when an incident is long over."""

    @pytest.fixture
    def over(self, fact: Fact, company: Company) -> Incident:
        incident = fact.incident
        services.evidence_add(incident=incident, title="로그", description=WORDS, at=NOW, by=company.owner)
        with connection.cursor() as cursor:  # closing has conditions of its own, which are not the matter here
            cursor.execute("UPDATE incidents_incident SET state = 'closed', closed_at = %s", [NOW])
        OutboxMessage.objects.create(
            incident=incident,
            state="sent",
            subject="x",
            body=WORDS,
            dedupe="k",
            message_id="k",
            attempt_at=NOW,
            created_at=NOW,
        )
        return Incident.objects.get(pk=incident.pk)

    @pytest.mark.both_databases
    def test_what_is_due_goes_and_the_journal_verifies(self, over: Incident, company: Company, fact: Fact) -> None:
        found = list(retention.due(Incident.objects.all(), at=LATER))
        assert {item.kind for item in found} == {"facts", "evidence", "messages"}
        for item in found:
            assert retention.delete(item, at=LATER, by=company.counsel) == item.many
        fact.refresh_from_db()
        assert (fact.value, fact.note, Evidence.objects.get().description) == (None, "", "")
        assert not OutboxMessage.objects.exclude(body="").exists()
        assert list(retention.due(Incident.objects.all(), at=LATER)) == []
        assert valid()

    def test_nothing_is_due_a_day_before(self, over: Incident) -> None:
        assert list(retention.due(Incident.objects.all(), at=NOW + timedelta(days=364))) == []

    def test_a_hold_stops_it_until_it_is_lifted(self, over: Incident, company: Company) -> None:
        retention.hold_place(incident=over, reason="소송이 계속 중임", at=NOW, by=company.counsel)
        for item in retention.due(Incident.objects.all(), at=LATER):
            assert item.held
            assert retention.delete(item, at=LATER, by=company.counsel) == 0
        with pytest.raises(Refused):
            retention.hold_place(incident=over, reason="다시 한번", at=NOW, by=company.counsel)
        retention.hold_lift(incident=over, reason="소송이 끝남", at=NOW, by=company.counsel)
        assert LegalHold.objects.get().lifted_by == company.counsel
        assert not any(item.held for item in retention.due(Incident.objects.all(), at=LATER))

    def test_whoever_may_not_redact_deletes_nothing_and_holds_nothing(self, over: Incident, company: Company) -> None:
        item = next(iter(retention.due(Incident.objects.all(), at=LATER)))
        for person in (company.administrator, company.auditor, company.owner, company.stranger):
            with pytest.raises(Refused):
                retention.delete(item, at=LATER, by=person)
            with pytest.raises(Refused):
                retention.hold_place(incident=over, reason="소송이 계속 중임", at=NOW, by=person)

    def test_the_command_only_tells_unless_it_is_told_to_do(self, over: Incident, monkeypatch, capsys) -> None:
        monkeypatch.setattr("compliance.clock.now", lambda: LATER)
        call_command("delete_expired")
        assert "nothing deleted" in capsys.readouterr().out
        assert not JournalEntry.objects.filter(action="retention.deleted").exists()
        call_command("delete_expired", "--do", "--by", "counsel")
        assert JournalEntry.objects.filter(action="retention.deleted").count() == 3


@pytest.mark.django_db(transaction=True)
def test_the_kt_case_stays_valid_through_rotation_killed_and_repeated_deletion_and_deactivation(
    keys: Path, settings
) -> None:
    call_command("replay", ROOT / "incidents" / "scenarios" / "kt-2025.yaml", keep=True, quiet=True, verbosity=0)
    before = {row.pk: (row.values, row.statement) for row in Filing.objects.all()}
    said = {row.pk: (row.value, row.note) for row in Fact.objects.all()}
    old = vault.ring().current
    env = subprocess_env(BREACHCLOCK_KEY_FILE=str(keys), BREACHCLOCK_FILES=str(settings.FILES_ROOT))
    rotating = subprocess.Popen(
        [sys.executable, "manage.py", "rotate_keys", "--new", "--batch", "1"],
        cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert rotating.stdout is not None
    for _line in range(20):
        assert rotating.stdout.readline()
    rotating.send_signal(signal.SIGKILL)
    rotating.communicate()
    vault.forget()
    used = {name for column in rekey.columns() for name in rekey.keys_used(column)}
    assert used == {old, vault.ring().current}
    assert valid()
    with pytest.raises(resealing.StillUsed):
        resealing.retire(at=LATER)
    assert sum(changed for _place, changed in resealing.reseal(at=LATER)) > 0
    assert resealing.retire(at=LATER) == [old]
    assert old not in keys.read_text()
    assert {row.pk: (row.values, row.statement) for row in Filing.objects.all()} == before
    assert {row.pk: (row.value, row.note) for row in Fact.objects.all()} == said
    assert valid()

    # Now as a case of the house's own that is long over; a replay is of what everybody knows and is kept.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE incidents_incident SET kind = 'real', state = 'closed', closed_at = %s", [NOW])
    incident = Incident.objects.order_by("pk").first()
    counsel = make_user("k-counsel", incident.entities.get(), "counsel")
    manager = make_user("k-administrator", incident.entities.get(), "administrator")
    gone = {
        item.kind: retention.delete(item, at=LATER, by=counsel)
        for item in retention.due(Incident.objects.all(), at=LATER)
    }
    assert {"facts", "messages", "evidence"} <= set(gone)
    assert valid()
    assert all(
        storage.path_of(sha).exists()
        for sha in Document.objects.filter(filings__isnull=False).values_list("sha256", flat=True)
    )

    people.person_deactivate(person=counsel, at=LATER, by=manager)
    assert valid()
