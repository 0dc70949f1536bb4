"""Malformed everything: refused in one shape, in the reader's language, without repeating what was given."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern

from config.api import api as built
from config.api import urls
from incidents.models import Incident
from tests.api.conftest import CODE, Api, session
from tests.reports.conftest import Case

HERE = f"/incidents/{CODE}"
SHAPE = {"type", "code", "title", "status", "detail"}


def send(case: Case, body: bytes | str, path: str = "/incidents", method: str = "POST") -> Any:
    client = Client(headers={"accept-language": "en"})
    client.force_login(case.company.owner)
    return client.generic(method, "/api/v1" + path, body, content_type="application/json")


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "null", "1", '"x"', "{}", "\ufeff{}", "\x00", "{'a':1}", '{"title":NaN}', '{"title":1e999}',
        '{"title":' + "9" * 5000 + "}", '{"title":"a","title":"b"}', "[" * 100_000, '{"a":' * 100_000, "{" + '"' * 99_999,
        '{"title":"\\ud800","entities":["hanbit"],"summary":"\\u0000"}', b"\xff\xfe", b'{"title":"\xed\xa0\x80"}',
        '{"title":"' + "x" * 300 + '","entities":["hanbit"]}', '{"title":"x","entities":[]}',
        '{"title":"x","entities":"hanbit"}', '{"title":"x","entities":["hanbit"],"known_at":"2025-13-45T99:99Z"}',
        '{"title":"x","entities":["hanbit"],"known_at":"0001-01-01T00:00+14:00"}',
        '{"title":"x","entities":["hanbit"],"known_at":"9999-12-31T23:59-12:00"}',
        '{"title":"x","entities":["hanbit"],"known_at":1757912400}', '{"title":"x","entities":["hanbit"],"is_cyber":"yes"}',
        '{"title":"x","entities":["hanbit"],"is_cyber":1}', '{"title":{},"entities":[{}]}',
    ],
)  # fmt: skip
def test_a_body_that_makes_no_sense_is_refused_and_nothing_is_made(case: Case, body: bytes | str) -> None:
    before = Incident.objects.count()
    answer = send(case, body)
    assert answer.status_code in (400, 422)
    assert set(answer.json()) >= SHAPE
    assert answer.json()["status"] == answer.status_code
    assert Incident.objects.count() == before


def test_a_body_that_is_too_large_is_refused_before_it_is_read(case: Case, settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = send(case, '{"title":"' + "x" * 2000 + '"}')
    assert (answer.status_code, answer.json()["code"]) == (413, "request_entity_too_large")


@pytest.mark.parametrize(
    "path",
    [
        f"{HERE}/duties/99999999999999999999999", f"{HERE}/duties/0", f"{HERE}/duties/-1", f"{HERE}/duties/x",
        f"{HERE}/filings/99999999999999999999", "/incidents/%00", "/incidents/" + "x" * 500, "/incidents/..%2f..",
        "/incidents/%F0%9F%98%80", f"{HERE}/facts?limit=0", f"{HERE}/facts?limit=100000", f"{HERE}/facts?limit=x",
        f"{HERE}/facts?as_of=x", f"{HERE}/facts?name=%00", f"{HERE}/messages?page=x&duty=99999999999999999999",
        "/law/rules?place=%00", "/law/rules/%00", "/law/rules/..", "/none", "/incidents/x/y/z",
    ],
)  # fmt: skip
def test_an_address_that_makes_no_sense_is_refused(case: Case, path: str) -> None:
    answer = session(case.company.owner).get(path)
    if path.startswith((f"{HERE}/messages", "/law/rules?")):
        assert answer.status_code in (200, 422)
        return
    assert answer.status_code in (404, 422)
    assert set(answer.json()) >= SHAPE


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"])
def test_a_method_that_an_address_does_not_take_is_refused_in_the_same_shape(case: Case, method: str) -> None:
    answer = session(case.company.owner).call(method, HERE)
    assert (answer.status_code, answer["Allow"]) == (405, "GET")
    assert answer["Content-Type"] == "application/problem+json"


def test_a_refusal_is_worded_in_the_language_asked_for(case: Case) -> None:
    api = session(case.company.owner)
    ko = api.get("/incidents/none", **{"accept-language": "ko"}).json()
    en = api.get("/incidents/none", **{"accept-language": "en"}).json()
    assert (ko["title"], en["title"]) == ("찾을 수 없음", "Not found")
    assert ko["code"] == en["code"] == "not_found"
    made = {"title": "x", "entities": ["hanbit"], "known_at": "2999-01-01T00:00Z"}
    assert "미래" in api.post("/incidents", made, **{"accept-language": "ko"}).json()["detail"]


def test_a_refusal_does_not_repeat_what_may_be_about_a_person(case: Case) -> None:
    secret = "800101-1234567"
    api = session(case.company.owner)
    bodies: list[Any] = [
        {"title": secret * 30, "entities": ["hanbit"]},
        {"title": "x", "entities": [secret]},
        {"title": "x", "entities": ["hanbit"], "is_cyber": secret},
        {"title": "x", "entities": ["hanbit"], secret: 1},
        {"title": "x", "entities": ["hanbit"], "known_at": secret},
    ]
    for body in bodies[:3] + bodies[4:]:
        assert secret not in api.post("/incidents", body).content.decode()
    value = {"facts": [{"name": "incident.is_cyber", "value": secret}]}
    assert secret not in api.post(f"{HERE}/facts", value).content.decode()


def test_a_harmless_value_is_repeated(case: Case) -> None:
    answer = session(case.company.owner).post(f"{HERE}/facts", {"facts": [{"name": "no.such", "value": 1}]}).json()
    assert (answer["code"], answer["field"], answer["value"]) == ("unknown_fact", "name", "no.such")


def test_a_fault_of_ours_is_told_without_its_traceback(case: Case, monkeypatch, caplog) -> None:
    def broken(*args: Any, **given: Any) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("incidents.services.incident_confirm", broken)
    answer = session(case.company.owner).post(f"{HERE}/confirmed")
    assert answer.status_code == 500
    assert "secret" not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()
    assert "secret of the house" in caplog.text


def test_every_address_says_who_decides_and_every_operation_asks_for_one_scope() -> None:
    for pattern in urls()[0]:
        assert isinstance(pattern, URLPattern)
        assert pattern.callback.access_decision in ("api", "own")
    for path, view in (
        (path, view) for _prefix, router in built._routers for path, view in router.path_operations.items()
    ):
        for operation in view.operations:
            scopes = {auth.scope for auth in operation.auth_callbacks if hasattr(auth, "scope")}
            assert len(operation.auth_callbacks) == 2, path
            assert len(scopes) == 1, path


def test_the_document_describes_every_refusal_and_header() -> None:
    document = json.loads(Client().get("/api/v1/openapi.json").content)
    assert document["openapi"].startswith("3.1")
    edit = document["paths"]["/api/v1/incidents/{code}/filings/{number}"]["patch"]
    assert "If-Match" in {item["name"] for item in edit["parameters"]}
    assert {"401", "404", "412", "428"} <= set(edit["responses"])
    assert set(edit["responses"]["412"]["content"]) == {"application/problem+json"}


def test_nobody_signed_in_is_told_nothing_but_the_document(db: None) -> None:
    assert Api().get("/openapi.json").status_code == 200
    for path in ("/incidents", "/law/rules", "/vocabulary", "/entities"):
        assert Api().get(path).status_code == 401
    assert Client().get("/api/v1/docs").status_code == 302
