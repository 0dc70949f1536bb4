"""Webhooks, chats and pagers: what leaves, where to, signed how, and what happens when nobody takes it."""

import base64
import hashlib
import hmac
import ipaddress
import json
import logging
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from compliance import clock
from compliance.errors import BadInput, NotPermitted, Refused
from incidents import channels, outbox, timers
from incidents.channels import endpoints, guard, webhook
from incidents.channels.models import DeliveryAttempt, Endpoint
from incidents.models import Incident, JournalEntry, OutboxMessage
from tests import sinks
from tests.factories import Company, kst, make_company, make_incident

AT = kst("2026-11-02 09:00")
pytestmark = pytest.mark.both_databases
LATER = AT + outbox.LONGEST_DELAY + timedelta(seconds=1)
SECRET_PART = "T00SECRET"


@pytest.fixture(autouse=True)
def _this_machine_is_allowed(settings) -> None:
    settings.WEBHOOK_HOSTS = ["127.0.0.1"]


def add(company: Company, target: str, kind: str = channels.WEBHOOK, role: str = "") -> Endpoint:
    return endpoints.endpoint_add(
        entity=company.entity, role=role, kind=kind, label="상황실", target=target, at=AT, by=company.manager
    )


def raise_alarm(company: Company, **given: object) -> Incident:
    incident = make_incident(company, at=AT, personal_data=False, **given)
    timers.fire_due(now=AT)
    return incident


def test_a_webhook_is_signed_as_the_specification_says(company: Company) -> None:
    with sinks.web_server() as sink:
        endpoint = add(company, sink.url)
        raise_alarm(company)
        outbox.send_due(now=clock.now())
    headers, body = sink.got[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(endpoint.secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == expected
    # And as a library that knows nothing of us reads it.
    assert Webhook(endpoint.secret).verify(body, headers)["type"] == "escalation.reached"


def test_a_webhook_says_what_a_person_would_be_told(company: Company) -> None:
    with sinks.web_server() as sink:
        add(company, sink.url)
        incident = raise_alarm(company)
        outbox.send_due(now=AT)
    bodies = [json.loads(body)["data"] for _headers, body in sink.got]
    told = next(body for body in bodies if body["duty"]["rule"] == "kr.network-act.incident-report")
    assert told["incident"]["code"] == incident.code
    assert told["incident"]["link"].endswith(f"/incidents/{incident.code}/")
    assert told["due_at"] == "2026-11-03T00:00:00+00:00"
    assert told["due_zone"] == "Asia/Seoul"
    assert told["seconds_left"] == 24 * 3600
    assert told["duty"]["title"]["en"] == "Initial incident report"
    assert told["authorities"][0]["ko"].startswith("과학기술정보통신부")


def test_an_endpoint_of_the_company_hears_of_each_step_once_however_many_people_do(company: Company) -> None:
    with sinks.web_server() as sink:
        add(company, sink.url)
        incident = raise_alarm(company)
        timers.fire_due(now=AT + timedelta(hours=24))
        outbox.send_due(now=AT + timedelta(hours=24))
    assert len(sink.got) == incident.escalations.count()
    people = OutboxMessage.objects.filter(channel=channels.MAIL).count()
    assert people > len(sink.got)


def test_an_endpoint_of_a_role_hears_what_that_role_is_told(company: Company) -> None:
    executive = add(company, "http://127.0.0.1/e", role="executive")
    owner = add(company, "http://127.0.0.1/o", role="owner")
    raise_alarm(company)
    assert not executive.messages.exists()
    assert owner.messages.exists()


def test_a_failing_webhook_is_repeated_later_and_later_with_the_same_id_and_the_same_bytes(company: Company) -> None:
    with sinks.web_server(503, 429, 204) as sink:
        row = endpoints.endpoint_try(endpoint=add(company, sink.url), at=AT, by=company.manager)
        gaps, now = [], AT
        for _ in range(3):
            outbox.send_due(now=now)
            row.refresh_from_db()
            gaps.append(row.attempt_at - now)
            now = row.attempt_at
    assert row.state == OutboxMessage.State.SENT
    assert timedelta() < gaps[0] < gaps[1]
    assert len({headers["webhook-id"] for headers, _body in sink.got}) == 1
    assert len({body for _headers, body in sink.got}) == 1
    assert [(item.outcome, item.error) for item in row.tries.all()] == [
        ("failed", "http 503"), ("failed", "http 429"), ("accepted", "")
    ]  # fmt: skip


def test_redirects_are_not_followed(company: Company) -> None:
    with sinks.web_server() as inner, sinks.web_server(302, headers={"location": inner.url}) as sink:
        row = endpoints.endpoint_try(endpoint=add(company, sink.url), at=AT, by=company.manager)
        outbox.send_due(now=AT)
    row.refresh_from_db()
    assert (row.last_error, inner.got) == ("http 302", [])


def test_a_server_that_answers_byte_by_byte_is_cut_off(company: Company, monkeypatch) -> None:
    monkeypatch.setattr(webhook, "DEADLINE_SECONDS", 0.4)
    with sinks.web_server("drip") as sink:
        row = endpoints.endpoint_try(endpoint=add(company, sink.url), at=AT, by=company.manager)
        outbox.send_due(now=AT)
    row.refresh_from_db()
    assert row.last_error == "no answer in time"


def test_a_server_that_hangs_is_left_after_a_while(company: Company, monkeypatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", 0.3)
    with sinks.hanging_server() as port:
        row = endpoints.endpoint_try(endpoint=add(company, f"http://127.0.0.1:{port}/"), at=AT, by=company.manager)
        outbox.send_due(now=AT)
    row.refresh_from_db()
    assert row.last_error == "no answer in time"


@pytest.mark.parametrize(
    "target",
    [
        "ftp://example.org/", "http://", "https://user:word@example.org/", "http://[::1", "http://a b/", "javascript:1",
        "http://10.0.0.1/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/",
        "http://[::ffff:10.0.0.1]/", "http://[64:ff9b::a00:1]/", "http://[2002:a00:1::]/", "http://[fe80::1]/",
        "http://[fd00::1]/", "http://[fec0::1]/", "http://[64:ff9b:1::a00:1]/",
        "http://0.0.0.0/", "http://100.64.0.1/", "http://224.0.0.1/", "http://2130706434/",
        "http://0x7f.2/", "http://localhost/", "http://no-such-host.invalid/",
    ],
)  # fmt: skip
def test_an_address_inside_the_house_is_refused_when_it_is_saved(company: Company, target: str) -> None:
    with pytest.raises(BadInput) as refused:
        add(company, target)
    assert refused.value.field == "target"


def test_a_public_address_is_accepted(company: Company) -> None:
    assert add(company, "https://93.184.215.14/hook").active
    assert guard.is_outside(ipaddress.ip_address("2606:2800:21f:cb07:6820:80da:af6b:8b2c"))


def test_an_address_that_moved_inside_after_saving_is_not_reached(company: Company, settings) -> None:
    with sinks.web_server() as sink:
        endpoint = add(company, sink.url)
        settings.WEBHOOK_HOSTS = []  # as if the name now resolved to this machine
        row = endpoints.endpoint_try(endpoint=endpoint, at=AT, by=company.manager)
        outbox.send_due(now=AT)
    row.refresh_from_db()
    assert (row.last_error, sink.got) == ("address inside the house", [])


def test_a_chat_gets_the_words_by_apprise(company: Company) -> None:
    with sinks.web_server(200) as sink:
        add(company, f"json://127.0.0.1:{sink.port}/", kind=channels.CHAT)
        incident = raise_alarm(company)
        outbox.send_due(now=AT)
    told = [json.loads(body) for _headers, body in sink.got]
    assert any("침해사고 최초신고" in item["title"] for item in told)
    assert all(incident.code in item["message"] for item in told)


def test_a_chat_does_not_reach_inside_the_house_either(company: Company, settings) -> None:
    with sinks.web_server(200) as sink:
        endpoint = add(company, f"json://127.0.0.1:{sink.port}/", kind=channels.CHAT)
        settings.WEBHOOK_HOSTS = []
        row = endpoints.endpoint_try(endpoint=endpoint, at=AT, by=company.manager)
        outbox.send_due(now=AT)
    row.refresh_from_db()
    assert (row.state, sink.got) == (OutboxMessage.State.PENDING, [])
    assert row.last_error == "address inside the house"


@pytest.mark.parametrize(
    "target",
    ["syslog://", "dbus://", "file:///etc/passwd", "json://10.0.0.1/", "slack://short", "nonsense",
     "json://127.0.0.1/?template=/etc/passwd"],
)  # fmt: skip
def test_a_chat_address_that_cannot_be_right_is_refused(company: Company, target: str) -> None:
    with pytest.raises(BadInput) as refused:
        add(company, target, kind=channels.CHAT)
    assert refused.value.field == "target"


def test_a_persons_own_pager_gets_what_that_person_is_told(company: Company) -> None:
    with sinks.web_server(200) as sink:
        endpoints.endpoint_add(
            entity=None,
            kind=channels.CHAT,
            label="pager",
            target=f"json://127.0.0.1:{sink.port}/",
            at=AT,
            by=company.owner,
        )
        incident = raise_alarm(company)
        outbox.send_due(now=AT)
    mails = OutboxMessage.objects.filter(incident=incident, recipient=company.owner, channel=channels.MAIL)
    assert len(sink.got) == mails.count() > 0


def test_addresses_and_secrets_are_in_no_log_and_no_journal(company: Company, caplog, settings) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "apprise", "requests"):
        assert settings.LOGGING["loggers"][name] == {"level": "CRITICAL", "propagate": False}
    with sinks.web_server(500) as sink:
        endpoint = add(company, f"{sink.url}/{SECRET_PART}")
        chat = add(company, f"json://127.0.0.1:{sink.port}/{SECRET_PART}", kind=channels.CHAT)
        for item in (endpoint, chat):
            endpoints.endpoint_try(endpoint=item, at=AT, by=company.manager)
        outbox.send_due(now=AT)
    written = caplog.text + str(list(JournalEntry.objects.values())) + str(list(DeliveryAttempt.objects.values()))
    written += str(list(OutboxMessage.objects.values())) + repr(endpoint)
    assert SECRET_PART not in written
    assert endpoint.secret not in written


def test_a_replay_reaches_no_endpoint(company: Company) -> None:
    add(company, "http://127.0.0.1/hook")
    with clock.simulated(AT):
        incident = make_incident(company, at=AT, kind=Incident.Kind.REPLAY)
        timers.fire_due(now=AT, clock=incident.timer_clock)
    assert set(OutboxMessage.objects.values_list("state", "channel")) == {
        ("withheld", "email"),
        ("withheld", "webhook"),
    }


def test_a_withdrawn_address_gets_nothing_more_and_what_waited_is_settled(company: Company) -> None:
    with sinks.web_server() as sink:
        endpoint = add(company, sink.url)
        raise_alarm(company)
        endpoints.endpoint_revoke(endpoint=endpoint, at=AT, by=company.counsel)
        outbox.send_due(now=AT)
    assert sink.got == []
    assert set(endpoint.messages.values_list("state", "settled_by")) == {("failed", company.counsel.pk)}
    with pytest.raises(Refused):
        endpoints.endpoint_try(endpoint=Endpoint.objects.get(), at=AT, by=company.manager)


def test_only_counsel_and_managers_keep_the_addresses_of_their_company(company: Company) -> None:
    endpoint = add(company, "http://127.0.0.1/hook")
    other = make_company("elsewhere", prefix="x-")
    for person in (company.owner, company.auditor, other.manager):
        with pytest.raises(NotPermitted):
            endpoints.endpoint_add(
                entity=company.entity, kind=channels.WEBHOOK, label="x", target="http://127.0.0.1/", at=AT, by=person
            )
        with pytest.raises(NotPermitted):
            endpoints.endpoint_revoke(endpoint=endpoint, at=AT, by=person)


def test_a_person_sends_a_delivered_message_again_with_the_same_id(company: Company) -> None:
    with sinks.web_server() as sink:
        add(company, sink.url)
        incident = raise_alarm(company)
        outbox.send_due(now=AT)
        row = OutboxMessage.objects.filter(incident=incident, channel=channels.WEBHOOK).first()
        before = len(sink.got)
        endpoints.message_again(message=row, at=LATER, by=company.owner)
        outbox.send_due(now=LATER)
    assert len(sink.got) == before + 1
    assert sink.got[-1][0]["webhook-id"] in [headers["webhook-id"] for headers, _body in sink.got[:before]]
    assert JournalEntry.objects.filter(chain=incident.code, action="message.again").count() == 1


def test_a_stranger_sends_nothing_again(company: Company) -> None:
    raise_alarm(company)
    with pytest.raises(NotPermitted):
        endpoints.message_again(message=OutboxMessage.objects.first(), at=AT, by=company.stranger)


def test_an_address_that_several_people_read_gets_no_link_of_one_of_them(company: Company) -> None:
    chat = add(company, "json://127.0.0.1/", kind=channels.CHAT)
    raise_alarm(company)
    assert chat.messages.exists()
    assert not any("/acknowledge/" in row.body for row in chat.messages.all())
    assert all("/incidents/" in row.body for row in chat.messages.all())
