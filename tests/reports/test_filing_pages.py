"""The pages of filings: in both languages and every state, without JavaScript, and each button does what its service does."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from compliance import clock
from incidents import services
from incidents.models import OutboxMessage
from reports import services as reports
from reports.models import Dispatch, FieldComment, Filing, InformationRequest, PublicStatement, Submission
from tests.factories import later
from tests.reports.conftest import KNOWN, NOW, Case, make_case

AT = later(KNOWN, hours=2)
Act = Callable[..., Any]


@pytest.fixture
def case(company, settings, tmp_path) -> Case:
    return make_case(company, settings, tmp_path, at=AT)


@pytest.fixture
def act(client: Client) -> Act:
    """POST to a filing's page (or GET it, without an action) as somebody, at a moment."""

    def post(
        filing: Filing, user: Any, action: str = "", at=AT, language: str = "en", path: str = "", **data: str
    ) -> Any:
        client.force_login(user)
        client.cookies["django_language"] = language
        url = f"/incidents/2025-014/filings/{filing.number}/{path}"
        with clock.simulated(at):
            return client.post(url, {"action": action, **data}) if action else client.get(url)

    return post


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.status_code
    return response.content.decode()


def reviewed(case: Case) -> Filing:
    return reports.filing_send_to_review(filing=case.draft(), at=AT, by=case.company.owner)


def frozen(case: Case) -> Filing:
    filing = reviewed(case)
    reports.filing_approve(filing=filing, at=AT, by=case.company.counsel, reason="보도자료는 점검 전 수치임")
    return reports.filing_freeze(filing=filing, at=AT, by=case.company.owner)


def sent(case: Case) -> Filing:
    filing = frozen(case)
    reports.submission_record(
        filing=filing, submitted_at=AT, channel="portal", receipt_number="K", at=AT, by=case.company.owner
    )
    return Filing.objects.get(pk=filing.pk)


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("state", [Case.draft, reviewed, frozen, sent])
def test_the_page_opens_in_every_state_for_every_role(case: Case, act: Act, state, language: str) -> None:
    filing = state(case)
    for role in ("owner", "counsel", "approver", "auditor"):
        assert "</html>" in text(act(filing, getattr(case.company, role), language=language))


def test_a_denial_is_shown_and_its_evidence_named(case: Case, act: Act) -> None:
    item = services.evidence_add(incident=case.incident, title="관제 기록", at=AT, by=case.company.owner)
    filing = case.draft()
    act(filing, case.company.owner, "edit", edition="1", **{"field-prior_signs": "이상 징후 없음"})
    refused = text(act(filing, case.company.owner, "review"), 422)
    assert "Name the evidence" in refused
    assert "Sentences that deny" in refused
    act(filing, case.company.owner, "support", field="prior_signs", ground=f"evidence:{item.number}")
    assert "E1 관제 기록" in text(act(filing, case.company.owner))
    act(filing, case.company.owner, "review")
    assert Filing.objects.get(pk=filing.pk).state == "in_review"


@pytest.mark.parametrize("ground", ["", "evidence:99", "fact:x", "evidence:" + "9" * 30])
def test_a_ground_that_does_not_exist_is_refused(case: Case, act: Act, ground: str) -> None:
    filing = case.draft()
    act(filing, case.company.owner, "edit", edition="1", **{"field-prior_signs": "이상 징후 없음"})
    assert "Choose one piece of evidence" in text(
        act(filing, case.company.owner, "support", field="prior_signs", ground=ground), 422
    )


def test_a_public_statement_is_kept_and_held_against_the_filing(case: Case, act: Act, client: Client) -> None:
    client.force_login(case.company.owner)
    given = {
        "title": "보도자료", "published_at": "2025-09-15T15:00", "text": "서버를 격리했습니다.",
        "topic-0": "incident.measures", "said-0": "서버 3대 격리", "topic-1": "", "said-1": "무시됨",
    }  # fmt: skip
    with clock.simulated(AT):
        assert client.post("/incidents/2025-014/public-statements/", given).status_code == 302
    assert PublicStatement.objects.get().figures == {"incident.measures": "서버 3대 격리"}
    filing = reviewed(case)
    shown = text(act(filing, case.company.counsel))
    assert "Told differently elsewhere" in shown
    assert "서버 3대 격리" in shown
    assert "Approve with a reason" in text(act(filing, case.company.counsel, "approve"), 422)
    act(filing, case.company.counsel, "approve", reason="보도자료는 점검 전 수치임")
    assert Filing.objects.get(pk=filing.pk).state == "approved"


def test_a_wrong_public_statement_is_shown_again_with_what_was_typed(case: Case, client: Client) -> None:
    client.force_login(case.company.owner)
    with clock.simulated(AT):
        answer = client.post("/incidents/2025-014/public-statements/", {"title": "제목만", "said-0": "남는 말"})
    assert "제목만" in text(answer, 422)
    assert "남는 말" in answer.content.decode()


def test_a_late_filing_offers_a_reason_drawn_from_the_record(case: Case, act: Act) -> None:
    filing = case.draft()
    shown = text(act(filing, case.company.owner, at=NOW))
    assert "2025-09-16 14:00 KST 기한" in shown
    act(
        filing,
        case.company.owner,
        "late",
        at=NOW,
        subject=str(case.duty.pk),
        late_reason="내부 보고가 늦어 결정이 늦음",
    )
    case.duty.refresh_from_db()
    assert case.duty.late_reason == "내부 보고가 늦어 결정이 늦음"


def test_a_comment_is_made_answered_and_resolved(case: Case, act: Act) -> None:
    filing = case.draft()
    act(filing, case.company.counsel, "comment", field="cause", comment="원인을 더 적어 주십시오")
    first = FieldComment.objects.get()
    act(filing, case.company.owner, "comment", field="cause", comment="적었습니다", answers=str(first.pk))
    act(filing, case.company.owner, "resolve_comment", subject=str(first.pk))
    assert FieldComment.objects.get(pk=first.pk).resolved_by == case.company.owner
    assert FieldComment.objects.filter(answers=first).count() == 1


def test_sending_twice_by_one_page_is_one_dispatch(case: Case, act: Act) -> None:
    filing = frozen(case)
    for _ in range(2):
        act(filing, case.company.owner, "send", channel="email", target="a@b.example", request_key="page")
    assert Dispatch.objects.count() == 1
    assert OutboxMessage.objects.filter(channel="filing").count() == 1


def test_what_is_uncertain_is_resolved_on_the_page(case: Case, act: Act) -> None:
    filing = frozen(case)
    act(filing, case.company.owner, "send", channel="email", target="a@b.example", request_key="page")
    Dispatch.objects.update(state="uncertain", begun_at=AT)
    assert "Nobody knows whether it left" in text(act(filing, case.company.owner))
    row = Dispatch.objects.get()
    at = later(AT, minutes=5)
    act(filing, case.company.owner, "resolve", at=at, subject=str(row.pk), sent="yes", note="전화로 확인함")
    assert Submission.objects.get(filing=filing).submitted_at == AT


def test_a_request_of_the_authority_is_recorded_once_and_answered(case: Case, act: Act) -> None:
    filing, at = sent(case), later(AT, hours=1)
    given = {"text": "접속 기록 제출", "received_at": "2025-09-15T16:30", "due_at": "2025-09-20T18:00"}
    for _ in range(2):
        act(filing, case.company.owner, "request", at=at, request_key="page", **given)
    row = InformationRequest.objects.get()
    act(filing, case.company.owner, "answered", at=at, subject=str(row.pk), answer="공문으로 제출")
    assert InformationRequest.objects.get().answered_at == at


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_for_doing_it_by_hand_shows_every_value_and_what_to_attach(
    case: Case, act: Act, language: str
) -> None:
    shown = text(act(frozen(case), case.company.owner, path="by-hand/", language=language))
    assert 'value="정보보안단"' in shown
    assert "https://boho.or.kr" in shown
    assert "2025-014-F1.json" in shown


def test_a_draft_has_nothing_to_enter_by_hand(case: Case, act: Act) -> None:
    assert act(case.draft(), case.company.owner, path="by-hand/").status_code == 404


def test_a_filing_out_of_date_is_shown_on_both_pages(case: Case, act: Act, client: Client) -> None:
    filing, at = sent(case), later(AT, hours=3)
    services.fact_record(
        incident=case.incident, name="incident.measures", value="전부 교체", at=at, by=case.company.owner
    )
    shown = text(act(filing, case.company.auditor, at=at))
    assert "A supplement is due" in shown
    assert "전부 교체" in shown
    with clock.simulated(at):
        assert "F1 is out of date" in client.get("/incidents/2025-014/").content.decode()


def test_a_value_that_is_too_long_is_refused_and_not_lost(case: Case, act: Act) -> None:
    filing = case.draft()
    answer = text(act(filing, case.company.owner, "edit", edition="1", **{"field-phone": "x" * 100}), 422)
    assert "60" in answer
    assert "x" * 100 in answer


def test_a_stranger_finds_none_of_it(case: Case, act: Act, client: Client) -> None:
    filing = frozen(case)
    for path in ("", "by-hand/", "statement.json", "signed.pdf", "document.pdf"):
        assert act(filing, case.company.stranger, path=path).status_code == 404
    assert client.get("/incidents/2025-014/public-statements/").status_code == 404


def leak_report(case: Case, at=AT) -> Filing:
    """A second filing of the same incident, to another authority."""
    facts = [
        {"name": "leak.confirmed", "value": True},
        {"name": "leak.illegal_access", "value": True},
        {"name": "leak.known_at", "value": AT, "label": "유출 확인"},
    ]
    services.facts_record(incident=case.incident, facts=facts, at=at, by=case.company.owner)
    duty = case.incident.obligations.get(rule="kr.pipa.regulator-report", stage="initial")
    return reports.filing_start(incident=case.incident, obligations=[duty], at=at, by=case.company.owner)


def side_by_side(page: str) -> str:
    return page.split('id="conflicts"')[1].split("</section>")[0]


@pytest.mark.parametrize(
    ("language", "headline"), [("ko", "다른 곳의 내용과 다름"), ("en", "Told differently elsewhere")]
)
def test_what_two_authorities_are_told_differently_stands_side_by_side(
    case: Case, act: Act, language: str, headline: str
) -> None:
    first = case.draft()
    act(first, case.company.owner, "edit", edition="1", **{"field-department": "보안팀"})
    reports.filing_send_to_review(filing=first, at=AT, by=case.company.owner)
    reports.filing_approve(filing=first, at=AT, by=case.company.counsel)
    reports.filing_freeze(filing=first, at=AT, by=case.company.owner)
    page = text(act(leak_report(case), case.company.counsel, language=language))
    assert headline in page
    for words in ("정보보안단", "보안팀", "2025-014/F1"):
        assert words in side_by_side(page)


def test_what_the_same_authority_was_told_otherwise_stands_side_by_side(case: Case, act: Act) -> None:
    sent(case)
    again = case.draft()
    act(again, case.company.owner, "edit", edition="1", **{"field-measures": "서버 9대 격리"})
    shown = side_by_side(text(act(again, case.company.counsel)))
    assert "서버 9대 격리" in shown
    assert "해당 서버 격리, 로그 보전, 원인 분석 중" in shown
    assert "2025-014/F1" in shown


@pytest.mark.parametrize(
    ("language", "words"),
    [("ko", "기한이 지난 뒤 인지 시점이 변경되었습니다"), ("en", "awareness time was changed after the deadline")],
)
def test_an_awareness_time_changed_after_the_deadline_is_shown_to_the_auditor_on_the_filing(
    case: Case, act: Act, language: str, words: str
) -> None:
    filing = case.draft()
    assert words not in text(act(filing, case.company.auditor, at=NOW, language=language))
    services.fact_record(
        incident=case.incident, name="incident.known_at", value=later(KNOWN, hours=12), label="확정", at=NOW,
        by=case.company.owner,
    )  # fmt: skip
    assert words in text(act(filing, case.company.auditor, at=NOW, language=language))
