"""Two people at the same thing: both versions side by side, nothing lost, and words kept when a session ends."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from incidents import services
from incidents.models import Incident
from reports import services as reports
from reports.models import Filing
from tests.factories import PASSWORD, Company, kst, make_company, make_incident

AT = kst("2026-11-02 09:00")
HERE = "/incidents/2026-777/filings/1/"


def draft(company: Company) -> Filing:
    incident = make_incident(company, at=AT, code="2026-777")
    duty = incident.obligations.get(rule="kr.network-act.incident-report", stage="initial")
    return reports.filing_start(incident=incident, obligations=[duty], at=AT, by=company.owner)


def value(key: str) -> Any:
    return Filing.objects.get().values[key]["value"]


def sign_in(page: Any, site: str, name: str) -> None:
    page.goto(f"{site}/accounts/login/")
    page.fill("#id_username", name)
    page.fill("#id_password", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{site}/")


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT, code="2026-777")


def test_a_fact_recorded_meanwhile_is_shown_beside_mine_and_counts_until_i_say_so(
    client: Client, company: Company, incident: Incident
) -> None:
    client.force_login(company.owner)
    client.cookies["django_language"] = "en"
    seen = services.fact_seen(incident, "leak.confirmed")
    services.fact_record(
        incident=incident, name="leak.confirmed", value=False, source="관제", at=AT, by=company.counsel
    )
    given = {"action": "fact", "name": "leak.confirmed", "value": "yes", "source": "포렌식", "seen": seen}
    response = client.post("/incidents/2026-777/", given)
    text = response.content.decode()
    assert response.status_code == 422
    assert all(words in text for words in ("Two people recorded the same fact", "관제", "포렌식"))
    assert list(incident.facts.filter(name="leak.confirmed").values_list("value", flat=True)) == [False]
    again = client.post("/incidents/2026-777/", {**given, "seen": services.fact_seen(incident, "leak.confirmed")})
    assert again.status_code == 302
    assert list(incident.facts.filter(name="leak.confirmed").values_list("value", flat=True)) == [False, True]


def test_the_refused_form_has_seen_what_it_shows(client: Client, company: Company, incident: Incident) -> None:
    client.force_login(company.owner)
    fact = services.fact_record(incident=incident, name="leak.confirmed", value=False, at=AT, by=company.counsel)
    given = {"action": "fact", "name": "leak.confirmed", "value": "yes", "seen": 0}
    text = client.post("/incidents/2026-777/", given).content.decode()
    assert f'name="seen" value="{fact.number}"' in text


def test_a_field_that_was_not_touched_is_not_put_back(client: Client, company: Company) -> None:
    filing = draft(company)
    client.force_login(company.manager)
    base = client.get(HERE).context["base"]
    reports.filing_edit(filing=filing, values={"cause": "갑의 글"}, edition=1, at=AT, by=company.owner)
    mine = {"action": "edit", "edition": "1", "base": base, "field-cause": "", "field-measures": "을의 글"}
    response = client.post(HERE, mine)
    assert response.status_code == 422
    assert [item.key for item in response.context["clashes"]] == ["measures"]
    again = {**mine, "edition": str(response.context["filing"].edition), "base": response.context["base"]}
    assert client.post(HERE, {**again, "field-cause": "갑의 글"}).status_code == 302
    assert (value("cause"), value("measures")) == ("갑의 글", "을의 글")


def test_saving_in_the_background_answers_the_edition_to_go_on_from(client: Client, company: Company) -> None:
    draft(company)
    client.force_login(company.owner)
    given = {"action": "edit", "edition": "1", "field-cause": "원인"}
    first = client.post(HERE, given, headers={"x-autosave": "1"})
    assert (first.status_code, first.json()["edition"]) == (200, 2)
    stale = client.post(HERE, {**given, "field-cause": "다른 원인"}, headers={"x-autosave": "1"})
    assert (stale.status_code, stale.json()["code"]) == (409, "edition_conflict")


@pytest.mark.django_db(transaction=True)
def test_two_people_edit_one_draft_in_two_browsers(browser_page: Any, live_site: Callable[..., str]) -> None:
    draft(make_company())
    site, first = live_site(), browser_page
    second = first.context.browser.new_context(locale="ko-KR").new_page()
    for page, name in ((first, "owner"), (second, "manager")):
        sign_in(page, site, name)
        page.goto(site + HERE)
    first.fill("#field-cause", "갑이 쓴 원인")
    first.get_by_text("저장됨").wait_for()
    second.fill("#field-cause", "을이 쓴 원인")
    second.get_by_text("다른 사람이 이 초안을").wait_for()
    second.get_by_role("button", name="초안 저장").click()
    clash = second.locator("#clash")
    clash.wait_for()
    assert "갑이 쓴 원인" in clash.inner_text()
    assert "을이 쓴 원인" in clash.inner_text()
    assert second.input_value("#field-cause") == "을이 쓴 원인"
    assert value("cause") == "갑이 쓴 원인"
    second.get_by_role("button", name="초안 저장").click()
    second.get_by_text("저장했습니다.").wait_for()
    assert value("cause") == "을이 쓴 원인"


@pytest.mark.django_db(transaction=True)
def test_words_typed_after_the_session_ended_are_kept_and_put_back(
    browser_page: Any, live_site: Callable[..., str]
) -> None:
    draft(make_company())
    site, page = live_site(), browser_page
    sign_in(page, site, "owner")
    page.goto(site + HERE)
    Session.objects.all().delete()
    page.fill("#field-cause", "로그아웃 뒤에 쓴 글")
    page.get_by_text("다시 로그인").wait_for()
    sign_in(page, site, "owner")
    page.goto(site + HERE)
    assert page.input_value("#field-cause") == ""
    page.get_by_role("button", name="되돌려 넣기").click()
    page.get_by_text("저장됨").wait_for()
    assert value("cause") == "로그아웃 뒤에 쓴 글"
    assert page.evaluate("Object.keys(localStorage).length") == 0


@pytest.mark.django_db(transaction=True)
def test_a_privileged_draft_leaves_no_words_in_the_browser(browser_page: Any, live_site: Callable[..., str]) -> None:
    filing = draft(make_company())
    Filing.objects.filter(pk=filing.pk).update(privileged=True)
    site, page = live_site(), browser_page
    sign_in(page, site, "owner")
    page.goto(site + HERE)
    page.context.set_offline(True)
    page.fill("#field-cause", "변호사에게만")
    page.get_by_text("저장 안 됨").wait_for()
    assert page.evaluate("Object.keys(localStorage).length") == 0
