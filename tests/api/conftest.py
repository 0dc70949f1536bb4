"""A client that speaks JSON as a person or through a token, and an incident to speak about."""

import contextlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from compliance import clock
from incidents import timers
from incidents.models import Incident
from incidents.services.tokens import token_make
from incidents.tokens import ApiToken
from reports.models import Filing
from tests.factories import Company, later, make_company
from tests.reports.conftest import KNOWN, Case, make_case

AT = later(KNOWN, hours=2)
CODE = "2025-014"
ROOT = "/api/v1"


@dataclass(slots=True)
class Api:
    """Calls the API at one moment; every answer must be JSON or a file, never a page."""

    at: datetime | None = AT
    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=Client)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        given = {"content_type": "application/json", "data": json.dumps(body)} if body is not None else {}
        with clock.simulated(self.at) if self.at else contextlib.nullcontext():
            answer = self.client.generic(
                method, ROOT + path, **given, headers={"accept-language": "en", **self.headers, **headers}
            )
        assert not answer["Content-Type"].startswith("text/html")
        return answer

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)


@pytest.fixture(autouse=True)
def _fresh_counts() -> None:
    cache.clear()


@pytest.fixture
def case(company: Company, settings, tmp_path) -> Case:
    made = make_case(company, settings, tmp_path, at=AT)
    timers.fire_due(now=AT)
    return made


@pytest.fixture
def other(case: Case) -> Incident:
    """An incident of another company."""
    from tests.factories import make_incident

    return make_incident(make_company("elsewhere", "other-"), at=AT, code="2025-900")


def session(user: User, at: datetime | None = AT) -> Api:
    """Signed in on the pages."""
    api = Api(at)
    api.client.force_login(user)
    return api


def token(user: User, *scopes: str, at: datetime = AT, days: int = 7, entities: Any = ()) -> tuple[Api, ApiToken]:
    """Through a token."""
    row, text = token_make(label="test", scopes=scopes, entities=list(entities), days=days, at=at, by=user)
    return Api(at, {"Authorization": f"Bearer {text}"}), row


def frozen(case: Case) -> Filing:
    """A filing that is frozen in time."""
    from reports import services

    filing = case.draft()
    services.filing_send_to_review(filing=filing, at=AT, by=case.company.owner)
    services.filing_approve(filing=filing, at=AT, by=case.company.counsel)
    return services.filing_freeze(filing=filing, at=AT, by=case.company.owner)
