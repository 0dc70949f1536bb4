"""The journal: written with the change, chained, sealed by the database, and every tampering found by name."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction

from incidents import journal, sealed, services
from incidents.export import verify as bundled
from incidents.models import Fact, Incident, JournalEntry, JournalHead
from incidents.scratch import scratch_database
from incidents.verification import COLUMNS, NUMBERS
from tests.factories import Company, kst, make_company, make_incident

pytestmark = pytest.mark.both_databases

AT = kst("2026-11-02 09:00")
TABLE = "incidents_journalentry"


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT)


def execute(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def tampering() -> Iterator[None]:
    """What somebody with the database in hand can do: within the block no seal holds; afterwards all is as before."""
    with transaction.atomic():
        for line in sealed.removal(connection.vendor):
            execute(line)
        if connection.vendor == "sqlite":
            execute("PRAGMA ignore_check_constraints = ON")
        yield
        if connection.vendor == "sqlite":
            execute("PRAGMA ignore_check_constraints = OFF")
        transaction.set_rollback(True)


def found(chain: str | None = None) -> dict[tuple[str, int], str]:
    return {(fault.chain, fault.sequence): fault.kind for fault in journal.verify(chain)}


def named(chain: str, sequence: int) -> bool:
    """Whether some fault names the entry, by the place where it stands or stood."""
    return any(
        fault.chain == chain and (fault.sequence == sequence or fault.what.endswith(f" as entry {sequence}"))
        for fault in journal.verify()
    )


def renumber(chain: str, sequence: int, to: int) -> None:
    execute(f"UPDATE {TABLE} SET sequence = %s WHERE chain = %s AND sequence = %s", to, chain, sequence)


def forge(chain: str, sequence: int, **changes: object) -> None:
    """Change an entry and give it a hash that fits, as somebody who knows the format would."""
    entry = JournalEntry.objects.get(chain=chain, sequence=sequence)
    for name, value in changes.items():
        setattr(entry, name, value)
    entry.hash = journal.entry_hash(entry)
    entry.save()


def test_a_chain_of_real_changes_verifies(incident: Incident) -> None:
    assert JournalEntry.objects.filter(chain=incident.code).count() > 3
    assert list(journal.verify()) == []


def test_an_unregistered_action_is_an_error(incident: Incident) -> None:
    with pytest.raises(journal.UnknownAction), transaction.atomic():
        journal.write(incident=incident, at=AT, by=None, action="incident.misspelt", subject="x")


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_an_error() -> None:
    with pytest.raises(journal.NotInTransaction):
        journal.write(incident=None, at=AT, by=None, action="timer.failed", subject="x")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE incidents_journalentry SET actor = 'user:999' WHERE sequence = 1",
        "DELETE FROM incidents_journalentry WHERE sequence = 1",
        "UPDATE incidents_fact SET value = 'null' WHERE number = 1",
        "UPDATE incidents_fact SET value = NULL WHERE number = 1",
        "UPDATE incidents_fact SET number = number WHERE number = 1",
        "DELETE FROM incidents_fact WHERE number = 1",
    ],
)
def test_the_database_refuses_to_change_the_record(incident: Incident, statement: str) -> None:
    facts, entries = Fact.objects.count(), JournalEntry.objects.count()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        execute(statement)
    assert (Fact.objects.count(), JournalEntry.objects.count()) == (facts, entries)
    assert list(journal.verify()) == []


@pytest.mark.parametrize("table", sealed.ALL_SEALED_TABLES)
def test_every_sealed_table_is_sealed_after_all_migrations(db: None, table: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table])
            wanted = {f"{table}_sealed", f"{table}_kept"}
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
            wanted = {f"{table}_update", f"{table}_delete"}
        assert wanted <= {name for (name,) in cursor.fetchall()}


def test_the_same_value_has_another_digest_each_time(incident: Incident, company: Company) -> None:
    for _ in range(2):
        services.fact_record(incident=incident, name="incident.is_cyber", value=True, at=AT, by=company.owner)
    entries = JournalEntry.objects.filter(chain=incident.code, subject__endswith=" incident.is_cyber")
    digests = {entry.new for entry in entries}
    assert len(digests) == len(entries) >= 2
    assert not digests & {journal.digest(True), journal.digest({"value": True})}


def test_an_entry_of_the_first_format_stays_valid(db: None) -> None:
    entry = JournalEntry(
        version=1, chain="old", sequence=1, at=AT, actor="system", action="fact.recorded", subject="x", old="",
        new=journal.digest(True), detail={"b": 1, "a": 2}, previous=journal.START,
    )  # fmt: skip
    entry.hash = journal.digest(
        {
            "chain": "old",
            "sequence": 1,
            "at": AT.isoformat(),
            "actor": "system",
            "action": "fact.recorded",
            "subject": "x",
            "old": "",
            "new": journal.digest(True),
            "detail": {"b": 1, "a": 2},
            "previous": journal.START,
        }
    )
    entry.save(force_insert=True)
    JournalHead.objects.create(chain="old", sequence=1, hash=entry.hash)
    assert [fault for fault in journal.verify("old") if fault.kind != "fact"] == []


def test_the_verifier_of_bundles_hashes_as_the_journal_does(incident: Incident) -> None:
    for entry in JournalEntry.objects.filter(chain=incident.code):
        assert bundled.entry_hash(journal.entry_fields(entry)) == journal.entry_hash(entry) == entry.hash
    assert bundled.salted("s", {"한": [1, None]}) == journal.salted("s", {"한": [1, None]})


def flipped(raw: bytes, position: int) -> bytes:
    changed = bytearray(raw)
    changed[position] = ord("0") if changed[position] != ord("0") else ord("1")
    return bytes(changed)


def stored(column: str, chain: str) -> dict[int, bytes]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT sequence, CAST("{column}" AS BLOB) FROM {TABLE} WHERE chain = %s', [chain])
        return {sequence: bytes(raw) for sequence, raw in cursor.fetchall()}


def test_any_byte_of_any_column_of_any_entry_that_is_changed_is_found_and_named(db: None) -> None:
    tried, missed = 0, []
    with scratch_database():
        chain = make_incident(make_company(), at=AT, is_cyber=None, personal_data=None).code
        assert set(COLUMNS) == {field.column for field in JournalEntry._meta.concrete_fields}
        with tampering():
            for column in COLUMNS:
                kind = "INTEGER" if column in NUMBERS else "TEXT"
                for sequence, raw in stored(column, chain).items():
                    for position in range(len(raw)):
                        execute("SAVEPOINT before")
                        execute(
                            f'UPDATE {TABLE} SET "{column}" = CAST(%s AS {kind}) WHERE chain = %s AND sequence = %s',
                            flipped(raw, position), chain, sequence,
                        )  # fmt: skip
                        if not named(chain, sequence):
                            missed.append((column, sequence, position))
                        execute("ROLLBACK TO before")
                        tried += 1
    assert missed == []
    assert tried > 2000


@pytest.mark.parametrize("written", [" ", "\t", "\\u0041", "\xff"])
def test_another_way_to_write_the_same_is_a_change(db: None, written: str) -> None:
    with scratch_database():
        chain = make_incident(make_company(), at=AT, is_cyber=None, personal_data=None).code
        with tampering():
            execute(f"UPDATE {TABLE} SET detail = detail || %s WHERE chain = %s AND sequence = 1", written, chain)
            assert found() == {(chain, 1): "changed"}
        with tampering():
            execute(f"UPDATE {TABLE} SET at = replace(at, ' ', 'T') WHERE chain = %s AND sequence = 2", chain)
            assert found() == {(chain, 2): "changed"}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_column_is_found_and_named(incident: Incident, column: str) -> None:
    value = {
        "version": "1", "sequence": "99", "id": "7", "at": "at + interval '1 microsecond'", "detail": "'{\"a\": 1.5}'",
    }.get(column, f"substr({column}, 2) || 'x'")  # fmt: skip
    if connection.vendor == "sqlite" and column == "at":
        value = "'2026-11-02 00:00:00.000001'"
    with tampering():
        execute(f"UPDATE {TABLE} SET {column} = {value} WHERE chain = %s AND sequence = 2", incident.code)
        assert named(incident.code, 2)


def test_a_removed_entry_is_named(incident: Incident) -> None:
    with tampering():
        execute(f"DELETE FROM {TABLE} WHERE chain = %s AND sequence = 3", incident.code)
        assert found(incident.code)[incident.code, 3] == "removed"


def test_entries_removed_from_the_end_are_named(incident: Incident) -> None:
    last = JournalHead.objects.get(chain=incident.code).sequence
    with tampering():
        execute(f"DELETE FROM {TABLE} WHERE chain = %s AND sequence >= %s", incident.code, last - 1)
        faults = {fault.sequence: fault.kind for fault in journal.verify(incident.code) if fault.sequence}
        assert faults == {last - 1: "removed", last: "removed"}


def test_an_entry_removed_with_the_others_moved_up_is_named(incident: Incident) -> None:
    last = JournalHead.objects.get(chain=incident.code).sequence
    with tampering():
        execute(f"DELETE FROM {TABLE} WHERE chain = %s AND sequence = 3", incident.code)
        for sequence in range(4, last + 1):
            renumber(incident.code, sequence, sequence - 1)
        assert "removed" in {f.kind for f in journal.verify(incident.code) if (f.sequence, f.kind) == (3, "removed")}


def test_an_inserted_entry_is_named(incident: Incident) -> None:
    last = JournalHead.objects.get(chain=incident.code).sequence
    with tampering():
        for sequence in range(last, 2, -1):
            renumber(incident.code, sequence, sequence + 1)
        second = JournalEntry.objects.get(chain=incident.code, sequence=2)
        second.pk, second.sequence, second.previous, second.action = 5, 3, second.hash, "incident.closed"
        second.hash = journal.entry_hash(second)
        second.save(force_insert=True)
        assert (3, "inserted") in {(fault.sequence, fault.kind) for fault in journal.verify(incident.code)}


def test_an_entry_added_at_the_end_is_named(incident: Incident) -> None:
    last = JournalEntry.objects.filter(chain=incident.code).last()
    with tampering():
        added = JournalEntry.objects.get(pk=last.pk)
        added.pk, added.sequence, added.previous = 5, last.sequence + 1, last.hash
        added.hash = journal.entry_hash(added)
        added.save(force_insert=True)
        assert found(incident.code)[incident.code, last.sequence + 1] == "inserted"


def test_reordered_entries_are_named_with_their_true_places(incident: Incident) -> None:
    with tampering():
        renumber(incident.code, 2, 999)
        renumber(incident.code, 3, 2)
        renumber(incident.code, 999, 3)
        faults = {(fault.sequence, fault.kind): fault.what for fault in journal.verify(incident.code)}
    assert set(faults) == {(2, "reordered"), (3, "reordered")}
    assert "entry 3" in faults[2, "reordered"]


def test_an_entry_replaced_by_one_with_a_fitting_hash_is_named(incident: Incident) -> None:
    with tampering():
        forge(incident.code, 3, actor="user:999")
        assert found(incident.code) == {(incident.code, 3): "replaced"}
    last = JournalHead.objects.get(chain=incident.code).sequence
    with tampering():
        forge(incident.code, last, actor="user:999")
        assert found(incident.code) == {(incident.code, last): "replaced"}


def test_a_head_that_was_moved_back_is_found(incident: Incident) -> None:
    JournalHead.objects.filter(chain=incident.code).update(sequence=1)
    assert found(incident.code)[incident.code, 2] == "inserted"


def test_a_head_that_is_gone_is_found(incident: Incident) -> None:
    JournalHead.objects.filter(chain=incident.code).delete()
    assert "the head of the chain was removed" in [fault.what for fault in journal.verify()]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE incidents_fact SET value = 'false' WHERE number = 1",
        "UPDATE incidents_fact SET arguable = NOT arguable WHERE number = 1",
        "UPDATE incidents_fact SET salt = '' WHERE number = 1",
        "UPDATE incidents_fact SET digest = repeat('0', 64) WHERE number = 1",
        "UPDATE incidents_fact SET value = NULL, label = '', source = '', note = '', salt = '', redacted_at = recorded_at",
        "DELETE FROM incidents_fact WHERE number = 1",
    ],
)
def test_a_changed_fact_is_found_by_the_journal(incident: Incident, statement: str) -> None:
    if connection.vendor == "sqlite":
        statement = statement.replace("repeat('0', 64)", "'0'")
    with tampering():
        execute(statement)
        faults = list(journal.verify(incident.code))
        assert faults
        assert all(
            fault.kind == "fact" and "fact" in fault.what and re.search(r"\b1\b", faults[0].what) for fault in faults
        )


def test_no_personal_data_goes_into_the_journal(incident: Incident, company: Company) -> None:
    services.fact_record(
        incident=incident, name="response.person", value="홍길동 010-1234-5678", at=AT, by=company.owner
    )
    texts = [f"{entry.subject} {entry.detail} {entry.actor}" for entry in JournalEntry.objects.all()]
    assert not [text for text in texts if "홍길동" in text or "010-1234" in text]
