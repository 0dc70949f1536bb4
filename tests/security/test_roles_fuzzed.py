"""Made-up requests to the API as every role: nothing breaks, nothing differs from the document, nothing of others is told.

``make fuzz`` makes them by the thousand.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings

from compliance import clock
from config.wsgi import application
from incidents.access import scopes_of
from incidents.tokens import Scope
from tests.access_world import NOW, ROLES, World
from tests.api.conftest import token
from tests.api.test_document import CHECKS, DOCUMENT

EXAMPLES = int(os.environ.get("BREACHCLOCK_FUZZ", "1"))
TRIES = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 1,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
# The address says what is asked for; a name that is given back in a refusal is not told.
SECRET = "비밀-6f1c"


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """The application runs in the test's own transaction, so it may not close the connection after a request."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def aim(request: Any, world: World, turn: int) -> None:
    """By turns at an own, another company's and a restricted incident, with real numbers; every fourth stays as made up."""
    given = request.path_parameters or {}
    kind = ("own", "other", "restricted", None)[turn % 4]
    if kind is None:
        return
    names = world.names[kind]
    part = request.operation.path.split("{code}/")[-1].split("/")[0]
    numbers = {"filings": ("draft", "reviewed", "sent")[turn % 3], "duties": "duty", "escalations": "escalation"}
    numbers |= {"facts": "fact", "evidence": "evidence", "dismissals": "dismissal", "excuses": "excuse"}
    real = {"code": "code", "key": "rule", "number": numbers.get(part), "dispatch_id": "dispatch"}
    real |= {"request_id": "request", "comment": "comment"}
    for name, place in real.items():
        if name in given and place:
            given[name] = names[place]


@pytest.mark.usefixtures("_one_connection")
@pytest.mark.parametrize("role", ROLES)
def test_no_answer_breaks_differs_or_tells_of_others(world: World, role: str, settings: Any) -> None:
    settings.API_RATE = "1000000/min"
    person = getattr(world.company, role)
    hidden = mark(world, role)
    made = [scope for scope in Scope.values if scope in scopes_of(person)]
    headers = {"Accept-Encoding": "identity", **(token(person, *made, at=NOW)[0].headers if made else {})}
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, application)
    turns = iter(range(10**9))

    def attempt(request: Any) -> None:
        aim(request, world, next(turns))
        with transaction.atomic(), clock.simulated(NOW):
            answer = request.call(headers=headers)
            transaction.set_rollback(True)
        request.validate_response(answer, checks=CHECKS)
        assert not any(word.encode() in answer.content for word in hidden), request.operation.path

    for operation in schema.get_all_operations():
        TRIES(given(operation.ok().as_strategy())(attempt))()
    assert next(turns) >= 50


def mark(world: World, role: str) -> list[str]:
    """Words that stand in what ``role`` may not see, and nowhere else."""
    from incidents.models import Incident

    theirs = {"stranger": ("own", "restricted")}.get(
        role, ("other",) if role in ("owner", "counsel") else ("other", "restricted")
    )
    words = []
    for kind in theirs:
        word = f"{SECRET}-{kind}"
        Incident.objects.filter(pk=world.incidents[kind].pk).update(title=word, summary=word)
        words.append(word)
    return words
