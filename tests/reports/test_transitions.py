"""Every move of a filing, by every role, from every state: done by the right person in the right order, refused otherwise."""

from typing import Any

import pytest
from django.test import Client

from compliance import clock
from compliance.errors import Refused
from compliance.models import Role
from incidents.models import JournalEntry, Obligation
from reports import services as reports
from reports.models import Approval, Document, Filing, Submission
from reports.states import FILING, FilingState
from tests.factories import Company, later, make_user
from tests.reports.conftest import KNOWN, Case, make_case, put

AT = later(KNOWN, hours=2)
STATES = list(FilingState.values)
HANDLERS = ["owner", "counsel", "approver", "manager", "ciso", "cpo", "executive"]
EVERYBODY = [*(role.value for role in Role), "stranger"]
# Who does not even see the incident.
BLIND = ("stranger", "reporter", "administrator")
# Who may do what, when nobody of them wrote the filing.
RIGHTS = {
    "send_to_review": HANDLERS,
    "return_to_author": HANDLERS,
    "approve": ["counsel", "approver"],
    "freeze": HANDLERS,
    "submit": HANDLERS,
    "acknowledge": HANDLERS,
    "refuse": HANDLERS,
    "withdraw": HANDLERS,
}


def do(move: str, filing: Filing, by: Any) -> None:
    """The service behind a move of the table."""
    given: dict[str, Any] = {"filing": filing, "at": AT, "by": by}
    if move in ("acknowledge", "refuse"):
        row = Submission.objects.get(filing=filing)
        reports.submission_outcome(
            submission=row, acknowledged=move == "acknowledge", outcome_at=AT, note="접수 결과", at=AT, by=by
        )
        return
    services = {
        "send_to_review": lambda: reports.filing_send_to_review(**given),
        "return_to_author": lambda: reports.filing_return(note="더 자세히", **given),
        "approve": lambda: reports.filing_approve(**given),
        "freeze": lambda: reports.filing_freeze(**given),
        "submit": lambda: reports.submission_record(submitted_at=AT, channel="portal", receipt_number="", **given),
        "withdraw": lambda: reports.filing_withdraw(reason="보내지 않음", **given),
    }
    services[move]()


@pytest.fixture
def case(company: Company, settings, tmp_path) -> Case:
    return make_case(company, settings, tmp_path, at=AT)


@pytest.fixture
def drafts(case: Case) -> Any:
    """A filing in any state, made without walking there, so that nothing but the state differs."""
    writer = make_user("writer", case.company.entity, Role.OWNER)
    document = Document.objects.create(sha256="0" * 64, size=1, media_type="application/pdf", name="x", created_at=AT)

    def make(state: str) -> Filing:
        filing = reports.filing_start(incident=case.incident, obligations=[case.duty], at=AT, by=writer)
        changes: dict[str, Any] = {"state": state, "round": 1}
        if state not in ("draft", "in_review", "approved", "withdrawn"):
            changes |= {"document": document, "statement": {"changes": [], "sections": []}, "frozen_at": AT}
        put(filing, **changes)
        if state in ("approved", "frozen"):
            Approval.objects.create(filing=filing, round=1, by=make_user(f"second-{filing.pk}"), at=AT)
        if state in ("submitted", "acknowledged", "refused", "superseded"):
            Submission.objects.create(
                filing=filing, submitted_at=AT, channel="portal", recorded_by=writer, recorded_at=AT
            )
        return Filing.objects.get(pk=filing.pk)

    return make


@pytest.mark.parametrize("move", RIGHTS)
def test_a_move_from_a_wrong_state_is_refused_to_everybody_and_changes_nothing(case: Case, drafts, move: str) -> None:
    for state in set(STATES) - set(FILING[move].source):
        filing = drafts(state)
        if move in ("acknowledge", "refuse") and not Submission.objects.filter(filing=filing).exists():
            continue
        before = JournalEntry.objects.count()
        repeated = move == "submit" and Submission.objects.filter(filing=filing).exists()
        for role in EVERYBODY:
            if repeated and role in RIGHTS[move]:
                do(move, filing, getattr(case.company, role))  # answers the first record
            else:
                with pytest.raises(Refused):
                    do(move, filing, getattr(case.company, role))
        assert Filing.objects.get(pk=filing.pk).state == state
        assert JournalEntry.objects.count() == before


@pytest.mark.parametrize("move", RIGHTS)
def test_a_move_is_for_those_who_may_and_for_nobody_else(case: Case, drafts, move: str) -> None:
    for role in EVERYBODY:
        filing = drafts(FILING[move].source[0])
        by = getattr(case.company, role)
        if role in RIGHTS[move]:
            do(move, filing, by)
            assert Filing.objects.get(pk=filing.pk).state == FILING[move].target, role
        else:
            with pytest.raises(Refused):
                do(move, filing, by)
            assert Filing.objects.get(pk=filing.pk).state == filing.state, role
        if move == "submit":
            Obligation.objects.filter(pk=case.duty.pk).update(met_at=None)
            put(Obligation.objects.get(pk=case.duty.pk), state="running")


PAGE = {
    "send_to_review": {"action": "review"},
    "return_to_author": {"action": "return", "note": "더 자세히"},
    "approve": {"action": "approve"},
    "freeze": {"action": "freeze"},
    "submit": {"action": "submit", "submitted_at": "2025-09-15T16:00", "channel": "portal"},
    "acknowledge": {"action": "answer", "outcome": "acknowledged", "outcome_at": "2025-09-15T16:00"},
    "refuse": {"action": "answer", "outcome": "refused", "outcome_at": "2025-09-15T16:00", "note": "서식 오류"},
    "withdraw": {"action": "withdraw", "note": "보내지 않음"},
}


@pytest.mark.parametrize("move", RIGHTS)
def test_the_page_refuses_the_wrong_person_as_the_service_does(case: Case, drafts, client: Client, move: str) -> None:
    filing = drafts(FILING[move].source[0])
    for role in sorted(set(EVERYBODY) - set(RIGHTS[move])):
        client.force_login(getattr(case.company, role))
        with clock.simulated(AT):
            answer = client.post(f"/incidents/2025-014/filings/{filing.number}/", PAGE[move])
        assert answer.status_code == (404 if role in BLIND else 422), role
        assert Filing.objects.get(pk=filing.pk).state == filing.state, role


@pytest.mark.parametrize("move", ["send_to_review", "return_to_author", "approve", "freeze", "withdraw"])
def test_the_page_refuses_the_wrong_order_as_the_service_does(case: Case, drafts, client: Client, move: str) -> None:
    client.force_login(case.company.counsel)
    for state in set(STATES) - set(FILING[move].source):
        filing = drafts(state)
        with clock.simulated(AT):
            answer = client.post(f"/incidents/2025-014/filings/{filing.number}/", PAGE[move])
        assert answer.status_code == 422
        assert Filing.objects.get(pk=filing.pk).state == state


def test_a_double_click_on_any_button_makes_one_step(case: Case, drafts, client: Client) -> None:
    filing = drafts("frozen")
    client.force_login(case.company.owner)
    with clock.simulated(AT):
        for _ in range(2):
            client.post(f"/incidents/2025-014/filings/{filing.number}/", PAGE["submit"])
    assert Submission.objects.filter(filing=filing).count() == 1
    assert Obligation.objects.get(pk=case.duty.pk).met_at == AT
    assert JournalEntry.objects.filter(action="filing.submitted").count() == 1
