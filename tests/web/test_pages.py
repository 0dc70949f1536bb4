"""The pages: both languages, every state, right people only, errors beside the field with nothing lost."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from incidents import services, timers
from incidents.models import Incident, Obligation
from reports import services as reports
from reports.models import Filing
from tests.factories import Company, kst, later, make_incident

AT = kst("2026-11-02 09:00")


@pytest.fixture
def incident(company: Company) -> Incident:
    made = make_incident(company, at=AT, code="2026-777")
    services.people_record(
        incident=made,
        entity=company.entity,
        residence="KR",
        count=10,
        categories=["phone"],
        confirmed_at=AT,
        at=AT,
        by=company.owner,
    )
    services.evidence_add(incident=made, title="로그", expires_at=later(AT, days=30), at=AT, by=company.owner)
    services.systems_add(incident=made, systems=[{"name": "web-1", "found_by": "관제"}], at=AT, by=company.owner)
    timers.fire_due(now=AT)
    return made


@pytest.fixture
def visit(client: Client) -> Callable[..., str]:
    def get(path: str, user, language: str = "ko", status: int = 200) -> str:
        client.force_login(user)
        client.cookies["django_language"] = language
        response = client.get(path)
        assert response.status_code == status, response.status_code
        return response.content.decode()

    return get


PATHS = ["/", "/incidents/", "/incidents/2026-777/", "/report/", "/law/", "/law/kr.network-act.incident-report/"]


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", ["owner", "counsel", "auditor"])
def test_every_page_opens_for_every_role_in_both_languages(
    visit, company: Company, incident: Incident, path: str, language: str, role: str
) -> None:
    assert "</html>" in visit(path, getattr(company, role), language)


def test_the_board_shows_what_is_late_on_top(visit, company: Company, incident: Incident) -> None:
    make_incident(company, at=later(AT, days=2), code="2026-778")
    text = visit("/", company.manager, "en")
    assert text.index("2026-777") < text.index("2026-778")
    assert "Overdue" in text


def test_a_stranger_sees_nothing_of_it(visit, company: Company, incident: Incident) -> None:
    assert "2026-777" not in visit("/", company.stranger)
    visit("/incidents/2026-777/", company.stranger, status=404)
    visit("/incidents/2026-777/filings/1/", company.stranger, status=404)
    visit("/incidents/2026-777/filings/1/document.pdf", company.stranger, status=404)


def test_who_is_not_signed_in_is_sent_to_sign_in(client: Client, incident: Incident) -> None:
    for path in PATHS:
        assert client.get(path).url.startswith("/accounts/login/")


def test_pages_are_served_under_a_strict_policy(client: Client, company: Company, incident: Incident) -> None:
    client.force_login(company.owner)
    response = client.get("/incidents/2026-777/")
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?! src=)|\sstyle=|\son\w+=", response.content.decode())


def act(client: Client, user, **fields: object):
    client.force_login(user)
    return client.post("/incidents/2026-777/", fields)


def test_a_fact_is_recorded_from_the_page(client: Client, company: Company, incident: Incident) -> None:
    response = act(client, company.owner, action="fact", name="leak.confirmed", value="no", source="포렌식")
    assert response.status_code == 302
    assert [(row.value, row.source) for row in incident.facts.filter(name="leak.confirmed")] == [(False, "포렌식")]


def test_a_wrong_time_is_said_beside_the_field_and_what_was_typed_stays(
    client: Client, company: Company, incident: Incident
) -> None:
    response = act(
        client, company.owner, action="fact", name="incident.known_at", value="2099-01-01T00:00", label="나중에 알게 됨"
    )
    assert response.status_code == 422
    text = response.content.decode()
    assert "나중에 알게 됨" in text
    assert "2099-01-01 00:00" in text


@pytest.mark.parametrize(
    ("zone", "typed", "words"),
    [
        ("Europe/Berlin", "2025-10-26T02:30", "happens twice in Europe/Berlin"),
        ("Europe/Berlin", "2026-03-29T02:30", "never happens in Europe/Berlin"),
    ],
)
def test_an_impossible_local_time_is_refused_on_the_page(
    client: Client, company: Company, incident: Incident, zone: str, typed: str, words: str
) -> None:
    type(company.entity).objects.filter(pk=company.entity.pk).update(zone=zone)
    client.cookies["django_language"] = "en"
    response = act(client, company.owner, action="fact", name="incident.known_at", value=typed, label="x")
    assert response.status_code == 422
    assert words in response.content.decode()


def test_the_question_which_of_two_hours_can_be_answered(client: Client, company: Company, incident: Incident) -> None:
    type(company.entity).objects.filter(pk=company.entity.pk).update(zone="Europe/Berlin")
    fields = {"action": "fact", "name": "incident.known_at", "label": "x"}
    asked = act(client, company.owner, **fields, value="2025-10-26T02:30").content.decode()
    assert re.search(r'<input type="text" name="value" value="2025-10-26T02:30"', asked)
    assert act(client, company.owner, **fields, value="2025-10-26T02:30+01:00").status_code == 302
    known = [row.value for row in incident.facts.filter(name="incident.known_at")]
    assert "2025-10-26T01:30:00+00:00" in known


def test_a_double_click_on_report_makes_one_incident(client: Client, company: Company) -> None:
    client.force_login(company.reporter)
    key = re.search(r'name="request_key" value="([^"]+)"', client.get("/report/").content.decode())
    assert key
    fields = {
        "title": "의심", "summary": "", "entity": company.entity.pk, "known_at": "2026-11-02T08:00",
        "is_cyber": "unknown", "personal_data": "unknown", "request_key": key[1],
    }  # fmt: skip
    first, second = client.post("/report/", fields), client.post("/report/", fields)
    assert (first.status_code, first.url) == (302, second.url)
    made = Incident.objects.get()
    assert made.obligations.filter(state="possible", due_at__isnull=False).count() == 3


def test_a_report_without_a_title_keeps_what_was_typed(client: Client, company: Company) -> None:
    client.force_login(company.reporter)
    response = client.post(
        "/report/",
        {
            "title": "",
            "summary": "긴 설명",
            "entity": company.entity.pk,
            "known_at": "",
            "is_cyber": "yes",
            "personal_data": "no",
            "request_key": "k",
        },
    )
    assert response.status_code == 422
    assert "긴 설명" in response.content.decode()


def test_dismissing_alone_is_refused_on_the_page(client: Client, company: Company, incident: Incident) -> None:
    client.cookies["django_language"] = "ko"
    act(client, company.counsel, action="dismiss", reason="오탐으로 보이므로 종결 요청")
    pending = incident.dismissals.get()
    response = act(client, company.counsel, action="dismissal", subject=pending.pk, decision="approve")
    assert response.status_code == 422
    assert "혼자서는 종결할 수 없습니다" in response.content.decode()


def start_filing(client: Client, company: Company, incident: Incident) -> Filing:
    client.force_login(company.owner)
    duty = Obligation.objects.get(incident=incident, rule="kr.network-act.incident-report", stage="initial")
    for _ in range(2):
        response = client.post("/incidents/2026-777/filings/", {"obligation": duty.pk, "request_key": "once"})
    assert response.url == "/incidents/2026-777/filings/1/"
    return Filing.objects.get()


def test_two_people_editing_one_draft_are_told_and_lose_nothing(
    client: Client, company: Company, incident: Incident
) -> None:
    filing = start_filing(client, company, incident)
    url = "/incidents/2026-777/filings/1/"
    client.post(url, {"action": "edit", "edition": "1", "field-cause": "갑의 글"})
    client.force_login(company.manager)
    response = client.post(url, {"action": "edit", "edition": "1", "field-cause": "을의 글"})
    assert response.status_code == 422
    assert "을의 글" in response.content.decode()
    assert Filing.objects.get(pk=filing.pk).values["cause"]["value"] == "갑의 글"


def test_approving_ones_own_filing_is_refused_on_the_page(
    client: Client, company: Company, incident: Incident, settings, tmp_path
) -> None:
    settings.FILES_ROOT = tmp_path
    filing = start_filing(client, company, incident)
    values = dict.fromkeys(("department", "phone", "detection_route", "types", "summary", "measures"), "적음")
    reports.filing_edit(filing=filing, values=values, edition=1, at=AT, by=company.owner)
    company.entity.memberships.create(user=company.owner, role="approver")
    url = "/incidents/2026-777/filings/1/"
    client.post(url, {"action": "review"})
    client.cookies["django_language"] = "en"
    response = client.post(url, {"action": "approve"})
    assert response.status_code == 422
    assert "You wrote this filing." in response.content.decode()


def test_the_draft_can_be_seen_as_a_document(client: Client, company: Company, incident: Incident) -> None:
    start_filing(client, company, incident)
    response = client.get("/incidents/2026-777/filings/1/document.pdf")
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")


def test_hostile_text_is_only_text(visit, company: Company, incident: Incident) -> None:
    services.fact_record(
        incident=incident, name="incident.cause", value="<script>alert(1)</script>", at=AT, by=company.owner
    )
    text = visit("/incidents/2026-777/", company.owner)
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_health_says_what_is_wrong_and_nothing_else(client: Client, incident: Incident) -> None:
    response = client.get("/health")
    assert response.status_code == 503
    assert "timers_silent" in response.json()["problems"]
    assert "2026-777" not in response.content.decode()
