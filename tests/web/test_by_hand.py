"""The SK Telecom case by hand, in a real browser: from the first suspicion to the recorded receipt."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from incidents import journal
from incidents.models import Incident
from reports.models import Filing
from tests.factories import KST, PASSWORD, make_company

REPORT = "kr.network-act.incident-report"


class Person:
    """Somebody at the browser."""

    def __init__(self, page: Any, site: str) -> None:
        self.page, self.site = page, site

    def sign_in(self, name: str) -> None:
        # Leave the page first: what it still asks for would bring the cookies of the one before back.
        self.page.goto("about:blank")
        self.page.context.clear_cookies()
        self.page.goto(f"{self.site}/accounts/login/")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", PASSWORD)
        self.page.click("main button")
        self.page.wait_for_url(f"{self.site}/")

    def open_incident(self, query: str = "") -> None:
        self.page.goto(f"{self.site}/incidents/{Incident.objects.get().code}/{query}")

    def record_moment(self, when: str, label: str) -> None:
        self.open_incident("?fact=incident.known_at")
        form = self.page.locator("#record form[method=post]")
        form.locator("[name=value]").fill(when)
        form.locator("[name=label]").fill(label)
        form.get_by_role("button", name="기록").click()
        self.page.wait_for_load_state()
        assert "저장했습니다." in self.page.content()


@pytest.mark.django_db(transaction=True)
def test_the_sk_telecom_case_by_hand(browser_page: Any, live_site: Callable[..., str]) -> None:
    make_company()
    page = browser_page
    person = Person(page, live_site())

    person.sign_in("reporter")
    page.get_by_role("link", name="의심 신고").first.click()
    page.fill("#id_title", "유심 정보 유출 의심")
    page.fill("#id_summary", "비정상 데이터 이동을 감지함")
    page.fill("#id_known_at", "2025-04-18T18:09")
    page.check("input[name=is_cyber][value=yes]")
    page.get_by_role("button", name="신고하고 시계 시작").click()
    page.wait_for_url("**/incidents/*/")
    assert "2025-04-19 (토) 18:09 KST" in page.content()

    person.sign_in("owner")
    person.record_moment("2025-04-18T23:20", "악성코드 발견")
    person.record_moment("2025-04-20T15:30", "의사결정권자 보고")
    row = page.locator("#awareness ~ .scroll").first.locator("tr", has_text="악성코드 발견")
    row.locator("summary").click()
    row.locator("[name=reason]").fill("신고서에 적은 인지 시각")
    row.get_by_role("button", name="이 시점 채택").click()
    page.wait_for_load_state()
    duty = Incident.objects.get().obligations.get(rule=REPORT, stage="initial")
    assert duty.duty["due_at"] == "2025-04-19T23:20:00+09:00"
    section = page.locator(f"#duty-{duty.pk}")
    assert "2025-04-19 (토) 23:20 KST" in section.inner_text()
    section.locator("[name=late_reason]").fill("사실관계 확인으로 의사결정이 늦어짐")
    section.get_by_role("button", name="사유 저장").click()
    page.wait_for_load_state()

    page.locator(f"#duty-{duty.pk}").get_by_role("button", name="신고서 작성 시작").click()
    page.wait_for_url("**/filings/1/")
    assert "필수인데 아직 없음" in page.content()
    typed = {
        "department": "정보보안 담당부서", "phone": "02-0000-0000", "detection_route": "자체 탐지",
        "types": "해킹, 악성코드", "summary": "HSS 서버에서 악성코드 발견", "measures": "격리와 삭제",
    }  # fmt: skip
    for key, text in typed.items():
        page.fill(f"#field-{key}", text)
    page.get_by_role("button", name="초안 저장").click()
    page.wait_for_load_state()
    page.get_by_role("button", name="검토 요청").click()
    page.wait_for_load_state()
    assert page.get_by_role("button", name="승인").count() == 0  # not by the author

    for second_pair_of_eyes in ("counsel", "approver"):  # two, because the filing is late
        person.sign_in(second_pair_of_eyes)
        page.goto(f"{person.site}/incidents/{Incident.objects.get().code}/filings/1/")
        page.get_by_role("button", name="승인").click()
        page.wait_for_load_state()

    person.sign_in("owner")
    page.goto(f"{person.site}/incidents/{Incident.objects.get().code}/filings/1/")
    page.get_by_role("button", name="확정").click()
    page.wait_for_load_state()
    assert Filing.objects.get().state == "frozen"
    now = datetime.now(UTC).astimezone(KST)  # noqa: TID251  a person looks at the wall
    page.get_by_text("직접 제출한 사실을 기록").click()
    page.fill("#id_submitted_at", f"{now:%Y-%m-%dT%H:%M}")
    page.select_option("#id_channel", "portal")
    page.fill("#id_receipt_number", "KISA-2025-0420")
    page.set_input_files(
        "#id_proof", {"name": "receipt.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 receipt %%EOF"}
    )
    page.get_by_role("button", name="제출 기록").click()
    page.wait_for_load_state()
    assert "KISA-2025-0420" in page.content()
    page.fill("#id_outcome_at", f"{now:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="답 기록").click()
    page.wait_for_load_state()

    filing = Filing.objects.get()
    assert (filing.state, filing.submission.receipt_number) == ("acknowledged", "KISA-2025-0420")
    duty.refresh_from_db()
    assert duty.state == "met_late"
    assert list(journal.verify()) == []
    response = page.request.get(f"{person.site}/incidents/{Incident.objects.get().code}/filings/1/document.pdf")
    assert response.body().startswith(b"%PDF-")
