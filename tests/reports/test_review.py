"""Denials rest on evidence, two people look at what is grave, the same is told alike, and comments are kept."""

from typing import Any

import pytest

from compliance.errors import BadInput, NotPermitted, Refused
from compliance.models import Membership
from incidents import services
from incidents.models import Fact, JournalEntry
from incidents.services.absence import absence_record
from reports import approvals, comments, denials, outdated, selectors
from reports import services as reports
from reports.conflicts import filing_conflicts
from reports.late import late_reason_proposal
from reports.models import Approval, FieldComment, Filing
from reports.public import public_statement_record
from tests.factories import kst, later
from tests.reports.conftest import KNOWN, NOW, Case, make_case

pytestmark = pytest.mark.both_databases
EARLY = later(KNOWN, hours=2)


@pytest.fixture
def early(company, settings, tmp_path) -> Case:
    """In time, so that one approver is enough unless something is denied."""
    return make_case(company, settings, tmp_path, at=EARLY)


def edit(case: Case, filing: Filing, at=EARLY, by=None, **values: str) -> Filing:
    edition = Filing.objects.get(pk=filing.pk).edition
    return reports.filing_edit(filing=filing, values=values, edition=edition, at=at, by=by or case.company.owner)


def review(case: Case, filing: Filing, at=EARLY) -> Filing:
    return reports.filing_send_to_review(filing=filing, at=at, by=case.company.owner)


def approve(filing: Filing, by: Any, at=EARLY, reason: str = "") -> Filing:
    return reports.filing_approve(filing=filing, at=at, by=by, reason=reason)


def code(action: Any, error: type[Refused] = Refused) -> tuple[str, str]:
    with pytest.raises(error) as refused:
        action()
    return refused.value.code, refused.value.field


@pytest.mark.parametrize(
    "text",
    ["없음", "해당 없음", "유출 정황 없음.", "개인정보 유출 정황이 없습니다", "피해 고객 0명", "None", "No signs of a leak were found",
     "There is no evidence of access", "0 people", "n/a", "피해는 없는 것으로 파악", "유출은 확인되지 않았음"],
)  # fmt: skip
def test_words_that_deny_are_recognised(text: str) -> None:
    assert denials.denies(text)


@pytest.mark.parametrize(
    "text",
    [
        "확인 중",
        "확인 불가",
        "10명",
        "1,000명",
        "We note nothing unusual yet is known",
        "casino evidence",
        "서버 20대",
        "no",
    ],
)
def test_words_that_do_not_deny_are_left_alone(text: str) -> None:
    assert not denials.denies(text)


def test_a_no_denies_only_where_the_form_says_so() -> None:
    assert denials.denies("아니요", marked=True)
    assert not denials.denies("아니요")


def test_a_denial_without_evidence_is_refused_and_the_field_named(early: Case) -> None:
    filing = edit(early, early.draft(), prior_signs="이상 징후 없음")
    assert code(lambda: review(early, filing)) == ("denial_without_evidence", "prior_signs")


def support(case: Case, filing: Filing, **given: Any) -> Filing:
    fields = {"field": "prior_signs", "at": EARLY, "by": case.company.owner}
    return reports.denial_support(filing=filing, **{**fields, **given})


def evidence(case: Case) -> Any:
    return services.evidence_add(incident=case.incident, title="관제 기록", at=EARLY, by=case.company.owner)


def test_a_denial_with_its_evidence_needs_two_approvers(early: Case) -> None:
    filing = edit(early, early.draft(), prior_signs="이상 징후 없음")
    review(early, support(early, filing, evidence=evidence(early)))
    assert approve(filing, early.company.counsel).state == "in_review"
    assert approve(filing, early.company.approver).state == "approved"


def test_evidence_that_is_lost_holds_nothing_up(early: Case) -> None:
    filing, item = edit(early, early.draft(), prior_signs="이상 징후 없음"), evidence(early)
    support(early, filing, evidence=item)
    services.evidence_lose(evidence=item, note="덮어써짐", at=EARLY, by=early.company.owner)
    assert code(lambda: review(early, filing)) == ("denial_without_evidence", "prior_signs")


def test_another_sentence_needs_its_evidence_anew(early: Case) -> None:
    filing = edit(early, early.draft(), prior_signs="이상 징후 없음")
    support(early, filing, evidence=evidence(early))
    edit(early, filing, prior_signs="이상 징후가 전혀 없음. 흔적 없음")
    assert code(lambda: review(early, filing))[0] == "denial_without_evidence"


def test_a_fact_with_its_source_supports_what_it_filled(early: Case) -> None:
    services.fact_record(
        incident=early.incident, name="incident.prior_signs", value="이상 징후 없음", source="관제 보고서", at=EARLY,
        by=early.company.owner,
    )  # fmt: skip
    assert review(early, early.draft()).state == "in_review"


def test_a_fact_without_a_source_supports_nothing(early: Case) -> None:
    filing = edit(early, early.draft(), prior_signs="이상 징후 없음")
    fact = Fact.objects.filter(name="incident.summary").get()
    assert code(lambda: support(early, filing, fact=fact), BadInput) == ("fact_without_source", "prior_signs")


@pytest.mark.parametrize("given", [{}, {"field": "cause"}])
def test_support_names_one_ground_for_a_denial(early: Case, given: dict) -> None:
    filing = edit(early, early.draft(), prior_signs="이상 징후 없음", cause="웹셸")
    assert code(lambda: support(early, filing, **given), BadInput)[0] in ("evidence_required", "no_denial")


def test_in_time_and_without_a_denial_one_approver_is_enough(early: Case) -> None:
    filing = review(early, early.draft())
    assert approve(filing, early.company.counsel).state == "approved"


def test_one_person_does_not_count_twice(case: Case) -> None:
    filing = review(case, case.draft(), at=NOW)
    approve(filing, case.company.counsel, at=NOW)
    assert code(lambda: approve(filing, case.company.counsel, at=NOW))[0] == "approved_already"


def test_a_returned_filing_is_approved_by_both_again(case: Case) -> None:
    filing = review(case, case.draft(), at=NOW)
    approve(filing, case.company.counsel, at=NOW)
    reports.filing_return(filing=filing, note="더 자세히", at=NOW, by=case.company.approver)
    review(case, filing, at=NOW)
    assert approvals.given(Filing.objects.get(pk=filing.pk)) == []
    assert approve(filing, case.company.counsel, at=NOW).state == "in_review"


def test_what_became_late_after_its_approval_waits_for_the_second_person(early: Case) -> None:
    filing = review(early, early.draft())
    approve(filing, early.company.counsel)
    early.give_reason()

    def freeze() -> Filing:
        return reports.filing_freeze(filing=filing, at=NOW, by=early.company.owner)

    assert code(freeze)[0] == "second_approval_missing"
    approve(filing, early.company.approver, at=NOW)
    frozen = freeze()
    assert frozen.statement["approver"] == "counsel, approver"


def test_whoever_wrote_a_field_is_an_author_though_somebody_edited_later(early: Case) -> None:
    filing = edit(early, early.draft(), by=early.company.approver, cause="웹셸")
    edit(early, filing, occurred_at="2025-09-15")
    review(early, filing)
    assert code(lambda: approve(filing, early.company.approver), NotPermitted)[0] == "own_filing"


def away(case: Case, person: Any, deputy: Any) -> None:
    absence_record(
        entity=case.company.entity, person=person, begins_at=KNOWN, ends_at=later(NOW, days=3), deputy=deputy, at=EARLY,
        by=person,
    )  # fmt: skip


def test_a_deputy_approves_for_an_approver_who_is_away(early: Case) -> None:
    filing = review(early, early.draft())
    assert code(lambda: approve(filing, early.company.manager), NotPermitted)[0] == "may_not_decide"
    away(early, early.company.counsel, early.company.manager)
    assert approve(filing, early.company.manager).state == "approved"
    assert Approval.objects.get().standing_for == early.company.counsel


def test_a_deputy_and_the_one_stood_for_are_not_two(case: Case) -> None:
    filing = review(case, case.draft(), at=NOW)
    away(case, case.company.counsel, case.company.manager)
    approve(filing, case.company.counsel, at=NOW)
    assert code(lambda: approve(filing, case.company.manager, at=NOW))[0] == "approved_already"


def test_a_deputy_does_not_approve_for_the_author(early: Case) -> None:
    duty = early.duty
    filing = reports.filing_start(incident=early.incident, obligations=[duty], at=EARLY, by=early.company.counsel)
    reports.filing_send_to_review(filing=filing, at=EARLY, by=early.company.counsel)
    away(early, early.company.counsel, early.company.manager)
    assert code(lambda: approve(filing, early.company.manager), NotPermitted)[0] == "may_not_decide"


def press(case: Case, **figures: str) -> None:
    public_statement_record(
        incident=case.incident, title="보도자료", text="당사는 침해 사실을 확인했습니다.", published_at=KNOWN,
        figures={name.replace("__", "."): value for name, value in figures.items()}, at=EARLY, by=case.company.owner,
    )  # fmt: skip


def test_a_press_statement_that_says_otherwise_is_shown_side_by_side(early: Case) -> None:
    press(early, incident__measures="서버 3대 격리", incident__summary="외부 보안점검에서 서버 침해 흔적 4건")
    filing = edit(early, early.draft(), measures="서버 5대 격리")
    (conflict,) = filing_conflicts(filing, at=EARLY)
    assert (conflict.field.key, conflict.here, conflict.there) == ("measures", "서버 5대 격리", "서버 3대 격리")
    assert conflict.where == "2025-014/E1 보도자료"


def test_approval_with_an_open_conflict_needs_a_reason_and_keeps_it(early: Case) -> None:
    press(early, incident__measures="서버 3대 격리")
    filing = review(early, early.draft())
    assert code(lambda: approve(filing, early.company.counsel), BadInput) == ("conflict_reason_required", "reason")
    approve(filing, early.company.counsel, reason="보도자료는 점검 전의 수치임")
    row = Approval.objects.get()
    assert (row.reason, len(row.conflicts)) == ("보도자료는 점검 전의 수치임", 1)


def test_a_conflict_that_nobody_saw_stops_the_freezing(early: Case) -> None:
    filing = review(early, early.draft())
    approve(filing, early.company.counsel)
    press(early, incident__measures="서버 3대 격리")
    freeze = code(lambda: reports.filing_freeze(filing=filing, at=EARLY, by=early.company.owner))
    assert freeze[0] == "conflict_unseen"


def test_two_authorities_told_differently_are_shown(early: Case) -> None:
    filing = edit(early, early.draft(), department="보안팀")
    review(early, filing)
    approve(filing, early.company.counsel)
    reports.filing_freeze(filing=filing, at=EARLY, by=early.company.owner)
    facts = [
        {"name": "leak.confirmed", "value": True},
        {"name": "leak.illegal_access", "value": True},
        {"name": "leak.known_at", "value": EARLY, "label": "유출 확인"},
    ]
    services.facts_record(incident=early.incident, facts=facts, at=EARLY, by=early.company.owner)
    duty = early.incident.obligations.get(rule="kr.pipa.regulator-report", stage="initial")
    other = reports.filing_start(incident=early.incident, obligations=[duty], at=EARLY, by=early.company.owner)
    found = {(item.here, item.there, item.where) for item in filing_conflicts(other, at=EARLY)}
    assert ("정보보안단", "보안팀", "2025-014/F1") in found


def test_what_the_same_fact_filled_twice_is_told_alike(early: Case) -> None:
    assert filing_conflicts(early.draft(), at=EARLY) == []


def comment(case: Case, filing: Filing, **given: Any) -> FieldComment:
    fields = {"field": "cause", "text": "원인을 더 적어 주십시오", "at": EARLY, "by": case.company.counsel}
    return comments.comment_add(filing=filing, **{**fields, **given})


def test_a_comment_is_answered_and_resolved_and_each_step_is_in_the_journal(early: Case) -> None:
    filing = early.draft()
    first = comment(early, filing)
    comment(early, filing, by=early.company.owner, text="적었습니다", answers=first)
    comments.comment_resolve(comment=first, at=EARLY, by=early.company.owner)
    actions = JournalEntry.objects.filter(action__startswith="filing.comment").values_list("action", flat=True)
    assert list(actions) == ["filing.commented", "filing.commented", "filing.comment_resolved"]
    assert first.replies.count() == 1


def test_a_bystander_does_not_resolve_a_comment(early: Case) -> None:
    first = comment(early, early.draft())
    action = code(lambda: comments.comment_resolve(comment=first, at=EARLY, by=early.company.manager), NotPermitted)
    assert action[0] == "may_not_resolve"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"text": " "}, "text_required"),
        ({"text": "x" * 5000}, "comment_too_long"),
        ({"field": "nothing"}, "unknown_field"),
    ],
)
def test_a_comment_that_cannot_be_kept_is_refused(early: Case, given: dict, wanted: str) -> None:
    assert code(lambda: comment(early, early.draft(), **given), BadInput)[0] == wanted


def test_privileged_drafts_and_comments_stay_out_unless_chosen(early: Case) -> None:
    filing, other = early.draft(), early.draft()
    comment(early, other, privileged=True)
    comment(early, other, text="공개 의견")
    comments.privilege_set(filing=filing, privileged=True, at=EARLY, by=early.company.counsel)
    found = selectors.exportable(early.incident)
    assert [row.pk for row in found.filings] == [other.pk]
    assert [row.text for row in found.comments] == ["공개 의견"]
    everything = selectors.exportable(early.incident, privileged=True)
    assert (len(everything.filings), len(everything.comments)) == (2, 2)


def test_only_those_who_decide_call_a_draft_privileged(early: Case) -> None:
    filing = early.draft()
    with pytest.raises(NotPermitted):
        comments.privilege_set(filing=filing, privileged=True, at=EARLY, by=early.company.owner)


def test_the_proposed_reason_tells_what_was_known_and_done_and_when(case: Case) -> None:
    case.draft()
    text = late_reason_proposal(case.duty, at=NOW, language="en")
    assert text.splitlines()[0].startswith("2025-09-15 14:00 KST")
    assert "2025-09-16 14:00 KST Deadline" in text
    assert "2025-014/F1 begun by owner" in text
    assert "2 d" in text.splitlines()[-2] or "54" in text.splitlines()[-2]


def sent(case: Case) -> Filing:
    filing = case.frozen()
    at = later(NOW, hours=1)
    reports.submission_record(
        filing=filing, submitted_at=at, channel="portal", receipt_number="K", at=at, by=case.company.owner
    )
    return Filing.objects.get(pk=filing.pk)


def test_a_fact_that_changes_afterwards_raises_the_supplement_and_shows_what_is_out_of_date(case: Case) -> None:
    filing, at = sent(case), later(NOW, hours=5)
    assert outdated.outdated(case.incident, at=later(NOW, hours=2)) == []
    services.fact_record(
        incident=case.incident, name="incident.measures", value="전부 교체", at=at, by=case.company.owner
    )
    (row,) = outdated.outdated(case.incident, at=at)
    assert (row.filing.pk, row.moved[0].field.key, row.moved[0].now) == (filing.pk, "measures", "전부 교체")
    assert [(duty.stage, duty.starts_at) for duty in row.duties] == [("supplement", at)]


def test_the_same_fact_said_again_raises_nothing(case: Case) -> None:
    sent(case)
    value = Fact.objects.filter(name="incident.measures").get().value
    services.fact_record(
        incident=case.incident, name="incident.measures", value=value, at=later(NOW, hours=5), by=case.company.owner
    )
    assert not case.incident.obligations.filter(stage="supplement").exists()


def test_another_telephone_number_is_nothing_the_authority_must_be_told_of_the_incident(case: Case) -> None:
    sent(case)
    services.fact_record(
        incident=case.incident, name="response.phone", value="02-1", at=later(NOW, hours=5), by=case.company.owner
    )
    assert outdated.outdated(case.incident, at=later(NOW, hours=5)) == []


def test_the_review_of_a_stranger_is_none_of_it(early: Case) -> None:
    filing = review(early, early.draft())
    assert not Membership.objects.filter(user=early.company.stranger, entity=early.company.entity).exists()
    with pytest.raises(NotPermitted):
        approve(filing, early.company.stranger)
    assert kst("2025-09-15 16:00") == EARLY
