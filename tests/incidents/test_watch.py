"""The watchers are watched: health says what is wrong and since when, and somebody outside is told each minute."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config import env
from incidents import fetching, health, services, sweep, timers, watch
from incidents.models import Heartbeat, Incident, JournalEntry, Obligation, OutboxMessage, Timer
from tests import servers
from tests.bench_clocks_house import fill
from tests.factories import Company, kst, later, make_incident
from tests.incidents.test_durability import wait_until
from tests.tsa import Listener

AT = kst("2026-11-02 09:00")


@pytest.fixture(autouse=True)
def anchors_folder(settings: Any, tmp_path: Path) -> None:
    settings.JOURNAL_ANCHORS = tmp_path / "anchors"


@pytest.fixture
def watcher(settings: Any) -> Iterator[Listener]:
    listener = Listener(lambda path, body: (200, b"OK", {}))
    settings.WATCHER_URL = listener.url
    yield listener
    listener.stop()


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT, personal_data=False)


def all_alive(at: Any) -> None:
    for name in health.WATCHERS:
        health.beat(name, at=at)


def duty(incident: Incident) -> Obligation:
    return incident.obligations.order_by("pk")[0]


def timers_of(row: Obligation) -> Any:
    return Timer.objects.filter(kind=timers.OBLIGATION_RUNG, subject_id=row.pk)


@pytest.mark.parametrize("name", health.WATCHERS)
def test_each_silent_watcher_is_named_with_its_last_sign_of_life(db: None, name: str) -> None:
    all_alive(AT)
    assert health.report(now=AT).healthy
    now = later(AT, days=2)
    all_alive(now)
    health.beat(name, at=AT)
    assert health.report(now=now).problems == {f"{name}_silent": AT.isoformat()}


def test_late_timers_and_stuck_messages_are_named_since_when(incident: Incident) -> None:
    now = later(AT, hours=1)
    all_alive(now)
    assert health.report(now=now).problems["timers_late"] == AT.isoformat()
    timers.fire_due(now=AT)
    assert health.report(now=now).problems == {"outbox_stuck": AT.isoformat()}


def test_a_silent_beat_is_told_apart_from_silent_workers(db: None) -> None:
    now = later(AT, hours=1)
    all_alive(AT)
    health.beat(health.BEAT, at=now)
    assert "beat_silent" not in health.report(now=now).problems
    assert "timers_silent" in health.report(now=now).problems
    health.beat(health.BEAT, at=AT)
    assert health.report(now=now).problems["beat_silent"] == AT.isoformat()


def test_the_outside_watcher_hears_of_green_and_of_red(db: None, watcher: Listener) -> None:
    all_alive(AT)
    watch.ping(health.report(now=AT))
    watch.ping(health.report(now=later(AT, hours=1)))
    watch.ping(None)
    paths = [path for path, _body in watcher.seen]
    assert paths == ["/watch", "/watch/fail", "/watch/fail"]
    assert b"timers_silent" in watcher.seen[1][1]
    assert watcher.seen[2][1] == b"database_gone"


def test_an_outside_watcher_that_is_gone_stops_nothing(db: None, watcher: Listener) -> None:
    watcher.stop()
    all_alive(AT)
    assert watch.tick(now=AT) is not None


def test_a_redirect_is_not_followed(db: None) -> None:
    target = Listener(lambda path, body: (200, b"", {}))
    lure = Listener(lambda path, body: (307, b"", {"Location": target.url}))
    with pytest.raises(fetching.NoAnswer, match="307"):
        fetching.post(lure.url, b"x", content_type="text/plain", timeout=5)
    assert target.seen == []
    target.stop()
    lure.stop()


@pytest.mark.parametrize("given", ["file:///etc/passwd", "ftp://example.test/x", "example.test", "http://"])
def test_only_addresses_of_http_are_taken(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("WATCHER_URL", given)
    with pytest.raises(ImproperlyConfigured, match="WATCHER_URL"):
        env.address("WATCHER_URL")
    with pytest.raises(fetching.NoAnswer):
        fetching.post(given, b"", content_type="text/plain", timeout=1)


def test_a_missed_night_is_caught_up_with_once(incident: Incident) -> None:
    watch.tick(now=AT)
    alive = dict(Heartbeat.objects.values_list("name", "at"))
    assert {name: alive[name] for name in ("sweep", "journal", "anchors")} == dict.fromkeys(
        ("sweep", "journal", "anchors"), AT
    )
    assert watch.nightly(now=later(AT, hours=3), only_missed=True) == []
    assert watch.nightly(now=later(AT, hours=30), only_missed=True) == ["sweep", "journal", "anchors"]


def test_one_nightly_job_that_fails_does_not_stop_the_others(incident: Incident, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings.JOURNAL_ANCHORS = tmp_path / "file" / "anchors"
    assert watch.nightly(now=AT) == ["sweep"]
    assert "anchors_silent" in health.report(now=AT).problems


def test_an_untouched_incident_has_every_timer_it_should(incident: Incident) -> None:
    timers.fire_due(now=later(AT, hours=5))
    assert sweep.sweep(at=later(AT, hours=5)) == []
    assert not JournalEntry.objects.filter(action="timer.missing").exists()


def test_one_lost_step_is_found_mended_journaled_told_and_shown(incident: Incident, company: Company) -> None:
    admin = User.objects.create_superuser("root", "root@example.test", "correct horse battery staple")
    before = set(timers_of(duty(incident)).values_list("key", "due_at"))
    timers_of(duty(incident)).filter(key="due").delete()
    now = later(AT, minutes=5)
    (item,) = sweep.sweep(at=now)
    assert (item.subject.pk, item.missing, item.wrong) == (duty(incident).pk, ("due",), ())
    assert set(timers_of(duty(incident)).values_list("key", "due_at")) == before
    entry = JournalEntry.objects.get(action="timer.missing")
    assert (entry.chain, entry.detail) == (incident.code, {"missing": ["due"], "wrong": []})
    told = OutboxMessage.objects.filter(dedupe__startswith=f"alarm:timers:{incident.code}:")
    assert {row.recipient for row in told} == {admin, company.manager, company.ciso}
    assert health.report(now=now).problems["timers_missing"] == now.isoformat()


def test_sweeping_again_finds_nothing_and_health_is_green_again(incident: Incident) -> None:
    timers_of(duty(incident)).delete()
    assert sweep.sweep(at=AT)
    assert sweep.sweep(at=AT) == []
    assert JournalEntry.objects.filter(action="timer.missing").count() == 1
    assert "timers_missing" not in health.report(now=AT).problems


@pytest.mark.parametrize("change", [{"due_at": later(AT, days=90)}, {"state": Timer.State.OBSOLETE}])
def test_a_timer_that_was_tampered_with_is_planned_anew(incident: Incident, change: dict[str, Any]) -> None:
    timers_of(duty(incident)).filter(key="due").update(**change)
    (item,) = sweep.sweep(at=AT)
    assert item.wrong == ("due",)
    row = duty(incident)
    assert timers_of(row).get(key="due", generation=row.generation, state="pending").due_at == row.due_at
    assert sweep.sweep(at=AT) == []


def test_a_lost_repeat_of_an_overdue_duty_is_found(incident: Incident) -> None:
    now = later(AT, days=3)
    timers.fire_due(now=now)
    timers_of(duty(incident)).filter(state="pending").delete()
    assert [item.missing for item in sweep.sweep(at=now)] == [(sweep.REPEAT,)]
    assert sweep.sweep(at=now) == []


def test_sweeping_many_incidents_takes_no_more_queries(db: None) -> None:
    fill(40, whole=True)
    health.beat("sweep", at=AT)
    with CaptureQueriesContext(connection) as many:
        assert sweep.sweep(at=AT) == []
    Incident.objects.filter(pk__in=Incident.objects.order_by("-pk")[:35]).update(kind=Incident.Kind.REPLAY)
    with CaptureQueriesContext(connection) as few:
        assert sweep.sweep(at=AT) == []
    assert len(many) == len(few)


def test_settled_duties_and_replays_are_left_alone(incident: Incident, company: Company) -> None:
    for row in incident.obligations.all():
        services.obligation_meet(obligation=row, done_at=AT, at=AT, by=company.owner, reference="proof")
    Timer.objects.all().delete()
    assert sweep.sweep(at=AT) == []


@pytest.mark.django_db(transaction=True)
def test_beat_and_a_worker_leave_their_signs_of_life(
    start_celery: Callable[..., list[servers.Server]], redis_server: servers.Redis
) -> None:
    start_celery(REDIS_URL=redis_server.url, BREACHCLOCK_NUDGE_SECONDS="0.5")
    wanted = {health.BEAT, "timers", "outbox"}
    wait_until(lambda: set(Heartbeat.objects.values_list("name", flat=True)) >= wanted, "signs of life")


def test_without_celery_the_command_does_the_same(incident: Incident, capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import call_command

    call_command("run_watch", "--once")
    assert "timers_silent" in capsys.readouterr().out
    assert {"sweep", "journal", "anchors"} <= set(Heartbeat.objects.values_list("name", flat=True))
