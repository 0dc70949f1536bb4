"""Inviting, giving and taking roles, letting people go; entities and their profiles; deputies."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from compliance import clock
from compliance.access_policy import get_access_policy
from compliance.errors import BadInput, NotPermitted, Refused
from compliance.models import Entity, Invitation, Membership
from incidents import access, feeds, journal, services
from incidents.channels.models import CalendarLink
from incidents.models import Incident, JournalEntry, OutboxMessage
from incidents.services import entities, people
from incidents.services.absence import absence_record
from tests.factories import PASSWORD, Company, kst, later, make_incident, make_user

AT = kst("2026-11-02 09:00")
REASON = "점검 결과 오탐으로 확인됨"


@pytest.fixture
def admin(company: Company) -> User:
    return company.administrator


def invite(company: Company, **given) -> User:
    fields = {"email": "New@example.test", "name": "새사람", "roles": ["ciso"], "language": "ko"}
    return people.person_invite(**{**fields, **given}, entity=company.entity, at=AT, by=company.administrator)


def link_in(person: User) -> str:
    body = OutboxMessage.objects.filter(recipient=person, dedupe__startswith="invitation:").latest("pk").body
    return re.search(r"/invitation/([^/]+)/", body)[1]


def test_an_invitation_leads_to_a_password_of_ones_own_once(company: Company) -> None:
    person = invite(company)
    assert (person.username, person.is_active, person.has_usable_password()) == ("new@example.test", False, False)
    assert not access.rights_of(person, at=AT)
    joined = people.invitation_accept(token=link_in(person), password=PASSWORD, at=later(AT, hours=1))
    assert joined.is_active
    assert joined.check_password(PASSWORD)
    with pytest.raises(Refused):
        people.invitation_accept(token=link_in(person), password="another " + PASSWORD, at=later(AT, hours=2))
    assert list(journal.verify()) == []


def test_an_invitation_ends_by_itself_and_by_the_next_one(company: Company) -> None:
    person = invite(company)
    first = link_in(person)
    with pytest.raises(Refused):
        people.invitation_read(first, at=AT + get_access_policy().invitation_for)
    people.person_reactivate(person=person, at=later(AT, hours=1), by=company.administrator)
    with pytest.raises(Refused):
        people.invitation_read(first, at=later(AT, hours=2))
    assert people.invitation_read(link_in(person), at=later(AT, hours=2)).user == person


def test_a_link_that_was_changed_or_a_weak_password_is_refused(company: Company) -> None:
    token = link_in(invite(company))
    with pytest.raises(Refused):
        people.invitation_read(token[:-1] + ("A" if token[-1] != "A" else "B"), at=AT)
    with pytest.raises(BadInput) as refused:
        people.invitation_accept(token=token, password="short", at=AT)
    assert refused.value.field == "password"


@pytest.mark.parametrize("role", ["owner", "counsel", "approver", "manager", "executive", "auditor", "reporter"])
def test_nobody_but_an_administrator_changes_people(company: Company, role: str) -> None:
    by = getattr(company, role)
    with pytest.raises(NotPermitted):
        people.role_grant(person=company.owner, entity=company.entity, role="manager", at=AT, by=by)
    with pytest.raises(NotPermitted):
        people.role_revoke(person=company.owner, entity=company.entity, role="owner", at=AT, by=by)
    with pytest.raises(NotPermitted):
        people.person_deactivate(person=company.owner, at=AT, by=by)
    with pytest.raises(NotPermitted):
        entities.entity_change(entity=company.entity, profile=profile(), at=AT, by=by)


def test_an_administrator_of_one_entity_is_none_of_another(company: Company, admin: User) -> None:
    other = Entity.objects.exclude(pk=company.entity.pk).get()
    with pytest.raises(NotPermitted):
        people.role_grant(person=company.owner, entity=other, role="manager", at=AT, by=admin)
    company.owner.memberships.create(entity=other, role="owner")
    with pytest.raises(NotPermitted):
        people.person_deactivate(person=company.owner, at=AT, by=admin)


def test_an_administrator_reads_no_incident_and_decides_nothing(company: Company, admin: User) -> None:
    incident = make_incident(company, at=AT)
    assert not access.visible_incidents(admin, at=AT).exists()
    assert access.allowed(admin, incident, at=AT) == ()
    Membership.objects.create(user=admin, entity=company.entity, role="approver")
    assert not access.may_decide(admin, incident, at=AT)


def test_nobody_gives_a_role_to_himself(company: Company, admin: User) -> None:
    with pytest.raises(NotPermitted) as refused:
        people.role_grant(person=admin, entity=company.entity, role="manager", at=AT, by=admin)
    assert refused.value.code == "own_role"


@pytest.mark.parametrize(("who", "role"), [("approver", "administrator"), ("counsel", "administrator")])
def test_who_configures_and_who_decides_are_two_people(company: Company, admin: User, who: str, role: str) -> None:
    with pytest.raises(BadInput) as refused:
        people.role_grant(person=getattr(company, who), entity=company.entity, role=role, at=AT, by=admin)
    assert refused.value.code == "roles_apart"


def test_the_last_administrator_stays(company: Company, admin: User) -> None:
    with pytest.raises(Refused) as refused:
        people.role_revoke(person=admin, entity=company.entity, role="administrator", at=AT, by=admin)
    assert refused.value.code == "last_administrator"


def test_taking_the_only_holder_of_a_ladders_role_away_is_told(company: Company, admin: User) -> None:
    gaps = people.role_revoke(person=company.executive, entity=company.entity, role="executive", at=AT, by=admin)
    assert gaps == ["executive"]
    assert JournalEntry.objects.get(action="person.role_unheld").detail == {"roles": ["executive"]}
    told = OutboxMessage.objects.filter(dedupe__startswith="unheld:").values_list("recipient__username", flat=True)
    assert set(told) == {"manager", "ciso", "administrator"}


def test_deactivating_ends_every_way_in_and_keeps_the_name(company: Company, admin: User, client: Client) -> None:
    incident = make_incident(company, at=AT)
    company.owner.first_name = "김하늘"
    company.owner.save()
    _link, token = feeds.link_make(user=company.owner, incident=None, days=30, at=clock.now())
    client.login(username="owner", password=PASSWORD)
    assert client.get("/").status_code == 200
    people.person_deactivate(person=company.owner, at=clock.now(), by=admin)
    assert client.get("/").status_code == 302
    assert CalendarLink.objects.get().revoked_at is not None
    assert not access.rights_of(User.objects.get(username="owner"))
    User.objects.filter(username="owner").update(is_active=True)
    assert client.get("/").status_code == 302, "the old session stays ended"
    assert "BEGIN:VEVENT" not in client.get(f"/calendar/{token}.ics").content.decode()
    assert JournalEntry.objects.filter(chain=incident.code, actor=f"user:{company.owner.pk}").exists()
    assert User.objects.get(username="owner").get_full_name() == "김하늘"
    assert list(journal.verify()) == []


def test_running_incidents_go_to_the_successor(company: Company, admin: User) -> None:
    incident = make_incident(company, at=AT)
    people.person_deactivate(person=company.owner, at=later(AT, hours=1), by=admin, successor=company.ciso)
    assert Incident.objects.get(pk=incident.pk).owner == company.ciso
    assert JournalEntry.objects.filter(chain=incident.code, action="incident.owner_changed").exists()


def test_without_a_successor_counsel_and_managers_hear_of_it(company: Company, admin: User) -> None:
    make_incident(company, at=AT)
    gaps = people.person_deactivate(person=company.owner, at=later(AT, hours=1), by=admin)
    assert gaps == {"hanbit": ["owner"]}
    told = OutboxMessage.objects.filter(dedupe__contains="ownerless:").values_list("recipient__username", flat=True)
    assert set(told) == {"counsel", "manager"}


def test_reactivating_needs_a_new_password(company: Company, admin: User) -> None:
    people.person_deactivate(person=company.ciso, at=AT, by=admin)
    people.person_reactivate(person=company.ciso, at=later(AT, hours=1), by=admin)
    assert not User.objects.get(username="ciso").is_active
    people.invitation_accept(token=link_in(company.ciso), password=PASSWORD, at=later(AT, hours=2))
    assert access.roles_in(User.objects.get(username="ciso"), [company.entity]) == {"ciso"}


def profile(**given) -> dict[str, object]:
    fields = {
        "name": "한빛통신 주식회사",
        "name_en": "Hanbit Telecom",
        "zone": "Asia/Seoul",
        "roles": ["ict_service_provider", "controller"],
        "sectors": ["telecom"],
        "establishments": ["KR"],
        "main_establishment": "KR",
        "markets": ["KR"],
        "particulars": {"business_number": "000-00-00000"},
    }
    return {**fields, **given}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("roles", ["king"]),
        ("sectors", ["magic"]),
        ("establishments", ["Korea"]),
        ("establishments", []),
        ("markets", ["korea"]),
        ("zone", "Seoul"),
        ("main_establishment", "DE"),
        ("particulars", {"Business number": "1"}),
        ("name", " "),
    ],
)
def test_a_profile_holds_only_words_the_law_knows(company: Company, admin: User, field: str, value: object) -> None:
    with pytest.raises(BadInput) as refused:
        entities.entity_change(entity=company.entity, profile=profile(**{field: value}), at=AT, by=admin)
    assert refused.value.field == field


def test_a_changed_profile_moves_no_clock_before_a_person_says_so(company: Company, admin: User) -> None:
    incident = make_incident(company, at=AT)
    before = incident.obligations.count()
    touched = entities.entity_change(
        entity=company.entity, profile=profile(establishments=["KR", "DE"], markets=["KR", "DE"]), at=AT, by=admin
    )
    assert (touched, incident.obligations.count()) == (1, before)
    assert OutboxMessage.objects.filter(dedupe__startswith="entity:", recipient=company.owner).exists()
    entity = Entity.objects.get(pk=company.entity.pk)
    assert entities.would_change(incident, entity, at=later(AT, hours=1)) > 0
    entities.incident_reassess(incident=incident, at=later(AT, hours=1), by=company.owner)
    assert incident.obligations.count() > before
    assert entities.would_change(incident, entity, at=later(AT, hours=1)) == 0


def test_who_makes_an_entity_administers_it(company: Company, admin: User) -> None:
    made = entities.entity_make(key="new", profile=profile(name="새 법인"), at=AT, by=admin)
    assert access.may_configure(admin, made)
    with pytest.raises(NotPermitted):
        entities.entity_make(key="other", profile=profile(), at=AT, by=company.counsel)


def away(company: Company, person: User, deputy: User | None, *, hours: int = 24) -> None:
    absence_record(
        entity=company.entity,
        person=person,
        begins_at=AT,
        ends_at=AT + timedelta(hours=hours),
        deputy=deputy,
        at=AT,
        by=company.manager,
    )


def test_a_deputy_decides_in_the_period_only_and_the_journal_says_for_whom(company: Company) -> None:
    incident = make_incident(company, at=AT, personal_data=False)
    away(company, company.counsel, company.ciso)
    for hours, may in ((1, True), (24, False)):
        assert access.may_decide(company.ciso, incident, at=later(AT, hours=hours)) is may
    request = services.dismissal_request(incident=incident, reason=REASON, at=AT, by=company.owner)
    services.dismissal_decide(dismissal=request, approve=False, at=later(AT, hours=1), by=company.ciso)
    entry = JournalEntry.objects.get(action="incident.dismissal_rejected")
    assert (entry.actor, entry.detail["for"]) == (f"user:{company.ciso.pk}", [f"user:{company.counsel.pk}"])


def test_a_deputy_of_who_asked_is_no_second_person(company: Company) -> None:
    incident = make_incident(company, at=AT)
    request = services.dismissal_request(incident=incident, reason=REASON, at=AT, by=company.counsel)
    away(company, company.counsel, company.ciso)
    with pytest.raises(NotPermitted):
        services.dismissal_decide(dismissal=request, approve=False, at=later(AT, hours=1), by=company.ciso)


def test_a_chain_of_deputies_ends_with_who_is_there(company: Company) -> None:
    incident = make_incident(company, at=AT)
    away(company, company.counsel, company.cpo)
    away(company, company.cpo, company.ciso)
    assert access.may_decide(company.ciso, incident, at=later(AT, hours=1))
    assert not access.may_decide(company.cpo, incident, at=later(AT, hours=1))


def test_standing_in_gives_no_sight_of_a_restricted_incident(company: Company) -> None:
    from incidents.services.restriction import incident_name

    held = incident_name(
        incident=make_incident(company, at=AT), restricted=True, people=[], reason=REASON, at=AT, by=company.counsel
    )
    away(company, company.counsel, company.ciso)
    assert not access.visible_incidents(company.ciso, at=later(AT, hours=1)).filter(pk=held.pk).exists()


def test_an_administrator_as_deputy_still_decides_nothing(company: Company, admin: User) -> None:
    admin.memberships.create(entity=company.entity, role="owner")
    incident = make_incident(company, at=AT)
    away(company, company.counsel, admin)
    assert access.may_handle(admin, incident, at=later(AT, hours=1))
    assert not access.may_decide(admin, incident, at=later(AT, hours=1))


def test_two_of_the_same_invitation_at_once_let_one_in(company: Company) -> None:
    person = invite(company)
    token = link_in(person)
    Invitation.objects.filter(user=person).update(used_at=AT)
    with pytest.raises(Refused):
        people.invitation_accept(token=token, password=PASSWORD, at=AT)
    assert not User.objects.get(pk=person.pk).is_active


def test_a_second_entity_of_a_known_address_adds_roles_and_no_account(company: Company, admin: User) -> None:
    owner = make_user("known", company.entity, "reporter")
    found = invite(company, email="KNOWN@example.test", roles=["manager"])
    assert found == owner
    assert not OutboxMessage.objects.filter(dedupe__startswith="invitation:").exists()
    assert access.roles_in(owner, [company.entity]) == {"reporter", "manager"}
