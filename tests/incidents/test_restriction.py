"""Restricted incidents: for people by name, and whoever opens one leaves a trace."""

import pytest
from django.contrib.auth.models import User

from compliance.access_policy import get_access_policy
from compliance.errors import BadInput, NotPermitted
from incidents import access, alarms, journal, notices, selectors, services, timers
from incidents.channels.models import Endpoint
from incidents.models import Incident, JournalEntry, OutboxMessage
from incidents.services import restriction
from tests.factories import Company, kst, later, make_incident, make_user

AT = kst("2026-11-02 09:00")
WHY = "내부자가 관련된 사건"
URGENT = "담당자 모두 연락이 되지 않아 확인이 필요함"


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT)


def restrict(incident: Incident, company: Company, *people: User, by: User | None = None) -> Incident:
    return restriction.incident_name(
        incident=incident, restricted=True, people=people, reason=WHY, at=AT, by=by or company.counsel
    )


def sees(user: User, incident: Incident, *, hours: float = 1) -> bool:
    return access.visible_incidents(user, at=later(AT, hours=hours)).filter(pk=incident.pk).exists()


def test_only_people_named_learn_that_it_exists(incident: Incident, company: Company) -> None:
    everybody = [company.manager, company.ciso, company.executive, company.auditor, company.approver]
    assert all(sees(person, incident) for person in everybody)
    restrict(incident, company, company.ciso)
    assert [person.username for person in everybody if sees(person, incident)] == ["ciso"]
    assert sees(company.owner, incident)
    assert sees(company.counsel, incident)
    assert selectors.board(company.manager, now=AT).clocks == []
    assert selectors.board(company.ciso, now=AT).clocks


def test_who_is_not_named_may_do_nothing_in_it(incident: Incident, company: Company) -> None:
    held = restrict(incident, company)
    for person in (company.manager, company.approver):
        assert access.allowed(person, held, at=AT) == ()
    with pytest.raises(NotPermitted):
        services.incident_confirm(incident=held, at=later(AT, hours=1), by=company.manager)
    assert services.incident_confirm(incident=held, at=later(AT, hours=1), by=company.owner).state == "confirmed"


@pytest.mark.parametrize("role", ["manager", "approver", "ciso", "auditor", "reporter", "administrator", "stranger"])
def test_only_the_owner_and_counsel_decide_who_is_named(incident: Incident, company: Company, role: str) -> None:
    with pytest.raises(NotPermitted):
        restrict(incident, company, by=getattr(company, role))
    restrict(incident, company, by=company.owner)


def test_the_named_list_is_journaled_without_names(incident: Incident, company: Company) -> None:
    restrict(incident, company, company.ciso)
    entry = JournalEntry.objects.get(action="incident.restricted")
    people = {company.ciso, company.owner, company.counsel}
    assert set(entry.detail["added"]) == {f"user:{person.pk}" for person in people}
    restriction.incident_name(incident=incident, restricted=False, people=[], reason=WHY, at=AT, by=company.counsel)
    assert sees(company.manager, incident)
    assert list(journal.verify()) == []


def test_a_person_without_a_role_there_cannot_be_named(incident: Incident, company: Company) -> None:
    with pytest.raises(BadInput) as refused:
        restrict(incident, company, company.stranger)
    assert refused.value.code == "named_without_role"


def test_a_reporter_sees_what_was_reported_or_shared_and_no_more(incident: Incident, company: Company) -> None:
    own = make_incident(company, at=AT, by=company.reporter, owner=company.owner)
    assert sees(company.reporter, own)
    assert not sees(company.reporter, incident)
    restriction.incident_name(
        incident=incident, restricted=False, people=[company.reporter], reason=WHY, at=AT, by=company.owner
    )
    assert sees(company.reporter, incident)
    assert not access.may_handle(company.reporter, incident, at=AT)
    restrict(own, company)
    assert not sees(company.reporter, own)


def test_whoever_breaks_the_glass_reads_for_a_while_and_the_owner_and_counsel_hear_of_it(
    incident: Incident, company: Company
) -> None:
    held = restrict(incident, company)
    row = restriction.glass_break(code=held.code, reason=URGENT, at=AT, by=company.manager)
    assert access.may_read(company.manager, held, at=later(AT, hours=1))
    assert not access.may_handle(company.manager, held, at=later(AT, hours=1))
    hours = get_access_policy().glass_for.total_seconds() / 3600
    assert not sees(company.manager, held, hours=hours)
    assert JournalEntry.objects.get(action="incident.glass_broken").actor == f"user:{company.manager.pk}"
    told = OutboxMessage.objects.filter(dedupe__startswith=f"glass:{row.pk}:")
    assert set(told.values_list("recipient__username", flat=True)) == {"owner", "counsel"}
    assert all(URGENT in message.body for message in told)


def test_the_glass_is_closed_by_who_opened_it_or_by_the_owner(incident: Incident, company: Company) -> None:
    held = restrict(incident, company)
    row = restriction.glass_break(code=held.code, reason=URGENT, at=AT, by=company.manager)
    with pytest.raises(NotPermitted):
        restriction.glass_end(admission=row, at=AT, by=company.ciso)
    restriction.glass_end(admission=row, at=AT, by=company.owner)
    assert not sees(company.manager, held)


@pytest.mark.parametrize("role", ["reporter", "administrator", "stranger"])
def test_who_could_not_read_it_anyway_cannot_break_the_glass(incident: Incident, company: Company, role: str) -> None:
    held = restrict(incident, company)
    said = []
    for code in (held.code, "2026-999"):
        with pytest.raises(NotPermitted) as refused:
            restriction.glass_break(code=code, reason=URGENT, at=AT, by=getattr(company, role))
        said.append(str(refused.value))
    assert said[0] == said[1]
    assert JournalEntry.objects.filter(chain="system", action="access.glass_refused").count() == 2


def test_counsel_who_broke_the_glass_can_name_who_is_needed(incident: Incident, company: Company) -> None:
    held = restrict(incident, company, by=company.owner)
    other = make_user("counsel2", company.entity, "counsel")
    restriction.glass_break(code=held.code, reason=URGENT, at=AT, by=other)
    restriction.incident_name(incident=held, restricted=True, people=[company.ciso], reason=WHY, at=AT, by=other)
    assert access.may_handle(company.ciso, held, at=AT)
    assert access.may_decide(other, held, at=AT)


def test_a_role_taken_away_ends_what_the_name_gave(incident: Incident, company: Company) -> None:
    restrict(incident, company, company.ciso)
    company.ciso.memberships.all().delete()
    assert not sees(company.ciso, incident)


def told(incident: Incident) -> set[str]:
    rows = OutboxMessage.objects.filter(incident=incident)
    return {row.recipient.username for row in rows.select_related("recipient") if row.recipient}


def run_out(incident: Incident, *, hours: float) -> None:
    OutboxMessage.objects.filter(incident=incident).delete()
    timers.fire_due(now=later(AT, hours=hours))


def test_the_ladder_of_a_restricted_incident_tells_people_named_and_nobody_else(
    incident: Incident, company: Company
) -> None:
    restrict(incident, company, company.ciso)
    run_out(incident, hours=200)
    assert told(incident) <= {"owner", "counsel", "ciso"}
    assert "ciso" in told(incident)


def test_no_address_that_several_people_read_hears_of_it(incident: Incident, company: Company) -> None:
    Endpoint.objects.create(
        entity=company.entity,
        kind="webhook",
        label="room",
        target="https://example.test/",
        created_by=company.manager,
        created_at=AT,
    )
    restrict(incident, company)
    run_out(incident, hours=200)
    assert not OutboxMessage.objects.filter(incident=incident, endpoint__isnull=False).exists()


def test_with_nobody_named_to_be_reached_the_fallback_hears_that_something_waits_and_no_more(
    incident: Incident, company: Company
) -> None:
    restrict(incident, company, by=company.owner)
    User.objects.filter(pk=company.owner.pk).update(is_active=False)
    run_out(incident, hours=200)
    assert told(incident) == {"counsel"}
    for message in OutboxMessage.objects.filter(incident=incident):
        assert incident.title not in message.subject + message.body + message.html
        assert "/acknowledge/" not in message.body
        assert "/break-glass/" in message.body
        assert incident.code in message.body


def test_news_for_a_role_that_nobody_named_has_goes_to_those_named(incident: Incident, company: Company) -> None:
    held = restrict(incident, company)
    OutboxMessage.objects.filter(incident=incident).delete()
    manager = company.manager.memberships.get()
    words = notices.Words(headline="news", lines={}, todo="look", type="news")
    notices.tell([manager], incident=held, key="news", words=lambda _member: words, at=AT)
    assert told(incident) == {"owner", "counsel"}


def test_an_alarm_about_it_is_for_people_named_alone(incident: Incident, company: Company) -> None:
    held = restrict(incident, company)
    OutboxMessage.objects.filter(incident=incident).delete()
    alarms.raise_alarm("timers", lambda: ("a timer is missing", "look"), at=AT, incident=held)
    assert told(held) == {"owner", "counsel"}
