"""The manager's view: numbers that agree with the rows behind them, pictures with tables, and the month on paper."""

import io
import re
import statistics
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from compliance import clock
from incidents import charts, listing, overview
from incidents.charts import Series
from incidents.listing import Wanted
from incidents.models import Incident, Obligation
from tests import scale

pytestmark = pytest.mark.django_db
ZONE = "Asia/Seoul"
MOST_QUERIES = 12


@pytest.fixture
def house() -> scale.House:
    return scale.fill(60, now=clock.now())


@pytest.fixture
def read(client: Client, house: scale.House) -> Callable[[str], str]:
    def get(path: str) -> str:
        client.force_login(house.company.manager)
        client.cookies["django_language"] = "en"
        response = client.get(path)
        assert response.status_code == 200, response.status_code
        return response.content.decode()

    return get


def met(house: scale.House, now) -> list[Obligation]:
    begin = overview.months_before(now, ZONE)[0].begin
    rows = Obligation.objects.filter(state__in=("met", "met_late"), met_at__gte=begin, incident__kind="real")
    return list(rows.select_related("incident"))


@pytest.mark.both_databases
def test_figures_agree_with_the_rows_one_by_one(house: scale.House) -> None:
    now = clock.now()
    found, rows = overview.overview(house.company.manager, now=now, zone=ZONE), met(house, now)
    assert (found.whole.in_time, found.whole.late) == (
        sum(row.state == "met" for row in rows),
        sum(row.state == "met_late" for row in rows),
    )
    close = [row for row in rows if row.state == "met" and row.due_at - row.met_at < (row.due_at - row.starts_at) / 10]
    assert found.whole.near == len(close) > 0
    taken = statistics.median((row.met_at - row.starts_at).total_seconds() for row in rows)
    assert abs(found.whole.median.total_seconds() - taken) < 2
    assert sum(kept.total for _month, kept in found.months) == sum(kept.total for _name, kept in found.authorities)


@pytest.mark.both_databases
def test_months_are_those_of_the_reader_s_clock(house: scale.House) -> None:
    now = clock.now()
    month = overview.months_before(now, ZONE)[-2]
    rows = [row for row in met(house, now) if month.begin <= row.met_at < month.end]
    assert overview.kept_by(house.company.manager, [month])
    assert sum(row[month.key].total for row in overview.kept_by(house.company.manager, [month]).values()) == len(rows)


def test_drills_and_replays_count_for_nothing(house: scale.House) -> None:
    for kind in ("drill", "replay"):
        Incident.objects.all().update(kind=kind)
        found = overview.overview(house.company.manager, now=clock.now(), zone=ZONE)
        numbers = (found.counts.total, found.whole.total, found.reasons_missing, found.unacknowledged, found.incidents)
        assert numbers == (0, 0, 0, 0, {})
        assert found.load == []


def test_it_takes_few_queries(client: Client, house: scale.House) -> None:
    client.force_login(house.company.manager)
    client.get("/overview/")
    with CaptureQueriesContext(connection) as seen:
        assert client.get("/overview/").status_code == 200
    assert len(seen) <= MOST_QUERIES


def test_every_number_on_top_leads_to_as_many_rows(read) -> None:
    figures = re.findall(r'<a class="figure[^"]*" href="([^"]+)"><b>([\d,]+)</b>', read("/overview/"))
    boards = [
        (url.replace("&amp;", "&"), int(number.replace(",", ""))) for url, number in figures if url.startswith("/?")
    ]
    assert len(boards) == 6
    for url, number in boards:
        text = read(url)
        assert f">{number} clocks<" in text if number else "No clock fits" in text


def test_load_by_owner_adds_up(house: scale.House) -> None:
    found = overview.overview(house.company.manager, now=clock.now(), zone=ZONE)
    assert sum(row.total for row in found.load) == found.counts.total
    assert [row.overdue for row in found.load] == sorted((row.overdue for row in found.load), reverse=True)


@pytest.mark.both_databases
@pytest.mark.parametrize("outcome", ["in_time", "late", "near"])
def test_drilling_down_finds_the_incidents_behind_a_number(house: scale.House, outcome: str) -> None:
    rows = met(house, clock.now())
    close = {
        row.pk for row in rows if row.state == "met" and row.due_at - row.met_at < (row.due_at - row.starts_at) / 10
    }
    fits = {
        "in_time": lambda row: row.state == "met",
        "late": lambda row: row.state == "met_late",
        "near": lambda row: row.pk in close,
    }[outcome]
    found = listing.incidents(house.company.manager, Wanted(kind="real", outcome=outcome), zone=ZONE)
    assert {row.pk for row in rows if fits(row)}
    assert {row.incident_id for row in rows if fits(row)} <= {incident.pk for incident in found}


def test_whoever_has_no_role_gets_no_number(client: Client, house: scale.House) -> None:
    client.force_login(house.company.stranger)
    text = client.get("/overview/").content.decode()
    assert set(re.findall(r"<b>([\d,]+)</b>", text)) == {"0"}
    assert "<svg" not in text.split("<main")[1]
    assert "handler1" not in text


def test_each_picture_has_a_name_and_a_table_behind_it(read) -> None:
    text = read("/overview/")
    pictures = re.findall(r'<svg [^>]*role="img" aria-labelledby="([^"]+)"', text)
    assert len(pictures) == 3
    assert all(f'<title id="{name}">' in text for name in pictures)
    assert text.count("<summary>Numbers</summary>") == 3


def test_bars_are_drawn_to_one_scale() -> None:
    chart = charts.bars([Series("a", [("overdue", 10), ("near", 0)], "10"), Series("b", [("overdue", 5)], "5")])
    first, second = chart.bars
    assert [part.tone for part in first.parts] == ["overdue"]
    assert first.parts[0].width == pytest.approx(2 * second.parts[0].width, abs=0.2)


def test_a_name_too_long_for_its_place_is_cut_in_both_scripts() -> None:
    assert charts.short("가" * 30) == "가" * 13 + "…"
    assert charts.short("a" * 26) == "a" * 26


def test_the_month_is_a_tagged_document_with_its_figures(client: Client, house: scale.House) -> None:
    month = overview.months_before(clock.now(), ZONE)[-2]
    client.force_login(house.company.manager)
    client.cookies["django_language"] = "ko"
    response = client.get(f"/overview/monthly.pdf?month={month.key}")
    assert response["Content-Type"] == "application/pdf"
    reader = PdfReader(io.BytesIO(response.content))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    text = "".join(page.extract_text() for page in reader.pages)
    assert f"기한 준수 보고서, {month.key}" in text
    kept = overview.kept_by(house.company.manager, [month])
    assert str(sum(row[month.key].total for row in kept.values())) in text


@pytest.mark.parametrize("month", ["", "2026-13", "x", "2026-1", "99999-01"])
def test_a_month_that_is_none_is_not_there(client: Client, house: scale.House, month: str) -> None:
    client.force_login(house.company.manager)
    assert client.get(f"/overview/monthly.pdf?month={month}").status_code == 404


def test_a_month_ends_where_the_next_begins() -> None:
    months = overview.months_before(clock.now(), ZONE)
    assert len(months) == overview.MONTHS
    assert all(one.end == two.begin for one, two in pairwise(months))
    assert months[-1].begin <= clock.now() < months[-1].end
    assert months[-1].end - months[-1].begin >= timedelta(days=28)
