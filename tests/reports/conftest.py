"""An incident with a filing on its way."""

from dataclasses import dataclass
from datetime import datetime

import pytest
from django.db import models

from incidents import services
from incidents.models import Incident, Obligation
from reports import services as reports
from reports.models import Filing
from tests.factories import Company, kst, later, make_incident

KNOWN = kst("2025-09-15 14:00")
NOW = kst("2025-09-18 20:00")
NARRATIVE = {
    "incident.types": ["malware", "web_shell"],
    "incident.summary": "외부 보안점검에서 서버 침해 흔적 4건과 의심 정황 2건을 확인함",
    "incident.detection_route": "외부 전문업체의 서버 점검 결과를 통보받음",
    "incident.measures": "해당 서버 격리, 로그 보전, 원인 분석 중",
    "response.department": "정보보안단",
    "response.person": "처리 담당",
    "response.phone": "02-000-0000",
}


@dataclass(slots=True)
class Case:
    """People, incident and duty."""

    company: Company
    incident: Incident
    duty: Obligation
    begun: datetime = NOW

    def draft(self) -> Filing:
        owner = self.company.owner
        return reports.filing_start(incident=self.incident, obligations=[self.duty], at=self.begun, by=owner)

    def approved(self) -> Filing:
        filing = self.draft()
        reports.filing_send_to_review(filing=filing, at=NOW, by=self.company.owner)
        return self.approve(filing)

    def approve(self, filing: Filing) -> Filing:
        """By two, as it is late."""
        reports.filing_approve(filing=filing, at=later(NOW, minutes=10), by=self.company.counsel)
        return reports.filing_approve(filing=filing, at=later(NOW, minutes=11), by=self.company.approver)

    def give_reason(self) -> None:
        services.late_reason_record(
            obligation=self.duty, reason="내부 보고가 늦어 결정이 지연됨", at=NOW, by=self.company.owner
        )

    def frozen(self) -> Filing:
        self.give_reason()
        filing = self.approved()
        return reports.filing_freeze(filing=filing, at=later(NOW, minutes=20), by=self.company.owner)


@pytest.fixture
def case(company: Company, settings, tmp_path) -> Case:
    return make_case(company, settings, tmp_path)


def make_case(company: Company, settings, tmp_path, at: datetime = NOW, code: str = "2025-014") -> Case:
    settings.FILES_ROOT = tmp_path / "files"
    incident = make_incident(company, at=at, known_at=KNOWN, known_label="외부 점검", code=code)
    facts = [{"name": name, "value": value} for name, value in NARRATIVE.items()]
    services.facts_record(incident=incident, facts=facts, at=at, by=company.owner)
    duty = incident.obligations.get(rule="kr.network-act.incident-report", stage="initial")
    return Case(company, incident, duty, at)


def put(row: models.Model, **columns: object) -> None:
    """Write columns past every rule, as only a test may: a state of its own without walking there."""
    models.QuerySet(type(row)).filter(pk=row.pk).update(**columns)
