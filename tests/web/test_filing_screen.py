"""The screen of a filing: what it waits for, where its values come from, how far it is, what differs from the last one."""

import re
from typing import Any

import pytest
from django.test import Client

from compliance import clock
from reports import comments
from reports import services as reports
from reports.filing_page import steps
from reports.models import Filing
from reports.states import FilingState
from tests.factories import Company, later
from tests.reports.conftest import KNOWN, NOW, Case, make_case, put

AT = later(KNOWN, hours=2)


@pytest.fixture
def case(company: Company, settings: Any, tmp_path: Any) -> Case:
    return make_case(company, settings, tmp_path, at=AT)


def shown(client: Client, filing: Filing, user: Any, *, at: Any = AT, tongue: str = "en", **post: str) -> str:
    client.force_login(user)
    client.cookies["django_language"] = tongue
    with clock.simulated(at):
        path = f"/incidents/{filing.incident.code}/filings/{filing.number}/"
        response = client.post(path, post) if post else client.get(path)
    assert response.status_code in (200, 422), response.status_code
    return response.content.decode()


def summary(page: str) -> str:
    return page.split('id="summary"')[1].split("</section>")[0]


def test_the_title_names_incident_form_and_state(client: Client, case: Case) -> None:
    title = re.search("<title>(.*?)</title>", shown(client, case.draft(), case.company.owner))[1]
    assert all(words in title for words in ("2025-014", "F1", "Incident report", "Draft", case.incident.title))


def test_what_is_missing_stands_on_top_and_leads_to_its_field(client: Client, case: Case) -> None:
    filing = case.draft()
    assert "Nothing that is required is missing." in shown(client, filing, case.company.owner)
    put(filing, values={**filing.values, "summary": {"value": None, "status": "missing", "provenance": None}})
    page = shown(client, filing, case.company.owner)
    assert '<a href="#field-summary">' in summary(page)
    assert 'id="field-summary"' in page
    assert 'aria-invalid="true"' in page


def test_a_late_filing_asks_for_its_reason_first(client: Client, case: Case) -> None:
    page = shown(client, case.draft(), case.company.owner, at=NOW)
    assert re.findall('href="#([^"]+)"', summary(page))[0] == "late"
    assert "■ Overdue" in page


def test_a_refused_value_is_named_with_a_link_to_its_field(client: Client, case: Case) -> None:
    filing = case.draft()
    page = shown(client, filing, case.company.owner, action="edit", edition="1", **{"field-phone": "x" * 100})
    refused = page.split('id="refused"')[1].split("</div>")[0]
    assert '<a href="#field-phone">Telephone</a>' in refused
    assert 'id="error-phone"' in page


def test_every_field_says_where_its_value_comes_from_to_everybody(client: Client, case: Case) -> None:
    page = shown(client, case.draft(), case.company.owner)
    inputs = re.findall(r'<(?:input class="form-control"|textarea|select)[^>]* id="field-(\w+)"[^>]*>', page)
    assert inputs
    for key in inputs:
        assert re.search(rf'id="field-{key}"[^>]* aria-describedby="[^"]*from-{key}"', page), key
        assert f'id="from-{key}"' in page
    assert "from the company's particulars" in page
    assert re.search("from fact <a[^>]*>#\\d+</a> Department in charge", page)


def test_every_label_belongs_to_a_control(client: Client, case: Case) -> None:
    page = shown(client, case.draft(), case.company.owner)
    for target in re.findall('<label[^>]* for="([^"]+)"', page):
        assert f'id="{target}"' in page, target


def test_a_comment_is_counted_at_its_field(client: Client, case: Case) -> None:
    filing = case.draft()
    assert "Nobody has commented on a field." in shown(client, filing, case.company.owner)
    comments.comment_add(filing=filing, field="summary", text="건수 확인", at=AT, by=case.company.counsel)
    page = shown(client, filing, case.company.owner)
    assert '<a class="small" href="#comments">1 open comment</a>' in page
    assert "can be passed with a reason" in summary(page)


def test_what_changed_since_the_last_filing_is_marked_in_words(client: Client, case: Case) -> None:
    filing = reports.filing_send_to_review(filing=case.draft(), at=AT, by=case.company.owner)
    reports.filing_approve(filing=filing, at=AT, by=case.company.counsel)
    filing = reports.filing_freeze(filing=filing, at=AT, by=case.company.owner)
    reports.submission_record(
        filing=filing, submitted_at=AT, channel="portal", receipt_number="K-1", at=AT, by=case.company.owner
    )
    receipt = shown(client, filing, case.company.owner).split('id="receipt"')[1].split("</section>")[0]
    assert "K-1" in receipt
    assert "none was kept" in receipt
    again = case.draft()
    page = shown(client, again, case.company.owner)
    assert "It says the same as the last one." in page
    shown_again = case.company.owner
    client.force_login(shown_again)
    with clock.simulated(AT):
        client.post(
            f"/incidents/2025-014/filings/{again.number}/",
            {"action": "edit", "edition": "1", "field-measures": "해당 서버 격리, 로그 삭제, 원인 분석 중"},
        )
    changes = shown(client, again, case.company.owner).split('id="changes"')[1].split("</section>")[0]
    assert re.search("<del>보전, ?</del>", changes)
    assert re.search("<ins>삭제, ?</ins>", changes)


@pytest.mark.parametrize("state", FilingState.values)
def test_one_step_is_where_the_filing_stands(state: str) -> None:
    found = steps(Filing(state=state))
    assert [step.place for step in found].count("here") == 1
    here = next(step for step in found if step.place == "here")
    assert here.label == str(FilingState(state).label)


def test_a_draft_leaves_hooks_for_saving_by_itself(client: Client, case: Case) -> None:
    page = shown(client, case.draft(), case.company.owner)
    assert 'id="draft" data-autosave="/incidents/2025-014/filings/1/"' in page
    assert 'id="preview"' in page
    assert "data-autosave" not in shown(client, case.incident.filings.get(), case.company.auditor)
