"""What the API tells, and to whom."""

from datetime import datetime, timedelta

import pytest

from incidents.models import Incident
from tests.api.conftest import AT, CODE, frozen, session, token
from tests.factories import make_incident
from tests.reports.conftest import Case

HERE = f"/incidents/{CODE}"
READABLE = [
    "", "/facts", "/people", "/systems", "/evidence", "/duties", "/escalations", "/journal", "/messages", "/assessment",
    "/law", "/filings",
]  # fmt: skip


@pytest.mark.parametrize("path", READABLE)
def test_whoever_may_see_an_incident_reads_it_and_others_do_not_learn_that_it_exists(case: Case, path: str) -> None:
    assert session(case.company.auditor).get(HERE + path).status_code == 200
    refused = session(case.company.stranger).get(HERE + path)
    unknown = session(case.company.stranger).get("/incidents/2025-999" + path)
    assert (refused.status_code, refused.content) == (404, unknown.content)


@pytest.mark.parametrize("path", ["/entities", "/incidents", "/duties", "/vocabulary", "/law/rules"])
def test_lists_hold_what_the_caller_may_see(case: Case, path: str) -> None:
    assert session(case.company.auditor).get(path).status_code == 200
    assert session(case.company.stranger).get(path).status_code == 200
    assert CODE not in session(case.company.stranger).get(path).content.decode()


def test_nobody_reads_without_saying_who_asks(case: Case) -> None:
    from tests.api.conftest import Api

    answer = Api().get(HERE)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthorized"


def test_an_incident_says_what_the_callers_roles_allow(case: Case) -> None:
    assert session(case.company.auditor).get(HERE).json()["may"] == ["export"]
    assert session(case.company.counsel).get(HERE).json()["may"] == ["handle", "decide", "export"]


def test_instants_carry_the_offset_of_the_place_and_words_both_languages(case: Case) -> None:
    duty = session(case.company.owner).get(f"{HERE}/duties").json()[0]
    assert duty["due_zone"] == "Asia/Seoul"
    assert duty["due_at"].endswith("+09:00")
    assert datetime.fromisoformat(duty["due_at"]) - AT == timedelta(seconds=duty["seconds_left"])
    assert set(duty["title"]) == set(duty["state_label"]) == {"ko", "en"}
    assert duty["state_label"]["ko"] != duty["state_label"]["en"]


def test_a_duty_shows_its_reasons_steps_and_citations(case: Case) -> None:
    duty = session(case.company.owner).get(f"{HERE}/duties/{case.duty.pk}").json()
    assert duty["assessed"]["trace"]
    assert duty["assessed"]["citations"]
    assert duty["excuses"] == []
    assert session(case.company.stranger).get(f"{HERE}/duties/{case.duty.pk}").status_code == 404


def test_a_duty_of_another_incident_is_not_found_under_this_one(case: Case) -> None:
    elsewhere = make_incident(case.company, at=AT, code="2025-015")
    number = elsewhere.obligations.first().pk
    assert session(case.company.owner).get(f"{HERE}/duties/{number}").status_code == 404


def test_the_assessment_is_the_stable_form_and_knows_the_past(case: Case) -> None:
    api = session(case.company.auditor)
    now = api.get(f"{HERE}/assessment").json()
    assert set(now) == {"library", "as_of", "duties", "questions", "not_in_force"}
    assert "kr.network-act.incident-report" in {duty["rule"] for duty in now["duties"]}
    assert api.get(f"{HERE}/assessment?as_of=2025-09-01T00:00%2B09:00").status_code == 200
    only = api.get(f"{HERE}/assessment?status=required").json()["duties"]
    assert {duty["status"] for duty in only} == {"required"}
    assert api.get(f"{HERE}/assessment?as_of=2999-01-01T00:00Z").json()["code"] == "as_of_future"
    assert api.get(f"{HERE}/assessment?entity=none").json()["code"] == "unknown_entity"


def test_a_long_list_is_read_page_by_page_without_gap_or_double(case: Case) -> None:
    for number in range(5):
        make_incident(case.company, at=AT, code=f"2025-10{number}")
    api, seen, cursor = session(case.company.owner), [], ""
    while cursor is not None:
        page = api.get(f"/incidents?limit=2&cursor={cursor}" if cursor else "/incidents?limit=2").json()
        seen += [row["code"] for row in page["items"]]
        cursor = page["next"]
    assert seen == list(Incident.objects.order_by("-reported_at", "-pk").values_list("code", flat=True))


@pytest.mark.parametrize("cursor", ["x", "WyJhIiwxXQ", "%00", "a:b:c"])
def test_a_cursor_that_was_not_given_out_is_refused(case: Case, cursor: str) -> None:
    for path in ("/incidents", f"{HERE}/facts", f"{HERE}/journal"):
        answer = session(case.company.owner).get(f"{path}?cursor={cursor}")
        assert (answer.status_code, answer.json()["field"]) == (422, "cursor")


def test_lists_are_filtered(case: Case) -> None:
    make_incident(case.company, at=AT, code="2025-200", kind="drill")
    api = session(case.company.owner)

    def codes(query: str) -> list[str]:
        return [row["code"] for row in api.get(f"/incidents?{query}").json()["items"]]

    assert codes("kind=drill") == ["2025-200"]
    assert codes("kind=real&state=reported&entity=hanbit") == [CODE]
    assert codes("entity=none") == []
    assert api.get("/incidents?kind=none").status_code == 422
    facts = api.get(f"{HERE}/facts?name=incident.known_at").json()["items"]
    assert {fact["name"] for fact in facts} == {"incident.known_at"}
    assert api.get(f"{HERE}/facts?as_of=2025-01-01T00:00Z").json()["items"] == []


def test_the_law_is_read_and_a_period_is_counted_with_its_steps(case: Case) -> None:
    api = session(case.company.reporter)
    assert api.get("/law/rules?place=KR&q=침해").json()["items"]
    rule = api.get("/law/rules/kr.network-act.incident-report").json()
    assert rule["versions_in_full"][0]["citations"]
    counted = api.get(
        "/law/rules/kr.network-act.incident-report/deadline?stage=initial&start=2025-09-15T14:00%2B09:00"
    ).json()
    assert counted["due_at"] == "2025-09-16T14:00:00+09:00"
    assert counted["due_zone"] == "Asia/Seoul"
    assert counted["trace"]
    assert api.get("/law/rules/kr.none").status_code == 404


@pytest.mark.parametrize(
    "query,code",
    [
        ("stage=none&start=2025-09-15T14:00Z", "unknown_stage"),
        ("stage=initial&start=1990-01-01T00:00Z", "unknown_version"),
        ("stage=initial&start=2025-09-15T14:00", "invalid"),
        ("stage=initial", "invalid"),
    ],
)
def test_a_period_that_cannot_be_counted_is_refused(case: Case, query: str, code: str) -> None:
    answer = session(case.company.owner).get(f"/law/rules/kr.network-act.incident-report/deadline?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


FILES = ["document.pdf", "statement.json"]


def test_a_frozen_filing_is_read_in_every_form_by_whoever_may(case: Case) -> None:
    filing = frozen(case)
    item = f"{HERE}/filings/{filing.number}"
    api, stranger = session(case.company.auditor), session(case.company.stranger)
    pdf = api.get(f"{item}/document.pdf")
    assert pdf.content.startswith(b"%PDF")
    assert pdf["Content-Disposition"].startswith("attachment")
    statement = api.get(f"{item}/statement.json")
    assert statement["ETag"] == f'"{filing.statement_digest}"'
    for path in ("", "/document.pdf", "/statement.json", "/comments"):
        assert api.get(item + path).status_code == 200
        assert stranger.get(item + path).status_code == 404
    for path in ("/machine.json", "/signed.pdf", "/proof"):
        assert api.get(item + path).status_code == 404


def test_a_draft_is_shown_as_one(case: Case) -> None:
    filing = case.draft()
    api = session(case.company.auditor)
    shown = api.get(f"{HERE}/filings/{filing.number}")
    assert shown.json()["state"] == "draft"
    assert {field["status"] for field in shown.json()["fields"]} <= {"given", "unknown", "missing", "blank"}
    assert api.get(f"{HERE}/filings/{filing.number}/document.pdf").content.startswith(b"%PDF")
    assert api.get(f"{HERE}/filings/{filing.number}/statement.json").status_code == 404


def test_a_bundle_leaves_through_those_who_may_export_only(case: Case) -> None:
    answer = session(case.company.auditor).post(f"{HERE}/export")
    assert answer.content.startswith(b"PK")
    assert session(case.company.owner).post(f"{HERE}/export").status_code == 403
    assert session(case.company.stranger).post(f"{HERE}/export").status_code == 404
    assert token(case.company.auditor, "read")[0].post(f"{HERE}/export").json()["code"] == "wrong_scope"
    assert token(case.company.auditor, "export")[0].post(f"{HERE}/export").status_code == 200


def test_answers_are_kept_by_nobody(case: Case) -> None:
    for path in (HERE, "/incidents/none", f"{HERE}/facts"):
        assert "no-store" in session(case.company.owner).get(path)["Cache-Control"]


def test_a_replay_is_read_and_not_changed(case: Case) -> None:
    Incident.objects.filter(code=CODE).update(kind="replay", clock_at=AT)
    api = session(case.company.owner, at=None)
    assert api.get(f"{HERE}/duties").status_code == 200
    answer = api.post(f"{HERE}/confirmed")
    assert (answer.status_code, answer.json()["code"]) == (409, "replay_stands_still")


def test_an_incident_restricted_to_others_does_not_exist_here_either(case: Case) -> None:
    Incident.objects.filter(code=CODE).update(restricted=True)
    api = session(case.company.counsel)
    for path in READABLE:
        assert api.get(HERE + path).status_code == 404
    assert api.post(f"{HERE}/facts", {"facts": [{"name": "incident.summary", "value": "x"}]}).status_code == 404
    assert CODE not in api.get("/incidents").content.decode() + api.get("/duties").content.decode()


def test_an_administrator_reads_no_incident(case: Case) -> None:
    api = session(case.company.administrator)
    assert api.get("/incidents").json()["items"] == []
    assert api.get(HERE).status_code == 404


def test_what_an_answer_would_change_is_asked_without_changing_anything(case: Case) -> None:
    api = session(case.company.auditor)
    before = case.incident.facts.count()
    answers = api.get(f"/incidents/{CODE}/facts/preview?name=leak.confirmed").json()
    assert [item["value"] for item in answers] == [True, False, None]
    tried = api.post(f"/incidents/{CODE}/facts/preview", {"name": "leak.confirmed", "value": False})
    assert (tried.status_code, tried.json()["lapsed"]) == (200, answers[1]["lapsed"])
    assert all(item["before"]["rule"] for item in tried.json()["effects"] if item["kind"] == "lapse")
    refused = api.post(f"/incidents/{CODE}/facts/preview", {"name": "no.such", "value": 1})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_fact")
    assert case.incident.facts.count() == before
