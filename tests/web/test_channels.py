"""The pages about ways to reach people, and the page and API of who was told what."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from incidents import channels, outbox, services, timers
from incidents.channels import endpoints
from incidents.channels.models import CalendarLink, Endpoint, Reader
from incidents.models import Incident, OutboxMessage, Timer
from tests import sinks
from tests.factories import Company, kst, make_incident

AT = kst("2026-11-02 09:00")
LATER = AT + timedelta(hours=24)
PAGE = "/incidents/2026-777/messages/"
API = "/api/v1/incidents/2026-777/messages"


@pytest.fixture
def incident(company: Company) -> Incident:
    incident = make_incident(company, at=AT, personal_data=False, code="2026-777")
    timers.fire_due(now=LATER)
    return incident


@pytest.fixture
def lost(company: Company, incident: Incident, settings) -> OutboxMessage:
    """A message that does not arrive, and the others that did."""
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": 1, "timeout": 1},
        }
    }
    row = OutboxMessage.objects.filter(recipient=company.owner, escalation__obligation__isnull=False).first()
    OutboxMessage.objects.exclude(pk=row.pk).update(state="sent", sent_at=LATER)
    now = LATER
    for _ in range(outbox.SHOUT_AFTER):
        outbox.send_due(now=now, limit=1)
        now += outbox.LONGEST_DELAY + timedelta(seconds=1)
    row.refresh_from_db()
    assert row.shouted_at is not None
    return row


def get(client: Client, path: str, user: Any, status: int = 200, language: str = "en") -> str:
    client.force_login(user)
    client.cookies["django_language"] = language
    response = client.get(path)
    assert response.status_code == status
    return response.content.decode()


def test_the_page_says_who_was_told_what_and_that_it_did_not_arrive(
    client: Client, company: Company, incident: Incident, lost: OutboxMessage
) -> None:
    text = get(client, PAGE, company.auditor)
    assert "Does not arrive" in text
    assert "no connection" in text
    assert "Delivered" in text
    assert "not acknowledged yet" in text


def test_the_page_shows_who_acknowledged(client: Client, company: Company, incident: Incident) -> None:
    step = incident.escalations.exclude(messages=None).first()
    services.escalation_acknowledge(escalation=step, at=LATER, by=company.manager)
    assert "✓ manager" in get(client, PAGE, company.counsel)


def test_the_page_and_the_api_say_when_the_link_in_the_message_was_used(
    client: Client, company: Company, incident: Incident
) -> None:
    step = incident.escalations.exclude(messages=None).first()
    services.escalation_acknowledge(escalation=step, at=LATER, by=company.manager, link="abc")
    assert "by the link in the message" in get(client, PAGE, company.counsel)
    told = [item for item in client.get(API).json()["messages"] if item["acknowledged_by_link"]]
    assert {item["acknowledged_by"] for item in told} == {"manager"}


def test_the_page_filters_by_duty_person_and_failure(
    client: Client, company: Company, incident: Incident, lost: OutboxMessage
) -> None:
    client.force_login(company.counsel)

    def shown(query: str) -> set[int]:
        return {item["id"] for item in client.get(f"{API}?{query}").json()["messages"]}

    everything = set(incident.messages.values_list("pk", flat=True))
    duty = lost.escalation.obligation_id
    assert shown("") == everything
    assert shown(f"duty={duty}") == set(
        incident.messages.filter(escalation__obligation=duty).values_list("pk", flat=True)
    )
    assert shown(f"person={company.owner.pk}") == set(
        incident.messages.filter(recipient=company.owner).values_list("pk", flat=True)
    )
    assert shown("state=failed") == {lost.pk}
    assert shown("duty=x&person=-1") == everything


def test_the_api_tells_the_attempts_and_no_addresses(
    client: Client, company: Company, incident: Incident, lost: OutboxMessage
) -> None:
    client.force_login(company.auditor)
    answer = client.get(f"{API}?state=failed")
    told = answer.json()["messages"][0]
    assert told["person"] == "owner"
    assert told["state"] == "pending"
    assert told["duty"]["title"]["en"]
    assert [item["outcome"] for item in told["attempts"]] == ["failed"] * outbox.SHOUT_AFTER
    assert told["acknowledged_by"] is None
    assert told["delivered_at"] is None
    assert "@example.test" not in answer.content.decode()


def test_strangers_see_neither_page_nor_api(client: Client, company: Company, incident: Incident) -> None:
    get(client, PAGE, company.stranger, status=404)
    get(client, API, company.stranger, status=404)
    client.logout()
    assert client.get(API).status_code == 401
    assert client.get(PAGE).url.startswith("/accounts/login/")


def test_the_board_warns_of_messages_that_do_not_arrive(
    client: Client, company: Company, incident: Incident, lost: OutboxMessage
) -> None:
    assert "1 message does not arrive" in get(client, "/", company.manager)
    assert "does not arrive" not in get(client, "/", company.stranger)
    endpoints.message_settle(message=lost, at=LATER, by=company.manager)
    assert "does not arrive" not in get(client, "/", company.manager)


def test_a_handler_sends_again_and_settles_from_the_page_and_an_auditor_does_not(
    client: Client, company: Company, incident: Incident, lost: OutboxMessage
) -> None:
    client.force_login(company.auditor)
    client.post(PAGE, {"subject": lost.pk, "action": "settle"})
    lost.refresh_from_db()
    assert lost.state == "pending"
    client.force_login(company.owner)
    assert client.post(PAGE, {"subject": lost.pk, "action": "settle"}).status_code == 302
    lost.refresh_from_db()
    assert (lost.state, lost.settled_by) == ("failed", company.owner)
    client.post(PAGE, {"subject": lost.pk, "action": "again"})
    lost.refresh_from_db()
    assert lost.state == "pending"


def test_a_step_of_which_nobody_could_be_told_stands_on_top(client: Client, company: Company) -> None:
    incident = make_incident(company, at=AT, code="2026-777")
    auditor = company.auditor
    timers.fire_due(now=AT)
    incident.messages.all().delete()
    assert "Nobody could be told" in get(client, PAGE, auditor)


def test_a_step_that_waits_for_people_to_wake_is_not_said_to_have_reached_nobody(
    client: Client, company: Company, incident: Incident
) -> None:
    step = incident.escalations.first()
    step.messages.all().delete()
    Timer.objects.create(
        incident=incident, kind="obligation.awake", subject_id=step.pk, key="user-1", generation=1,
        due_at=LATER, attempt_at=LATER, created_at=AT,
    )  # fmt: skip
    assert "Nobody could be told" not in get(client, PAGE, company.auditor)


def test_a_manager_adds_a_webhook_sees_its_secret_once_and_its_address_never(
    client: Client, company: Company, settings
) -> None:
    settings.WEBHOOK_HOSTS = ["127.0.0.1"]
    client.force_login(company.manager)
    with sinks.web_server() as sink:
        given = {
            "action": "endpoint", "entity": company.entity.pk, "role": "", "kind": channels.WEBHOOK, "label": "상황실",
            "target": f"{sink.url}/T0PSECRET",
        }  # fmt: skip
        first = client.post("/channels/", given)
        row = Endpoint.objects.get()
        assert row.secret in first.content.decode()
        assert first["Cache-Control"] == "no-store"
        second = get(client, "/channels/", company.manager)
        client.post("/channels/", {"action": "try", "subject": row.pk})
        outbox.send_due(now=OutboxMessage.objects.get().attempt_at)
    assert len(sink.got) == 1
    assert "T0PSECRET" not in first.content.decode() + second
    assert row.secret not in second
    assert "http://127.0.0.1/…" in second
    client.post("/channels/", {"action": "revoke", "subject": row.pk})
    assert not Endpoint.objects.get().active


def test_what_was_typed_wrong_is_said_beside_the_field_and_not_shown_again(client: Client, company: Company) -> None:
    client.force_login(company.manager)
    given = {"action": "endpoint", "entity": company.entity.pk, "kind": channels.WEBHOOK, "label": "x"}
    response = client.post("/channels/", {**given, "target": "http://10.0.0.1/T0PSECRET"})
    assert response.status_code == 422
    assert "T0PSECRET" not in response.content.decode()
    assert not Endpoint.objects.exists()


def test_a_handler_adds_only_an_own_pager(client: Client, company: Company, settings) -> None:
    settings.WEBHOOK_HOSTS = ["127.0.0.1"]
    client.force_login(company.owner)
    target = {"label": "pager", "target": "json://127.0.0.1/"}
    assert client.post("/channels/", {"action": "endpoint", "kind": channels.WEBHOOK, **target}).status_code == 422
    client.post("/channels/", {"action": "endpoint", "kind": channels.CHAT, "entity": company.entity.pk, **target})
    row = Endpoint.objects.get()
    assert (row.user, row.entity) == (company.owner, None)
    client.force_login(company.manager)
    assert client.post("/channels/", {"action": "revoke", "subject": row.pk}).status_code == 404


def test_a_calendar_address_is_made_shown_once_and_withdrawn(client: Client, company: Company) -> None:
    client.force_login(company.owner)
    text = client.post("/channels/", {"action": "link", "days": 90}).content.decode()
    link = CalendarLink.objects.get()
    assert "/calendar/" in text
    assert "/calendar/" not in get(client, "/channels/", company.owner)
    client.force_login(company.manager)
    assert client.post("/channels/", {"action": "unlink", "subject": link.pk}).status_code == 404
    client.force_login(company.owner)
    client.post("/channels/", {"action": "unlink", "subject": link.pk})
    assert CalendarLink.objects.get().revoked_at is not None


def test_a_person_chooses_a_time_zone(client: Client, company: Company) -> None:
    client.force_login(company.owner)
    client.post("/channels/", {"action": "zone", "zone": "Europe/Berlin"})
    assert Reader.objects.get().zone == "Europe/Berlin"
    assert client.post("/channels/", {"action": "zone", "zone": "Mars/Olympus"}).status_code == 422


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("path", [PAGE, "/channels/"])
@pytest.mark.parametrize("role", ["owner", "counsel", "auditor", "manager"])
def test_the_pages_open_for_every_role_in_both_languages(
    client: Client, company: Company, incident: Incident, path: str, language: str, role: str
) -> None:
    text = get(client, path, getattr(company, role), language=language)
    assert "</html>" in text
    assert " style=" not in text


@pytest.mark.django_db(transaction=True)
def test_no_page_about_messages_is_wider_than_the_screen(
    browser_page: Any, live_site: Callable[..., str], company: Company, incident: Incident, lost: OutboxMessage
) -> None:
    from tests.factories import PASSWORD

    site = live_site()
    browser_page.goto(f"{site}/accounts/login/")
    browser_page.fill("#id_username", "manager")
    browser_page.fill("#id_password", PASSWORD)
    browser_page.click("main button")
    for path in (PAGE, "/channels/", "/"):
        for width in (360, 800, 1600):
            browser_page.set_viewport_size({"width": width, "height": 900})
            browser_page.goto(site + path)
            assert browser_page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
