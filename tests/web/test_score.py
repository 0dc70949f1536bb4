"""Severity and classification on the page: the questions, the working, and the level that a person adopts."""

import html
import json
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from compliance.library import get_methods
from incidents import access, services
from incidents.models import Incident
from tests.factories import Company, kst, make_entity, make_incident

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

AT = kst("2026-11-02 09:00")
METHODS = ["dora", "dora_threat", "edpb", "enisa", "hipaa", "nis2"]
URL = "/incidents/2026-777/score/{}/"
EDPB = {
    "answer-personal_data_breach": "yes", "answer-unintelligible": "no", "answer-nobody_affected": "no",
    "answer-lawfully_public": "no", "answer-children": "yes", "answer-recipient": "criminal",
    "reason-recipient": "offered on a forum",
}  # fmt: skip
DORA = {
    "answer-critical_function": "yes", "answer-clients_affected": "9,000..14000", "answer-clients_of_service": "100000",
    "answer-costs_eur": "100000.01",
}  # fmt: skip


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT, code="2026-777", leak_suspected_at=AT)


@pytest.fixture
def page(client: Client, company: Company, incident: Incident) -> Client:
    client.force_login(company.cpo)
    client.cookies["django_language"] = "en"
    return client


def work(client: Client, method: str, **answers: str) -> HttpResponse:
    return client.post(URL.format(method), {"action": "work", **answers})


def words(response: HttpResponse) -> str:
    """What a reader sees: without tags, entities resolved, blanks collapsed."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def hidden(response: HttpResponse) -> dict[str, str]:
    """The fields that the adopting form carries along."""
    form = response.content.decode().partition('id="adopt"')[2].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def adopt(client: Client, method: str, answers: dict[str, str], **given: str) -> HttpResponse:
    shown = hidden(work(client, method, **answers))
    return client.post(URL.format(method), {**shown, **given})


def test_the_methods_are_those_of_the_library() -> None:
    assert sorted(get_methods()) == METHODS


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("role", ["owner", "counsel", "auditor", "manager"])
def test_every_method_opens_and_works_for_every_role_in_both_languages(
    client: Client, company: Company, incident: Incident, method: str, language: str, role: str
) -> None:
    user = getattr(company, role)
    client.force_login(user)
    client.cookies["django_language"] = language
    assert client.get(URL.format(method)).status_code == 200
    shown = work(client, method)
    assert shown.status_code == 200
    assert get_methods()[method].until_decided.get(language) in words(shown)
    assert ('id="adopt"' in shown.content.decode()) == access.may_handle(user, incident)


def test_a_stranger_and_a_reporter_of_other_things_find_nothing(
    client: Client, company: Company, incident: Incident
) -> None:
    for outside in (company.stranger, company.reporter):
        client.force_login(outside)
        assert client.get(URL.format("edpb")).status_code == 404
        assert work(client, "edpb").status_code == 404


def test_who_is_not_signed_in_is_sent_to_sign_in(client: Client, incident: Incident) -> None:
    assert client.get(URL.format("edpb")).url.startswith("/accounts/login/")


def test_an_unknown_method_or_entity_is_not_found(page: Client) -> None:
    other = make_entity("elsewhere", name="다른회사")
    assert page.get(URL.format("guess")).status_code == 404
    assert page.get(URL.format("edpb"), {"entity": other.pk}).status_code == 404
    assert page.get(URL.format("edpb"), {"entity": "x"}).status_code == 404


def test_the_page_keeps_the_strict_policy(page: Client) -> None:
    text = work(page, "enisa").content.decode()
    assert not re.search(r"<script(?! src=)|\sstyle=|\son\w+=", text)


def test_working_out_shows_steps_sources_doubts_and_writes_nothing(page: Client, incident: Incident) -> None:
    text = words(work(page, "edpb", **EDPB))
    assert "Proposal High risk . Notify the authority and tell the persons." in text
    assert "house rule" in text
    assert "GDPR art. 34(1) , source not checked" in text
    assert "Who received the data? criminal" in text
    assert "Who received the data? ← offered on a forum" in text
    assert "The matrix of severity and likelihood" in text
    assert "Records the facts: Risk to rights and freedoms: high risk" in text
    assert not incident.classifications.exists()


def test_an_open_result_shows_its_range_and_what_would_settle_it(page: Client) -> None:
    response = work(page, "edpb", **{**EDPB, "answer-nobody_affected": ""})
    text = words(response)
    assert "Still open from “Unlikely to result in a risk” to “High risk”" in text
    assert "If in doubt, notify." in text
    assert '<a href="#q-nobody_affected">' in response.content.decode()
    assert 'id="q-nobody_affected"' in response.content.decode()


def test_numbers_may_be_ranges_with_separators_and_decimals(page: Client) -> None:
    response = work(page, "dora", **DORA)
    assert json.loads(hidden(response)["answers"])["answers"] == {
        "critical_function": True,
        "clients_affected": {"at_least": 9000, "at_most": 14000},
        "clients_of_service": 100000,
        "costs_eur": "100000.01",
    }
    assert 'name="answer-clients_affected" value="9000..14000"' in response.content.decode()


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("0", 0), ("12", 12), (" 1,234,567 ", 1234567), ("900..", {"at_least": 900}), ("..1400", {"at_most": 1400}),
        ("900 ~ 1,400", {"at_least": 900, "at_most": 1400}), ("900-1400", {"at_least": 900, "at_most": 1400}),
        ("900–1400", {"at_least": 900, "at_most": 1400}),
    ],
)  # fmt: skip
def test_a_number_is_read_as_it_is_written(page: Client, typed: str, read: Any) -> None:
    answers = json.loads(hidden(work(page, "dora", **{"answer-member_states": typed}))["answers"])["answers"]
    assert answers == {"member_states": read}


@pytest.mark.parametrize("typed", ["many", "-5", "..", "9..3", "1.5", "1,5", "1e5", "٣", "5..x", "1..2..3"])
def test_what_is_no_number_is_said_beside_the_question_and_stays(page: Client, typed: str) -> None:
    response = work(page, "dora", **{"answer-member_states": typed, "reason-media": "a paper of Tuesday"})
    assert response.status_code == 422
    text = response.content.decode()
    assert f'name="answer-member_states" value="{typed}"' in text
    assert "a paper of Tuesday" in text
    assert "expected a number such as 1200" in text


@pytest.mark.parametrize(("language", "said"), [("en", "expected no more than 10"), ("ko", "10보다 클 수 없습니다")])
def test_a_part_larger_than_its_whole_is_refused(page: Client, language: str, said: str) -> None:
    page.cookies["django_language"] = language
    response = work(page, "dora", **{"answer-clients_affected": "11", "answer-clients_of_service": "10"})
    assert response.status_code == 422
    assert said in words(response)


def test_data_sets_are_rows_and_one_more_is_offered(page: Client) -> None:
    answers = {
        "datasets-0-name": "customers", "datasets-0-data": "financial:1", "datasets-0-identification": "maximum",
        "datasets-1-name": "", "datasets-1-data": "", "datasets-1-identification": "",
        "answer-confidentiality": "unknown", "answer-integrity": "no_misuse", "answer-availability": "recoverable",
        "answer-malicious": "intentional",
    }  # fmt: skip
    response = work(page, "enisa", **answers)
    text = words(response)
    assert "Proposal Very high (at least 4)" in text
    assert "4 x 1 = 4" in text
    assert "Severity SE = DPC x EI + CB: 5" in text
    assert json.loads(hidden(response)["answers"])["answers"]["datasets"] == [
        {"name": "customers", "category": "financial", "identification": "maximum", "adjustment": 1}
    ]
    assert 'name="datasets-1-name"' in response.content.decode()
    assert 'name="datasets-2-name"' not in response.content.decode()


def test_a_data_set_with_a_name_alone_is_open(page: Client) -> None:
    response = work(page, "enisa", **{"datasets-0-name": "backup tape"})
    assert '<a href="#q-datasets[0].category">' in response.content.decode()
    assert 'id="q-datasets[0].category"' in response.content.decode()


def test_adopting_the_proposal_goes_back_to_the_incident_where_it_stands(page: Client, incident: Incident) -> None:
    response = adopt(page, "edpb", EDPB, chosen="high")
    assert (response.status_code, response.url) == (302, "/incidents/2026-777/#severity")
    assert incident.facts.get(name="risk.level").value == "high"
    text = words(page.get("/incidents/2026-777/"))
    assert "Adopted. The facts it stands for are recorded." in text
    assert "GDPR risk test (EDPB factors) High risk cpo" in text
    assert "GDPR risk test (EDPB factors), adopted by cpo" in text


def test_the_proposed_level_is_chosen_beforehand_and_an_open_one_is_not(page: Client) -> None:
    checked = r'<input type="radio" name="chosen" value="(\w+)"[^>]*checked'
    assert re.findall(checked, work(page, "edpb", **EDPB).content.decode()) == ["high"]
    assert re.findall(checked, work(page, "edpb").content.decode()) == []


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Your choice departs from the proposal."), ("ko", "제안과 다른 선택입니다.")],
)
def test_departing_without_a_reason_is_said_and_the_working_stays(
    page: Client, incident: Incident, language: str, said: str
) -> None:
    page.cookies["django_language"] = language
    response = adopt(page, "edpb", EDPB, chosen="risk")
    assert response.status_code == 422
    assert said in words(response)
    assert 'id="result"' in response.content.decode()
    assert re.search(r'name="chosen" value="risk"[^>]*checked', response.content.decode())
    assert "offered on a forum" in response.content.decode()
    assert not incident.classifications.exists()


def test_departing_with_a_reason_shows_the_departure(page: Client, incident: Incident) -> None:
    assert adopt(page, "edpb", EDPB, chosen="risk", reason="The buyer was the police.").status_code == 302
    text = words(page.get("/incidents/2026-777/"))
    assert "Risk departs from the proposal The buyer was the police." in text


def test_an_open_result_is_adopted_only_with_level_and_reason(page: Client, incident: Incident) -> None:
    assert "Choose a level." in words(adopt(page, "edpb", {}))
    assert "The result is still open." in words(adopt(page, "edpb", {}, chosen="high"))
    assert adopt(page, "edpb", {}, chosen="high", reason="Until more is known.").status_code == 302
    assert "the result was open" in words(page.get("/incidents/2026-777/"))


def test_what_was_adopted_is_where_the_next_assessment_begins(page: Client, incident: Incident) -> None:
    adopt(page, "edpb", EDPB, chosen="high")
    response = page.get(URL.format("edpb"))
    assert "Adopted last High risk · cpo" in words(response)
    assert "offered on a forum" in response.content.decode()
    assert re.search(r'name="answer-children" value="yes"[^>]*checked', response.content.decode())


def test_who_may_only_read_cannot_adopt(client: Client, page: Client, company: Company, incident: Incident) -> None:
    shown = hidden(work(page, "edpb", **EDPB))
    client.force_login(company.auditor)
    response = client.post(URL.format("edpb"), {**shown, "chosen": "high"})
    assert response.status_code == 422
    assert not incident.classifications.exists()


@pytest.mark.parametrize("answers", ["", "{", "[]", "[" * 100_000, '{"answers": {"childen": true}}', '{"answers": 5}'])
def test_answers_that_were_tampered_with_are_refused(page: Client, incident: Incident, answers: str) -> None:
    shown = hidden(work(page, "edpb", **EDPB))
    response = page.post(URL.format("edpb"), {**shown, "answers": answers, "chosen": "high"})
    assert response.status_code == 422
    assert not incident.classifications.exists()


def test_a_method_that_changed_meanwhile_is_worked_out_again(page: Client, incident: Incident) -> None:
    shown = hidden(work(page, "edpb", **EDPB))
    response = page.post(URL.format("edpb"), {**shown, "digest": "0" * 64, "chosen": "high"})
    assert response.status_code == 422
    assert "The method changed meanwhile." in words(response)
    assert hidden(response)["digest"] == get_methods()["edpb"].digest
    assert not incident.classifications.exists()


def test_hostile_words_are_only_text(page: Client, incident: Incident) -> None:
    hostile = "<script>alert(1)</script>"
    adopt(page, "edpb", {**EDPB, "reason-recipient": hostile}, chosen="risk", reason=hostile)
    for path in ("/incidents/2026-777/", URL.format("edpb")):
        assert "<script>alert(1)" not in page.get(path).content.decode()
    assert incident.classifications.get().reason == hostile


def test_each_entity_has_its_own_results(client: Client, company: Company) -> None:
    sister = make_entity("sister", name="자매회사")
    make_incident(company, at=AT, code="2026-777", entities=[company.entity, sister], by=None)
    client.force_login(company.cpo)
    client.cookies["django_language"] = "en"
    shown = hidden(work(client, "edpb", entity=str(sister.pk), **EDPB))
    assert client.post(URL.format("edpb"), {**shown, "chosen": "high"}).status_code == 302
    row = Incident.objects.get().classifications.get()
    assert row.entity == sister
    assert "Adopted last" not in words(client.get(URL.format("edpb")))
    assert "Adopted last" in words(client.get(URL.format("edpb"), {"entity": sister.pk}))


def test_people_counted_already_answer_the_question(page: Client, company: Company, incident: Incident) -> None:
    services.people_record(
        incident=incident, entity=company.entity, residence="KR", count=4321, categories=[], confirmed_at=AT, at=AT,
        by=company.owner,
    )  # fmt: skip
    assert "More than 100 people (tends to raise the final view): yes" in words(work(page, "enisa"))
