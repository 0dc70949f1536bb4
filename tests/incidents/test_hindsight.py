"""An awareness time that changes after the deadline is written down by name, shown, and told to the auditors."""

import pytest
from django.test import Client

from incidents import services
from incidents.models import Incident, JournalEntry, OutboxMessage
from incidents.services.hindsight import ACTION
from tests.factories import Company, kst, later, make_incident

pytestmark = pytest.mark.both_databases
KNOWN = kst("2026-11-02 09:00")
PASSED = later(KNOWN, hours=30)


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=KNOWN, known_at=KNOWN, known_label="관제 탐지", code="2026-900")


def another(incident: Incident, company: Company, at) -> None:
    services.fact_record(
        incident=incident, name="incident.known_at", value=later(KNOWN, hours=12), label="확정", at=at, by=company.owner
    )


def flags() -> list[JournalEntry]:
    return list(JournalEntry.objects.filter(action=ACTION))


def test_a_candidate_before_the_deadline_is_nothing_special(incident: Incident, company: Company) -> None:
    another(incident, company, later(KNOWN, hours=20))
    assert flags() == []


def test_a_candidate_after_the_deadline_is_flagged_with_the_deadlines_before_and_after(
    incident: Incident, company: Company
) -> None:
    another(incident, company, PASSED)
    (entry,) = flags()
    (moved,) = [item for item in entry.detail["deadlines"] if "incident-report/initial" in item["duty"]]
    assert moved["was_due_at"] == "2026-11-03T00:00:00+00:00"
    assert entry.actor == f"user:{company.owner.pk}"


def test_adopting_a_later_moment_after_the_deadline_is_flagged(incident: Incident, company: Company) -> None:
    another(incident, company, later(KNOWN, hours=20))
    candidate = next(row for row in incident.facts.filter(name="incident.known_at") if row.label == "확정")
    services.candidate_adopt(candidate=candidate, reason="확정 시점이 맞음", at=PASSED, by=company.counsel)
    (entry,) = flags()
    moved = next(item for item in entry.detail["deadlines"] if "incident-report/initial" in item["duty"])
    assert (moved["was_due_at"], moved["due_at"]) == ("2026-11-03T00:00:00+00:00", "2026-11-03T12:00:00+00:00")


def test_taking_a_candidate_back_after_the_deadline_is_flagged(incident: Incident, company: Company) -> None:
    candidate = incident.facts.get(name="incident.known_at")
    services.fact_retract(fact=candidate, reason="잘못 기록함", at=PASSED, by=company.owner)
    assert len(flags()) == 1


def test_another_fact_after_the_deadline_is_not_flagged(incident: Incident, company: Company) -> None:
    services.fact_record(incident=incident, name="incident.cause", value="웹셸", at=PASSED, by=company.owner)
    assert flags() == []


def test_the_auditors_are_told_and_nobody_else(incident: Incident, company: Company) -> None:
    another(incident, company, PASSED)
    (message,) = OutboxMessage.objects.filter(dedupe__startswith="hindsight:")
    assert message.recipient == company.auditor
    assert "2026-900" in message.subject


def test_the_page_of_the_incident_shows_it(incident: Incident, company: Company, client: Client) -> None:
    another(incident, company, PASSED)
    client.force_login(company.auditor)
    client.cookies["django_language"] = "en"
    text = client.get("/incidents/2026-900/").content.decode()
    assert "An awareness time was changed after the deadline" in text
