"""Redaction destroys the words of a fact and their copies, nothing else, and the chain still verifies."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.test import Client

from compliance.errors import BadInput, NotPermitted, Refused
from incidents import journal, sealed, services
from incidents.models import Classification, Fact, Incident, JournalEntry
from incidents.services import sheets
from tests.factories import Company, kst, later, make_incident

pytestmark = pytest.mark.both_databases

AT = kst("2026-11-02 09:00")
REASON = "erasure asked for by the person"
ANSWERS = {"answers": {"personal_data_breach": True, "special_categories": True, "recipient": "criminal"}}
ANSWERS["answers"] |= {"unintelligible": False, "nobody_affected": False, "lawfully_public": False}


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


def test_only_counsel_an_approver_or_a_manager_may(fact: Fact, company: Company) -> None:
    for person in (company.owner, company.ciso, company.executive, company.auditor, company.stranger):
        with pytest.raises(NotPermitted):
            redact(fact, person)
    redact(fact, company.manager)


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


def test_the_adoption_of_a_moment_is_redacted_with_it(incident: Incident, company: Company) -> None:
    given = {"incident": incident, "name": "incident.known_at", "at": AT, "by": company.owner}
    first = incident.facts.get(name="incident.known_at", kind="candidate")
    moment = services.fact_record(value=later(AT, hours=-1), label="홍길동의 전화", **given)
    services.candidate_adopt(candidate=moment, reason="the call came first", at=AT, by=company.owner)
    with pytest.raises(Refused, match="rest on"):
        redact(moment, company.counsel)
    services.candidate_adopt(candidate=first, reason="the call was of another day", at=AT, by=company.owner)
    services.fact_retract(fact=moment, reason="the call was of another day", at=AT, by=company.owner)
    redact(moment, company.counsel)
    adoption = moment.adoptions.get()
    assert (adoption.value, adoption.label, adoption.note, adoption.salt) == (None, "", "", "")
    assert list(journal.verify()) == []


class TestWorkingPapers:
    """A classification that was worked out with the value is emptied too; what was adopted stays."""

    @pytest.fixture
    def paper(self, fact: Fact, incident: Incident, company: Company) -> Classification:
        answers = {**ANSWERS, "reasons": {"recipient": f"{fact.value}의 진술"}}
        return services.classification_adopt(
            incident=incident, entity=company.entity, method="edpb", answers=answers, chosen="high", reason="", at=AT,
            by=company.cpo,
        )  # fmt: skip

    def test_answers_working_reason_and_salt_go_and_the_outcome_stays(
        self, paper: Classification, fact: Fact, company: Company
    ) -> None:
        before = paper.proposal
        redact(fact, company.counsel)
        paper.refresh_from_db()
        assert (paper.answers, paper.reason, paper.salt) == ({}, "", "")
        assert (paper.proposal["working"], paper.level["key"], paper.chosen) == ([], "high", "high")
        assert paper.proposal["level"] == before["level"]
        assert (paper.redacted_by, paper.redaction_reason) == (company.counsel, REASON)
        entry = JournalEntry.objects.get(action="fact.redacted")
        assert entry.detail["emptied"] == ["classification edpb 1"]
        assert JournalEntry.objects.filter(action="classification.redacted").count() == 1
        assert list(journal.verify()) == []

    def test_the_journal_holds_only_a_digest_whose_salt_lies_with_the_paper(self, paper: Classification) -> None:
        entry = JournalEntry.objects.get(action="classification.adopted")
        assert len(paper.salt) == 64
        assert paper.salt != entry.salt

    def test_one_that_says_nothing_of_it_is_left_alone(
        self, paper: Classification, incident: Incident, company: Company
    ) -> None:
        other = services.fact_record(
            incident=incident, name="response.person", value="이몽룡", at=later(AT, minutes=1), by=company.owner
        )
        redact(other, company.counsel)
        paper.refresh_from_db()
        assert paper.redacted_at is None

    def test_its_page_and_the_incident_are_still_shown(
        self, paper: Classification, fact: Fact, company: Company, client: Client
    ) -> None:
        redact(fact, company.counsel)
        client.force_login(company.counsel)
        for path in ("", "score/edpb/"):
            page = client.get(f"/incidents/{fact.incident.code}/{path}").content.decode()
            assert "working papers redacted" in page
            assert "홍길동" not in page

    @pytest.mark.parametrize("change", [
        {}, {"redacted_by": None}, {"redaction_reason": " "}, {"answers": {"answers": {}}}, {"chosen": "low"},
        {"reason": "x"}, {"salt": "x"}, {"proposal": None}, {"digest": "x"},
    ], ids=str)  # fmt: skip
    def test_the_database_allows_exactly_that(
        self, paper: Classification, company: Company, change: dict[str, Any]
    ) -> None:
        emptied = {**paper.proposal, "working": [], "open": [], "beside": [], "readings": []}
        whole = {"answers": {}, "proposal": emptied, "reason": "", "salt": "", "redacted_at": AT,
                 "redacted_by": company.counsel, "redaction_reason": REASON}  # fmt: skip
        rows = Classification.objects.filter(pk=paper.pk)
        if change:
            if "proposal" in change:
                change = {"proposal": paper.proposal}
            with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
                rows.update(**{**whole, **change})
        rows.update(**whole)
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            rows.update(**whole)

    def test_the_seal_speaks_of_every_column(self) -> None:
        named = {*sealed.EMPTIED_TEXTS, *sealed.REDACTION_WRITES, *sealed.EMPTYING_KEEPS, "answers", "proposal"}
        assert named == {field.column for field in Classification._meta.concrete_fields}


class TestThePage:
    """Counsel, approver or manager redacts on a page that says what goes and what stays, in both languages."""

    def path(self, fact: Fact) -> str:
        return f"/incidents/{fact.incident.code}/facts/{fact.number}/redact/"

    def test_it_says_what_it_cannot_undo_and_does_nothing_yet(
        self, fact: Fact, company: Company, client: Client
    ) -> None:
        client.force_login(company.counsel)
        client.cookies["django_language"] = "ko"
        page = client.get(self.path(fact)).content.decode()
        assert "되돌리거나 없앨 수 없는 것" in page
        assert "홍길동" in page
        client.cookies["django_language"] = "en"
        assert "What it cannot undo" in client.get(self.path(fact)).content.decode()
        fact.refresh_from_db()
        assert fact.redacted_at is None

    @pytest.mark.parametrize("given", [{"reason": REASON}, {"confirm": "on"}, {"reason": "  ", "confirm": "on"}])
    def test_it_needs_a_reason_and_a_confirmation(
        self, fact: Fact, company: Company, client: Client, given: dict[str, str]
    ) -> None:
        client.force_login(company.counsel)
        assert client.post(self.path(fact), given).status_code == 422
        fact.refresh_from_db()
        assert fact.redacted_at is None

    def test_it_is_done_and_shown_and_happens_once(self, fact: Fact, company: Company, client: Client) -> None:
        client.force_login(company.manager)
        incident_page = f"/incidents/{fact.incident.code}/"
        assert self.path(fact) in client.get(incident_page).content.decode()
        answer = client.post(self.path(fact), {"reason": REASON, "confirm": "on"}, follow=True)
        assert answer.status_code == 200
        page = client.get(incident_page).content.decode()
        assert REASON in page
        assert "홍길동" not in page
        assert self.path(fact) not in page
        assert client.post(self.path(fact), {"reason": REASON, "confirm": "on"}).status_code == 422

    def test_others_may_not_even_look(self, fact: Fact, company: Company, client: Client) -> None:
        for person, status in ((company.owner, 403), (company.auditor, 403), (company.stranger, 404)):
            client.force_login(person)
            assert client.get(self.path(fact)).status_code == status
            assert client.post(self.path(fact), {"reason": REASON, "confirm": "on"}).status_code == status
        client.force_login(company.owner)
        assert self.path(fact) not in client.get(f"/incidents/{fact.incident.code}/").content.decode()

    def test_a_fact_on_which_duties_rest_is_refused_before_anybody_types(
        self, incident: Incident, company: Company, client: Client
    ) -> None:
        client.force_login(company.counsel)
        page = client.get(self.path(incident.facts.get(name="incident.is_cyber"))).content.decode()
        assert '<form method="post" class="stack sheet"' not in page
        assert 'role="alert"' in page


def test_the_seal_speaks_of_every_column() -> None:
    named = {*sealed.REDACTED_TEXTS, *sealed.REDACTION_WRITES, *sealed.REDACTION_KEEPS, "value"}
    assert named == {field.column for field in Fact._meta.concrete_fields}
