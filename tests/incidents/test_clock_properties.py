"""What holds whatever comes in which order: the same duties, the same live timers, and never two live generations."""

import random
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents import services, timers
from incidents.models import Escalation, Incident, JournalEntry, Obligation, Timer
from incidents.states import OPEN_OBLIGATION
from tests.factories import Company, kst, later, make_company, make_incident

AT = kst("2026-11-02 09:00")
NOW = later(AT, hours=1)
DUTY = {"rule": "kr.network-act.incident-report", "stage": "initial"}
SLOW = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

FACTS: list[dict[str, Any]] = [
    {"name": "incident.known_at", "value": later(AT, hours=-3), "label": "관제"},
    {"name": "incident.known_at", "value": later(AT, hours=-9), "label": "외부 통보"},
    {"name": "incident.is_cyber", "value": True},
    {"name": "incident.occurred_at", "value": later(AT, hours=-20)},
    {"name": "leak.confirmed", "value": True},
    {"name": "leak.known_at", "value": later(AT, hours=-2), "label": "확인"},
    {"name": "leak.sensitive_data", "value": True},
    {"name": "risk.level", "value": "high"},
]


def record(incident: Incident, company: Company, fact: dict[str, Any] | None) -> None:
    if fact is not None:
        services.fact_record(incident=incident, at=NOW, by=company.owner, **fact)
        return
    services.people_record(
        incident=incident,
        entity=company.entity,
        residence="KR",
        count=5000,
        categories=["name"],
        confirmed_at=NOW,
        at=NOW,
        by=company.owner,
    )


def duties(incident: Incident) -> set[tuple]:
    return set(
        incident.obligations.values_list(
            "rule", "stage", "occurrence", "state", "starts_at", "due_at", "target_at", "standard", "ladder"
        )
    )


def live(incident: Incident) -> list[tuple]:
    """The timers that will do something: pending, of the present generation of an open duty."""
    found = []
    for row in incident.obligations.filter(state__in=OPEN_OBLIGATION):
        pending = Timer.objects.filter(
            kind=timers.OBLIGATION_RUNG, subject_id=row.pk, generation=row.generation, state=Timer.State.PENDING
        )
        found += [(row.identity, item.key, item.due_at, sorted(item.payload["roles"])) for item in pending]
    return sorted(found)


@pytest.fixture
def in_one_order(company: Company) -> tuple[set[tuple], list[tuple]]:
    incident = make_incident(company, at=AT, is_cyber=None)
    for fact in [*FACTS, None]:
        record(incident, company, fact)
    return duties(incident), live(incident)


@SLOW
@given(order=st.permutations([*FACTS, None]))
@pytest.mark.django_db
def test_any_order_of_recording_ends_in_the_same_duties_and_live_timers(
    company: Company, in_one_order: tuple[set[tuple], list[tuple]], order: list[dict[str, Any] | None]
) -> None:
    incident = make_incident(company, at=AT, is_cyber=None)
    for fact in order:
        record(incident, company, fact)
    assert len(in_one_order[1]) > 20
    assert (duties(incident), live(incident)) == in_one_order


@SLOW
@given(early=st.integers(0, 60 * 24 * 5), shift=st.integers(0, 60 * 24 * 5), at_once=st.booleans())
@pytest.mark.django_db
def test_a_later_awareness_never_gives_an_earlier_deadline(
    company: Company, early: int, shift: int, at_once: bool
) -> None:
    moments = [later(AT, minutes=-early - shift), later(AT, minutes=-early)]
    first, second = (
        make_incident(company, at=AT, known_at=moment, leak_suspected_at=moment if at_once else None)
        for moment in moments
    )
    sooner = {row.identity: row.due_at for row in first.obligations.all()}
    for row in second.obligations.all():
        if row.due_at is not None and sooner.get(row.identity) is not None:
            assert sooner[row.identity] <= row.due_at
    services.fact_record(incident=second, name="incident.known_at", value=AT, label="later", at=NOW, by=company.owner)
    assert second.obligations.get(**DUTY).due_at == later(moments[1], hours=24)


class Together:
    """Runs pieces of work in threads that start each piece together, and keeps what went wrong."""

    def __init__(self, *works: list[Callable[[], Any]]) -> None:
        self.works = works
        self.barrier = threading.Barrier(len(works), timeout=60)
        self.failures: list[BaseException] = []

    def run(self) -> None:
        threads = [threading.Thread(target=self._work, args=(pieces,)) for pieces in self.works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert self.failures == []

    def _work(self, pieces: list[Callable[[], Any]]) -> None:
        try:
            for piece in pieces:
                self.barrier.wait()
                piece()
        except BaseException as error:
            self.failures.append(error)
            self.barrier.abort()
        finally:
            connections.close_all()


def generations_in_order(row: Obligation) -> None:
    """No step of a generation comes after one of a later generation, in the order in which they were committed."""
    entries = JournalEntry.objects.filter(chain=row.incident.code, action="escalation.reached")
    mine = [
        entry.detail["generation"]
        for entry in entries.order_by("sequence")
        if entry.subject == f"duty {row.rule}/{row.stage}"
    ]
    assert mine == sorted(mine)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.django_db(transaction=True)
def test_no_interleaving_of_retiming_firing_and_meeting_leaves_two_live_generations(seed: int) -> None:
    company = make_company()
    incident = make_incident(company, at=AT, personal_data=False)
    chance = random.Random(seed)
    rounds = 6

    def retime(number: int) -> Callable[[], Any]:
        known = later(AT, minutes=-number * 7 - 1)
        return lambda: services.fact_record(
            incident=incident, name="incident.known_at", value=known, label=str(number), at=NOW, by=company.owner
        )

    def fire(hours: float) -> Callable[[], Any]:
        return lambda: timers.fire_due(now=later(AT, hours=hours))

    def settle(number: int) -> Callable[[], Any]:
        def toggle() -> None:
            row = incident.obligations.get(**DUTY)
            if number % 2:
                services.obligation_meet(obligation=row, done_at=NOW, at=NOW, by=company.owner, reference=f"F{number}")
            elif row.state in ("met", "met_late"):
                services.obligation_reopen(obligation=row, reason="did not count", at=NOW, by=company.owner)

        return toggle

    def acknowledge() -> None:
        step = Escalation.objects.filter(obligation__rule=DUTY["rule"], acknowledged_at=None).first()
        if step is not None:
            services.escalation_acknowledge(escalation=step, at=later(AT, hours=30), by=company.owner)

    hours = sorted(chance.uniform(0, 26) for _ in range(rounds))
    retimes = [retime(chance.randrange(40)) for _ in range(rounds)]
    meets = [settle(number if chance.random() < 0.5 else 0) for number in range(rounds)]
    Together(
        [fire(hour) for hour in hours],
        [fire(hour) for hour in hours],
        retimes,
        meets,
        [acknowledge] * rounds,
    ).run()

    row = incident.obligations.get(**DUTY)
    mine = Timer.objects.filter(kind=timers.OBLIGATION_RUNG, subject_id=row.pk)
    assert set(mine.filter(state="pending", generation__gt=row.generation)) == set()
    generations_in_order(row)
    timers.fire_due(now=later(AT, days=40))
    pending = set(mine.filter(state="pending").values_list("generation", flat=True))
    assert pending <= {row.generation}
    if row.state in OPEN_OBLIGATION:
        assert pending == {row.generation}
        assert mine.filter(generation=row.generation, key="due", state="fired").count() == 1
    else:
        assert pending == set()
    generations_in_order(row)
    fired = Escalation.objects.filter(obligation=row).values_list("timer__generation", "rung")
    assert len(fired) == len(set(fired))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.django_db(transaction=True)
def test_an_answer_and_the_step_it_holds_back_never_both_win(seed: int) -> None:
    company = make_company()
    incident = make_incident(company, at=AT, personal_data=False)
    timers.fire_due(now=AT)
    row = incident.obligations.get(**DUTY)
    opened = row.escalations.get(rung="opened")
    asked = Timer.objects.get(kind="obligation.unanswered", subject_id=row.pk)
    Together(
        [lambda: services.escalation_acknowledge(escalation=opened, at=asked.due_at, by=company.owner)],
        [lambda: timers.fire_due(now=asked.due_at)],
        [lambda: timers.fire_due(now=asked.due_at)],
    ).run()
    asked.refresh_from_db()
    half = Timer.objects.get(kind=timers.OBLIGATION_RUNG, subject_id=row.pk, key="half")
    assert {"fired": True, "obsolete": False}[asked.state] == (half.state == "fired")
    if asked.state == "obsolete":
        assert half.attempt_at == half.due_at


def queries_of(work: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


@pytest.mark.django_db
def test_unrelated_incidents_cost_a_run_nothing(company: Company) -> None:
    first = make_incident(company, at=AT, personal_data=False)
    alone = queries_of(lambda: timers.fire_due(now=AT))
    for _ in range(12):
        make_incident(company, at=later(AT, days=1), personal_data=False)
    make_incident(company, at=AT, personal_data=False)
    crowded = queries_of(lambda: timers.fire_due(now=AT))
    steps = first.escalations.count()
    assert crowded == alone
    assert alone <= 25 * steps + 10


@pytest.mark.django_db
def test_more_people_cost_a_step_no_more_queries(company: Company) -> None:
    from tests.factories import make_user

    make_incident(company, at=AT, personal_data=False)
    few = queries_of(lambda: timers.fire_due(now=AT))
    for number in range(15):
        make_user(f"more{number}", company.entity, "owner", "counsel")
    make_incident(company, at=AT, personal_data=False, by=company.counsel)
    assert queries_of(lambda: timers.fire_due(now=AT)) <= few


@pytest.mark.django_db
def test_an_idle_tick_is_one_look_into_the_index_of_pending_timers(company: Company) -> None:
    incident = make_incident(company, at=AT, personal_data=False)
    row = Timer.objects.filter(incident=incident).first()
    assert row is not None
    Timer.objects.bulk_create(
        Timer(
            incident=incident,
            kind=row.kind,
            subject_id=10**9 + number,
            key="half",
            generation=1,
            payload=row.payload,
            due_at=later(AT, hours=1, seconds=number),
            attempt_at=later(AT, hours=1, seconds=number),
            created_at=AT,
            state="pending" if number % 2 else "fired",
        )
        for number in range(6000)
    )
    idle = later(AT, hours=-1)
    assert queries_of(lambda: timers.fire_due(now=idle)) == 1
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE incidents_timer")
    due = Timer.objects.filter(clock="wall", state="pending", attempt_at__lte=idle).order_by("attempt_at", "pk")[:100]
    plan = due.explain(analyze=True, buffers=True)
    assert "pending_timers" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan


def test_a_deadline_in_the_repeated_hour_is_one_instant() -> None:
    """01:30 of the first and of the second pass are an hour apart, and so are their steps."""
    from compliance.engine import ladder
    from compliance.library import get_policies

    first, second = (datetime.fromisoformat(f"2026-11-01T01:30{offset}") for offset in ("-04:00", "-05:00"))
    policy = get_policies().ladders[-1]
    steps = [
        {
            item.key: item.at
            for item in ladder(opened_at=later(due, hours=-24), starts_at=None, due_at=due, policy=policy)
        }
        for due in (first, second)
    ]
    assert {key: (steps[1][key] - steps[0][key]).total_seconds() for key in steps[0]} == dict.fromkeys(steps[0], 3600.0)
