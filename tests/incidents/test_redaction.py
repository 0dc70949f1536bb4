"""Redaction destroys the words of a fact and nothing else, and the chain still verifies."""

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction

from compliance.errors import BadInput, NotPermitted, Refused
from incidents import journal, sealed, services
from incidents.models import Fact, Incident, JournalEntry
from incidents.services import sheets
from tests.factories import Company, kst, later, make_incident

pytestmark = pytest.mark.both_databases

AT = kst("2026-11-02 09:00")
REASON = "erasure asked for by the person"


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT)


@pytest.fixture
def fact(incident: Incident, company: Company) -> Fact:
    return services.fact_record(
        incident=incident, name="response.person", value="홍길동", source="전화", note="당직", at=AT, by=company.owner
    )


def redact(fact: Fact, by: User, reason: str = REASON) -> Fact:
    return services.fact_redact(fact=fact, reason=reason, at=later(AT, hours=1), by=by)


def test_only_the_salted_digest_remains_and_the_chain_verifies(fact: Fact, company: Company) -> None:
    before = fact.digest
    row = redact(fact, company.counsel)
    assert (row.value, row.label, row.source, row.note, row.salt) == (None, "", "", "", "")
    assert (row.digest, row.redaction_reason, row.redacted_by) == (before, REASON, company.counsel)
    assert JournalEntry.objects.filter(action="fact.redacted", old=before, actor=f"user:{company.counsel.pk}").exists()
    assert list(journal.verify()) == []


def test_a_redacted_value_cannot_be_guessed_even_by_who_knows_the_format(fact: Fact, company: Company) -> None:
    from incidents.sealing import fact_content

    content = fact_content(fact)
    row = redact(fact, company.counsel)
    assert journal.salted("", content) != row.digest != journal.digest(content)
    assert not JournalEntry.objects.filter(salt=fact.salt).exists()


def test_a_redacted_fact_no_longer_counts(fact: Fact, incident: Incident, company: Company) -> None:
    redact(fact, company.approver)
    assert fact.name not in sheets.standing(incident, company.entity, as_of=later(AT, hours=2))
    services.reassess(incident=incident, at=later(AT, hours=2), by=None)


def test_only_counsel_or_an_approver_may(fact: Fact, company: Company) -> None:
    for person in (company.owner, company.manager, company.auditor, company.stranger):
        with pytest.raises(NotPermitted):
            redact(fact, person)


def test_it_needs_a_reason_and_happens_once(fact: Fact, company: Company) -> None:
    with pytest.raises(BadInput):
        redact(fact, company.counsel, reason=" ")
    redact(fact, company.counsel)
    with pytest.raises(Refused, match="already"):
        redact(fact, company.counsel)


def test_a_fact_on_which_duties_rest_must_be_taken_back_first(incident: Incident, company: Company) -> None:
    fact = incident.facts.get(name="incident.is_cyber")
    with pytest.raises(Refused, match="rest on"):
        redact(fact, company.counsel)
    services.fact_retract(fact=fact, reason="was a mistake", at=AT, by=company.owner)
    due = list(incident.obligations.values_list("rule", "due_at", "state"))
    redact(fact, company.counsel)
    assert list(incident.obligations.values_list("rule", "due_at", "state")) == due
    assert list(journal.verify()) == []


def allowed(**changed: str) -> str:
    columns = {
        "value": "NULL", "label": "''", "source": "''", "note": "''", "salt": "''", "redacted_at": "recorded_at",
        "redacted_by_id": "recorded_by_id", "redaction_reason": "'a reason'",
    }  # fmt: skip
    columns.update(changed)
    return ", ".join(f"{name} = {value}" for name, value in columns.items())


def update(fact: Fact, columns: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE incidents_fact SET {columns} WHERE id = %s", [fact.pk])


def test_the_database_allows_exactly_redaction(fact: Fact) -> None:
    update(fact, allowed())
    with pytest.raises(DatabaseError, match="never changed"):
        update(fact, allowed())


OTHER = {
    "id": "id + 1000", "incident_id": "incident_id + 1", "entity_id": "1", "number": "number + 90", "name": "'x'",
    "kind": "'event'", "arguable": "NOT arguable", "documented": "NOT documented", "evidence_id": "1",
    "supersedes_id": "id", "adopts_id": "id", "occurred_at": "recorded_at", "recorded_by_id": "recorded_by_id + 1",
    "recorded_at": "'2026-01-01 00:00:00'", "digest": "'0'",
}  # fmt: skip
LESS = {
    "value": "'1'", "label": "'x'", "source": "'x'", "note": "'x'", "salt": "'x'", "redacted_at": "NULL",
    "redacted_by_id": "NULL", "redaction_reason": "'  '",
}  # fmt: skip


@pytest.mark.parametrize(("column", "value"), [*OTHER.items(), *LESS.items()])
def test_the_database_refuses_a_redaction_that_does_more_or_less(fact: Fact, column: str, value: str) -> None:
    with pytest.raises(DatabaseError, match="never changed"):
        update(fact, allowed(**{column: value}))


def test_the_seal_speaks_of_every_column() -> None:
    named = {*sealed.REDACTED_TEXTS, *sealed.REDACTION_WRITES, *sealed.REDACTION_KEEPS, "value"}
    assert named == {field.column for field in Fact._meta.concrete_fields}
