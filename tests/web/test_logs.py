"""What is logged: texts of ours, numbers and places in the code, never what somebody wrote."""

import io
import json
import logging

import pytest
from django.test import Client

from config import logs
from tests.factories import Company

WORDS = "홍길동-010-1234"
HOSTILE = f'{WORDS}\r\n{{"event": "forged"}}\u202e<script>'


@pytest.fixture
def lines():
    """Everything that any logger says, as it would be written in production."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.formatter())
    handler.setLevel(logging.DEBUG)
    loggers = [logging.getLogger(name) for name in ("", "django", "django.request", "breachclock")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    yield lambda: written.getvalue()
    logging.getLogger().removeHandler(handler)
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


def test_hostile_text_in_a_request_reaches_no_log(company: Company, lines) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(company.owner)
    for answer in (
        client.get(f"/incidents/{WORDS}/", {"q": HOSTILE}),
        client.post("/report/", {"title": HOSTILE, "entity": HOSTILE}),
        client.get("/", HTTP_USER_AGENT=HOSTILE, HTTP_REFERER=f"https://x.test/{WORDS}", HTTP_X_REQUEST_ID=WORDS),
        client.get("/", HTTP_HOST="evil.test"),
    ):
        assert answer["X-Request-ID"] != WORDS
    said = lines()
    assert '"status": 404' in said
    assert WORDS not in said
    assert "forged" not in said
    assert "evil.test" not in said


def test_of_an_exception_its_kind_and_places_are_logged_and_no_word(company: Company, lines, monkeypatch) -> None:
    def break_down(*_args, **_options):
        raise ValueError(HOSTILE)

    monkeypatch.setattr("incidents.views.find", break_down)
    client = Client(raise_request_exception=False)
    client.force_login(company.owner)
    answer = client.get("/incidents/2025-1/")
    assert answer.status_code == 500
    assert WORDS not in answer.content.decode()
    assert "ValueError" in lines()
    assert "test_logs.py" in lines()
    assert WORDS not in lines()


def test_a_line_says_which_request_and_which_user_by_number(company: Company, lines, settings) -> None:
    client = Client()
    client.force_login(company.owner)
    answer = client.get("/incidents/none/")
    line = next(json.loads(line) for line in lines().splitlines() if '"status": 404' in line)
    assert (line["request"], line["user"]) == (answer["X-Request-ID"], company.owner.pk)
    assert company.owner.username not in lines()
