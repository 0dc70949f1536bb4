"""The journal: written with the change, chained, sealed by the database."""

import pytest
from django.db import DatabaseError, connection, transaction

from incidents import journal, services
from incidents.models import Fact, Incident, JournalEntry, JournalHead
from tests.factories import Company, kst, make_incident

pytestmark = pytest.mark.both_databases

AT = kst("2026-11-02 09:00")


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT)


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
        "DELETE FROM incidents_fact WHERE number = 1",
    ],
)
def test_the_database_refuses_to_change_the_record(incident: Incident, statement: str) -> None:
    facts, entries = Fact.objects.count(), JournalEntry.objects.count()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert (Fact.objects.count(), JournalEntry.objects.count()) == (facts, entries)
    assert list(journal.verify()) == []


@pytest.mark.parametrize("column", ["at", "actor", "action", "subject", "old", "new", "detail", "previous", "hash"])
def test_a_changed_column_is_found_and_named(incident: Incident, column: str) -> None:
    """The walk itself, without the database's help: an entry read with one column different does not verify."""
    entry = JournalEntry.objects.get(chain=incident.code, sequence=2)
    changed = {"at": kst("2026-11-02 09:01"), "detail": {"forged": True}}.get(column, "0" * 64)
    setattr(entry, column, changed)
    previous = JournalEntry.objects.get(chain=incident.code, sequence=1).hash
    faults = list(journal._verify_entry(entry, previous=previous, expected=2))
    assert faults
    assert all((fault.chain, fault.sequence) == (incident.code, 2) for fault in faults)


def test_a_head_that_was_moved_back_is_found(incident: Incident) -> None:
    JournalHead.objects.filter(chain=incident.code).update(sequence=1)
    assert [fault.sequence for fault in journal.verify(incident.code)] == [1]


def test_no_personal_data_goes_into_the_journal(incident: Incident, company: Company) -> None:
    services.fact_record(
        incident=incident, name="response.person", value="홍길동 010-1234-5678", at=AT, by=company.owner
    )
    texts = [f"{entry.subject} {entry.detail} {entry.actor}" for entry in JournalEntry.objects.all()]
    assert not [text for text in texts if "홍길동" in text or "010-1234" in text]
