"""Messages leave through a real SMTP server: once, with the same Message-ID if again, and never for a replay."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings

from incidents import outbox, services, timers
from incidents.models import Incident, JournalEntry, OutboxMessage
from tests.conftest import SmtpSink
from tests.factories import Company, kst, later, make_incident

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


def test_a_refusing_server_is_tried_again_and_then_given_up_aloud(incident: Incident, settings) -> None:
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": 1, "timeout": 1},
        }
    }
    now = AT
    for _ in range(outbox.GIVE_UP_AFTER):
        outbox.send_due(now=now)
        now += outbox.LONGEST_DELAY + timedelta(seconds=1)
    first = OutboxMessage.objects.filter(escalation__isnull=False)
    assert set(first.values_list("state", flat=True)) == {"failed"}
    told = OutboxMessage.objects.filter(dedupe__startswith="undelivered:").values_list("recipient__username", flat=True)
    assert set(told) == {"manager", "ciso"}
    assert JournalEntry.objects.filter(action="message.given_up").exists()


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
    assert OutboxMessage.objects.filter(body__contains="Step: House target: Due").exists()


def test_a_title_cannot_smuggle_a_header(company: Company, mail_to_sink: SmtpSink) -> None:
    make_incident(company, at=AT, title="x\r\nBcc: all@example.test\n\nhello")
    timers.fire_due(now=AT)
    outbox.send_due(now=AT)
    assert mail_to_sink.messages
    assert all(message["Bcc"] is None for message in mail_to_sink.messages)
