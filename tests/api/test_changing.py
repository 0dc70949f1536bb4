"""What is changed through the API: by the right person, in the right order, once."""

from typing import Any

import pytest

from incidents.models import Escalation, Fact, Incident, JournalEntry
from tests.api.conftest import AT, CODE, session, token
from tests.factories import later, make_incident
from tests.reports.conftest import Case

HERE = f"/incidents/{CODE}"
REPORT = {"title": "웹셸 발견", "entities": ["hanbit"], "known_at": "2025-09-15T14:30+09:00", "is_cyber": True}
FACT = {"facts": [{"name": "incident.summary", "value": "외부 점검에서 확인"}]}
PEOPLE = {"entity": "hanbit", "residence": "KR", "count": 5561, "confirmed_at": "2025-09-15T15:00+09:00"}
EVIDENCE = {"title": "VPN 로그", "expires_at": "2025-10-01T00:00+09:00"}
SYSTEMS = {"systems": [{"name": "web-01", "found_by": "보안팀"}]}
REASON = {"reason": "내부 보고가 늦어 결정이 지연됨"}


def test_a_suspicion_is_reported_once_however_often_it_is_sent(case: Case) -> None:
    api = session(case.company.reporter)
    first = api.post("/incidents", REPORT, **{"Idempotency-Key": "abc"})
    again = api.post("/incidents", REPORT, **{"Idempotency-Key": "abc"})
    assert first.status_code == again.status_code == 201
    assert first.json()["code"] == again.json()["code"]
    assert Incident.objects.filter(title=REPORT["title"]).count() == 1
    assert Fact.objects.filter(incident__code=first.json()["code"], name="incident.known_at").count() == 1


def test_a_key_used_for_another_request_is_refused(case: Case) -> None:
    api = session(case.company.owner)
    api.post("/incidents", REPORT, **{"Idempotency-Key": "abc"})
    answer = api.post("/incidents", {**REPORT, "title": "다른 일"}, **{"Idempotency-Key": "abc"})
    assert (answer.status_code, answer.json()["code"]) == (409, "key_used")


def test_two_people_may_use_the_same_key(case: Case) -> None:
    for person in (case.company.owner, case.company.counsel):
        assert session(person).post("/incidents", REPORT, **{"Idempotency-Key": "abc"}).status_code == 201
    assert Incident.objects.filter(title=REPORT["title"]).count() == 2


def test_nobody_reports_for_another_company(case: Case) -> None:
    answer = session(case.company.stranger).post("/incidents", REPORT)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_entity")
    answer = session(case.company.auditor).post("/incidents", REPORT)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_entity")


WRITES: list[tuple[str, Any]] = [
    ("/facts", FACT), ("/people", PEOPLE), ("/systems", SYSTEMS), ("/evidence", EVIDENCE), ("/filings", {"duties": [1]}),
    ("/confirmed", {}), ("/assessing", {}), ("/closed", {}), ("/reopened", REASON), ("/dismissals", REASON),
    ("/owner", {"owner": "counsel"}),
]  # fmt: skip


@pytest.mark.parametrize("path,body", WRITES)
def test_readers_change_nothing_and_strangers_find_nothing(case: Case, path: str, body: Any) -> None:
    if path == "/filings":
        body = {"duties": [case.duty.pk]}
    before = JournalEntry.objects.count()
    assert session(case.company.auditor).post(HERE + path, body).status_code == 403
    assert session(case.company.stranger).post(HERE + path, body).status_code == 404
    assert token(case.company.owner, "read")[0].post(HERE + path, body).json()["code"] == "wrong_scope"
    assert JournalEntry.objects.exclude(action="token.made").count() == before


@pytest.mark.parametrize("path,body", WRITES[:4])
def test_a_handler_records(case: Case, path: str, body: Any) -> None:
    assert session(case.company.owner).post(HERE + path, body).status_code == 201
    assert token(case.company.ciso, "handle")[0].post(
        HERE + path, {"systems": [{"name": "web-02", "found_by": "x"}]} if path == "/systems" else body
    ).status_code == 201  # fmt: skip


def test_what_was_recorded_is_read_back(case: Case) -> None:
    api = session(case.company.owner)
    for path, body in WRITES[:4]:
        api.post(HERE + path, body)
    assert api.get(f"{HERE}/facts?name=incident.summary").json()["items"][-1]["value"] == "외부 점검에서 확인"
    assert api.get(f"{HERE}/people").json()[0]["count"] == 5561
    assert api.get(f"{HERE}/systems").json()["items"][0]["name"] == "web-01"
    assert api.get(f"{HERE}/evidence").json()["items"][0]["expires_at"] == "2025-10-01T00:00:00+09:00"


def test_a_fact_is_corrected_and_taken_back(case: Case) -> None:
    api = session(case.company.owner)
    number = api.post(f"{HERE}/facts", FACT).json()[0]["number"]
    answer = api.post(f"{HERE}/facts/{number}/retraction", {"reason": "잘못 적음"})
    assert answer.status_code == 201
    assert answer.json()["supersedes"] == number
    assert api.post(f"{HERE}/facts/{number}/retraction", {"reason": "잘못 적음"}).status_code == 409
    assert api.post(f"{HERE}/facts/9999/retraction", {"reason": "잘못 적음"}).status_code == 404


def test_another_moment_of_awareness_is_adopted(case: Case) -> None:
    api = session(case.company.owner)
    later_one = {"name": "incident.known_at", "value": "2025-09-15T15:30+09:00", "label": "확인"}
    number = api.post(f"{HERE}/facts", {"facts": [later_one]}).json()[0]["number"]
    answer = api.post(f"{HERE}/facts/{number}/adoption", {"reason": "조사로 확인된 때"})
    assert (answer.status_code, answer.json()["kind"]) == (201, "adoption")


@pytest.mark.parametrize(
    "name,value,code",
    [
        ("no.such_fact", 1, "unknown_fact"),
        ("people.total", 1, "unknown_fact"),
        ("incident.is_cyber", "yes", "wrong_value"),
        ("incident.is_cyber", ["yes"], "wrong_type"),
        ("incident.known_at", "2025-09-15T14:00", "naive_instant"),
        ("incident.known_at", "2999-09-15T14:00Z", "in_the_future"),
        ("incident.types", "malware", "wrong_type"),
    ],
)
def test_a_fact_that_makes_no_sense_is_refused(case: Case, name: str, value: Any, code: str) -> None:
    answer = session(case.company.owner).post(f"{HERE}/facts", {"facts": [{"name": name, "value": value}]})
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_evidence_is_preserved_once(case: Case) -> None:
    api = session(case.company.owner)
    number = api.post(f"{HERE}/evidence", EVIDENCE).json()["number"]
    assert api.post(f"{HERE}/evidence/{number}/preserved", {"note": "보관함"}).json()["state"] == "preserved"
    assert api.post(f"{HERE}/evidence/{number}/lost", {"note": "보관함"}).status_code == 409
    assert api.post(f"{HERE}/evidence/{number}/sold", {"note": "보관함"}).status_code == 422


def test_a_duty_is_met_by_hand_once_and_opened_again(case: Case) -> None:
    api = session(case.company.owner)
    path = f"{HERE}/duties/{case.duty.pk}"
    body = {"done_at": "2025-09-15T15:30+09:00", "reference": "전화 신고"}
    assert api.post(f"{path}/met", body).json()["state"] == "met"
    assert api.post(f"{path}/met", body).json()["met_at"] == "2025-09-15T15:30:00+09:00"
    assert JournalEntry.objects.filter(action="obligation.met").count() == 1
    assert api.post(f"{path}/reopened", {"reason": "접수되지 않음"}).json()["state"] == "running"
    assert session(case.company.auditor).post(f"{path}/met", body).status_code == 403


def test_an_exception_needs_another_person(case: Case) -> None:
    path = f"{HERE}/duties/{case.duty.pk}/excuses"
    asked = {"provision": "제48조의3", "reason": "적용 대상이 아님을 확인함"}
    made = session(case.company.counsel).post(path, asked)
    assert made.status_code == 201
    decision = f"{HERE}/excuses/{made.json()['id']}/decision"
    assert session(case.company.counsel).post(decision, {"approve": True}).json()["code"] == "second_person"
    assert session(case.company.owner).post(decision, {"approve": True}).status_code == 403
    assert session(case.company.approver).post(decision, {"approve": True}).json()["approved"] is True
    assert session(case.company.approver).post(decision, {"approve": True}).status_code == 409


def test_a_reason_for_lateness_is_for_late_duties(case: Case) -> None:
    path = f"{HERE}/duties/{case.duty.pk}/late-reason"
    assert session(case.company.owner).post(path, REASON).json()["code"] == "not_late"
    answer = session(case.company.owner, at=later(AT, days=3)).post(path, REASON)
    assert (answer.status_code, answer.json()["late_reason"]) == (200, REASON["reason"])


def test_an_escalation_is_acknowledged_by_whoever_works_on_it(case: Case) -> None:
    step = Escalation.objects.filter(incident__code=CODE).first()
    assert step is not None
    path = f"{HERE}/escalations/{step.pk}/acknowledgement"
    assert session(case.company.auditor).post(path).status_code == 403
    assert session(case.company.stranger).post(path).status_code == 404
    assert session(case.company.manager).post(path).json()["acknowledged_by"] == "manager"
    assert session(case.company.owner).post(path).json()["acknowledged_by"] == "manager"


def test_an_incident_is_dismissed_by_two_and_not_while_a_clock_runs(case: Case) -> None:
    made = session(case.company.owner).post(f"{HERE}/dismissals", {"reason": "오탐으로 확인되었음을 적음"})
    decision = f"{HERE}/dismissals/{made.json()['id']}/decision"
    assert session(case.company.owner).post(decision, {"approve": True}).json()["code"] == "second_person"
    answer = session(case.company.approver).post(decision, {"approve": True})
    assert (answer.status_code, answer.json()["code"]) == (409, "clock_running")
    assert session(case.company.approver).post(decision, {"approve": False}).json()["decision"] == "rejected"


def test_an_incident_moves_along_in_order(case: Case) -> None:
    api = session(case.company.owner)
    assert api.post(f"{HERE}/assessing").json()["state"] == "assessing"
    assert api.post(f"{HERE}/confirmed").json()["state"] == "confirmed"
    assert api.post(f"{HERE}/confirmed").json()["code"] == "wrong_state"
    assert api.post(f"{HERE}/closed").json()["code"] == "clock_running"
    assert api.post(f"{HERE}/reopened", REASON).json()["code"] == "wrong_state"
    assert api.post(f"{HERE}/owner", {"owner": "counsel"}).json()["owner"] == "counsel"
    assert api.post(f"{HERE}/owner", {"owner": "stranger"}).json()["code"] == "unknown_person"


def test_newer_law_is_shown_and_accepted_by_those_who_decide(case: Case) -> None:
    assert session(case.company.owner).get(f"{HERE}/law").json() == []
    assert session(case.company.owner).post(f"{HERE}/law", REASON).status_code == 403
    assert session(case.company.counsel).post(f"{HERE}/law", REASON).json()["code"] == "law_in_use"


def test_a_key_that_is_not_described_sets_nothing(case: Case) -> None:
    api = session(case.company.owner)
    for body in ({**REPORT, "code": "X-1"}, {**REPORT, "state": "closed"}, {**REPORT, "reported_by": 1}):
        answer = api.post("/incidents", body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "extra_forbidden")
    assert not Incident.objects.filter(code="X-1").exists()


def test_what_belongs_to_another_incident_is_not_touched_through_this_one(case: Case) -> None:
    elsewhere = make_incident(case.company, at=AT, code="2025-015")
    api = session(case.company.counsel)
    fact = elsewhere.facts.order_by("-number").first()
    assert fact is not None
    far = elsewhere.obligations.first()
    assert api.post(f"{HERE}/duties/{far.pk}/met", {"done_at": AT.isoformat(), "reference": "x"}).status_code == 404
    assert api.post(f"{HERE}/filings", {"duties": [far.pk]}).json()["code"] == "unknown_duty"
