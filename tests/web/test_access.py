"""No view without a decision on who may see it; the table of roles; what the checks cost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from compliance.access_policy import FILE, Capability, get_access_policy, read_access_policy
from compliance.engine import LawError
from compliance.library import HERE
from compliance.models import Role
from incidents import access
from incidents.access.declared import OPEN, Decision
from tests.factories import Company, kst, make_incident

AT = kst("2026-11-02 09:00")
# Whoever signs in is not signed in yet. None of these shows anything of anybody.
SIGN_IN = {
    "account_inactive", "account_login", "account_logout", "account_reset_password", "account_reset_password_done",
    "account_reset_password_from_key_done", "account_signup", "mfa_authenticate", "mfa_login_webauthn",
    "openid_connect_callback", "openid_connect_login", "saml_acs", "saml_finish_acs", "saml_login", "saml_metadata",
    "saml_sls", "socialaccount_login_cancelled", "socialaccount_login_error", "socialaccount_signup",
}  # fmt: skip


def addresses(resolver: Any = None, prefix: str = "", namespace: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every route of the site with its name and view."""
    for item in (resolver or get_resolver()).url_patterns:
        route = prefix + str(item.pattern)
        if hasattr(item, "url_patterns"):
            yield from addresses(item, route, item.namespace or namespace)
        else:
            yield route, f"{namespace}:{item.name}" if namespace else str(item.name), item.callback


def test_every_view_says_how_it_decides() -> None:
    found = list(addresses())
    assert len(found) > 40
    assert [name for _route, name, view in found if access.decision_of(view) is None] == []


def test_only_views_that_say_so_open_without_signing_in() -> None:
    closed = [
        name
        for _route, name, view in addresses()
        if access.decision_of(view) not in OPEN and not getattr(view, "login_required", True)
    ]
    assert closed == []
    public = {name for _route, name, view in addresses() if access.decision_of(view) is Decision.PUBLIC}
    assert public <= {"login", "logout", "set_language", "health"} | SIGN_IN


def test_a_view_that_says_nothing_is_for_people_signed_in(client: Client, db: None) -> None:
    from django.contrib.auth.middleware import LoginRequiredMiddleware
    from django.http import HttpResponse
    from django.test import RequestFactory

    request = RequestFactory().get("/new/")
    request.user = type("Nobody", (), {"is_authenticated": False})()
    answer = LoginRequiredMiddleware(lambda _request: HttpResponse()).process_view(request, lambda: None, (), {})
    assert answer is not None
    assert answer.status_code == 302


def test_an_unknown_decision_is_refused() -> None:
    with pytest.raises(ValueError, match="everybody"):
        access.decides("everybody")


def table(tmp_path: Path, **roles: list[str]) -> Path:
    held = yaml.safe_load((HERE / "policies" / FILE).read_text())
    held["roles"] |= roles
    (tmp_path / FILE).write_text(yaml.safe_dump(held))
    return tmp_path


@pytest.mark.parametrize(
    ("role", "held"),
    [
        ("administrator", ["configure", "decide"]),
        ("administrator", ["configure", "read"]),
        ("auditor", ["read", "handle"]),
        ("reporter", ["report", "read"]),
        ("approver", ["report", "decide"]),
        ("owner", ["fly"]),
    ],
)
def test_a_table_that_breaks_what_must_hold_is_refused(tmp_path: Path, role: str, held: list[str]) -> None:
    with pytest.raises(LawError) as refused:
        read_access_policy(table(tmp_path, **{role: held}))
    assert f"roles.{role}" in str(refused.value)


def test_a_house_may_set_its_own_table(tmp_path: Path) -> None:
    assert read_access_policy(table(tmp_path, auditor=["read"])).roles["auditor"] == {Capability.READ}


def test_the_table_names_every_role() -> None:
    assert set(get_access_policy().roles) == set(Role.values)


def test_what_a_person_sees_is_one_query_without_distinct(company: Company) -> None:
    make_incident(company, at=AT)
    sql = str(access.visible_incidents(company.owner).query)
    assert "DISTINCT" not in sql
    assert "JOIN" not in sql.split("WHERE")[0]
    assert "compliance_membership" not in sql


def test_roles_are_asked_for_once_in_a_request(company: Company) -> None:
    incident = make_incident(company, at=AT)
    with access.remembering(), CaptureQueriesContext(connection) as asked:
        for _time in range(5):
            access.may_handle(company.owner, incident)
            access.may_decide(company.owner, incident)
            access.visible_entities(company.owner)
    assert len(asked) <= 3


def test_a_role_taken_away_counts_at_the_next_request(client: Client, company: Company) -> None:
    make_incident(company, at=AT, code="2026-777")
    client.force_login(company.manager)
    assert client.get("/incidents/2026-777/access/").status_code == 200
    company.manager.memberships.all().delete()
    assert client.get("/incidents/2026-777/access/").status_code == 404


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_nobody_who_was_deactivated_has_any_right(company: Company, role: str) -> None:
    person: User = getattr(company, role)
    person.is_active = False
    assert access.rights_of(person) == ()
    assert not access.visible_incidents(person).exists()
