"""An incident cannot be waved away: the guards on dismissing, closing and reopening."""

import pytest

from compliance.errors import BadInput, NotPermitted, Refused
from incidents import services
from incidents.models import Dismissal, Incident, JournalEntry
from incidents.states import IncidentState
from tests.factories import Company, kst, later, make_incident

pytestmark = pytest.mark.both_databases

AT = kst("2026-11-02 09:00")


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT)


def reloaded(incident: Incident) -> Incident:
    return Incident.objects.get(pk=incident.pk)


def not_an_incident(incident: Incident, company: Company) -> None:
    """Record the facts that answer every question with no."""
    for name in ("incident.is_cyber", "leak.confirmed", "leak.signs", "incident.user_notice_kind"):
        services.fact_record(incident=incident, name=name, value=False, at=later(AT, hours=1), by=company.owner)
    services.fact_record(
        incident=incident, name="incident.outage_minutes", value=0, at=later(AT, hours=1), by=company.owner
    )


def test_a_suspicion_starts_its_clocks_at_once(incident: Incident) -> None:
    row = incident.obligations.get(rule="kr.network-act.incident-report", stage="initial")
    assert (row.state, row.due_at) == ("running", later(AT, hours=24))


def test_a_repeated_request_makes_one_incident(company: Company) -> None:
    first = make_incident(company, at=AT, request_key="k1")
    second = make_incident(company, at=AT, request_key="k1")
    assert first.pk == second.pk


def test_codes_count_up_within_the_year_of_the_entity(company: Company) -> None:
    new_year = kst("2027-01-01 00:30")  # still 2026 in UTC
    codes = [make_incident(company, at=new_year).code for _ in range(2)]
    assert codes == ["2027-001", "2027-002"]


@pytest.mark.parametrize(("field", "value"), [("title", "  "), ("entities", [])])
def test_an_empty_report_names_the_field(company: Company, field: str, value: object) -> None:
    with pytest.raises(BadInput) as refused:
        make_incident(company, at=AT, **{field: value})
    assert refused.value.field == field
    assert not Incident.objects.exists()


def test_an_awareness_in_the_future_is_refused_and_nothing_is_written(company: Company) -> None:
    with pytest.raises(BadInput, match="future"):
        make_incident(company, at=AT, known_at=later(AT, minutes=1))
    assert not Incident.objects.exists()
    assert not JournalEntry.objects.exists()


def test_a_stranger_may_not_report_for_the_company(company: Company) -> None:
    with pytest.raises(NotPermitted):
        make_incident(company, at=AT, by=company.stranger)


def test_an_auditor_changes_nothing(company: Company, incident: Incident) -> None:
    with pytest.raises(NotPermitted, match=incident.code):
        services.incident_confirm(incident=incident, at=AT, by=company.auditor)


def test_nobody_dismisses_alone(company: Company, incident: Incident) -> None:
    not_an_incident(incident, company)
    request = services.dismissal_request(
        incident=incident, reason="오탐으로 확인되었습니다.", at=later(AT, hours=2), by=company.counsel
    )
    with pytest.raises(NotPermitted) as refused:
        services.dismissal_decide(dismissal=request, approve=True, at=later(AT, hours=3), by=company.counsel)
    assert refused.value.code == "second_person"
    assert reloaded(incident).state == IncidentState.REPORTED


def test_a_dismissal_needs_a_reason(company: Company, incident: Incident) -> None:
    with pytest.raises(BadInput) as refused:
        services.dismissal_request(incident=incident, reason=" ", at=AT, by=company.owner)
    assert refused.value.field == "reason"


def test_an_open_duty_stops_a_dismissal_even_with_two_people(company: Company, incident: Incident) -> None:
    request = services.dismissal_request(
        incident=incident, reason="오탐으로 보입니다 (확인 전)", at=AT, by=company.owner
    )
    with pytest.raises(Refused) as refused:
        services.dismissal_decide(dismissal=request, approve=True, at=AT, by=company.counsel)
    assert refused.value.code == "clock_running"
    assert Dismissal.objects.get().decision == Dismissal.Decision.PENDING


def test_a_handler_without_counsels_role_cannot_be_the_second_person(company: Company, incident: Incident) -> None:
    request = services.dismissal_request(
        incident=incident, reason="오탐으로 보입니다 (확인 전)", at=AT, by=company.owner
    )
    with pytest.raises(NotPermitted) as refused:
        services.dismissal_decide(dismissal=request, approve=True, at=AT, by=company.manager)
    assert refused.value.code == "may_not_decide"


def test_two_people_dismiss_once_every_question_is_answered(company: Company, incident: Incident) -> None:
    not_an_incident(incident, company)
    request = services.dismissal_request(
        incident=incident, reason="점검 결과 오탐으로 확인", at=later(AT, hours=2), by=company.owner
    )
    services.dismissal_decide(dismissal=request, approve=True, at=later(AT, hours=3), by=company.counsel)
    assert reloaded(incident).state == IncidentState.DISMISSED


def test_nothing_closes_over_a_running_clock(company: Company, incident: Incident) -> None:
    services.incident_confirm(incident=incident, at=AT, by=company.owner)
    with pytest.raises(Refused) as refused:
        services.incident_close(incident=incident, at=later(AT, days=30), by=company.owner)
    assert refused.value.code == "clock_running"
    assert "kr.network-act.incident-report/initial" in str(refused.value)


def test_evidence_at_risk_stops_a_closing(company: Company, incident: Incident) -> None:
    not_an_incident(incident, company)
    services.incident_confirm(incident=incident, at=later(AT, hours=2), by=company.owner)
    services.evidence_add(
        incident=incident, title="방화벽 로그", expires_at=later(AT, days=30), at=later(AT, hours=2), by=company.owner
    )
    with pytest.raises(Refused) as refused:
        services.incident_close(incident=incident, at=later(AT, hours=3), by=company.owner)
    assert refused.value.code == "evidence_at_risk"


def test_a_wrong_order_is_refused_with_the_present_state(company: Company, incident: Incident) -> None:
    with pytest.raises(Refused) as refused:
        services.incident_reopen(incident=incident, reason="다시 확인", at=AT, by=company.owner)
    assert refused.value.code == "wrong_state"


def test_a_replayed_incident_stands_still_on_the_wall_clock(company: Company) -> None:
    from compliance import clock

    with clock.simulated(AT):
        replayed = make_incident(company, at=AT, kind=Incident.Kind.REPLAY, code="R-1")
    with pytest.raises(Refused) as refused:
        services.incident_confirm(incident=replayed, at=later(AT, days=1), by=company.owner)
    assert refused.value.code == "replay_stands_still"
