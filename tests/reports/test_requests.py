"""An authority asks for more: a fact of the record, with a due moment that is watched until it is answered."""

from datetime import datetime

import pytest

from compliance.errors import BadInput, Refused
from incidents import timers
from incidents.models import Fact, OutboxMessage, Timer
from reports import services as reports
from reports.models import Filing, InformationRequest
from reports.requests import request_answer, request_record
from tests.factories import later
from tests.reports.conftest import NOW, Case

pytestmark = pytest.mark.both_databases
ASKED = later(NOW, hours=10)
DUE = later(NOW, days=3)


@pytest.fixture
def filing(case: Case) -> Filing:
    filing = case.frozen()
    at = later(NOW, hours=1)
    reports.submission_record(
        filing=filing, submitted_at=at, channel="portal", receipt_number="K-1", at=at, by=case.company.owner
    )
    return Filing.objects.get(pk=filing.pk)


def record(case: Case, filing: Filing, **given: object) -> InformationRequest:
    fields = {"text": "접속 기록 제출", "received_at": ASKED, "due_at": DUE, "at": ASKED, "by": case.company.owner}
    return request_record(filing=filing, **{**fields, **given})


def test_a_request_is_a_fact_and_its_due_moment_too(case: Case, filing: Filing) -> None:
    row = record(case, filing)
    assert (row.event.name, row.event.label.split()[0]) == ("authority.request_at", str(filing))
    due = datetime.fromisoformat(Fact.objects.get(name="authority.order_due_at").value)
    assert due == DUE
    assert Timer.objects.filter(kind="filing.request", subject_id=row.pk, due_at=DUE).count() == 1


def test_people_are_told_before_and_after_it_is_due(case: Case, filing: Filing) -> None:
    record(case, filing)
    timers.fire_due(now=later(DUE, minutes=-1))
    before = OutboxMessage.objects.filter(dedupe__startswith="request:").count()
    timers.fire_due(now=later(DUE, minutes=1))
    assert 0 < before < OutboxMessage.objects.filter(dedupe__startswith="request:").count()


def test_nobody_is_told_of_an_answered_request(case: Case, filing: Filing) -> None:
    row = record(case, filing)
    request_answer(request=row, answer="공문으로 제출함", at=later(ASKED, minutes=1), by=case.company.owner)
    timers.fire_due(now=later(DUE, days=1))
    assert not OutboxMessage.objects.filter(dedupe__startswith="request:").exists()


def test_a_repeated_request_is_one(case: Case, filing: Filing) -> None:
    assert record(case, filing, request_key="k").pk == record(case, filing, request_key="k").pk


def test_a_request_without_a_moment_has_no_clock(case: Case, filing: Filing) -> None:
    record(case, filing, due_at=None)
    assert not Timer.objects.filter(kind="filing.request").exists()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"due_at": later(ASKED, hours=-1)}, "due_before_received"),
        ({"received_at": later(ASKED, days=9)}, "in_the_future"),
        ({"text": " "}, "text_required"),
    ],
)
def test_a_request_that_cannot_be_right_is_refused(case: Case, filing: Filing, given: dict, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        record(case, filing, **given)
    assert refused.value.code == code


def test_nobody_asks_about_what_was_never_handed_over(case: Case) -> None:
    with pytest.raises(Refused) as refused:
        record(case, case.frozen())
    assert refused.value.code == "not_submitted"
