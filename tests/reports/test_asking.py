"""Comments that are open stop an approval, and a review is asked of a person by name."""

from typing import Any

import pytest
from django.test import Client

from compliance import clock
from compliance.errors import BadInput, NotPermitted, Refused
from incidents.models import JournalEntry, OutboxMessage
from incidents.services.absence import absence_record
from reports import comments
from reports import services as reports
from reports.models import Approval, FieldComment, Filing, ReviewRequest
from tests.factories import later
from tests.reports.conftest import KNOWN, NOW, Case, make_case

AT = later(KNOWN, hours=2)
WHY = "질의는 본 신고의 범위 밖임"


@pytest.fixture
def case(company, settings, tmp_path) -> Case:
    return make_case(company, settings, tmp_path, at=AT)


@pytest.fixture
def filing(case: Case) -> Filing:
    return reports.filing_send_to_review(filing=case.draft(), at=AT, by=case.company.owner)


def comment(filing: Filing, by: Any, **given: Any) -> FieldComment:
    fields = {"field": "cause", "text": "원인을 더 적어 주십시오", "at": AT, "by": by}
    return comments.comment_add(filing=filing, **{**fields, **given})


def approve(filing: Filing, by: Any, **given: str) -> Filing:
    return reports.filing_approve(filing=filing, at=AT, by=by, **given)


def freeze(case: Case, filing: Filing) -> Filing:
    return reports.filing_freeze(filing=filing, at=AT, by=case.company.owner)


def code(action: Any, error: type[Refused] = Refused) -> tuple[str, str]:
    with pytest.raises(error) as refused:
        action()
    return refused.value.code, refused.value.field


def test_an_open_comment_stops_the_approval(case: Case, filing: Filing) -> None:
    comment(filing, case.company.owner)
    assert code(lambda: approve(filing, case.company.counsel), BadInput) == ("comments_open", "comments_reason")
    assert not Approval.objects.exists()


def test_a_resolved_comment_stops_nothing(case: Case, filing: Filing) -> None:
    first = comment(filing, case.company.owner)
    comments.comment_resolve(comment=first, at=AT, by=case.company.counsel)
    assert approve(filing, case.company.counsel).state == "approved"


def test_an_answer_alone_does_not_close_a_comment(case: Case, filing: Filing) -> None:
    first = comment(filing, case.company.counsel)
    comment(filing, case.company.owner, answers=first, text="적었습니다")
    assert code(lambda: approve(filing, case.company.counsel), BadInput)[0] == "comments_open"


def test_an_approver_goes_past_an_open_comment_with_a_reason_that_is_kept(case: Case, filing: Filing) -> None:
    first = comment(filing, case.company.owner)
    assert approve(filing, case.company.counsel, comments_reason=WHY).state == "approved"
    row = Approval.objects.get()
    assert (row.open_comments, row.comments_reason) == ([first.pk], WHY)
    assert JournalEntry.objects.get(action="filing.approved").detail["open_comments"] == 1


def test_a_comment_made_after_the_approval_stops_the_freezing(case: Case, filing: Filing) -> None:
    approve(filing, case.company.counsel)
    first = comment(filing, case.company.approver)
    assert code(lambda: freeze(case, filing))[0] == "comment_unseen"
    comments.comment_resolve(comment=first, at=AT, by=case.company.approver)
    assert freeze(case, filing).state == "frozen"


def test_what_was_approved_past_does_not_stop_the_freezing(case: Case, filing: Filing) -> None:
    comment(filing, case.company.owner)
    approve(filing, case.company.counsel, comments_reason=WHY)
    assert freeze(case, filing).state == "frozen"


def test_nobody_approves_past_a_comment_they_may_not_read(case: Case, filing: Filing) -> None:
    comment(filing, case.company.counsel, privileged=True)
    assert code(lambda: approve(filing, case.company.approver, comments_reason=WHY))[0] == "open_comment_hidden"


def ask(filing: Filing, reviewer: Any, by: Any, **given: Any) -> ReviewRequest:
    return reports.review_ask(filing=filing, reviewer=reviewer, at=AT, by=by, **given)


def test_whoever_is_asked_gets_one_message_that_says_nothing_of_the_draft(case: Case, filing: Filing) -> None:
    people = case.company
    first = ask(filing, people.counsel, people.owner, note="피해 규모 문장을 보아 주십시오")
    assert ask(filing, people.counsel, people.manager).pk == first.pk
    (message,) = OutboxMessage.objects.filter(dedupe__startswith="review:")
    assert message.recipient == people.counsel
    assert "2025-014/F1" in message.subject + message.body
    assert "피해 규모" not in message.subject + message.body + message.html
    entry = JournalEntry.objects.get(action="filing.review_asked")
    assert entry.detail == {"reviewer": f"user:{people.counsel.pk}", "instead_of": ""}


def test_a_review_is_passed_on_by_whoever_was_asked(case: Case, filing: Filing) -> None:
    people = case.company
    first = ask(filing, people.counsel, people.owner)
    second = ask(filing, people.approver, people.counsel, instead_of=first)
    assert [row.pk for row in reports.asked(filing)] == [second.pk]
    assert JournalEntry.objects.filter(action="filing.review_asked").last().detail["instead_of"] != ""


def test_nobody_passes_on_what_was_asked_of_another(case: Case, filing: Filing) -> None:
    people = case.company
    first = ask(filing, people.counsel, people.owner)
    refused = code(lambda: ask(filing, people.approver, people.manager, instead_of=first), NotPermitted)
    assert refused[0] == "not_asked"


@pytest.mark.parametrize("role", ["owner", "manager", "auditor", "stranger"])
def test_only_who_could_approve_is_asked(case: Case, filing: Filing, role: str) -> None:
    refused = code(lambda: ask(filing, getattr(case.company, role), case.company.manager), BadInput)
    assert refused == ("cannot_review", "reviewer")


def test_a_deputy_of_an_approver_who_is_away_is_asked(case: Case, filing: Filing) -> None:
    people = case.company
    absence_record(
        entity=people.entity, person=people.counsel, begins_at=KNOWN, ends_at=NOW, deputy=people.manager, at=AT,
        by=people.counsel,
    )  # fmt: skip
    assert ask(filing, people.manager, people.owner).reviewer == people.manager


@pytest.mark.parametrize("role", ["auditor", "reporter", "stranger"])
def test_who_may_not_work_on_the_incident_asks_nobody(case: Case, filing: Filing, role: str) -> None:
    with pytest.raises(NotPermitted):
        ask(filing, case.company.counsel, getattr(case.company, role))


def test_a_draft_is_not_reviewed_yet(case: Case) -> None:
    assert code(lambda: ask(case.draft(), case.company.counsel, case.company.owner))[0] == "wrong_state"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_asks_shows_who_is_asked_and_stops_at_open_comments(
    case: Case, filing: Filing, client: Client, language: str
) -> None:
    people, address = case.company, "/incidents/2025-014/filings/1/"
    client.cookies["django_language"] = language
    comment(filing, people.owner)
    client.force_login(people.owner)
    with clock.simulated(AT):
        client.post(address, {"action": "ask", "reviewer": str(people.counsel.pk), "note": "원인 항목"})
        assert "원인 항목" in client.get(address).content.decode()
        client.force_login(people.counsel)
        shown = client.get(address).content.decode()
        assert 'name="instead_of"' in shown
        assert 'name="comments_reason"' in shown
        assert client.post(address, {"action": "approve"}).status_code == 422
        client.post(address, {"action": "approve", "comments_reason": WHY})
        assert WHY in client.get(address).content.decode()
    assert Filing.objects.get(pk=filing.pk).state == "approved"
