"""Privileged drafts and comments: seen by counsel and by those named, through no door by anybody else, and not exported."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override

from compliance import clock
from compliance.errors import BadInput, NotPermitted
from incidents.export.bundle import export_incident
from incidents.models import JournalEntry
from reports import comments, privilege, selectors
from reports import services as reports
from reports.models import FieldComment, Filing
from tests.factories import later
from tests.reports.conftest import KNOWN, Case, make_case

AT = later(KNOWN, hours=2)
SECRET = "변호인만 아는 문장"
OTHERS = ["approver", "manager", "ciso", "cpo", "executive", "auditor"]


@pytest.fixture
def case(company, settings, tmp_path) -> Case:
    settings.JOURNAL_ANCHORS = tmp_path / "anchors"
    return make_case(company, settings, tmp_path, at=AT)


@pytest.fixture
def filing(case: Case) -> Filing:
    """A draft of the owner with a sentence in it, made privileged by counsel."""
    draft = case.draft()
    reports.filing_edit(filing=draft, values={"cause": SECRET}, edition=1, at=AT, by=case.company.owner)
    return comments.privilege_set(filing=draft, privileged=True, at=AT, by=case.company.counsel)


@pytest.fixture
def comment(case: Case) -> FieldComment:
    """A privileged comment of counsel on a draft that is not privileged itself."""
    return comments.comment_add(
        filing=case.draft(), field="cause", text=SECRET, privileged=True, at=AT, by=case.company.counsel
    )


def get(client: Client, user: Any, path: str) -> Any:
    client.force_login(user)
    with clock.simulated(AT):
        return client.get(f"/incidents/2025-014/{path}")


@pytest.mark.parametrize(
    "path", ["", "document.pdf", "statement.json", "by-hand/", "proof", "signed.pdf", "machine.json"]
)
@pytest.mark.parametrize("role", OTHERS)
def test_a_privileged_draft_is_not_found_by_others_at_any_address(
    case: Case, filing: Filing, client: Client, role: str, path: str
) -> None:
    assert get(client, getattr(case.company, role), f"filings/1/{path}").status_code == 404


@pytest.mark.parametrize("role", ["counsel", "owner"])
def test_counsel_and_the_author_read_it(case: Case, filing: Filing, client: Client, role: str) -> None:
    user = getattr(case.company, role)
    assert SECRET in get(client, user, "filings/1/").content.decode()
    assert get(client, user, "filings/1/document.pdf").status_code == 200


@pytest.mark.parametrize("role", OTHERS)
@pytest.mark.parametrize("path", ["", "messages/", "public-statements/"])
def test_no_page_of_the_incident_tells_its_words(
    case: Case, filing: Filing, comment: FieldComment, client: Client, role: str, path: str
) -> None:
    answer = get(client, getattr(case.company, role), path)
    assert answer.status_code == 200
    assert SECRET not in answer.content.decode()


def test_the_board_says_only_that_there_is_one(case: Case, filing: Filing) -> None:
    with override("ko"):
        (step,) = selectors.progress([case.duty.pk]).values()
    assert step.label == "변호인 비공개 초안"


ACTIONS: dict[str, Callable[[Filing, Any], Any]] = {
    "edit": lambda row, by: reports.filing_edit(filing=row, values={"cause": "x"}, edition=row.edition, at=AT, by=by),
    "refill": lambda row, by: reports.filing_refill(filing=row, at=AT, by=by),
    "support": lambda row, by: reports.denial_support(filing=row, field="cause", at=AT, by=by),
    "review": lambda row, by: reports.filing_send_to_review(filing=row, at=AT, by=by),
    "return": lambda row, by: reports.filing_return(filing=row, note="더 자세히", at=AT, by=by),
    "approve": lambda row, by: reports.filing_approve(filing=row, at=AT, by=by),
    "freeze": lambda row, by: reports.filing_freeze(filing=row, at=AT, by=by),
    "withdraw": lambda row, by: reports.filing_withdraw(filing=row, reason="보내지 않음", at=AT, by=by),
    "ask": lambda row, by: reports.review_ask(filing=row, reviewer=by, at=AT, by=by),
    "preview": lambda row, by: reports.preview(row, at=AT, by=by),
    "comment": lambda row, by: comments.comment_add(filing=row, field="cause", text="x?", at=AT, by=by),
    "privilege": lambda row, by: comments.privilege_set(filing=row, privileged=False, at=AT, by=by),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_no_service_works_on_it_for_others(case: Case, filing: Filing, action: str) -> None:
    with pytest.raises(NotPermitted) as refused:
        ACTIONS[action](filing, case.company.approver)
    assert refused.value.code == "privileged"


@pytest.mark.parametrize("role", OTHERS)
def test_no_selector_answers_it_to_others(case: Case, filing: Filing, comment: FieldComment, role: str) -> None:
    user = getattr(case.company, role)
    assert filing not in selectors.filings_for(case.incident, user)
    with pytest.raises(Filing.DoesNotExist):
        selectors.filing_for(case.incident, filing.number, user)
    assert selectors.comments_for(comment.filing, user) == []


def test_whoever_is_asked_to_review_it_reads_and_approves_it(case: Case, filing: Filing, client: Client) -> None:
    people = case.company
    reports.filing_send_to_review(filing=filing, at=AT, by=people.owner)
    reports.review_ask(filing=filing, reviewer=people.approver, at=AT, by=people.counsel)
    assert SECRET in get(client, people.approver, "filings/1/").content.decode()
    assert reports.filing_approve(filing=filing, at=AT, by=people.approver).state == "approved"


def test_freezing_ends_the_privilege_of_a_filing_and_not_of_its_comments(case: Case, filing: Filing) -> None:
    people = case.company
    note = comments.comment_add(filing=filing, field="cause", text=SECRET, privileged=True, at=AT, by=people.counsel)
    comments.comment_resolve(comment=note, at=AT, by=people.counsel)
    reports.filing_send_to_review(filing=filing, at=AT, by=people.owner)
    reports.filing_approve(filing=filing, at=AT, by=people.counsel)
    frozen = reports.filing_freeze(filing=filing, at=AT, by=people.owner)
    assert privilege.sees(frozen, people.auditor)
    assert selectors.comments_for(frozen, people.auditor) == []


def test_a_privileged_comment_is_seen_by_counsel_and_the_writer_of_the_draft_only(
    case: Case, comment: FieldComment, client: Client
) -> None:
    for role in ("counsel", "owner"):
        assert SECRET in get(client, getattr(case.company, role), "filings/1/").content.decode()
    for role in OTHERS:
        assert SECRET not in get(client, getattr(case.company, role), "filings/1/").content.decode()


def test_others_neither_answer_nor_resolve_a_privileged_comment(case: Case, comment: FieldComment) -> None:
    with pytest.raises(NotPermitted):
        comments.comment_resolve(comment=comment, at=AT, by=case.company.approver)
    with pytest.raises(BadInput):
        comments.comment_add(
            filing=comment.filing, field="cause", text="왜?", answers=comment, at=AT, by=case.company.approver
        )


def test_whoever_wrote_in_a_thread_still_reads_it_when_it_is_not_theirs(case: Case) -> None:
    note = comments.comment_add(
        filing=case.draft(), field="cause", text=SECRET, privileged=True, at=AT, by=case.company.manager
    )
    assert privilege.sees_comment(note, case.company.manager)
    assert not privilege.sees_comment(note, case.company.ciso)


def members(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}


def test_the_bundle_leaves_them_out_and_counts_them(case: Case, filing: Filing, comment: FieldComment) -> None:
    held = members(export_incident(case.incident, at=AT, by=case.company.counsel).content)
    assert not [name for name, text in held.items() if SECRET in text]
    assert json.loads(held["manifest.json"])["privileged_left_out"] == 2


def test_counsel_chooses_them_for_the_bundle_and_the_journal_keeps_it(
    case: Case, filing: Filing, comment: FieldComment
) -> None:
    made = export_incident(case.incident, at=AT, by=case.company.counsel, privileged=True)
    held = members(made.content)
    assert SECRET in held["filings/filing.json"]
    assert SECRET in held["filings/fieldcomment.json"]
    assert json.loads(held["manifest.json"])["privileged_included"] == 2
    entry = JournalEntry.objects.get(action="incident.exported")
    assert (entry.actor, entry.detail["privileged"]) == (f"user:{case.company.counsel.pk}", True)


@pytest.mark.parametrize("role", ["auditor", "manager", None])
def test_nobody_else_chooses_them(case: Case, filing: Filing, role: str | None) -> None:
    by = getattr(case.company, role) if role else None
    with pytest.raises(NotPermitted):
        export_incident(case.incident, at=AT, by=by, privileged=True)
    assert not JournalEntry.objects.filter(action="incident.exported").exists()


@pytest.mark.parametrize(("role", "status", "found"), [("counsel", 200, True), ("manager", 403, False)])
def test_the_page_takes_counsels_choice_only(
    case: Case, filing: Filing, client: Client, role: str, status: int, found: bool
) -> None:
    client.force_login(getattr(case.company, role))
    with clock.simulated(AT):
        page = client.get("/incidents/2025-014/").content.decode()
        answer = client.post("/incidents/2025-014/export/", {"privileged": "yes"})
    assert ('name="privileged"' in page) is found
    assert answer.status_code == status
    if found:
        assert SECRET in members(answer.content)["filings/filing.json"]
