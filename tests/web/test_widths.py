"""No page is wider than the screen, from a small phone to a wall."""

from collections.abc import Callable
from typing import Any

import pytest

from incidents import services
from reports import services as reports
from tests.factories import PASSWORD, kst, later, make_company, make_incident

AT = kst("2026-11-02 09:00")
PATHS = [
    "/",
    "/incidents/",
    "/incidents/2026-001/",
    "/incidents/2026-001/filings/1/",
    "/incidents/2026-001/score/enisa/",
    "/report/",
    "/law/",
    "/law/kr.pipa.subject-notice/",
]


@pytest.mark.django_db(transaction=True)
def test_no_page_is_wider_than_the_screen(browser_page: Any, live_site: Callable[..., str]) -> None:
    company = make_company()
    incident = make_incident(company, at=AT, title="아주긴제목" * 12, code="2026-001", leak_suspected_at=AT)
    services.evidence_add(
        incident=incident, title="방화벽 로그", expires_at=later(AT, days=30), at=AT, by=company.owner
    )
    duty = incident.obligations.get(rule="kr.network-act.incident-report")
    reports.filing_start(incident=incident, obligations=[duty], at=AT, by=company.owner)
    page, site = browser_page, live_site()
    page.goto(f"{site}/accounts/login/")
    page.fill("#id_username", "owner")
    page.fill("#id_password", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{site}/")
    too_wide = []
    for width in (320, 390, 768, 1280, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        for path in PATHS:
            page.goto(site + path)
            found = page.evaluate("document.documentElement.scrollWidth")
            if found > width:
                too_wide.append((width, path, found))
    assert too_wide == []
