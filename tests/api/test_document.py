"""The document of the API, tried against the API: made-up requests of every kind, with real and with made-up numbers."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema.validators import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from compliance import clock
from config.wsgi import application
from incidents.models import Escalation
from tests.api.conftest import AT, CODE, frozen, token
from tests.reports.conftest import Case

DOCUMENT = "/api/v1/openapi.json"
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
TRIES = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def numbers(case: Case) -> dict[str, Any]:
    """Real numbers to put in place of made-up ones."""
    draft, made = frozen(case), case.draft()
    step = Escalation.objects.filter(incident__code=CODE).first()
    assert step is not None
    return {
        "filings": [made.number, draft.number],
        "duties": [case.duty.pk],
        "escalations": [step.pk],
        "facts": [1, 2],
        "evidence": [1],
    }


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """The application runs in the test's own transaction, so it may not close the connection after a request."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def real(request: Any, numbers: dict[str, Any], turn: int) -> None:
    """Most requests speak of what there is; every fourth stays as it was made up."""
    given = request.path_parameters or {}
    if turn % 4 == 0:
        return
    if "key" in given:
        given["key"] = "kr.network-act.incident-report"
    if "code" in given:
        given["code"] = CODE
    kind = request.operation.path.split("{code}/")[-1].split("/")[0]
    if "number" in given and kind in numbers:
        given["number"] = numbers[kind][turn % len(numbers[kind])]


@pytest.mark.usefixtures("_one_connection")
def test_whatever_is_sent_no_answer_breaks_and_none_differs_from_the_document(
    case: Case, numbers: dict[str, Any], settings: Any
) -> None:
    settings.API_RATE = "1000000/min"
    headers = token(case.company.counsel, "read", "handle", "decide", "export")[0].headers
    headers = {**headers, "Accept-Encoding": "identity"}
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, application)
    turns = iter(range(10**6))

    def attempt(request: Any) -> None:
        real(request, numbers, next(turns))
        with clock.simulated(AT):
            answer = request.call(headers=headers)
        request.validate_response(answer, checks=CHECKS)

    for operation in schema.get_all_operations():
        TRIES(given(operation.ok().as_strategy())(attempt))()
    assert next(turns) > 200


def test_the_document_is_valid(client: Any, db: None) -> None:
    document = json.loads(client.get(DOCUMENT).content)
    schemas = document["components"]["schemas"]
    assert len(schemas) > 40
    for part in schemas.values():
        Draft202012Validator.check_schema(part)
    wanted = {f"#/components/schemas/{name}" for name in schemas}
    assert set(references(document)) <= wanted
    names = [op["operationId"] for path in document["paths"].values() for op in path.values()]
    assert len(names) == len(set(names))


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in references(value)]
    return [found for value in part for found in references(value)] if isinstance(part, list) else []
