"""Newer law, rules we are not sure of and days off: nothing that runs moves before a person says so."""

import shutil
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction

from compliance import library, releases
from compliance.engine import LawError
from compliance.errors import BadInput, NotPermitted, Refused
from compliance.models import DayOff, LawRelease
from incidents import services
from incidents.models import Incident, JournalEntry
from tests.factories import Company, kst

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

KNOWN = kst("2026-11-20 09:00")
NOW = kst("2026-11-20 10:00")
REPORT = "kr/network-act/incident-report.yaml"


@pytest.fixture
def incident(company: Company) -> Incident:
    return services.incident_report(
        title="Web shell",
        summary="",
        entities=[company.entity],
        at=NOW,
        by=company.owner,
        known_at=KNOWN,
        is_cyber=True,
    )


@pytest.fixture
def newer_law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same law with 12 hours in place of 24, deployed on the next start."""
    root = tmp_path / "law"
    shutil.copytree(library.LAW, root)
    path = root / REPORT
    text = path.read_text(encoding="utf-8")
    assert text.count("within: 24") >= 2
    path.write_text(text.replace("within: 24", "within: 12"), encoding="utf-8")
    monkeypatch.setattr(library, "LAW", root)
    monkeypatch.setattr(library, "CACHE", tmp_path / "law.json")
    library.get_library.cache_clear()
    yield root
    monkeypatch.undo()
    library.get_library.cache_clear()


def due(incident: Incident) -> datetime | None:
    return incident.obligations.get(rule="kr.network-act.incident-report", stage="initial").due_at


def test_an_incident_keeps_the_release_it_began_under(incident: Incident) -> None:
    assert incident.law_digest == library.get_library().digest
    assert LawRelease.objects.filter(digest=incident.law_digest).count() == 1
    assert not services.law_behind().exists()
    assert services.law_preview(incident=incident, at=NOW) == ()


def test_a_new_release_moves_nothing_that_runs(incident: Incident, newer_law: Path, company: Company) -> None:
    services.fact_record(incident=incident, name="incident.summary", value="more", at=NOW, by=company.owner)
    assert due(incident) == kst("2026-11-21 09:00")
    assert [item.code for item in services.law_behind()] == [incident.code]


def test_what_a_new_release_would_change_is_shown_before_anybody_accepts_it(
    incident: Incident, newer_law: Path
) -> None:
    effects = services.law_preview(incident=incident, at=NOW)
    told = [(item.kind, item.before.due_at, item.after.due_at) for item in effects if item.before and item.after]
    assert told == [("retime", kst("2026-11-21 09:00"), kst("2026-11-20 21:00"))]
    assert due(incident) == kst("2026-11-21 09:00")


def test_a_person_accepts_and_the_clocks_are_computed_anew(
    incident: Incident, newer_law: Path, company: Company
) -> None:
    services.law_accept(incident=incident, reason="The decree was amended.", at=NOW, by=company.counsel)
    assert due(incident) == kst("2026-11-20 21:00")
    assert not services.law_behind().exists()
    entry = JournalEntry.objects.get(chain=incident.code, action="law.accepted")
    assert entry.detail["effects"] == 1
    with pytest.raises(Refused, match="law in use already"):
        services.law_accept(
            incident=Incident.objects.get(pk=incident.pk), reason="Once more.", at=NOW, by=company.counsel
        )


def test_accepting_needs_a_reason_and_counsel(incident: Incident, newer_law: Path, company: Company) -> None:
    with pytest.raises(BadInput):
        services.law_accept(incident=incident, reason="  ", at=NOW, by=company.counsel)
    with pytest.raises(NotPermitted):
        services.law_accept(incident=incident, reason="Because it is newer.", at=NOW, by=company.owner)


def test_a_new_incident_begins_under_the_newer_law(newer_law: Path, company: Company) -> None:
    begun = services.incident_report(
        title="Another", summary="", entities=[company.entity], at=NOW, by=company.owner, known_at=KNOWN, is_cyber=True
    )
    assert due(begun) == kst("2026-11-20 21:00")


def test_a_kept_release_that_was_changed_is_refused(incident: Incident, newer_law: Path) -> None:
    releases._kept.cache_clear()
    with pytest.raises(DatabaseError), transaction.atomic():  # the database itself refuses first
        LawRelease.objects.update(first_used_at=NOW)
    wrong = LawRelease.objects.create(
        digest="f" * 64, content=LawRelease.objects.get(digest=incident.law_digest).content, first_used_at=NOW
    )
    with pytest.raises(LawError, match="it was changed"):
        releases.library_at(wrong.digest, days_known_at=NOW)


def test_a_day_off_counts_for_new_incidents_and_waits_for_the_running_ones(
    incident: Incident, company: Company
) -> None:
    later = kst("2026-11-20 11:00")
    services.day_off_add(
        calendar="KR", on=date(2026, 11, 23), name="임시공휴일", source="국무회의 의결", at=later, by=company.counsel
    )
    assert [item.code for item in services.law_behind()] == [incident.code]
    held, now = services.library_of(incident), releases.library_at("", days_known_at=later)
    assert held.calendars["KR"].holiday(date(2026, 11, 23)) is None
    assert now.calendars["KR"].holiday(date(2026, 11, 23)) == "임시공휴일"
    services.law_accept(incident=incident, reason="The holiday was declared.", at=later, by=company.counsel)
    assert not services.law_behind().exists()
    again = Incident.objects.get(pk=incident.pk)
    assert services.library_of(again).calendars["KR"].holiday(date(2026, 11, 23)) == "임시공휴일"


@pytest.mark.parametrize(
    ("change", "field"),
    [({"calendar": "MARS"}, "calendar"), ({"name": " "}, "name"), ({"source": "x"}, "source")],
)
def test_a_day_off_that_is_wrong_names_its_field(company: Company, change: dict[str, str], field: str) -> None:
    given = {"calendar": "KR", "on": date(2026, 11, 23), "name": "임시공휴일", "source": "국무회의 의결", **change}
    with pytest.raises(BadInput) as refused:
        services.day_off_add(**given, at=NOW, by=company.counsel)
    assert refused.value.field == field


def test_a_day_off_is_added_once_and_by_counsel_or_a_manager(company: Company) -> None:
    given = {"calendar": "KR", "on": date(2026, 11, 23), "name": "임시공휴일", "source": "국무회의 의결", "at": NOW}
    services.day_off_add(**given, by=company.counsel)
    with pytest.raises(BadInput, match="KR 2026-11-23"):
        services.day_off_add(**given, by=company.counsel)
    with pytest.raises(NotPermitted):
        services.day_off_add(**given, by=company.owner)
    assert DayOff.objects.count() == 1


def test_only_a_rule_of_low_confidence_can_be_turned_on(incident: Incident, company: Company) -> None:
    with pytest.raises(BadInput, match="expected a rule of low confidence"):
        services.rule_decide(
            incident=incident,
            entity=company.entity,
            rule="kr.network-act.incident-report",
            follow=True,
            reason="Sure enough.",
            at=NOW,
            by=company.counsel,
        )
