"""Messages leave through a real SMTP server: once, with the same Message-ID if again, and never for a replay."""

import json
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection

from incidents import outbox, services, timers
from incidents.channels.endpoints import endpoint_add, message_settle
from incidents.channels.models import DeliveryAttempt, Reader
from incidents.models import Incident, JournalEntry, OutboxMessage
from incidents.told import delivery_of
from tests import sinks
from tests.conftest import SmtpSink
from tests.factories import Company, kst, later, make_company, make_incident

AT = kst("2026-11-02 09:00")


@pytest.fixture
def mail_to_sink(settings, smtp_sink: SmtpSink) -> SmtpSink:
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": smtp_sink.port, "timeout": 5},
        }
    }
    return smtp_sink


@pytest.fixture
def incident(company: Company) -> Incident:
    incident = make_incident(company, at=AT, personal_data=False)
    timers.fire_due(now=AT)
    return incident


def body_of(message, kind: str = "text/plain") -> str:
    part = next(part for part in message.walk() if part.get_content_type() == kind)
    return part.get_payload(decode=True).decode()


def test_a_message_names_incident_duty_authority_due_time_and_link(incident: Incident, mail_to_sink: SmtpSink) -> None:
    outbox.send_due(now=AT)
    text = next(body for body in map(body_of, mail_to_sink.messages) if "최초신고" in body)
    for part in (incident.code, "침해사고 최초신고", "과학기술정보통신부", "2026-11-03 (화) 09:00 KST", "24시간 0분"):
        assert part in text
    assert f"{django_settings.SITE_URL}/incidents/{incident.code}/" in text


def test_each_message_is_sent_once(incident: Incident, mail_to_sink: SmtpSink) -> None:
    waiting = OutboxMessage.objects.filter(state="pending").count()
    assert waiting > 0
    outbox.send_due(now=AT)
    outbox.send_due(now=AT)
    assert len(mail_to_sink.messages) == waiting
    assert not OutboxMessage.objects.exclude(state="sent").exists()


def test_a_crash_between_sending_and_recording_repeats_the_same_message_id(
    incident: Incident, mail_to_sink: SmtpSink
) -> None:
    outbox.send_due(now=AT)
    OutboxMessage.objects.update(state="claimed", claimed_at=AT)  # what a crash leaves behind
    outbox.send_due(now=AT + outbox.STALE_CLAIM + timedelta(seconds=1))
    ids = [message["Message-ID"] for message in mail_to_sink.messages]
    assert len(ids) == 2 * len(set(ids))


def mail_to(settings, port: int) -> None:
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": port, "timeout": 0.1},
        }
    }


def send_for(runs: int) -> None:
    now = AT
    for _ in range(runs):
        outbox.send_due(now=now)
        now += outbox.LONGEST_DELAY + timedelta(seconds=1)


def test_a_crash_leaves_an_attempt_without_an_outcome(incident: Incident, mail_to_sink: SmtpSink) -> None:
    row = OutboxMessage.objects.first()
    DeliveryAttempt.objects.create(message=row, number=1, at=AT)
    OutboxMessage.objects.filter(pk=row.pk).update(state="claimed", claimed_at=AT, attempts=1)
    outbox.send_due(now=AT + outbox.STALE_CLAIM + timedelta(seconds=1))
    assert list(row.tries.values_list("number", "outcome")) == [(1, "unknown"), (2, "accepted")]


def test_a_server_that_puts_off_gets_it_again_with_the_same_message_id(incident: Incident, settings) -> None:
    with sinks.mail_server("451 greylisted", "") as (server, port):
        mail_to(settings, port)
        send_for(2)
    assert not OutboxMessage.objects.exclude(state="sent").exists()
    first = OutboxMessage.objects.get(tries__outcome="failed")
    assert first.tries.first().error == "smtp 451"
    assert [message["Message-ID"] for message in server.messages].count(first.message_id) == 1


@pytest.mark.parametrize("how", ["nobody there", "hangs", "refuses everybody"])
def test_a_mail_server_that_takes_nothing_is_never_given_up_and_told_through_another_channel(
    company: Company, incident: Incident, settings, how: str
) -> None:
    settings.WEBHOOK_HOSTS = ["127.0.0.1"]
    with (
        sinks.web_server() as hook,
        sinks.hanging_server() as hanging,
        sinks.mail_server("554 no") as (_server, refusing),
    ):
        mail_to(settings, {"nobody there": 1, "hangs": hanging, "refuses everybody": refusing}[how])
        endpoint_add(
            entity=company.entity,
            role="executive",
            kind="webhook",
            label="hook",
            target=hook.url,
            at=AT,
            by=company.manager,
        )
        # A closed way is left alone after a few tries in each run: the more messages wait, the more runs it takes.
        send_for((outbox.SHOUT_AFTER + 2) * (1 + OutboxMessage.objects.count() // outbox.UNREACHABLE_LIMIT))
    mails = OutboxMessage.objects.filter(channel="email", escalation__isnull=False)
    assert set(mails.values_list("state", flat=True)) == {"pending"}
    assert mails.filter(shouted_at__isnull=False).exists()
    told = OutboxMessage.objects.filter(dedupe__startswith="undelivered:", channel="email")
    assert set(told.values_list("recipient__username", flat=True)) == {"manager", "ciso"}
    types = [json.loads(body)["type"] for _headers, body in hook.got]
    assert types == ["message.undelivered"]
    assert JournalEntry.objects.filter(chain=incident.code, action="message.undelivered").exists()


def test_a_closed_server_is_not_knocked_at_for_every_message_of_a_run(incident: Incident, settings) -> None:
    mail_to(settings, 1)
    assert OutboxMessage.objects.count() >= outbox.UNREACHABLE_LIMIT
    make_incident_messages(incident)
    report = outbox.send_due(now=AT)
    assert report.failed == outbox.UNREACHABLE_LIMIT


def make_incident_messages(incident: Incident) -> None:
    """As many messages as a busy minute has."""
    rows = [
        OutboxMessage(
            incident=incident, address="a@example.test", subject="x", body="x", dedupe=f"x:{number}",
            message_id=f"<{number}@x>", attempt_at=AT, created_at=AT,
        )
        for number in range(20)
    ]  # fmt: skip
    OutboxMessage.objects.bulk_create(rows)


def test_a_person_settles_what_does_not_arrive(company: Company, incident: Incident, settings) -> None:
    mail_to(settings, 1)
    row = OutboxMessage.objects.first()
    message_settle(message=row, at=AT, by=company.owner)
    row.refresh_from_db()
    assert (row.state, row.settled_by) == ("failed", company.owner)
    send_for(1)
    assert not row.tries.exists()


def test_a_mailbox_that_no_header_can_hold_is_told_at_once(company: Company, incident: Incident, mail_to_sink) -> None:
    row = OutboxMessage.objects.first()
    OutboxMessage.objects.filter(pk=row.pk).update(address="a@example.test\nBcc: all@example.test")
    outbox.send_due(now=AT)
    row.refresh_from_db()
    assert (row.last_error, row.shouted_at) == ("bad address", AT)
    assert all(message["Bcc"] is None for message in mail_to_sink.messages)


def test_the_due_moment_is_also_told_in_the_readers_own_time(company: Company, mail_to_sink: SmtpSink) -> None:
    Reader.objects.create(user=company.owner, zone="America/New_York")
    company.entity.memberships.update(language="en")
    make_incident(company, at=AT, personal_data=False)
    timers.fire_due(now=AT)
    outbox.send_due(now=AT)
    texts = [body_of(message) for message in mail_to_sink.messages if message["To"] == "owner@example.test"]
    text = next(text for text in texts if "Initial incident report" in text)
    assert "Due: 2026-11-03 (Tue) 09:00 KST" in text
    assert "In your time (America/New_York): 2026-11-02 (Mon) 19:00 EST" in text


def test_a_message_holds_no_value_of_a_fact(company: Company, mail_to_sink: SmtpSink) -> None:
    incident = make_incident(company, at=AT, summary="홍길동 010-1234-5678")
    services.fact_record(
        incident=incident, name="incident.occurred_at", value=AT, source="홍길동 메모", at=AT, by=company.owner
    )
    timers.fire_due(now=AT)
    assert OutboxMessage.objects.filter(incident=incident).exists()
    assert not any("홍길동" in row.body + row.html for row in OutboxMessage.objects.all())


def test_english_readers_get_english(company: Company, mail_to_sink: SmtpSink) -> None:
    company.entity.memberships.update(language="en")
    make_incident(company, at=AT, personal_data=False)
    timers.fire_due(now=AT)
    outbox.send_due(now=AT)
    texts = [body_of(message) for message in mail_to_sink.messages]
    assert any("“Initial incident report”, 24 h 0 min left" in text for text in texts)
    assert not any("의무" in text for text in texts)


def test_possible_and_vague_duties_say_what_they_are(company: Company, mail_to_sink: SmtpSink) -> None:
    company.entity.memberships.update(language="en")
    incident = make_incident(company, at=AT, is_cyber=None)
    services.fact_record(incident=incident, name="incident.occurred_at", value=AT, at=AT, by=company.owner)
    timers.fire_due(now=AT)
    outbox.send_due(now=AT)
    text = "\n".join(body_of(message) for message in mail_to_sink.messages)
    assert "decide on “Initial incident report”" in text
    assert "Not known yet: Was the network or a related system attacked" in text
    assert "House target (not law)" in text
    timers.fire_due(now=later(AT, hours=24))
    assert any("Step: House target: Due" in row.body for row in OutboxMessage.objects.all())


def test_a_title_cannot_smuggle_a_header(company: Company, mail_to_sink: SmtpSink) -> None:
    make_incident(company, at=AT, title="x\r\nBcc: all@example.test\n\nhello")
    timers.fire_due(now=AT)
    outbox.send_due(now=AT)
    assert mail_to_sink.messages
    assert all(message["Bcc"] is None for message in mail_to_sink.messages)


@pytest.mark.django_db(transaction=True)
def test_many_senders_at_once_send_each_message_once(mail_to_sink: SmtpSink) -> None:
    company = make_company()
    incident = make_incident(company, at=AT, personal_data=False)
    make_incident_messages(incident)
    together = threading.Barrier(4)

    def sender() -> int:
        together.wait(10)
        try:
            return outbox.send_due(now=AT).sent
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        sent = [run.result() for run in [pool.submit(sender) for _ in range(4)]]
    ids = [message["Message-ID"] for message in mail_to_sink.messages]
    assert sum(sent) == len(ids) == len(set(ids)) == OutboxMessage.objects.count()
    assert set(OutboxMessage.objects.values_list("state", "attempts")) == {("sent", 1)}


@pytest.mark.django_db(transaction=True)
def test_a_sender_killed_before_it_could_record_leaves_a_repeat_under_the_same_name(start_process) -> None:
    company = make_company()
    incident = make_incident(company, at=AT, personal_data=False)
    OutboxMessage.objects.filter(incident=incident).delete()
    make_incident_messages(incident)
    OutboxMessage.objects.exclude(dedupe="x:0").delete()
    with sinks.killing_mail_server() as (server, port):
        env = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port)}
        sender = start_process("sender", "django", "send_outbox", "--once", **env)
        server.victim = sender.process.pid
        sender.process.wait(timeout=30)
        assert sender.process.returncode == -signal.SIGKILL
        row = OutboxMessage.objects.get()
        assert (row.state, len(server.messages)) == ("claimed", 1)
        again = start_process(
            "again", "django", "send_outbox", "--once",
            BREACHCLOCK_SIMULATED_CLOCK=f"{(row.claimed_at + outbox.STALE_CLAIM).isoformat()};{time.time()};1", **env,
        )  # fmt: skip
        server.victim = None
        again.process.wait(timeout=30)
    assert [message["Message-ID"] for message in server.messages] == [row.message_id] * 2
    assert list(row.tries.values_list("outcome", flat=True)) == ["unknown", "accepted"]
    row.refresh_from_db()
    assert str(delivery_of(row).word) == "Delivered, perhaps twice"
