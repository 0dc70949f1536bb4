"""The tables, the code and the drawing say the same; the traps of the state machine library can't bite."""

import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections
from django_fsm import TransitionNotAllowed

from config.management.commands.draw_states import page
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
