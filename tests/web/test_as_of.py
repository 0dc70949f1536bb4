"""The page of an incident as it stood at a past moment: nothing later shows, and nothing can be changed."""

import re
from collections.abc import Callable
from datetime import UTC
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from incidents import asof, selectors, services, timers
from incidents.models import Incident, Obligation
from tests.factories import PASSWORD, Company, kst, later, make_company, make_incident

AT = kst("2026-11-02 09:00")


@pytest.fixture
def incident(company: Company) -> Incident:
    made = make_incident(company, at=AT, code="2026-777", leak_suspected_at=AT)
    services.evidence_add(
        incident=made, title="방화벽 로그", expires_at=later(AT, days=30), at=later(AT, hours=1), by=company.owner
    )
    services.fact_record(incident=made, name="leak.confirmed", value=True, at=later(AT, hours=5), by=company.owner)
    services.evidence_preserve(
        evidence=made.evidence_items.get(), note="백업 서버", at=later(AT, hours=6), by=company.owner
    )
    services.incident_confirm(incident=made, at=later(AT, hours=7), by=company.owner)
    timers.fire_due(now=later(AT, hours=8))
    return made


def page(client: Client, user: Any, at: Any, language: str = "en") -> Any:
    client.force_login(user)
    client.cookies["django_language"] = language
    return client.get(f"/incidents/2026-777/?at={quote(at.astimezone(UTC).isoformat())}")


def test_what_was_recorded_later_is_not_shown(client: Client, company: Company, incident: Incident) -> None:
    text = page(client, company.owner, later(AT, hours=2)).content.decode()
    assert "You see the incident as it stood at 2026-11-02 (Mon) 11:00 KST." in text
    assert "방화벽 로그" in text
    assert "백업 서버" not in text
    assert '<span class="tag">Reported</span>' in text
    assert "Back to now" in text


def test_the_past_cannot_be_changed(client: Client, company: Company, incident: Incident) -> None:
    text = page(client, company.owner, later(AT, hours=2)).content.decode()
    stands = text[text.index('id="stands"') :]
    assert 'method="post"' not in stands[: stands.index("</main>")]


def test_the_duties_are_those_that_were_owed_then(company: Company, incident: Incident) -> None:
    duty = incident.obligations.get(rule="kr.pipa.subject-notice")
    assert duty.state == "running"
    before = {clock.obligation.pk: clock for clock in asof.incident_as_of(incident, at=later(AT, hours=2)).clocks}
    assert before[duty.pk].tone == "possible"
    now = {
        clock.obligation.pk: (clock.tone, clock.delta)
        for clock in selectors.clocks_of(incident, now=later(AT, hours=8))
    }
    then = asof.incident_as_of(incident, at=later(AT, hours=8)).clocks
    assert {clock.obligation.pk: (clock.tone, clock.delta) for clock in then} == now


def test_a_duty_is_met_only_from_when_it_was_recorded(company: Company, incident: Incident) -> None:
    duty = incident.obligations.get(rule="kr.network-act.incident-report", stage="initial")
    services.obligation_meet(
        obligation=duty, done_at=later(AT, hours=9), reference="전화", at=later(AT, hours=10), by=company.owner
    )
    for hours, met in ((9.5, False), (10, True)):
        clocks = asof.incident_as_of(incident, at=later(AT, hours=hours)).clocks
        row = next(clock.obligation for clock in clocks if clock.obligation.pk == duty.pk)
        assert (row.met_at is not None) is met


def test_an_acknowledgement_counts_from_its_moment(company: Company, incident: Incident) -> None:
    step = incident.escalations.first()
    assert step is not None
    services.escalation_acknowledge(escalation=step, at=later(AT, hours=20), by=company.owner)
    before, after = (asof.escalations_of(incident, at=later(AT, hours=hours)) for hours in (19, 20))
    assert next(row for row in before if row.pk == step.pk).acknowledged_at is None
    assert next(row for row in after if row.pk == step.pk).acknowledged_at is not None


def test_looking_back_writes_nothing(client: Client, company: Company, incident: Incident) -> None:
    held = list(Obligation.objects.order_by("pk").values())
    page(client, company.owner, later(AT, hours=2))
    assert list(Obligation.objects.order_by("pk").values()) == held


@pytest.mark.parametrize("text", ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "yesterday"])
def test_a_moment_outside_its_life_is_refused_in_words(
    client: Client, company: Company, incident: Incident, text: str
) -> None:
    client.force_login(company.owner)
    response = client.get(f"/incidents/2026-777/?at={text}")
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()


def test_earlier_and_later_lead_through_the_recorded_moments(
    client: Client, company: Company, incident: Incident
) -> None:
    moments = asof.moments_of(incident, until=later(AT, hours=8))
    text = page(client, company.owner, moments[1].at).content.decode()
    found = dict(re.findall(r'rel="(prev|next)" href="\?at=([^"]+)"', text))
    assert found == {"prev": quote(moments[0].iso, safe=""), "next": quote(moments[2].iso, safe="")}


def test_a_stranger_learns_nothing_of_the_past(client: Client, company: Company, incident: Incident) -> None:
    assert page(client, company.stranger, later(AT, hours=2)).status_code == 404


def test_a_filing_stands_as_it_stood(company: Company, incident: Incident) -> None:
    from reports import services as reports
    from reports.listed import filings_of
    from reports.states import FilingState

    duty = incident.obligations.get(rule="kr.network-act.incident-report", stage="initial")
    filing = reports.filing_start(incident=incident, obligations=[duty], at=later(AT, hours=9), by=company.owner)
    reports.filing_withdraw(filing=filing, reason="잘못 시작한 신고서", at=later(AT, hours=11), by=company.owner)
    states = [filings_of(incident, company.owner, later(AT, hours=hours)) for hours in (8, 10, 12)]
    labels = [str(FilingState(state).label) for state in ("draft", "withdrawn")]
    assert [[line.state for line in lines] for lines in states] == [[], labels[:1], labels[1:]]


@pytest.mark.django_db(transaction=True)
def test_the_slider_moves_through_the_past_by_keyboard_and_works_without_scripts(
    browser_page: Any, live_site: Callable[..., str]
) -> None:
    company = make_company()
    made = make_incident(company, at=AT, code="2026-777", leak_suspected_at=AT)
    services.evidence_add(incident=made, title="방화벽 로그", at=later(AT, hours=1), by=company.owner)
    site, page = live_site(), browser_page
    page.goto(f"{site}/accounts/login/")
    page.fill("#id_username", "owner")
    page.fill("#id_password", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{site}/")
    page.goto(f"{site}/incidents/2026-777/")
    assert page.get_by_text("방화벽 로그").count() > 0
    page.focus("#asof-range")
    page.keyboard.press("Home")
    page.get_by_text("당시의 사고 모습입니다").wait_for()
    assert "at=" in page.url
    assert page.locator("#evidence ~ .scroll").get_by_text("방화벽 로그").count() == 0
    assert page.locator("main form[method=post]").count() == 0
    state = page.context.storage_state()
    plain = page.context.browser.new_context(java_script_enabled=False, storage_state=state, locale="ko-KR").new_page()
    plain.goto(f"{site}/incidents/2026-777/")
    plain.select_option("#asof-at", index=0)
    plain.get_by_role("button", name="보기").first.click()
    assert "당시의 사고 모습입니다" in plain.content()
    plain.get_by_role("link", name="현재로 돌아가기").click()
    assert "당시의 사고 모습입니다" not in plain.content()
