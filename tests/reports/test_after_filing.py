"""What was filed stays as it was filed, and nothing is ever filed twice, however often or at once it is asked for."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from compliance import clock
from compliance.engine import LocalText, digest
from compliance.errors import Refused
from incidents import services
from incidents.models import JournalEntry, Obligation
from reports import services as reports
from reports import storage
from reports.dispatch import submission_send
from reports.forms import registry
from reports.models import Approval, Dispatch, Filing, Submission
from tests.factories import Company, later
from tests.reports.conftest import KNOWN, Case, make_case

AT = later(KNOWN, hours=2)
MANY = 6


@pytest.fixture
def case(company: Company, settings, tmp_path) -> Case:
    return make_case(company, settings, tmp_path, at=AT)


def reviewed(case: Case) -> Filing:
    return reports.filing_send_to_review(filing=case.draft(), at=AT, by=case.company.owner)


def approved(case: Case) -> Filing:
    return reports.filing_approve(filing=reviewed(case), at=AT, by=case.company.counsel)


def frozen(case: Case) -> Filing:
    return reports.filing_freeze(filing=approved(case), at=AT, by=case.company.owner)


def new_labels(monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
    """The form as a later version of the program has it: every word another."""
    forms = dict(registry.all_forms())
    form = forms["kr_incident_report"]
    words = LocalText("바뀐 말", "Changed words")
    sections = tuple(
        replace(section, title=words, fields=tuple(replace(item, label=words) for item in section.fields))
        for section in form.sections
    )
    forms[form.key] = replace(form, title=words, addressee=words, basis=words, note=words, sections=sections)
    monkeypatch.setattr(registry, "all_forms", lambda: forms)


def new_name(monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
    case.company.entity.name = "이름을 바꾼 회사"
    case.company.entity.particulars = {"representative": "새 대표"}
    case.company.entity.save()


def new_fact(monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
    given = {"incident": case.incident, "at": later(AT, hours=1), "by": case.company.owner}
    services.fact_record(name="incident.summary", value="전혀 다른 내용", **given)


def new_people(monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
    for user in (case.company.owner, case.company.counsel):
        user.first_name = "다른 이름"
        user.save()


CHANGES: list[Callable[[pytest.MonkeyPatch, Case], None]] = [new_labels, new_name, new_fact, new_people]


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_afterwards_changes_nothing_that_was_filed(
    case: Case, client: Client, monkeypatch: pytest.MonkeyPatch, change: Callable[..., None]
) -> None:
    filing = frozen(case)
    before = (filing.statement, filing.statement_digest, storage.read(filing.document))
    client.force_login(case.company.owner)
    address = f"/incidents/2025-014/filings/{filing.number}/"
    with clock.simulated(later(AT, hours=2)):
        by_hand = client.get(f"{address}by-hand/").content
        change(monkeypatch, case)
        held = Filing.objects.get(pk=filing.pk)
        assert (held.statement, held.statement_digest, storage.read(held.document)) == before
        assert digest(held.statement) == held.statement_digest
        assert client.get(f"{address}document.pdf").content == before[2]
        assert _fields(client.get(f"{address}by-hand/").content) == _fields(by_hand)
        assert "바뀐 말" not in client.get(address).content.decode()


def _fields(page: bytes) -> str:
    """What is to be entered, without what each page has of its own."""
    return page.decode().split("<ol>")[1].split("</main>")[0]


def test_a_filing_begun_with_the_old_labels_is_frozen_with_what_its_approvers_saw_or_not_at_all(case: Case) -> None:
    filing = frozen(case)
    with pytest.raises(Refused):
        reports.filing_edit(filing=filing, values={"cause": "x"}, edition=filing.edition, at=AT, by=case.company.owner)
    with pytest.raises(Refused):
        reports.filing_refill(filing=filing, at=AT, by=case.company.owner)
    with pytest.raises(Refused):
        reports.filing_language(filing=filing, language="ko", at=AT, by=case.company.owner)


def at_once(work: Callable[[int], Any]) -> Counter[str]:
    """``work`` by several threads, all of them let go at the same moment: what came of it, by name."""
    gate, outcomes = threading.Barrier(MANY, timeout=60), Counter[str]()

    def run(number: int) -> None:
        try:
            gate.wait()
            found = work(number)
            outcomes[f"row {found.pk}"] += 1
        except Refused as refused:
            outcomes[refused.code] += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert sum(outcomes.values()) == MANY
    return outcomes


def entries(action: str) -> int:
    return JournalEntry.objects.filter(action=action).count()


concurrent = pytest.mark.django_db(transaction=True)


@concurrent
def test_a_filing_asked_for_at_once_with_one_key_is_begun_once(case: Case) -> None:
    def start(number: int) -> Filing:
        return reports.filing_start(
            incident=case.incident, obligations=[case.duty], at=AT, by=case.company.owner, request_key="one click"
        )

    (outcome,) = at_once(start).items()
    assert outcome[1] == MANY
    assert (Filing.objects.count(), entries("filing.started")) == (1, 1)


@concurrent
def test_a_filing_frozen_at_once_is_frozen_once(case: Case) -> None:
    filing = approved(case)
    found = at_once(lambda _number: reports.filing_freeze(filing=filing, at=AT, by=case.company.owner))
    assert found == {f"row {filing.pk}": 1, "wrong_state": MANY - 1}
    assert entries("filing.frozen") == 1


@concurrent
def test_one_person_approving_at_once_approves_once(case: Case) -> None:
    filing = reviewed(case)
    found = at_once(lambda _number: reports.filing_approve(filing=filing, at=AT, by=case.company.counsel))
    assert found[f"row {filing.pk}"] == 1
    assert (Approval.objects.count(), entries("filing.approved")) == (1, 1)


@concurrent
def test_a_submission_recorded_at_once_is_recorded_once(case: Case) -> None:
    filing = frozen(case)

    def submit(number: int) -> Submission:
        return reports.submission_record(
            filing=filing, submitted_at=AT, channel="portal", receipt_number=f"R-{number}", at=AT, by=case.company.owner
        )

    (outcome,) = at_once(submit).items()
    assert outcome[1] == MANY
    assert (Submission.objects.count(), entries("filing.submitted")) == (1, 1)
    assert Obligation.objects.get(pk=case.duty.pk).met_at == AT


@concurrent
@pytest.mark.parametrize("keys", [["one"] * MANY, [f"key {number}" for number in range(MANY)]])
def test_a_filing_sent_at_once_is_sent_once_whatever_the_keys(case: Case, keys: list[str]) -> None:
    filing = frozen(case)

    def send(number: int) -> Dispatch:
        return submission_send(
            filing=filing, channel="email", target="report@example.test", request_key=keys[number], at=AT,
            by=case.company.owner,
        )  # fmt: skip

    found = at_once(send)
    assert Dispatch.objects.count() == 1
    assert entries("dispatch.requested") == 1
    assert found.total() - found["on_its_way"] == keys.count(Dispatch.objects.get().request_key)


@concurrent
def test_a_double_click_on_the_page_begins_one_filing(case: Case) -> None:
    clients = []
    for _number in range(MANY):
        client = Client()
        client.force_login(case.company.owner)
        clients.append(client)

    def click(number: int) -> Filing:
        given = {"obligation": str(case.duty.pk), "request_key": "of the page"}
        assert clients[number].post("/incidents/2025-014/filings/", given).status_code == 302
        return Filing.objects.get()

    with clock.simulated(AT):
        (outcome,) = at_once(click).items()
    assert outcome[1] == MANY
