"""From the page somebody fills in to the e-mail somebody gets: every part real, none of them asked directly."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests import servers
from tests.conftest import SmtpSink
from tests.factories import PASSWORD, make_company

PATIENCE = 60


@pytest.mark.django_db(transaction=True)
def test_a_suspicion_entered_on_the_page_becomes_an_email(
    browser_page: Any,
    live_site: Callable[..., str],
    start_celery: Callable[..., list[servers.Server]],
    redis_server: servers.Redis,
    smtp_sink: SmtpSink,
) -> None:
    make_company()
    env = {
        "REDIS_URL": redis_server.url,
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(smtp_sink.port),
        "BREACHCLOCK_NUDGE_SECONDS": "0.5",
    }
    site = live_site(**env)
    start_celery(**env, SITE_URL=site)
    page = browser_page
    page.goto(f"{site}/report/")
    page.fill("#id_username", "reporter")
    page.fill("#id_password", PASSWORD)
    page.click("main button")
    page.fill("#id_title", "고객센터 서버에서 웹셸 발견")
    page.fill("#id_known_at", "2026-01-05T08:30")
    page.check("input[name=is_cyber][value=yes]")
    page.click("main button")
    page.wait_for_url(f"{site}/incidents/*/")
    assert "침해사고 최초신고" in page.content()

    deadline = time.monotonic() + PATIENCE
    while not any("기한을" in subject_of(message) for message in smtp_sink.messages):
        assert time.monotonic() < deadline, "no alert came"
        time.sleep(0.2)
    alert = next(message for message in smtp_sink.messages if "기한을" in subject_of(message))
    assert alert["To"] in {"owner@example.test", "counsel@example.test", "manager@example.test"}
    text = alert.get_payload(0).get_payload(decode=True).decode()
    assert f"{site}/incidents/" in text
    assert "2026-01-06 (화) 08:30 KST" in text


def subject_of(message: Any) -> str:
    from email.header import decode_header, make_header

    return str(make_header(decode_header(message["Subject"])))
