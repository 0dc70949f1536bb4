"""The way of a filing over HTTP: every move by every role from every state, versions, and what is never done twice."""

import base64
from typing import Any

import pytest

from compliance.models import Role
from incidents.models import JournalEntry, Obligation
from reports.models import Approval, Filing, Submission
from reports.states import FILING
from tests.api.conftest import AT, CODE, Api, session, token
from tests.factories import make_user
from tests.reports.conftest import Case, put
from tests.reports.test_transitions import EVERYBODY, RIGHTS, STATES, drafts  # noqa: F401  the fixture

NOW = AT.isoformat()
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "send_to_review": ("review", {}),
    "return_to_author": ("return", {"note": "더 자세히"}),
    "approve": ("approval", {}),
    "freeze": ("freeze", {}),
    "submit": ("submission", {"submitted_at": NOW, "channel": "portal"}),
    "acknowledge": ("outcome", {"outcome": "acknowledged", "outcome_at": NOW}),
    "refuse": ("outcome", {"outcome": "refused", "outcome_at": NOW, "note": "서식 오류"}),
    "withdraw": ("withdrawal", {"reason": "보내지 않음"}),
}


def item(filing: Filing) -> str:
    return f"/incidents/{CODE}/filings/{filing.number}"


def do(api: Api, move: str, filing: Filing, **headers: str) -> Any:
    path, body = CALLS[move]
    return api.post(f"{item(filing)}/{path}", body, **headers)


def test_every_move_of_the_table_but_those_of_the_system_has_an_endpoint() -> None:
    assert set(CALLS) == set(RIGHTS) == set(FILING) - {"supersede"}


@pytest.mark.parametrize("move", CALLS)
def test_a_move_is_for_those_who_may_and_for_nobody_else(case: Case, drafts, move: str) -> None:  # noqa: F811
    for role in EVERYBODY:
        filing = drafts(FILING[move].source[0])
        answer = do(session(getattr(case.company, role)), move, filing)
        now = Filing.objects.get(pk=filing.pk).state
        if role in RIGHTS[move]:
            assert (answer.status_code, now) == (200, FILING[move].target), role
            assert answer.json()["state"] == now
        else:
            reads = role in (*RIGHTS["submit"], "auditor")
            assert (answer.status_code, now) == (403 if reads else 404, filing.state), role
        if move == "submit":
            Obligation.objects.filter(pk=case.duty.pk).update(met_at=None)
            put(Obligation.objects.get(pk=case.duty.pk), state="running")


@pytest.mark.parametrize("move", CALLS)
def test_a_move_from_a_wrong_state_is_refused_and_changes_nothing(case: Case, drafts, move: str) -> None:  # noqa: F811
    api = session(case.company.counsel)
    for state in sorted(set(STATES) - set(FILING[move].source)):
        filing = drafts(state)
        before = JournalEntry.objects.count()
        answer = do(api, move, filing)
        handed_over = Submission.objects.filter(filing=filing).exists()
        expected = 409 if move not in ("acknowledge", "refuse") or handed_over else 404
        # A hand-over that is repeated answers the first record.
        assert answer.status_code == (200 if move == "submit" and handed_over else expected), state
        assert Filing.objects.get(pk=filing.pk).state == state
        assert JournalEntry.objects.count() == before


@pytest.mark.parametrize("move", CALLS)
def test_a_token_moves_only_what_it_was_made_for(case: Case, drafts, move: str) -> None:  # noqa: F811
    filing = drafts(FILING[move].source[0])
    right, wrong = ("decide", "handle") if move == "approve" else ("handle", "decide")
    refused = do(token(case.company.counsel, "read", wrong, "export")[0], move, filing)
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_scope")
    assert do(token(case.company.counsel, right)[0], move, filing).status_code == 200


def test_a_filing_goes_its_way_over_http_alone(case: Case) -> None:
    owner, counsel = session(case.company.owner), session(case.company.counsel)
    made = owner.post(f"/incidents/{CODE}/filings", {"duties": [case.duty.pk]}, **{"Idempotency-Key": "k"})
    assert made.status_code == 201
    filing = Filing.objects.get(number=made.json()["number"])
    again = owner.post(f"/incidents/{CODE}/filings", {"duties": [case.duty.pk]}, **{"Idempotency-Key": "k"})
    assert again.json()["number"] == filing.number
    edited = owner.call(
        "PATCH", item(filing), {"values": {a_field(made): "서버 침해 흔적을 확인함"}}, **{"If-Match": made["ETag"]}
    )
    assert edited.status_code == 200
    for api, move in ((owner, "send_to_review"), (counsel, "approve"), (owner, "freeze"), (owner, "submit")):
        answer = do(api, move, filing)
        assert answer.status_code == 200, answer.json()
    proved = {"submitted_at": NOW, "channel": "portal", "receipt_number": "R-1"}
    assert owner.post(f"{item(filing)}/submission", proved).json()["submission"]["receipt_number"] == ""
    assert do(owner, "acknowledge", filing).json()["submission"]["outcome"] == "acknowledged"
    assert owner.get(f"/incidents/{CODE}/duties/{case.duty.pk}").json()["met_at"] == "2025-09-15T16:00:00+09:00"


def a_field(answer: Any) -> str:
    return next(field["key"] for field in answer.json()["fields"] if field["type"] == "longtext")


def test_an_edit_needs_the_version_that_was_read(case: Case) -> None:
    filing = case.draft()
    api, other = session(case.company.owner), session(case.company.manager)
    read = api.get(item(filing))
    body = {"values": {a_field(read): "처음 고침"}}
    missing = api.call("PATCH", item(filing), body)
    assert (missing.status_code, missing.json()["field"]) == (428, "If-Match")
    saved = other.call("PATCH", item(filing), body, **{"If-Match": read["ETag"]})
    assert (saved.status_code, saved.json()["edition"]) == (200, 2)
    stale = api.call("PATCH", item(filing), {"values": {a_field(read): "늦게"}}, **{"If-Match": read["ETag"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "edition_conflict")
    assert stale["ETag"] == saved["ETag"]
    assert stale.json()["detail"].startswith("Somebody changed it")


def test_the_version_of_a_compressed_answer_is_known_again(case: Case) -> None:
    filing = case.draft()
    api = session(case.company.owner)
    read = api.get(item(filing), **{"Accept-Encoding": "gzip"})
    body = {"values": {a_field(api.get(item(filing))): "고침"}}
    assert (
        api.call("PATCH", item(filing), body, **{"If-Match": f"W/{read['ETag'].removeprefix('W/')}"}).status_code == 200
    )


def test_nobody_approves_what_changed_since_it_was_read(case: Case) -> None:
    filing = case.draft()
    owner, counsel = session(case.company.owner), session(case.company.counsel)
    do(owner, "send_to_review", filing)
    read = counsel.get(item(filing))["ETag"]
    do(owner, "return_to_author", filing)
    fields = owner.get(item(filing))
    owner.call("PATCH", item(filing), {"values": {a_field(fields): "몰래"}}, **{"If-Match": fields["ETag"]})
    do(owner, "send_to_review", filing)
    assert do(counsel, "approve", filing, **{"If-Match": read}).status_code == 412
    assert not Approval.objects.filter(filing=filing).exists()


def test_only_fields_of_the_form_are_edited(case: Case) -> None:
    filing = case.draft()
    api = session(case.company.owner)
    for key in ("state", "edition", "no_such_field"):
        tag = api.get(item(filing))["ETag"]
        answer = api.call("PATCH", item(filing), {"values": {key: "x"}}, **{"If-Match": tag})
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_field")


def test_a_reader_is_told_that_he_may_not_and_not_that_a_version_is_missing(case: Case) -> None:
    filing = case.draft()
    assert session(case.company.auditor).call("PATCH", item(filing), {"values": {"x": "y"}}).status_code == 403
    assert session(case.company.stranger).call("PATCH", item(filing), {"values": {"x": "y"}}).status_code == 404


def test_a_hand_over_comes_with_its_proof(case: Case, drafts) -> None:  # noqa: F811
    filing = drafts("frozen")
    api = session(case.company.owner)
    path, body = CALLS["submit"]
    proof = {"name": "접수증.pdf", "base64": base64.b64encode(b"%PDF-1.7 ... %%EOF").decode()}
    wrong = api.post(f"{item(filing)}/{path}", {**body, "proof": {**proof, "base64": "%%%"}})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "not_base64")
    page = {**proof, "base64": base64.b64encode(b"<html>").decode()}
    assert api.post(f"{item(filing)}/{path}", {**body, "proof": page}).json()["code"] == "proof_type"
    assert api.post(f"{item(filing)}/{path}", {**body, "proof": proof}).json()["submission"]["proof"] is True
    assert api.get(f"{item(filing)}/proof").content.startswith(b"%PDF")


def test_remarks_are_made_answered_and_resolved(case: Case) -> None:
    filing = case.draft()
    api = session(case.company.counsel)
    key = a_field(api.get(item(filing)))
    made = api.post(f"{item(filing)}/comments", {"field": key, "text": "근거가 무엇입니까"})
    assert made.status_code == 201
    number = made.json()["id"]
    answered = session(case.company.owner).post(
        f"{item(filing)}/comments", {"field": key, "text": "점검 보고서", "answers": number}
    )
    assert answered.json()["answers"] == number
    assert len(session(case.company.auditor).get(f"{item(filing)}/comments").json()) == 2
    assert session(case.company.auditor).post(
        f"{item(filing)}/comments", {"field": key, "text": "저도"}
    ).status_code == 403  # fmt: skip
    resolved = session(case.company.owner).post(f"{item(filing)}/comments/{number}/resolution")
    assert resolved.json()["resolved_by"] == "owner"


def test_a_drill_never_reaches_a_channel_and_a_channel_needs_a_key(case: Case, drafts) -> None:  # noqa: F811
    filing = drafts("frozen")
    body = {"channel": "email", "target": "report@example.org"}
    answer = session(case.company.owner).post(f"{item(filing)}/dispatches", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_key")
    made = [
        session(case.company.owner).post(f"{item(filing)}/dispatches", body, **{"Idempotency-Key": "1"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json()["id"] == made[1].json()["id"]


def test_what_an_authority_asks_is_recorded_and_answered(case: Case, drafts) -> None:  # noqa: F811
    filing = drafts("submitted")
    api = session(case.company.owner)
    body = {"text": "로그를 제출하십시오", "received_at": NOW, "due_at": "2025-09-20T18:00+09:00"}
    made = api.post(f"{item(filing)}/requests", body)
    assert made.status_code == 201
    path = f"{item(filing)}/requests/{made.json()['id']}/answer"
    assert session(case.company.auditor).post(path, {"answer": "제출함"}).status_code == 403
    assert api.post(path, {"answer": "로그를 제출함"}).json()["answer"] == "로그를 제출함"


def test_the_writer_does_not_approve_over_http_either(case: Case) -> None:
    writer = make_user("author", case.company.entity, Role.COUNSEL)
    api = session(writer)
    made = api.post(f"/incidents/{CODE}/filings", {"duties": [case.duty.pk]})
    filing = Filing.objects.get(number=made.json()["number"])
    do(api, "send_to_review", filing)
    answer = do(api, "approve", filing)
    assert (answer.status_code, answer.json()["code"]) == (403, "own_filing")
