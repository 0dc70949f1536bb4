"""Requests that somebody else's page sends, rows of others in forms, links that were changed, and keys that nobody offered."""

import re
from typing import Any

import pytest
from django.test import Client

from incidents import ack, feeds
from incidents.models import Incident, JournalEntry
from tests.access_world import NOW, World, filled
from tests.factories import later
from tests.security.conftest import send
from tests.web.test_access_matrix import MATRIX, address, routes

# An identity provider's page posts its answer here; it leads on to a page that looks at the session's own request.
OF_OTHERS = {"/accounts/saml/{organization_slug}/acs/"}
PAGES = sorted(path for path in routes() if not path.startswith("/api/") and path not in OF_OTHERS)


def test_no_page_takes_a_post_of_another_site(world: World) -> None:
    world.clients["counsel"] = Client(enforce_csrf_checks=True, raise_request_exception=False)
    world.clients["counsel"].force_login(world.company.counsel)
    world.sessions["counsel"] = world.clients["counsel"].cookies["sessionid"].value
    before = JournalEntry.objects.count()
    for path in PAGES:
        # A page that is only read answers 405 before it looks for the token.
        body = filled(MATRIX["send"].get(f"POST {path}", {}), world.names["own"])
        answer = send(world, "counsel", filled(address(path), world.names["own"]), body)
        assert answer.status_code in (403, 404, 405), path
    assert JournalEntry.objects.count() == before


# The names in a body that stand for a row, where the page itself is of an own incident.
POINTERS = [
    {"action": "adopt", "subject": "{candidate_pk}", "reason": "{reason}"},
    {"action": "retract", "subject": "{candidate_pk}", "reason": "{reason}"},
    {"action": "late", "subject": "{duty}", "late_reason": "{reason}"},
    {"action": "acknowledge", "subject": "{escalation}"},
    {"action": "dismissal", "subject": "{dismissal}", "decision": "approve"},
    {"action": "excuse", "subject": "{duty}", "provision": "x", "reason": "{reason}"},
    {"action": "excusal", "subject": "{excuse}", "decision": "approve"},
    {"action": "rule", "subject": "{duty}", "follow": "yes", "reason": "{reason}"},
]
FILING_POINTERS = [
    ("{draft}", {"action": "resolve_comment", "subject": "{comment}"}),
    ("{draft}", {"action": "comment", "field": "{field}", "comment": "답글", "answers": "{comment}"}),
    ("{sent}", {"action": "resolve", "subject": "{dispatch}", "sent": "no", "note": "{reason}"}),
    ("{sent}", {"action": "answered", "subject": "{request}", "answer": "{reason}"}),
    ("{draft}", {"action": "late", "subject": "{duty}", "late_reason": "{reason}"}),
]


@pytest.mark.parametrize("theirs", ["other", "restricted"])
def test_no_form_reaches_a_row_of_another_incident(world: World, theirs: str) -> None:
    foreign, own = world.names[theirs], world.names["own"]
    before = list(world.incidents[theirs].obligations.values()), JournalEntry.objects.count()
    for body in POINTERS:
        answer = send(world, "approver", filled("/incidents/{code}/", own), filled(body, foreign))
        assert answer.status_code == 404, body
    for filing, body in FILING_POINTERS:
        answer = send(world, "owner", filled(f"/incidents/{{code}}/filings/{filing}/", own), filled(body, foreign))
        # A comment that is not in this filing is no comment to answer; the remark then stands by itself.
        assert answer.status_code == (302 if body["action"] == "comment" else 404), body
    assert (list(world.incidents[theirs].obligations.values()), JournalEntry.objects.count()) == before


def test_a_filing_is_not_begun_for_a_duty_of_others(world: World) -> None:
    path = filled("/incidents/{code}/filings/", world.names["own"])
    assert send(world, "owner", path, {"obligation": world.names["other"]["duty"]}).status_code == 404


def test_nobody_reports_for_an_entity_of_others(world: World) -> None:
    body = filled(MATRIX["send"]["POST /report/"], world.names["other"])
    assert send(world, "owner", "/report/", body).status_code == 422


ADDED = {
    "restricted": "on", "state": "closed", "code": "2020-001", "owner": "1", "reported_by": "1", "kind": "replay", "severity": "high",
    "approved": "yes", "is_superuser": "1", "is_staff": "1", "entities": "1", "met_at": "2025-09-15T15:00", "clock_at": "2020-01-01T00:00",
}  # fmt: skip


def test_fields_that_no_form_has_set_nothing(world: World, settings: Any) -> None:
    body = filled(MATRIX["send"]["POST /report/"], world.names["own"]) | ADDED
    made: list[Incident] = []

    class Keep(Exception):
        pass

    from django.core.cache import cache
    from django.db import transaction

    from compliance import clock

    cache.clear()
    with pytest.raises(Keep), transaction.atomic(), clock.simulated(NOW):
        assert world.clients["owner"].post("/report/", body).status_code == 302
        made.append(Incident.objects.latest("pk"))
        raise Keep
    incident = made[0]
    assert (incident.restricted, incident.state, incident.kind) == (False, "reported", "real")
    assert incident.code != ADDED["code"]
    assert incident.clock_at is None
    assert incident.owner_id in (None, world.company.owner.pk)
    assert incident.reported_by_id == world.company.owner.pk


def test_the_page_of_an_incident_takes_no_column(world: World) -> None:
    before = Incident.objects.filter(code="2025-014").values().get()
    send(world, "owner", "/incidents/2025-014/", {"action": "move", "move": "dismiss", **ADDED})
    assert Incident.objects.filter(code="2025-014").values().get() == before


def test_a_link_that_acknowledges_opens_nothing_else_and_a_changed_one_nothing(world: World) -> None:
    step, invitation = world.names["own"]["step"], world.names["own"]["invitation"]
    calendar = world.names["own"]["calendar"]
    for token in (
        invitation,
        calendar,
        step[:-1] + ("A" if step[-1] != "A" else "B"),
        step + "x",
        step.partition(":")[0],
    ):
        assert send(world, "nobody", f"/acknowledge/{token}/").status_code == 410
    for token in (step, calendar):
        assert send(world, "nobody", f"/invitation/{token}/", {"password": "correct horse battery"}).status_code == 410
    for token in (step, invitation, "x", calendar[:-1], calendar.swapcase()):
        assert send(world, "nobody", f"/calendar/{token}.ics", method="get").status_code == 404
    assert send(world, "nobody", f"/acknowledge/{step}/").status_code == 200


def test_a_link_that_acknowledges_ends(world: World) -> None:
    escalation = world.incidents["own"].escalations.first()
    link = ack.link_for(escalation, world.company.owner, at=later(NOW, days=-400))
    assert send(world, "nobody", "/acknowledge/" + re.split("/acknowledge/", link)[1]).status_code == 410


def test_a_withdrawn_calendar_address_tells_nothing(world: World) -> None:
    link = feeds.link_for(world.names["own"]["calendar"])
    assert link is not None
    feeds.link_revoke(link=link, at=NOW, by=world.company.owner)
    answer = send(world, "nobody", f"/calendar/{world.names['own']['calendar']}.ics", method="get")
    assert b"BEGIN:VEVENT" not in answer.content


@pytest.mark.parametrize(
    "target", ["//evil.test", "https://evil.test/", "/\\evil.test", "javascript:alert(1)", "http:evil.test"]
)
@pytest.mark.parametrize("path,body", [("/display/", {"theme": "dark"}), ("/i18n/setlang/", {"language": "en"})])
def test_nobody_is_led_elsewhere(world: World, path: str, body: dict[str, str], target: str) -> None:
    answer = send(world, "owner", path, {**body, "next": target}, headers={"referer": "https://evil.test/"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/")
    assert not answer["Location"].startswith(("//", "/\\"))


def test_a_host_of_others_is_refused_on_every_page(world: World) -> None:
    for path in ("/", "/accounts/login/", "/channels/", "/api/v1/incidents", "/health"):
        assert send(world, "owner", path, method="get", headers={"host": "evil.test"}).status_code == 400, path
