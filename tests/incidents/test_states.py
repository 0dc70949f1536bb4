"""The tables, the code and the drawing say the same; the traps of the state machine library can't bite."""

import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections
from django_fsm import TransitionNotAllowed

from config.management.commands.draw_states import page
from incidents.machine import StateByHand, write_move
from incidents.models import Evidence, Incident, Obligation
from incidents.states import EVIDENCE, INCIDENT, OBLIGATION, EvidenceState, IncidentState, ObligationState
from reports.models import Filing
from reports.states import FILING, FilingState
from tests.factories import Company, kst, make_incident

MACHINES = [
    (Incident, INCIDENT, IncidentState),
    (Obligation, OBLIGATION, ObligationState),
    (Evidence, EVIDENCE, EvidenceState),
    (Filing, FILING, FilingState),
]


@pytest.mark.parametrize(("model", "table", "states"), MACHINES)
def test_every_move_of_the_table_is_in_the_code_and_no_other(model, table, states) -> None:
    field = model._meta.get_field("state")
    coded = {(t.name, t.source, t.target) for t in field.get_all_transitions(model)}
    tabled = {(name, source, move.target) for name, move in table.items() for source in move.source}
    assert coded == tabled


@pytest.mark.parametrize(("model", "table", "states"), MACHINES)
def test_a_move_from_any_other_state_is_refused(model, table, states) -> None:
    for name, move in table.items():
        for state in set(states.values) - set(move.source):
            with pytest.raises(TransitionNotAllowed):
                getattr(model(state=state), name)()


def test_the_drawing_in_the_docs_is_current() -> None:
    assert (Path(settings.BASE_DIR) / "docs" / "states.md").read_text(encoding="utf-8") == page()


def test_a_state_cannot_be_set_by_hand(company: Company) -> None:
    incident = make_incident(company, at=kst("2026-11-02 09:00"))
    with pytest.raises(AttributeError):
        incident.state = IncidentState.CLOSED


def test_a_failed_refresh_does_not_switch_the_protection_off(company: Company) -> None:
    incident = make_incident(company, at=kst("2026-11-02 09:00"))
    ghost = Incident(pk=incident.pk + 1000)
    with pytest.raises(Incident.DoesNotExist):
        ghost.refresh_from_db()
    with pytest.raises(AttributeError):
        incident.state = IncidentState.CLOSED


@pytest.mark.django_db(transaction=True)
def test_many_threads_refresh_at_once_without_tripping() -> None:
    from tests.factories import make_company

    incident = make_incident(make_company(), at=kst("2026-11-02 09:00"))
    failures: list[BaseException] = []
    barrier = threading.Barrier(8)

    def refresh() -> None:
        try:
            mine = Incident.objects.get(pk=incident.pk)
            barrier.wait()
            for _ in range(50):
                mine.refresh_from_db()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=refresh) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=kst("2026-11-02 09:00"))


def test_a_move_is_not_lost_by_update_fields_that_do_not_name_the_state(incident: Incident) -> None:
    incident.begin_assessment()
    incident.title = "renamed"
    with pytest.raises(StateByHand, match="update_fields"):
        incident.save(update_fields=["title"])
    held = Incident.objects.get(pk=incident.pk)
    assert (held.state, held.title) == (IncidentState.REPORTED, "서버 이상 징후")
    incident.save(update_fields=["title", "state"])
    assert Incident.objects.get(pk=incident.pk).state == IncidentState.ASSESSING


def test_after_a_saved_move_other_fields_may_be_saved_alone(incident: Incident) -> None:
    incident.begin_assessment()
    incident.save()
    incident.title = "renamed"
    incident.save(update_fields=["title"])
    incident.refresh_from_db()
    incident.save(update_fields=["title"])
    assert Incident.objects.get(pk=incident.pk).title == "renamed"


def test_a_move_made_before_a_refresh_is_gone_and_not_half_remembered(incident: Incident) -> None:
    incident.begin_assessment()
    incident.refresh_from_db()
    incident.save(update_fields=["title"])
    assert Incident.objects.get(pk=incident.pk).state == IncidentState.REPORTED


@pytest.mark.parametrize(("model", "table", "states"), MACHINES)
def test_no_query_can_write_a_state_past_the_table(db: None, model, table, states) -> None:
    for state in states.values:
        with pytest.raises(StateByHand):
            model.objects.all().update(state=state)
        with pytest.raises(StateByHand):
            model._default_manager.filter(pk=1).update(state=state)
        with pytest.raises(StateByHand):
            model.objects.bulk_update([], ["state"])


def test_no_related_manager_can_either(incident: Incident) -> None:
    with pytest.raises(StateByHand):
        incident.obligations.update(state=ObligationState.MET)
    with pytest.raises(StateByHand):
        incident.obligations.filter(pk__gt=0).update(state=ObligationState.MET)


@pytest.mark.parametrize(("model", "table", "states"), MACHINES)
def test_a_new_row_cannot_begin_in_the_middle_of_its_table(db: None, model, table, states) -> None:
    beginnings = {model._meta.get_field("state").default, *model.begins_in}
    for state in set(states.values) - beginnings:
        with pytest.raises(StateByHand, match="begin"):
            model(state=state).save()
        with pytest.raises(StateByHand, match="begin"):
            model.objects.bulk_create([model(state=state)])


def test_threads_that_move_and_refresh_leave_the_protection_on(incident: Incident) -> None:
    def churn() -> None:
        for _ in range(200):
            mine = Incident(pk=1, state=IncidentState.REPORTED)
            mine.begin_assessment()

    threads = [threading.Thread(target=churn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pytest.raises(AttributeError):
        incident.state = IncidentState.CLOSED


def test_several_rows_are_written_at_once_only_when_all_made_the_same_move(company: Company) -> None:
    incident = make_incident(company, at=kst("2026-11-02 09:00"), personal_data=False)
    rows = list(incident.obligations.filter(state="running"))
    rows[0].mark_overdue()
    with pytest.raises(StateByHand):
        write_move(rows)
    write_move(rows[:1])
    assert incident.obligations.get(pk=rows[0].pk).state == "overdue"


def test_a_row_that_somebody_else_moved_meanwhile_is_not_written(company: Company) -> None:
    incident = make_incident(company, at=kst("2026-11-02 09:00"), personal_data=False)
    row, other = (incident.obligations.filter(state="running").first() for _ in range(2))
    assert row is not None
    assert other is not None
    other.lapse()
    other.save()
    row.mark_overdue()
    with pytest.raises(StateByHand):
        write_move([row])
    assert incident.obligations.get(pk=row.pk).state == "not_required"
