"""A filing from draft to receipt, and every way in which that is refused."""

from datetime import datetime

import pytest
from django.db import DatabaseError, connection, transaction

from compliance.errors import BadInput, NotPermitted, Refused
from incidents import services
from incidents.models import JournalEntry, Obligation
from reports import prefill, statement, storage
from reports import services as reports
from reports.forms import get_form
from reports.models import Filing, Submission
from tests.factories import kst, later
from tests.reports.conftest import NOW, Case

pytestmark = pytest.mark.both_databases


def test_a_draft_is_filled_from_the_facts_with_the_source_of_each_value(case: Case) -> None:
    values = case.draft().values
    assert values["measures"]["value"] == "해당 서버 격리, 로그 보전, 원인 분석 중"
    provenance = values["measures"]["provenance"]
    assert (provenance["kind"], provenance["name"]) == ("fact", "incident.measures")
    assert provenance["recorded_by"] == "owner"


def test_what_is_not_known_is_said_to_be_unknown_and_never_looks_like_none(case: Case) -> None:
    values = case.draft().values
    assert values["cause"]["status"] == "unknown"
    assert values["cause"]["value"] is None


def test_a_required_field_that_nobody_knows_stops_the_review(case: Case) -> None:
    filing = case.draft()
    filing = reports.filing_edit(filing=filing, values={"measures": None}, edition=1, at=NOW, by=case.company.owner)
    assert statement.missing(filing) == ["measures"]
    with pytest.raises(Refused) as refused:
        reports.filing_send_to_review(filing=filing, at=NOW, by=case.company.owner)
    assert refused.value.code == "fields_missing"


def test_nobody_approves_their_own_filing(case: Case) -> None:
    company = case.company
    filing = reports.filing_start(incident=case.incident, obligations=[case.duty], at=NOW, by=company.counsel)
    reports.filing_send_to_review(filing=filing, at=NOW, by=company.counsel)
    with pytest.raises(NotPermitted) as refused:
        reports.filing_approve(filing=filing, at=NOW, by=company.counsel)
    assert refused.value.code == "own_filing"


def test_the_last_editor_is_an_author_too(case: Case) -> None:
    filing = case.draft()
    reports.filing_edit(filing=filing, values={"cause": "BPFDoor"}, edition=1, at=NOW, by=case.company.approver)
    reports.filing_send_to_review(filing=filing, at=NOW, by=case.company.owner)
    with pytest.raises(NotPermitted) as refused:
        reports.filing_approve(filing=filing, at=NOW, by=case.company.approver)
    assert refused.value.code == "own_filing"


def test_a_manager_is_not_an_approver(case: Case) -> None:
    filing = case.draft()
    reports.filing_send_to_review(filing=filing, at=NOW, by=case.company.owner)
    with pytest.raises(NotPermitted) as refused:
        reports.filing_approve(filing=filing, at=NOW, by=case.company.manager)
    assert refused.value.code == "may_not_decide"


def test_an_unapproved_filing_cannot_be_frozen(case: Case) -> None:
    with pytest.raises(Refused) as refused:
        reports.filing_freeze(filing=case.draft(), at=NOW, by=case.company.owner)
    assert refused.value.code == "wrong_state"


def test_a_late_filing_states_its_reason_first(case: Case) -> None:
    filing = case.approved()
    with pytest.raises(Refused) as refused:
        reports.filing_freeze(filing=filing, at=later(NOW, minutes=20), by=case.company.owner)
    assert refused.value.code == "late_reason_missing"
    case.give_reason()
    frozen = reports.filing_freeze(filing=filing, at=later(NOW, minutes=20), by=case.company.owner)
    assert frozen.statement["obligations"][0]["late_reason"] == "내부 보고가 늦어 결정이 지연됨"


def test_a_frozen_filing_is_not_edited(case: Case) -> None:
    with pytest.raises(Refused) as refused:
        reports.filing_edit(filing=case.frozen(), values={"cause": "다른 말"}, edition=1, at=NOW, by=case.company.owner)
    assert refused.value.code == "filing_frozen"


@pytest.mark.parametrize("column", ["statement_digest", "form"])
def test_the_database_refuses_to_change_a_frozen_filing(case: Case, column: str) -> None:
    filing = case.frozen()
    with pytest.raises(DatabaseError, match="frozen filing"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE reports_filing SET {column} = 'x' WHERE id = {filing.pk}")
    with pytest.raises(DatabaseError, match="frozen filing"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM reports_filing WHERE id = {filing.pk}")


def test_facts_and_names_that_change_later_change_nothing_in_what_was_frozen(case: Case) -> None:
    filing = case.frozen()
    before = storage.read(filing.document)
    services.fact_record(
        incident=case.incident,
        name="incident.measures",
        value="전부 폐기",
        at=later(NOW, hours=1),
        by=case.company.owner,
    )
    type(case.company.entity).objects.update(name="새 이름")
    again = Filing.objects.get(pk=filing.pk)
    assert again.statement["entity"]["name"] == "한빛통신 주식회사"
    assert storage.read(again.document) == before


def submit(case: Case, filing: Filing, **given: object) -> Submission:
    fields = {
        "submitted_at": later(NOW, hours=3, minutes=57),
        "channel": "portal",
        "receipt_number": "KISA-1",
        "at": later(NOW, hours=4),
        "by": case.company.owner,
    }
    return reports.submission_record(filing=filing, **{**fields, **given})


def test_a_submission_meets_the_duty_at_the_time_it_was_handed_over(case: Case) -> None:
    submit(case, case.frozen(), proof=("receipt.pdf", b"%PDF-1.7 receipt %%EOF"))
    duty = Obligation.objects.get(pk=case.duty.pk)
    assert (duty.state, duty.met_at) == ("met_late", later(NOW, hours=3, minutes=57))
    assert int((duty.met_at - duty.due_at).total_seconds()) // 60 == 57 * 60 + 57


def test_a_repeated_submission_changes_nothing(case: Case) -> None:
    filing = case.frozen()
    first = submit(case, filing)
    again = submit(case, filing, receipt_number="KISA-2")
    assert (again.pk, again.receipt_number) == (first.pk, "KISA-1")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"submitted_at": later(NOW, days=9)}, "in_the_future"),
        ({"submitted_at": later(NOW, hours=-1)}, "before_frozen"),
        ({"channel": "pigeon"}, "unknown_channel"),
        ({"proof": ("x.exe", b"MZ...")}, "proof_type"),
    ],
)
def test_a_wrong_submission_is_refused_and_the_duty_stays_open(case: Case, given: dict, code: str) -> None:
    filing = case.frozen()
    with pytest.raises(BadInput) as refused:
        submit(case, filing, **given)
    assert refused.value.code == code
    assert Obligation.objects.get(pk=case.duty.pk).met_at is None
    assert not Submission.objects.exists()


def test_a_refused_receipt_opens_the_duty_again(case: Case) -> None:
    record = submit(case, case.frozen())
    reports.submission_outcome(
        submission=record,
        acknowledged=False,
        outcome_at=later(NOW, hours=5),
        note="서식 오류",
        at=later(NOW, hours=5),
        by=case.company.owner,
    )
    assert (
        Obligation.objects.get(pk=case.duty.pk).state == "overdue"
        or Obligation.objects.get(pk=case.duty.pk).state == "running"
    )
    assert Obligation.objects.get(pk=case.duty.pk).met_at is None


def test_two_people_editing_one_draft_lose_nothing(case: Case) -> None:
    filing = case.draft()
    reports.filing_edit(filing=filing, values={"cause": "갑"}, edition=1, at=NOW, by=case.company.owner)
    with pytest.raises(Refused) as refused:
        reports.filing_edit(filing=filing, values={"cause": "을"}, edition=1, at=NOW, by=case.company.manager)
    assert refused.value.code == "edition_conflict"
    assert Filing.objects.get(pk=filing.pk).values["cause"]["value"] == "갑"


def test_a_double_click_makes_one_draft(case: Case) -> None:
    first, second = (
        reports.filing_start(
            incident=case.incident, obligations=[case.duty], at=NOW, by=case.company.owner, request_key="k"
        )
        for _ in range(2)
    )
    assert first.pk == second.pk


def test_a_supplement_says_what_changed_since_the_last_filing(case: Case) -> None:
    submit(case, case.frozen())
    company, day = case.company, later(NOW, days=2)
    services.facts_record(
        incident=case.incident,
        facts=[
            {"name": "incident.cause", "value": "공급망을 통한 침입"},
            {"name": "incident.new_fact_confirmed_at", "value": day, "label": "감염 서버 추가 확인"},
        ],
        at=day,
        by=company.owner,
    )
    duty = case.incident.obligations.get(stage="supplement")
    filing = reports.filing_start(incident=case.incident, obligations=[duty], at=day, by=company.owner)
    assert filing.values["first_receipt"]["value"] == "KISA-1"
    assert "감염 서버 추가 확인" in filing.values["new_facts"]["value"]
    assert told(filing, day) == [("cause", "확인 중 (추후 보완 예정)", "공급망을 통한 침입")]


def told(filing: Filing, at: datetime) -> list[tuple[str, str, str]]:
    return [(change["key"], change["before"], change["after"]) for change in statement.changes(filing, at=at)]


def supplement(case: Case, day: datetime, **facts: object) -> Filing:
    happened = {"name": "incident.new_fact_confirmed_at", "value": day, "label": "추가 확인"}
    rows = [{"name": name.replace("__", "."), "value": value, "label": "소명"} for name, value in facts.items()]
    services.facts_record(incident=case.incident, facts=[happened, *rows], at=day, by=case.company.owner)
    duty = case.incident.obligations.get(stage="supplement", met_at=None)
    return reports.filing_start(incident=case.incident, obligations=[duty], at=day, by=case.company.owner)


def hand_over(case: Case, filing: Filing, at: datetime) -> None:
    reports.filing_send_to_review(filing=filing, at=at, by=case.company.owner)
    reports.filing_approve(filing=filing, at=at, by=case.company.counsel)
    reports.filing_freeze(filing=filing, at=at, by=case.company.owner)
    submit(case, filing, submitted_at=later(at, minutes=5), at=later(at, minutes=5), receipt_number="KISA-2")


def test_an_awareness_moment_that_moved_is_told_once_though_a_supplement_does_not_ask_for_it(case: Case) -> None:
    submit(case, case.frozen())
    first, second = later(NOW, days=2), later(NOW, days=3)
    earlier = kst("2025-09-09 11:00")
    filing = supplement(case, first, incident__known_at=earlier)
    moved = ("known_at", "2025-09-15 14:00 KST", "2025-09-09 11:00 KST")
    assert told(filing, first) == [moved]
    hand_over(case, filing, first)
    assert told(Filing.objects.get(pk=filing.pk), second) == [moved]
    assert told(supplement(case, second), second) == []


def test_systems_found_since_are_counted_as_a_change(case: Case) -> None:
    def found(name: str, at: datetime) -> None:
        services.systems_add(
            incident=case.incident, systems=[{"name": name, "found_by": "관제"}], at=at, by=case.company.owner
        )

    found("web-1", NOW)
    submit(case, case.frozen())
    day = later(NOW, days=2)
    found("web-2", day)
    [(key, before, after)] = told(supplement(case, day), day)
    assert (key, before) == ("systems", "총 1대 (관제 1대). 목록은 붙임.")
    assert after == "총 2대 (관제 2대). 목록은 붙임.\n(추가 1대, 제외 0대, 내용 변경 0대)"


def test_a_receipt_number_of_what_was_refused_is_not_referred_to(case: Case) -> None:
    record = submit(case, case.frozen())
    reports.submission_outcome(
        submission=record,
        acknowledged=False,
        outcome_at=later(NOW, hours=5),
        note="서식 오류",
        at=later(NOW, hours=5),
        by=case.company.owner,
    )
    source = prefill.Source(
        case.incident, case.company.entity, get_form("kr_incident_report"), "supplement", [], later(NOW, hours=6)
    )
    first_receipt = prefill.prefill(source)["first_receipt"]
    assert (first_receipt["value"], first_receipt["status"]) == (None, "unknown")


def test_every_step_is_in_the_journal(case: Case) -> None:
    submit(case, case.frozen())
    actions = list(JournalEntry.objects.filter(subject="filing F1").values_list("action", flat=True))
    assert actions == [
        "filing.started",
        "filing.in_review",
        "filing.approval_given",
        "filing.approved",
        "filing.frozen",
        "filing.submitted",
    ]


@pytest.mark.parametrize(("known", "status"), [("2026-09-10 09:00", "blank"), ("2026-09-11 09:00", "missing")])
def test_the_rights_of_victims_are_required_since_the_amendment(case: Case, known: str, status: str) -> None:
    at = kst("2026-09-12 09:00")
    facts = [
        {"name": "leak.confirmed", "value": True},
        {"name": "leak.illegal_access", "value": True},
        {"name": "leak.known_at", "value": kst(known), "label": "유출 확인"},
    ]
    services.facts_record(incident=case.incident, facts=facts, at=at, by=case.company.owner)
    duty = case.incident.obligations.get(rule="kr.pipa.regulator-report", stage="initial")
    filing = reports.filing_start(incident=case.incident, obligations=[duty], at=at, by=case.company.owner)
    assert filing.values["rights"]["status"] == status
