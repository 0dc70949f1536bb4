"""Alarms about the machine reach people by every way there is: a dead mail server cannot announce itself."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils.translation import override

from incidents import alarms, channels, health, outbox, sweep, watch
from incidents.channels import endpoints
from incidents.channels.models import Endpoint
from incidents.models import Heartbeat, OutboxMessage, Timer
from tests import servers, sinks
from tests.factories import Company, kst, later, make_company, make_incident

AT = kst("2026-11-02 09:00")
pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def _dead_mail_server(settings: Any, tmp_path: Any) -> None:
    """Nobody listens at the mail server's port; webhooks may go to this machine."""
    settings.WEBHOOK_HOSTS = ["127.0.0.1"]
    settings.JOURNAL_ANCHORS = tmp_path / "anchors"
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": servers.free_port(), "timeout": 2},
        }
    }


def add(company: Company, target: str, **given: Any) -> Endpoint:
    fields = {"entity": company.entity, "kind": channels.WEBHOOK, "label": "상황실", "at": AT, "by": company.manager}
    return endpoints.endpoint_add(target=target, **{**fields, **given})


def words() -> tuple[str, str]:
    return health.words_of("outbox_stuck")


def told(sink: sinks.WebSink) -> list[dict[str, Any]]:
    return [found for _headers, body in sink.got if (found := json.loads(body))["type"] == "machine.alarm"]


def test_a_dead_mail_server_is_announced_by_webhook_in_both_languages(company: Company) -> None:
    with sinks.web_server() as sink:
        add(company, sink.url)
        make_incident(company, at=AT, personal_data=False)
        outbox_stuck = later(AT, minutes=11)
        call_command("run_timers", "--once")
        OutboxMessage.objects.update(created_at=AT)
        for name in health.WATCHERS:
            health.beat(name, at=outbox_stuck)
        watch.tick(now=outbox_stuck)
        outbox.send_due(now=outbox_stuck)
    (found,) = told(sink)
    assert found["data"]["alarm"] == "health:outbox_stuck"
    assert found["data"]["headline"]["en"] == "Messages have not been sent for a while"
    assert found["data"]["headline"]["ko"] != found["data"]["headline"]["en"]
    assert not OutboxMessage.objects.filter(channel=channels.MAIL, state="sent").exists()


def test_an_alarm_reaches_chats_of_the_house_and_of_the_people_who_are_told(company: Company) -> None:
    with sinks.web_server() as sink:
        house = sink.url.replace("http", "json")
        add(company, house, kind=channels.CHAT)
        add(company, house.replace("/hook", "/own"), kind=channels.CHAT, entity=None)
        add(company, house.replace("/hook", "/other"), kind=channels.CHAT, entity=None, by=company.executive)
        alarms.raise_alarm("test", words, at=AT)
        assert outbox.send_due(now=AT).sent == 2
    headline = str(words()[0])
    with override("ko"):
        headline = words()[0]
    assert all(headline in json.loads(body)["title"] for _headers, body in sink.got)


def test_it_is_written_once_a_day_for_each_way(company: Company) -> None:
    with sinks.web_server() as sink:
        add(company, sink.url)
    assert alarms.raise_alarm("test", words, at=AT) == 3
    alarms.raise_alarm("test", words, at=later(AT, hours=1))
    assert OutboxMessage.objects.count() == 3
    alarms.raise_alarm("test", words, at=later(AT, days=1))
    assert OutboxMessage.objects.count() == 6


def test_an_address_for_another_role_hears_of_it_only_where_there_is_no_other(company: Company) -> None:
    counsel = add(company, "json://127.0.0.1/", kind=channels.CHAT, role="counsel")
    alarms.raise_alarm("first", words, at=AT)
    assert OutboxMessage.objects.filter(endpoint=counsel).count() == 1
    ciso = add(company, "json://127.0.0.1/", kind=channels.CHAT, role="ciso")
    alarms.raise_alarm("second", words, at=AT)
    assert set(OutboxMessage.objects.filter(dedupe__contains="second").values_list("endpoint", flat=True)) == {
        None,
        ciso.pk,
    }


def test_an_alarm_about_one_incident_stays_in_its_company(company: Company) -> None:
    elsewhere = make_company("other", "o-")
    add(company, "json://127.0.0.1/", kind=channels.CHAT)
    foreign = add(elsewhere, "json://127.0.0.1/", kind=channels.CHAT, by=elsewhere.manager)
    incident = make_incident(company, at=AT, personal_data=False)
    Timer.objects.filter(key="due").delete()
    assert sweep.sweep(at=AT)
    rows = OutboxMessage.objects.filter(dedupe__startswith=f"alarm:timers:{incident.code}:")
    assert rows.filter(channel=channels.CHAT).count() == 1
    assert not rows.filter(endpoint=foreign).exists()


def test_what_never_ran_is_shown_but_not_told(company: Company) -> None:
    report = health.report(now=AT)
    watch.tell(report, now=AT)
    assert report.problems["timers_silent"] is None
    assert not OutboxMessage.objects.exists()


def test_a_silent_watcher_is_told_once_a_day(company: Company) -> None:
    for name in health.WATCHERS:
        health.beat(name, at=AT)
    now = later(AT, minutes=10)
    watch.tick(now=now)
    watch.tick(now=now + timedelta(minutes=1))
    assert OutboxMessage.objects.filter(dedupe__startswith="alarm:health:timers_silent:").count() == 2
    assert Heartbeat.objects.get(name="watch").at == now + timedelta(minutes=1)


def test_every_problem_of_health_has_words_in_both_languages() -> None:
    problems = {*(f"{name}_silent" for name in (*health.WATCHERS, health.BEAT, health.STAMPS))}
    problems |= {*health.FINDINGS.values(), "timers_late", "outbox_stuck", "clock_differs", "database_gone"}
    assert problems == set(health.WORDS)
    for name, text in health.Report(dict.fromkeys(problems), 0, 0).to_json()["texts"].items():
        assert name not in text["en"]
        assert any("가" <= letter <= "힣" for letter in text["ko"]), name
