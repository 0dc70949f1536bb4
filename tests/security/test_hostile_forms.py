"""Every field of every form of every page, filled with what no browser would send: refused, never broken."""

from collections.abc import Iterator
from typing import Any

import pytest

from incidents.forms import ACTIONS
from reports.actions import ACTIONS as FILING_ACTIONS
from tests.access_world import World, filled
from tests.security.conftest import send

# A digit that is no number, more digits than Python reads, what PostgreSQL does not store, and what is of no type at all.
HOSTILE = {
    "superscript": "²",
    "endless": "9" * 5000,
    "null": "a\x00b",
    "text": "abc",
    "deep": "[" * 5000,
    "header": "x\r\nSet-Cookie: a=b",
}
# All that the pages of filings read from a form.
FILING_FIELDS = [
    "edition", "note", "reason", "comments_reason", "comment", "field", "ground", "subject", "answers", "privileged", "late_reason",
    "reviewer", "instead_of", "language", "channel", "target", "request_key", "submitted_at", "receipt_number", "sent", "text",
    "received_at", "due_at", "answer", "outcome", "outcome_at",
]  # fmt: skip


def bodies() -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    """Address, what is given, and the fields that are filled with something hostile."""
    for name, kind in ACTIONS.items():
        yield "/incidents/{code}/", {"action": name}, list(kind.base_fields)
    yield "/incidents/{code}/", {"action": "fact", "name": "leak.confirmed"}, ["value", "label", "source"]
    yield "/incidents/{code}/", {"action": "fact", "name": "incident.known_at"}, ["value", "label", "source"]
    for name in FILING_ACTIONS:
        filing = {"approve": "{reviewed}", "return": "{reviewed}", "ask": "{reviewed}"}.get(name, "{sent}")
        filing = "{draft}" if name in ("edit", "comment", "support", "late", "resolve_comment", "language") else filing
        yield f"/incidents/{{code}}/filings/{filing}/", {"action": name}, [*FILING_FIELDS, "field-summary"]
    yield "/incidents/{code}/filings/", {}, ["obligation", "request_key"]
    yield (
        "/report/",
        {},
        ["title", "summary", "entity", "known_at", "is_cyber", "personal_data", "drill", "request_key"],
    )
    yield "/incidents/{code}/messages/?page=²&duty=²&person=²&state=x", {"action": "again"}, ["subject"]
    yield "/incidents/{code}/access/", {}, ["restricted", "people", "reason", "end"]
    yield "/incidents/{code}/access/", {}, ["end"]
    yield "/incidents/{code}/law/", {}, ["reason"]
    yield "/incidents/{code}/facts/{fact}/redact/", {}, ["reason", "confirm"]
    yield "/incidents/{code}/public-statements/", {}, ["title", "published_at", "text", "location", "topic-0", "said-0"]
    yield "/incidents/{code}/score/edpb/", {}, ["entity"]
    yield "/incidents/{code}/score/edpb/", {"action": "adopt"}, ["answers", "digest", "chosen", "reason", "settled"]
    yield "/incidents/{code}/export/", {}, ["privileged"]
    yield "/entities/{entity}/incidents/", {}, ["incident", "subject", "code"]
    yield "/break-glass/", {}, ["code", "reason"]
    yield "/display/", {}, ["next", "theme", "times", "keys"]
    yield "/i18n/setlang/", {}, ["next", "language"]
    yield "/law/days-off/", {}, ["calendar", "on", "name", "source"]
    for name in ("absence", "preference", "back"):
        fields = ["person", "deputy", "begins_at", "ends_at", "quiet_from", "quiet_until", "whole_entity", "absence"]
        yield "/absence/", {"action": name}, fields
    for name in ("endpoint", "link", "zone", "try", "revoke", "unlink"):
        fields = ["entity", "role", "kind", "label", "target", "incident", "days", "zone", "subject"]
        yield "/channels/", {"action": name}, fields
    for name in ("make", "revoke"):
        yield "/tokens/", {"action": name}, ["label", "scopes", "entities", "days", "subject"]


def pages() -> Iterator[str]:
    """Every address that reads what stands behind the question mark."""
    yield from (
        "/",
        "/board/clocks/",
        "/board/clocks.csv",
        "/incidents/",
        "/overview/",
        "/law/",
        "/law/calculate/",
        "/absence/",
    )
    yield from ("/overview/monthly.pdf", "/law/{rule}/", "/incidents/{code}/", "/incidents/{code}/messages/")
    yield from ("/incidents/{code}/score/edpb/", "/accounts/login/")


QUERY = [
    "page", "q", "state", "kind", "entity", "owner", "month", "authority", "outcome", "fact", "person", "duty", "incident", "next",
    "place", "audience", "confidence", "standing", "rule", "stage", "start", "old", "new", "from", "to", "a", "b", "tone", "sort",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_no_form_breaks(world: World, name: str) -> None:
    broken = []
    for path, given, fields in bodies():
        body = dict.fromkeys(fields, HOSTILE[name]) | given
        answer = send(world, "counsel", filled(path, world.names["own"]), body)
        if answer.status_code >= 500:
            broken.append(f"{path} {given}: {answer.status_code}")
        assert "a=b" not in str(answer.headers.get("Set-Cookie", "")) + str(answer.cookies), path
    assert broken == []


@pytest.mark.parametrize("name", ["superscript", "null"])
def test_no_page_breaks_by_what_stands_in_its_address(world: World, name: str) -> None:
    broken = []
    for path in pages():
        answer = send(world, "counsel", filled(path, world.names["own"]), dict.fromkeys(QUERY, HOSTILE[name]), "get")
        if answer.status_code >= 500:
            broken.append(f"{path}: {answer.status_code}")
    assert broken == []
