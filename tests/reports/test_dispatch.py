"""A filing goes out through a channel once; whoever dies in between leaves it uncertain, and a person says what happened."""

import os
import signal
import sys
from pathlib import Path

import pytest
from django.db import connections

from compliance.errors import BadInput, Refused
from incidents import outbox
from incidents.models import JournalEntry, Obligation, OutboxMessage
from reports import channels, dispatch, storage
from reports import services as reports
from reports.models import Dispatch, Filing, Submission
from tests import sinks
from tests.conftest import SmtpSink
from tests.factories import later, make_company
from tests.reports.conftest import NOW, Case, make_case, put

FROZEN = later(NOW, hours=1)
STALE = later(FROZEN, minutes=3)


def use(settings, port: int) -> None:
    options = {"host": "127.0.0.1", "port": port, "timeout": 5}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}


@pytest.fixture
def mail(settings, smtp_sink: SmtpSink) -> SmtpSink:
    use(settings, smtp_sink.port)
    return smtp_sink


@pytest.fixture
def drop(settings, tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    settings.FILING_DROP = str(folder)
    return folder


def ask(case: Case, filing: Filing, channel: str = "email", key: str = "k", **given: object) -> Dispatch:
    fields = {"target": "report@authority.example", "at": FROZEN, "by": case.company.owner}
    return dispatch.submission_send(filing=filing, channel=channel, request_key=key, **{**fields, **given})


def state(row: Dispatch) -> str:
    return Dispatch.objects.get(pk=row.pk).state


def ours(mail: SmtpSink) -> list:
    return [message for message in mail.messages if message["To"] == "report@authority.example"]


def send(now=FROZEN) -> None:
    outbox.send_due(now=now)


def test_a_mail_carries_the_frozen_document_and_meets_the_duty(case: Case, mail: SmtpSink) -> None:
    filing = case.frozen()
    row = ask(case, filing)
    send()
    (message,) = ours(mail)
    (pdf,) = [part for part in message.walk() if part.get_content_type() == "application/pdf"]
    assert pdf.get_payload(decode=True) == storage.read(filing.document)
    assert state(row) == "sent"
    assert Submission.objects.get(filing=filing).submitted_at == FROZEN
    assert Obligation.objects.get(pk=case.duty.pk).met_at == FROZEN


def test_a_repeated_request_is_sent_once(case: Case, mail: SmtpSink) -> None:
    filing = case.frozen()
    assert ask(case, filing).pk == ask(case, filing).pk
    send()
    send(STALE)
    assert ask(case, filing).state == "sent"
    send(later(STALE, hours=1))
    assert len(ours(mail)) == 1


def test_another_request_while_one_is_open_is_refused(case: Case, mail: SmtpSink) -> None:
    filing = case.frozen()
    ask(case, filing)
    for attempt in (
        lambda: ask(case, filing, key="another"),
        lambda: reports.filing_withdraw(filing=filing, reason="보내지 않음", at=FROZEN, by=case.company.owner),
        lambda: reports.submission_record(
            filing=filing,
            submitted_at=FROZEN,
            channel="portal",
            receipt_number="",
            at=FROZEN,
            by=case.company.owner,
        ),
    ):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.code == "on_its_way"


def test_a_server_that_is_not_there_leaves_it_with_us_and_it_is_not_tried_again_by_itself(case: Case, settings) -> None:
    use(settings, 9)
    row = ask(case, case.frozen())
    send()
    assert state(row) == "not_sent"
    use_later = OutboxMessage.objects.get(dispatch=row)
    assert use_later.state == "failed"
    assert not Submission.objects.exists()


def test_a_refused_recipient_is_not_sent_and_can_be_sent_again_by_a_person(
    case: Case, settings, smtp_sink: SmtpSink
) -> None:
    filing = case.frozen()
    with sinks.mail_server("550 no such mailbox") as (_handler, port):
        use(settings, port)
        row = ask(case, filing)
        send()
    assert state(row) == "not_sent"
    use(settings, smtp_sink.port)
    again = ask(case, filing, key="again")
    send(STALE)
    assert state(again) == "sent"
    assert len(ours(smtp_sink)) == 1


def test_those_in_charge_are_told_when_it_is_uncertain(case: Case, mail: SmtpSink) -> None:
    row = ask(case, case.frozen())
    Dispatch.objects.filter(pk=row.pk).update(state="sending", begun_at=FROZEN)  # what a crash leaves behind
    send(STALE)
    assert state(row) == "uncertain"
    told = OutboxMessage.objects.filter(dedupe__startswith="dispatch-uncertain:")
    assert {message.recipient for message in told} == {case.company.owner, case.company.counsel, case.company.manager}


@pytest.mark.parametrize("sent", [True, False])
def test_a_person_resolves_what_is_uncertain(case: Case, mail: SmtpSink, sent: bool) -> None:
    filing = case.frozen()
    row = ask(case, filing)
    Dispatch.objects.filter(pk=row.pk).update(state="sending", begun_at=FROZEN)
    send(STALE)
    for _ in range(2):
        dispatch.dispatch_resolve(
            dispatch=row, sent=sent, note="전화로 접수 여부를 확인함", at=later(STALE, hours=1), by=case.company.owner
        )
    assert state(row) == ("sent" if sent else "not_sent")
    assert Submission.objects.filter(filing=filing, submitted_at=FROZEN).exists() is sent
    assert Filing.objects.get(pk=filing.pk).state == ("submitted" if sent else "frozen")
    assert JournalEntry.objects.filter(action="dispatch.resolved").count() == 1


def test_what_is_certain_is_not_resolved(case: Case, mail: SmtpSink) -> None:
    row = ask(case, case.frozen())
    send()
    with pytest.raises(Refused) as refused:
        dispatch.dispatch_resolve(dispatch=row, sent=False, note="아닌 것 같음", at=STALE, by=case.company.owner)
    assert refused.value.code == "not_uncertain"


def test_a_drill_never_reaches_an_authority(case: Case, mail: SmtpSink) -> None:
    filing = case.frozen()
    type(case.incident).objects.filter(pk=case.incident.pk).update(kind="drill")
    with pytest.raises(Refused) as refused:
        ask(case, Filing.objects.get(pk=filing.pk))
    assert refused.value.code == "drill"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"target": "not an address"}, "not_an_address"),
        ({"target": "a@b.example\nBcc: c@d.example"}, "not_an_address"),
        ({"channel": "drop"}, "unknown_channel"),
        ({"channel": "pigeon"}, "unknown_channel"),
        ({"key": ""}, "request_key"),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_refused(case: Case, settings, given: dict, code: str) -> None:
    settings.FILING_DROP = ""
    with pytest.raises(BadInput) as refused:
        ask(case, case.frozen(), **given)
    assert refused.value.code == code
    assert not OutboxMessage.objects.filter(channel="filing").exists()


def test_a_file_drop_holds_the_whole_document(case: Case, drop: Path) -> None:
    filing = case.frozen()
    row = ask(case, filing, "drop")
    send()
    (file,) = drop.iterdir()
    assert file.read_bytes() == storage.read(filing.document)
    assert state(row) == "sent"


def test_after_a_crash_a_file_that_lies_there_counts_as_sent_and_one_that_does_not_is_uncertain(
    case: Case, drop: Path
) -> None:
    row = ask(case, case.frozen(), "drop")
    send()
    Submission.objects.all().delete()
    put(row.filing, state="frozen")
    OutboxMessage.objects.filter(dispatch=row).update(state="claimed", claimed_at=FROZEN)
    Dispatch.objects.filter(pk=row.pk).update(state="sending", begun_at=FROZEN)
    send(STALE)
    assert state(row) == "sent"


def _die_after_handing_over(now) -> None:
    """In a process of its own: the channel has it, then the power goes."""
    dispatch._sent = lambda *_given, **_more: os.kill(os.getpid(), signal.SIGKILL)
    outbox.send_due(now=now)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("channel", ["email", "drop"])
def test_killed_between_sending_and_recording_it_is_never_sent_twice(
    mail: SmtpSink, drop: Path, settings, tmp_path: Path, channel: str
) -> None:
    case = make_case(make_company(), settings, tmp_path)
    row = ask(case, case.frozen(), channel)
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            _die_after_handing_over(FROZEN)
        finally:
            sys.stderr.flush()
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert state(row) == "sending"
    for minutes in (3, 6, 60):
        send(later(FROZEN, minutes=minutes))
    assert len(ours(mail)) + len(list(drop.iterdir())) == 1
    # A file can be looked for, a mail cannot.
    assert state(row) == {"email": "uncertain", "drop": "sent"}[channel]
    assert Submission.objects.count() == {"email": 0, "drop": 1}[channel]


def test_the_ways_are_look_alike() -> None:
    assert {way.kind for way in map(channels.way_of, ("email", "drop"))} == {"email", "drop"}
