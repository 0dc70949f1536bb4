"""Clocks in a calendar program: they move, they are struck out, and nobody else sees them."""

import warnings
from datetime import timedelta

import icalendar
import pytest
from django.test import Client

from compliance import clock
from compliance.errors import NotPermitted, Refused
from incidents import feeds, services
from incidents.channels.models import CalendarLink, Reader
from incidents.models import Incident
from tests.factories import Company, kst, later, make_incident

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import ics

AT = kst("2026-11-02 09:00")
pytestmark = pytest.mark.both_databases
DUTY = "침해사고 최초신고"


def read(link: CalendarLink, at=AT) -> dict[str, icalendar.Event]:
    """The events by their summary, as the icalendar library reads them."""
    found = icalendar.Calendar.from_ical(feeds.calendar(link, at=at))
    return {str(event["summary"]): event for event in found.walk("VEVENT")}


def one(link: CalendarLink, words: str, at=AT) -> icalendar.Event:
    return next(event for summary, event in read(link, at).items() if words in summary)


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT, personal_data=False)


@pytest.fixture
def link(company: Company, incident: Incident) -> CalendarLink:
    return feeds.link_make(user=company.owner, incident=None, days=90, at=AT)[0]


def test_an_event_stands_at_the_due_moment_in_utc_with_an_alarm(incident: Incident, link: CalendarLink) -> None:
    event = one(link, DUTY)
    assert event.decoded("dtstart") == kst("2026-11-03 09:00")
    assert event.to_ical().count(b"DTSTART:20261103T000000Z") == 1
    alarm = next(iter(event.walk("VALARM")))
    assert alarm.decoded("trigger") == -timedelta(hours=1)
    assert "과학기술정보통신부" in event["description"]
    assert "2026-11-03 (화) 09:00 KST" in event["description"]
    assert str(event["url"]).endswith(f"/incidents/{incident.code}/")


def test_an_event_moves_with_its_deadline_under_the_same_name(
    company: Company, incident: Incident, link: CalendarLink
) -> None:
    before = one(link, DUTY)
    moved = later(AT, minutes=30)
    services.fact_record(
        incident=incident,
        name="incident.known_at",
        value=later(AT, hours=-3),
        label="처음 봄",
        at=moved,
        by=company.owner,
    )
    after = one(link, DUTY, moved)
    assert after["uid"] == before["uid"]
    assert after.decoded("dtstart") == kst("2026-11-03 06:00")
    assert after["sequence"] > before["sequence"]
    assert after.decoded("last-modified") > before.decoded("last-modified")


def test_what_no_longer_applies_is_struck_out(company: Company, incident: Incident, link: CalendarLink) -> None:
    before = one(link, DUTY)
    services.fact_record(
        incident=incident, name="incident.is_cyber", value=False, source="x", at=later(AT, minutes=5), by=company.owner
    )
    after = one(link, DUTY, later(AT, minutes=6))
    assert (after["uid"], after["status"]) == (before["uid"], "CANCELLED")
    assert after["sequence"] > before["sequence"]
    assert not list(after.walk("VALARM"))


def test_a_second_reader_that_shares_no_code_reads_the_same(incident: Incident, link: CalendarLink) -> None:
    text = feeds.calendar(link, at=AT).decode()
    events = {event.uid: event for event in ics.Calendar(text).events}
    for event in read(link).values():
        other = events[str(event["uid"])]
        assert other.name == str(event["summary"])
        assert other.begin.datetime == event.decoded("dtstart")
        assert other.description == str(event["description"])
        assert len(other.alarms) == len(list(event.walk("VALARM")))


def test_a_house_target_and_an_open_question_are_told_apart_from_law(company: Company) -> None:
    company.entity.memberships.update(language="en")
    incident = make_incident(company, at=AT, is_cyber=None)
    services.fact_record(incident=incident, name="incident.occurred_at", value=AT, at=AT, by=company.owner)
    link, _token = feeds.link_make(user=company.owner, incident=incident, days=30, at=AT)
    events = read(link)
    assert one(link, "Decide: Initial incident report")["status"] == "TENTATIVE"
    house = [summary for summary in events if "ouse target, not law" in summary]
    assert house
    assert all("House target (not law)" in events[summary]["description"] for summary in house)


def test_the_title_of_the_incident_stays_in_the_house(incident: Incident, link: CalendarLink) -> None:
    assert incident.title not in feeds.calendar(link, at=AT).decode()


def test_a_reader_elsewhere_also_reads_the_own_time(company: Company, incident: Incident, link: CalendarLink) -> None:
    Reader.objects.create(user=company.owner, zone="Europe/Berlin")
    link = CalendarLink.objects.get()
    assert "(Europe/Berlin): 2026-11-03 (화) 01:00 CET" in one(link, DUTY)["description"]


def test_what_the_person_may_no_longer_see_is_gone(company: Company, incident: Incident, link: CalendarLink) -> None:
    assert read(link)
    company.owner.memberships.all().delete()
    assert read(link) == {}


def test_nobody_gets_an_address_for_an_incident_that_is_not_theirs(company: Company, incident: Incident) -> None:
    with pytest.raises(NotPermitted):
        feeds.link_make(user=company.stranger, incident=incident, days=90, at=AT)


def test_a_replay_has_no_calendar(company: Company) -> None:
    with clock.simulated(AT):
        incident = make_incident(company, at=AT, kind=Incident.Kind.REPLAY)
    with pytest.raises(Refused):
        feeds.link_make(user=company.owner, incident=incident, days=90, at=AT)
    everything, _token = feeds.link_make(user=company.owner, incident=None, days=90, at=AT)
    assert read(everything) == {}


def test_an_incident_of_its_own_shows_that_incident_alone(company: Company, incident: Incident) -> None:
    make_incident(company, at=AT, title="다른 사건", personal_data=False, code="2026-999")
    link, _token = feeds.link_make(user=company.owner, incident=incident, days=90, at=AT)
    assert all(incident.code in summary for summary in read(link))


@pytest.mark.parametrize("how", ["revoked", "expired", "left"])
def test_an_ended_address_shows_an_empty_calendar(company: Company, link: CalendarLink, how: str) -> None:
    at = AT
    if how == "revoked":
        feeds.link_revoke(link=link, at=AT, by=company.owner)
    elif how == "expired":
        at = later(AT, days=90)
    else:
        company.owner.is_active = False
        company.owner.save()
    assert read(CalendarLink.objects.get(), at) == {}


def test_only_the_owner_of_an_address_withdraws_it(company: Company, link: CalendarLink) -> None:
    with pytest.raises(NotPermitted):
        feeds.link_revoke(link=link, at=AT, by=company.manager)


def test_the_address_needs_no_sign_in_and_is_kept_as_a_digest_only(client: Client, company: Company) -> None:
    link, token = feeds.link_make(user=company.owner, incident=None, days=30, at=clock.now())
    response = client.get(f"/calendar/{token}.ics")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert "no-store" in response["Cache-Control"]
    assert response.content.startswith(b"BEGIN:VCALENDAR\r\n")
    assert token not in str(list(CalendarLink.objects.values()))
    assert len(token) >= 40
    link.refresh_from_db()
    assert link.read_at is not None
    assert client.get(f"/calendar/{token[:-1]}.ics").status_code == 404


def test_a_calendar_of_many_clocks_takes_few_queries(
    company: Company, link: CalendarLink, django_assert_max_num_queries
) -> None:
    for number in range(5):
        make_incident(company, at=AT, code=f"2026-8{number}")
    with django_assert_max_num_queries(10):
        feeds.calendar(link, at=AT)
