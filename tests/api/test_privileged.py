"""What lawyers keep to themselves, over HTTP; the smaller moves for whoever may and may not; and through what somebody acted."""

from typing import Any

import pytest

from incidents import journal
from incidents.models import JournalEntry
from reports import comments, services
from reports.models import Dispatch, Filing
from tests.api.conftest import AT, CODE, frozen, session, token
from tests.reports.conftest import Case

HERE = f"/incidents/{CODE}"


@pytest.fixture
def hidden(case: Case) -> Filing:
    """A draft that counsel wrote and keeps among lawyers."""
    counsel = case.company.counsel
    filing = services.filing_start(incident=case.incident, obligations=[case.duty], at=AT, by=counsel)
    return comments.privilege_set(filing=filing, privileged=True, at=AT, by=counsel)


def item(filing: Filing, rest: str = "") -> str:
    return f"{HERE}/filings/{filing.number}{rest}"


READS = ["", "/document.pdf", "/statement.json", "/comments", "/proof"]


@pytest.mark.parametrize("role", ["owner", "manager", "auditor", "approver"])
def test_a_privileged_draft_does_not_exist_for_others_over_http(case: Case, hidden: Filing, role: str) -> None:
    api = session(getattr(case.company, role))
    assert [row["number"] for row in api.get(f"{HERE}/filings").json()] == []
    for rest in READS:
        assert api.get(item(hidden, rest)).status_code == 404
    for rest in ("/review", "/freeze", "/refilled", "/signature"):
        assert api.post(item(hidden, rest)).status_code == 404
    body = {"field": next(iter(hidden.values)), "text": "보았음"}
    assert api.post(item(hidden, "/comments"), body).status_code == 404
    assert api.call("PATCH", item(hidden), {"values": {"summary": "x"}}, **{"If-Match": "*"}).status_code == 404


def test_counsel_reads_it(case: Case, hidden: Filing) -> None:
    api = session(case.company.counsel)
    assert api.get(item(hidden)).json()["privileged"] is True
    assert [row["number"] for row in api.get(f"{HERE}/filings").json()] == [hidden.number]


def test_a_privileged_remark_is_read_by_those_it_is_for(case: Case) -> None:
    filing = case.draft()
    field = next(iter(filing.values))
    body = {"field": field, "text": "소송 전략", "privileged": True}
    assert session(case.company.counsel).post(item(filing, "/comments"), body).status_code == 201
    assert "소송 전략" in session(case.company.counsel).get(item(filing, "/comments")).content.decode()
    for role in ("manager", "auditor", "approver"):
        assert "소송 전략" not in session(getattr(case.company, role)).get(item(filing, "/comments")).content.decode()


def test_privilege_is_set_by_those_who_decide(case: Case) -> None:
    filing = case.draft()
    for role, status in (("owner", 403), ("auditor", 403), ("stranger", 404), ("counsel", 200)):
        answer = session(getattr(case.company, role)).call("PUT", item(filing, "/privilege"), {"privileged": True})
        assert answer.status_code == status, role
    assert Filing.objects.get(pk=filing.pk).privileged


def test_a_draft_is_filled_again_by_those_who_work_on_it(case: Case) -> None:
    filing = case.draft()
    for role, status in (("auditor", 403), ("stranger", 404), ("owner", 200)):
        assert session(getattr(case.company, role)).post(item(filing, "/refilled")).status_code == status, role


def test_a_ground_is_named_by_those_who_work_on_it_and_is_of_the_same_incident(case: Case, other: Any) -> None:
    filing = case.draft()
    field = next(iter(filing.values))
    known = case.incident.facts.filter(kind="value").first().number
    for role, status in (("auditor", 403), ("stranger", 404), ("owner", 422)):
        answer = session(getattr(case.company, role)).post(item(filing, "/grounds"), {"field": field, "fact": known})
        assert answer.status_code == status, role
    assert answer.json()["code"] == "no_denial"
    elsewhere = other.facts.order_by("number").last().number + 1000
    answer = session(case.company.owner).post(item(filing, "/grounds"), {"field": field, "fact": elsewhere})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_number")


def test_a_filing_is_signed_by_those_who_work_on_it_where_there_is_a_certificate(case: Case) -> None:
    filing = frozen(case)
    for role, status in (("auditor", 403), ("stranger", 404)):
        assert session(getattr(case.company, role)).post(item(filing, "/signature")).status_code == status, role
    assert session(case.company.counsel).post(item(filing, "/signature")).status_code in (409, 422)


def test_an_uncertain_hand_over_is_resolved_by_those_who_work_on_it(case: Case) -> None:
    filing = frozen(case)
    row = Dispatch.objects.create(
        filing=filing, channel="email", target="office@example.test", state="uncertain", request_key="k",
        requested_by=case.company.owner, requested_at=AT,
    )  # fmt: skip
    path, body = item(filing, f"/dispatches/{row.pk}/resolution"), {"sent": False, "note": "전화로 확인함"}
    for role, status in (("auditor", 403), ("stranger", 404), ("owner", 200)):
        assert session(getattr(case.company, role)).post(path, body).status_code == status, role
    second = case.draft()
    assert session(case.company.owner).post(
        item(second, f"/dispatches/{row.pk}/resolution"), body
    ).status_code == 404  # fmt: skip


def test_the_journal_says_when_a_person_acted_through_a_token(case: Case) -> None:
    body = {"facts": [{"name": "incident.summary", "value": "확인"}]}
    api, row = token(case.company.owner, "handle")
    for caller, said in ((api, f"token:{row.pk}"), (session(case.company.owner), None)):
        assert caller.post(f"{HERE}/facts", body).status_code == 201
        entry = JournalEntry.objects.filter(action="fact.recorded").latest("sequence")
        assert (entry.actor, entry.detail.get("via")) == (f"user:{case.company.owner.pk}", said)
    assert list(journal.verify(CODE)) == []
