"""Tokens of programs: what they may, how long, where, and that nobody can make one reach further than its person."""

import hashlib

import pytest
from django.test import Client

from compliance.errors import BadInput, NotPermitted
from compliance.models import Membership
from incidents.models import JournalEntry
from incidents.services.tokens import token_make, token_revoke
from incidents.tokens import ApiToken
from tests.api.conftest import AT, CODE, Api, session, token
from tests.factories import later, make_entity, make_incident, make_user
from tests.reports.conftest import Case

HERE = f"/incidents/{CODE}"
FACT = {"facts": [{"name": "incident.summary", "value": "확인"}]}


def test_a_token_is_kept_as_its_digest_and_shown_once(case: Case) -> None:
    row, text = token_make(label="cron", scopes=["read"], entities=[], days=7, at=AT, by=case.company.owner)
    assert text.startswith("bck_")
    assert len(text) > 40
    assert row.digest == hashlib.sha256(text.encode()).hexdigest()
    assert text not in str(ApiToken.objects.values().get())


@pytest.mark.parametrize("scope", ["read", "handle", "decide", "export"])
def test_a_token_does_what_it_was_made_for_and_nothing_else(case: Case, scope: str) -> None:
    api = token(case.company.counsel, scope)[0]
    calls = {
        "read": lambda: api.get(HERE),
        "handle": lambda: api.post(f"{HERE}/facts", FACT),
        "decide": lambda: api.post(f"{HERE}/law", {"reason": "새 법을 받아들임"}),
        "export": lambda: api.post(f"{HERE}/export"),
    }
    for name, call in calls.items():
        answer = call()
        if name == scope:
            assert answer.status_code in (200, 201, 409)
        else:
            assert (answer.status_code, answer.json()["value"]) == (403, name)


def test_a_token_never_gives_more_than_the_roles_of_its_person_at_that_moment(case: Case) -> None:
    api = token(case.company.owner, "read", "handle")[0]
    assert api.post(f"{HERE}/facts", FACT).status_code == 201
    Membership.objects.filter(user=case.company.owner).update(role="auditor")
    assert api.post(f"{HERE}/facts", FACT).status_code == 403
    Membership.objects.filter(user=case.company.owner).delete()
    assert api.get(HERE).status_code == 404


@pytest.mark.parametrize(
    "role,scope", [("auditor", "handle"), ("owner", "decide"), ("owner", "export"), ("reporter", "decide")]
)
def test_no_token_is_made_for_what_no_role_allows(case: Case, role: str, scope: str) -> None:
    with pytest.raises(BadInput) as refused:
        token(getattr(case.company, role), scope)
    assert refused.value.code == "scope_beyond_roles"


def test_a_token_ends_by_itself_to_the_second(case: Case) -> None:
    api, row = token(case.company.owner, "read", days=7)
    api.at = later(row.expires_at, seconds=-1)
    assert api.get(HERE).status_code == 200
    api.at = row.expires_at
    assert api.get(HERE).status_code == 401


def test_a_revoked_token_ends_at_once(case: Case) -> None:
    api, row = token(case.company.owner, "read")
    assert api.get(HERE).status_code == 200
    token_revoke(token=row, at=AT, by=case.company.owner)
    assert api.get(HERE).status_code == 401
    token_revoke(token=row, at=AT, by=case.company.owner)
    assert JournalEntry.objects.filter(action="token.revoked").count() == 1


def test_nobody_revokes_the_token_of_another(case: Case) -> None:
    row = token(case.company.owner, "read")[1]
    with pytest.raises(NotPermitted):
        token_revoke(token=row, at=AT, by=case.company.counsel)


def test_the_tokens_of_somebody_deactivated_end(case: Case) -> None:
    api = token(case.company.owner, "read")[0]
    case.company.owner.is_active = False
    case.company.owner.save()
    assert api.get(HERE).status_code == 401


def test_a_token_of_one_entity_reaches_nothing_that_concerns_another(case: Case) -> None:
    second = make_entity("second", name="둘째")
    Membership.objects.create(user=case.company.owner, entity=second, role="owner")
    shared = make_incident(case.company, at=AT, code="2025-300", entities=[case.company.entity, second])
    api = token(case.company.owner, "read", "handle", entities=[case.company.entity])[0]
    assert api.get(HERE).status_code == 200
    assert api.get(f"/incidents/{shared.code}").status_code == 404
    assert [row["code"] for row in api.get("/incidents").json()["items"]] == [CODE]
    assert {row["incident"] for row in api.get("/duties").json()} == {CODE}
    assert [row["key"] for row in api.get("/entities").json()] == ["hanbit"]
    assert api.post("/incidents", {"title": "x", "entities": ["second"]}).json()["code"] == "unknown_entity"
    assert session(case.company.owner).get(f"/incidents/{shared.code}").status_code == 200


def test_a_limit_whose_entity_is_gone_reaches_nothing(case: Case) -> None:
    second = make_entity("second", name="둘째")
    Membership.objects.create(user=case.company.owner, entity=second, role="owner")
    api = token(case.company.owner, "read", entities=[second])[0]
    second.memberships.all().delete()
    second.delete()
    assert api.get(HERE).status_code == 404


@pytest.mark.parametrize(
    "text",
    ["Bearer bck_wrong", "Bearer ", "Bearer", "Basic YTpi", "bck_x", "Bearer bck_\u00e9", "Bearer " + "x" * 5000],
)
def test_what_is_no_token_is_refused_even_beside_a_session(case: Case, text: str) -> None:
    api = session(case.company.owner)
    assert api.get(HERE, Authorization=text).status_code == 401


def test_a_token_needs_no_csrf_token_and_a_session_does(case: Case) -> None:
    api = token(case.company.owner, "handle")[0]
    api.client = Client(enforce_csrf_checks=True)
    assert api.post(f"{HERE}/facts", FACT).status_code == 201
    signed_in = Api(client=Client(enforce_csrf_checks=True))
    signed_in.client.force_login(case.company.owner)
    answer = signed_in.post(f"{HERE}/facts", FACT)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    assert signed_in.get(HERE).status_code == 200


def test_when_a_token_was_last_used_is_noted_to_the_minute(case: Case) -> None:
    api, row = token(case.company.owner, "read")
    for seconds, noted in ((0, 0), (30, 0), (90, 90)):
        api.at = later(AT, seconds=seconds)
        api.get(HERE)
        row.refresh_from_db()
        assert row.used_at == later(AT, seconds=noted)


def test_making_and_revoking_stands_in_the_journal_of_the_system_without_the_token(case: Case) -> None:
    row, text = token_make(label="cron", scopes=["read"], entities=[], days=7, at=AT, by=case.company.owner)
    entry = JournalEntry.objects.get(action="token.made")
    assert (entry.chain, entry.actor, entry.subject) == ("system", f"user:{case.company.owner.pk}", f"token {row.pk}")
    assert entry.detail == {"scopes": ["read"], "entities": [], "days": 7}
    assert text[4:] not in str(entry.detail)


@pytest.mark.parametrize("days", [0, -1, 91])
def test_no_token_outlives_what_the_house_allows(case: Case, days: int) -> None:
    with pytest.raises(BadInput) as refused:
        token(case.company.owner, "read", days=days)
    assert refused.value.field == "days"


def test_requests_are_counted_for_each_token(case: Case, settings) -> None:
    settings.API_RATE = "3/min"
    busy, calm = token(case.company.owner, "read")[0], token(case.company.owner, "read")[0]
    assert [busy.get(HERE).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = busy.get(HERE)
    assert (answer.json()["code"], int(answer["Retry-After"]) > 0) == ("too_many_requests", True)
    assert calm.get(HERE).status_code == 200


def test_guessing_tokens_is_counted_for_the_address(case: Case, settings) -> None:
    settings.API_RATE = "3/min"
    codes = [Api().get(HERE, Authorization=f"Bearer bck_{number}").status_code for number in range(4)]
    assert codes == [401, 401, 401, 429]
    assert [Api().get(HERE).status_code for _ in range(2)] == [429, 429]


# --- the page ---


def post(client: Client, **given: object) -> str:
    answer = client.post("/tokens/", given)
    return answer.content.decode()


def test_the_page_makes_shows_once_and_revokes(case: Case) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(case.company.owner)
    text = post(client, action="make", label="backup", scopes=["read"], days="7")
    shown = text.split('<p class="hash">')[1].split("</p>")[0]
    assert shown.startswith("bck_")
    assert shown not in client.get("/tokens/").content.decode()
    assert Api(None, {"Authorization": f"Bearer {shown}"}).get(HERE).status_code == 200
    row = ApiToken.objects.get()
    client.post("/tokens/", {"action": "revoke", "subject": row.pk})
    assert Api(None, {"Authorization": f"Bearer {shown}"}).get(HERE).status_code == 401


def test_the_page_offers_only_what_the_roles_allow(case: Case) -> None:
    client = Client()
    client.force_login(case.company.auditor)
    assert 'value="handle"' not in client.get("/tokens/").content.decode()
    answer = client.post("/tokens/", {"action": "make", "label": "x", "scopes": ["handle"], "days": "7"})
    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


def test_the_page_shows_and_ends_only_ones_own(case: Case) -> None:
    row = token(case.company.owner, "read")[1]
    client = Client()
    client.force_login(case.company.counsel)
    assert row.hint not in client.get("/tokens/").content.decode()
    assert client.post("/tokens/", {"action": "revoke", "subject": row.pk}).status_code == 404
    assert client.post("/tokens/", {"action": "revoke", "subject": "x"}).status_code == 404
    row.refresh_from_db()
    assert row.revoked_at is None


def test_somebody_without_a_role_makes_none(case: Case) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(make_user("nobody"))
    assert "None of your roles" in client.get("/tokens/").content.decode()
