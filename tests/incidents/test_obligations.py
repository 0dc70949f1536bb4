"""Meeting, lateness, exceptions, reopening."""

import pytest

from compliance.errors import BadInput, NotPermitted, Refused
from incidents import services, timers
from incidents.models import Incident, Obligation
from tests.factories import Company, kst, later, make_incident

pytestmark = pytest.mark.both_databases

KNOWN = kst("2025-09-15 14:00")
DUE = kst("2025-09-16 14:00")
FILED = kst("2025-09-18 23:57")


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=KNOWN, known_at=KNOWN)


@pytest.fixture
def duty(incident: Incident) -> Obligation:
    return incident.obligations.get(rule="kr.network-act.incident-report", stage="initial")


def meet(duty: Obligation, company: Company, done_at=FILED, at=FILED) -> Obligation:
    return services.obligation_meet(obligation=duty, done_at=done_at, at=at, by=company.owner, reference="F1")


def test_met_after_the_due_moment_is_met_late(duty: Obligation, company: Company) -> None:
    row = meet(duty, company)
    assert (row.state, row.met_at - row.due_at) == ("met_late", later(DUE, hours=57, minutes=57) - DUE)


def test_met_on_the_very_moment_is_in_time(duty: Obligation, company: Company) -> None:
    assert meet(duty, company, done_at=DUE, at=DUE).state == "met"


def test_done_in_time_but_recorded_after_it_was_marked_overdue_is_met(duty: Obligation, company: Company) -> None:
    timers.fire_due(now=later(DUE, minutes=5))
    duty.refresh_from_db()
    assert duty.state == "overdue"
    assert meet(duty, company, done_at=later(DUE, minutes=-5), at=later(DUE, minutes=10)).state == "met"


def test_meeting_twice_changes_nothing(duty: Obligation, company: Company) -> None:
    first = meet(duty, company)
    again = meet(duty, company, done_at=later(FILED, hours=1), at=later(FILED, hours=2))
    assert again.met_at == first.met_at


def test_a_duty_met_in_the_future_is_refused(duty: Obligation, company: Company) -> None:
    with pytest.raises(BadInput):
        meet(duty, company, done_at=later(FILED, hours=1), at=FILED)


def test_an_earlier_awareness_found_later_makes_what_was_in_time_late(
    incident: Incident, duty: Obligation, company: Company
) -> None:
    meet(duty, company, done_at=later(DUE, hours=-1), at=later(DUE, hours=-1))
    services.fact_record(
        incident=incident,
        name="incident.known_at",
        value=later(KNOWN, hours=-5),
        label="경찰 연락",
        at=later(DUE, days=1),
        by=company.owner,
    )
    duty = Obligation.objects.get(pk=duty.pk)
    assert (duty.state, duty.due_at) == ("met_late", later(DUE, hours=-5))


def test_a_reason_for_lateness_belongs_to_a_late_duty_only(duty: Obligation, company: Company) -> None:
    with pytest.raises(Refused) as refused:
        services.late_reason_record(obligation=duty, reason="보고 체계에 혼선이 있었음", at=DUE, by=company.owner)
    assert refused.value.code == "not_late"
    row = services.late_reason_record(
        obligation=duty, reason="보고 체계 혼선으로 결정이 늦음", at=later(DUE, hours=1), by=company.owner
    )
    assert row.late_reason_by == company.owner


def test_an_exception_needs_two_people_and_a_provision(duty: Obligation, company: Company) -> None:
    with pytest.raises(BadInput) as refused:
        services.excuse_request(
            obligation=duty, provision="", reason="타법에 따라 이미 신고함", at=DUE, by=company.counsel
        )
    assert refused.value.field == "provision"
    excuse = services.excuse_request(
        obligation=duty, provision="정보통신망법", reason="다른 법률에 따라 이미 신고함", at=DUE, by=company.counsel
    )
    with pytest.raises(NotPermitted):
        services.excuse_decide(excuse=excuse, approve=True, at=DUE, by=company.counsel)
    services.excuse_decide(excuse=excuse, approve=True, at=DUE, by=company.approver)
    assert Obligation.objects.get(pk=duty.pk).state == "excused"


def test_an_excused_duty_stays_excused_when_facts_come_in(duty: Obligation, company: Company) -> None:
    excuse = services.excuse_request(
        obligation=duty, provision="정보통신망법", reason="다른 법률에 따라 이미 신고함", at=DUE, by=company.owner
    )
    services.excuse_decide(excuse=excuse, approve=True, at=DUE, by=company.approver)
    services.fact_record(
        incident=duty.incident, name="incident.cause", value="악성코드", at=later(DUE, hours=1), by=company.owner
    )
    assert Obligation.objects.get(pk=duty.pk).state == "excused"


def test_a_refused_receipt_opens_the_duty_again_with_its_old_due_moment(duty: Obligation, company: Company) -> None:
    meet(duty, company, done_at=later(KNOWN, hours=2), at=later(KNOWN, hours=2))
    row = services.obligation_reopen(
        obligation=duty, reason="접수 거부: 서식 오류", at=later(KNOWN, hours=3), by=company.owner
    )
    assert (row.state, row.due_at, row.met_at) == ("running", DUE, None)
