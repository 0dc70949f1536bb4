"""Search finds what a person may see, in parts of Korean words too, and nothing else."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents import services
from incidents.models import Incident
from incidents.services.restriction import incident_name
from reports import services as reports
from reports.models import Filing
from tests.factories import Company, kst, make_incident

AT = kst("2026-11-02 09:00")


@pytest.fixture
def incident(company: Company) -> Incident:
    made = make_incident(company, at=AT, code="2026-777", title="결제서버 악성코드 감염", summary="외부 제보로 알게 됨")
    services.fact_record(
        incident=made,
        name="incident.cause",
        value="펨토셀 인증서 유출",
        source="포렌식 보고서",
        at=AT,
        by=company.owner,
    )
    services.systems_add(
        incident=made,
        systems=[{"name": "femto-gw-01", "found_by": "관제", "address": "10.7.7.7"}],
        at=AT,
        by=company.owner,
    )
    services.evidence_add(incident=made, title="방화벽 로그", at=AT, by=company.owner)
    return made


def found(client: Client, user: Any, words: str) -> str:
    client.force_login(user)
    client.cookies["django_language"] = "ko"
    response = client.get("/search/", {"q": words})
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("words", "link"),
    [
        ("버 악성", 'href="/incidents/2026-777/"'), ("외부 제보", 'href="/incidents/2026-777/"'),
        ("토셀 인증", "/incidents/2026-777/#facts"), ("포렌식", "/incidents/2026-777/#facts"),
        ("FEMTO-gw", "/incidents/2026-777/systems/?q=femto-gw-01#system-"), ("10.7.7", "/systems/?q=femto-gw-01"),
        ("화벽", "/incidents/2026-777/#evidence"), ("의심 신고 접수", "/incidents/2026-777/journal/?page=1#entry-"),
    ],
)  # fmt: skip
def test_each_kind_is_found_with_a_link_to_its_place(
    client: Client, company: Company, incident: Incident, words: str, link: str
) -> None:
    assert link in found(client, company.auditor, words)


def test_a_stranger_and_whoever_only_reports_find_nothing(client: Client, company: Company, incident: Incident) -> None:
    for user in (company.stranger, company.administrator):
        for words in ("악성코드", "펨토셀", "femto", "방화벽"):
            assert "2026-777" not in found(client, user, words)


def test_a_restricted_incident_is_found_by_the_people_named_alone(
    client: Client, company: Company, incident: Incident
) -> None:
    incident_name(
        incident=incident,
        people=[company.owner, company.counsel],
        restricted=True,
        reason="소송에 대비하여 제한함",
        at=AT,
        by=company.counsel,
    )
    for words in ("악성코드", "펨토셀", "femto", "방화벽", "의심"):
        assert "2026-777" not in found(client, company.auditor, words)
        assert "2026-777" not in found(client, company.manager, words)
    assert "2026-777" in found(client, company.owner, "펨토셀")


def test_a_privileged_draft_is_never_found(client: Client, company: Company, incident: Incident) -> None:
    duty = incident.obligations.get(rule="kr.network-act.incident-report", stage="initial")
    filing = reports.filing_start(incident=incident, obligations=[duty], at=AT, by=company.owner)
    reports.filing_edit(filing=filing, values={"cause": "변호사와 상의한 내용"}, edition=1, at=AT, by=company.owner)
    assert "/filings/1/" in found(client, company.owner, "상의한")
    Filing.objects.filter(pk=filing.pk).update(privileged=True)
    for user in (company.owner, company.counsel, company.auditor):
        assert "/filings/1/" not in found(client, user, "상의한")


def test_a_redacted_fact_is_not_found(client: Client, company: Company, incident: Incident) -> None:
    fact = incident.facts.get(name="incident.cause")
    services.fact_redact(fact=fact, reason="개인정보가 들어 있음", at=AT, by=company.counsel)
    assert "#facts" not in found(client, company.owner, "펨토셀")


def test_one_character_is_not_enough_and_is_said(client: Client, company: Company, incident: Incident) -> None:
    assert "두 글자 이상" in found(client, company.owner, "악")


def test_a_search_costs_few_queries_however_much_there_is(client: Client, company: Company, incident: Incident) -> None:
    for number in range(15):
        make_incident(company, at=AT, code=f"2026-8{number:02}", title="결제서버 악성코드")
    found(client, company.owner, "악성코드")
    with CaptureQueriesContext(connection) as seen:
        found(client, company.owner, "악성코드")
    assert len([item for item in seen if "SAVEPOINT" not in item["sql"]]) <= 14


def test_hostile_words_are_words(client: Client, company: Company, incident: Incident) -> None:
    text = found(client, company.owner, "%_'\"<script>alert(1)</script>")
    assert "<script>alert(1)" not in text
