"""The board: which clocks, in which order, counted how, in how many queries; its exports; and that it follows time by itself."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar
from openpyxl import load_workbook

from compliance import clock
from incidents import board, services
from incidents.board import Filters
from incidents.export_rows import neutral
from incidents.models import Incident, Obligation
from incidents.selectors import Tone, clock_of
from tests import scale
from tests.factories import PASSWORD, Company, kst, make_company, make_incident

pytestmark = pytest.mark.django_db
AT = kst("2026-11-02 09:00")
MOST_QUERIES = 12


@pytest.fixture
def house() -> scale.House:
    return scale.fill(60, now=clock.now())


def read(client: Client, path: str, user: Any, language: str = "en") -> str:
    client.force_login(user)
    client.cookies["django_language"] = language
    response = client.get(path)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def queries(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


PAGES = ["/", "/?group=incident", "/?group=authority&state=overdue", "/?missing=acknowledgement", "/?q=S-0000", "/?wall=1",
         "/board/clocks/", "/incidents/", "/incidents/?q=S-&state=open"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_ten_rows_and_a_hundred_take_the_same_few_queries(
    client: Client, monkeypatch: pytest.MonkeyPatch, house: scale.House, path: str
) -> None:
    client.force_login(house.company.manager)
    many = queries(client, path)
    monkeypatch.setattr(board, "ROWS", 10)
    assert queries(client, path) == many <= MOST_QUERIES


def test_a_board_with_replays_stays_within_its_queries(client: Client, house: scale.House) -> None:
    Incident.objects.filter(code="S-000001").update(kind="replay", clock_at=clock.now())
    client.force_login(house.company.manager)
    assert queries(client, "/?group=owner") <= MOST_QUERIES


def every_clock(house: scale.House, now: Any) -> list[Any]:
    rows = Obligation.objects.filter(state__in=("possible", "running", "overdue")).select_related("incident")
    return [clock_of(row, now=now) for row in rows]


@pytest.mark.both_databases
def test_the_database_counts_and_sorts_as_the_clocks_themselves_say(house: scale.House) -> None:
    now = clock.now()
    clocks = every_clock(house, now)
    found = board.board(house.company.manager, Filters(), now=now)
    assert found.counts.total == len(clocks)
    assert {tone: found.counts.tones[tone] for tone in board.TONES} == {
        tone: sum(item.tone == tone for item in clocks) for tone in board.TONES
    }
    soon = [item for item in clocks if item.tone in (Tone.NEAR, Tone.RUNNING) and item.delta <= timedelta(hours=72)]
    assert found.counts.within_72 == len(soon) > 0
    ordered = [item.obligation.pk for item in sorted(clocks, key=lambda item: item.sort_key)]
    assert [item.obligation.pk for item in found.clocks] == ordered[:100]


@pytest.mark.both_databases
@pytest.mark.parametrize("name", ["state", "entity", "country", "authority", "owner", "kind"])
def test_each_choice_leaves_as_many_clocks_as_it_says(house: scale.House, name: str) -> None:
    now, user = clock.now(), house.company.manager
    for choice in board.count(user, Filters(), now=now).facets[name]:
        chosen = Filters(**{name: choice.value})
        rows = board.narrowed(board.open_duties(user, chosen), chosen, now=now)
        assert rows.count() == board.count(user, chosen, now=now).total == choice.count


def test_pages_follow_one_another_without_gap_or_double(house: scale.House) -> None:
    now, user = clock.now(), house.company.manager
    whole = [item.obligation.pk for item in board.export_clocks(user, Filters(), now=now)]
    pages = [board.board(user, Filters(page=number, wall=True), now=now).clocks for number in (1, 2, 3)]
    assert [item.obligation.pk for page in pages for item in page] == whole[:36]


@pytest.mark.both_databases
def test_groups_stay_together_with_the_most_urgent_first(house: scale.House) -> None:
    found = board.board(house.company.manager, Filters(group="owner"), now=clock.now())
    names = [item.obligation.incident.owner_id for item in found.clocks]
    heads = [name for place, name in enumerate(names) if place == 0 or names[place - 1] != name]
    assert len(heads) == len(set(heads))
    assert found.clocks[0].tone == Tone.OVERDUE


def test_whoever_has_no_role_sees_no_row_count_choice_or_export(client: Client, house: scale.House) -> None:
    stranger = house.company.stranger
    text = read(client, "/", stranger)
    assert "S-0000" not in text
    assert "No clock is running." in text
    counts = board.count(stranger, Filters(), now=clock.now())
    assert (counts.total, counts.facets["owner"], counts.facets["authority"]) == (0, [], [])
    assert "S-0000" not in read(client, "/board/clocks.csv", stranger)
    assert "S-0000" not in read(client, "/incidents/", stranger)


def test_another_entity_s_rows_stay_out_of_everything(client: Client, house: scale.House) -> None:
    owner = house.company.owner  # of the first entity only
    found = board.board(owner, Filters(), now=clock.now())
    assert {choice.value for choice in found.counts.facets["entity"]} == {"hanbit"}
    assert board.board(owner, Filters(entity="hanbit-eu"), now=clock.now()).counts.total == 0
    lines = list(
        csv.DictReader(io.StringIO(read(client, "/board/clocks.csv?entity=hanbit-eu", owner).lstrip("\ufeff")))
    )
    assert lines == []


def test_a_link_with_nonsense_still_shows_the_board(client: Client, house: scale.House) -> None:
    text = read(client, "/?state=late&within=soon&group=%01&page=99999&kind=x", house.company.manager)
    assert 'id="clocks"' in text


def test_a_figure_leads_to_its_rows(client: Client, house: scale.House) -> None:
    text = read(client, "/", house.company.manager)
    number = int(re.search(r'figure overdue" href="\?state=overdue"[^>]*><b>([\d,]+)</b>', text)[1].replace(",", ""))
    assert f"{number} clocks" in read(client, "/?state=overdue", house.company.manager)


def test_what_is_late_says_how_late_who_was_told_and_what_is_missing(client: Client, house: scale.House) -> None:
    text = read(client, "/?state=overdue&missing=reason", house.company.manager)
    assert '<span class="tag overdue">■ Overdue</span>' in text
    assert "past due" in text
    assert "Reason for the delay is missing" in text
    assert "owner, counsel" in text
    assert "Not acknowledged." in text


def test_a_possible_duty_asks_its_question(client: Client, company: Company) -> None:
    make_incident(company, at=AT, leak_suspected_at=AT)
    text = read(client, "/?state=possible", company.manager)
    assert "? To be decided" in text
    assert re.search(r'href="/incidents/[^"]+\?fact=[a-z_.]+#record"', text)


def test_times_stand_in_the_authority_s_zone_and_the_reader_s(client: Client, house: scale.House) -> None:
    path, user = "/?state=overdue&entity=hanbit-eu", house.company.manager
    both = read(client, path, user)
    assert "CET" in both
    assert "KST" in both
    client.post("/display/", {"times": "place", "next": "/"})
    assert not re.search(r"<td>[^<]*CET<br>", read(client, path, user))


def test_choices_of_display_are_kept_and_lead_back_inside_only(client: Client, company: Company) -> None:
    client.force_login(company.manager)
    response = client.post("/display/", {"theme": "dark", "next": "https://evil.example/"})
    assert response.url == "/"
    assert 'data-theme="dark"' in client.get("/").content.decode()
    client.post("/display/", {"theme": "<script>", "next": "/"})
    assert 'data-theme="dark"' in client.get("/").content.decode()


def test_nothing_new_is_answered_with_304_and_news_with_rows(client: Client, house: scale.House) -> None:
    client.force_login(house.company.manager)
    first = client.get("/board/clocks/?kind=real")
    again = client.get("/board/clocks/?kind=real", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Incident.objects.filter(code="2026-first").update(title="새 제목")
    make_incident(house.company, at=clock.now(), code="2026-third")
    news = client.get("/board/clocks/?kind=real", headers={"If-None-Match": first["ETag"]})
    assert news.status_code == 200
    assert 'role="status"' in news.content.decode()


def test_an_open_board_goes_to_sign_in_when_the_session_has_ended(client: Client) -> None:
    response = client.get("/board/clocks/?state=overdue")
    assert response["HX-Redirect"] == "/accounts/login/?next=%2F%3Fstate%3Doverdue"


def hostile(company: Company) -> None:
    make_incident(company, at=AT, code="2026-555", title='=HYPERLINK("http://evil.example","x")')


def test_no_cell_of_a_csv_is_a_formula(client: Client, company: Company) -> None:
    hostile(company)
    content = read(client, "/board/clocks.csv?incident=2026-555", company.manager, "ko")
    assert content.startswith("\ufeff상태,")
    lines = list(csv.reader(io.StringIO(content.lstrip("\ufeff"))))
    assert len(lines) == 1 + Obligation.objects.filter(state__in=("possible", "running", "overdue")).count()
    assert lines[1][6].startswith("'=HYPERLINK")
    assert float(lines[1][1] or 0) <= 0


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_what_a_spreadsheet_would_calculate_becomes_text(text: str) -> None:
    assert neutral(text) == f"'{text}"


def test_a_workbook_holds_text_and_no_formula(client: Client, company: Company) -> None:
    hostile(company)
    client.force_login(company.manager)
    sheet = load_workbook(io.BytesIO(client.get("/board/clocks.xlsx").content)).active
    titles = [row[6] for row in sheet.iter_rows(min_row=2)]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert all(cell.value.startswith("'=HYPERLINK") for cell in titles)


def test_the_calendar_holds_the_rows_that_fit_and_have_a_moment(client: Client, house: scale.House) -> None:
    user, now = house.company.manager, clock.now()
    wanted = Filters(state="near", owner="handler1")
    fitting = list(board.export_clocks(user, wanted, now=now))
    client.force_login(user)
    found = Calendar.from_ical(client.get(f"/board/clocks.ics?{wanted.query()}").content)
    assert len(found.walk("VEVENT")) == len(fitting)


def test_an_unknown_kind_of_export_is_not_there(client: Client, company: Company) -> None:
    client.force_login(company.manager)
    assert client.get("/board/clocks.exe").status_code == 404


def test_a_wall_screen_turns_its_pages_without_scripts_too(client: Client, house: scale.House) -> None:
    text = read(client, "/?wall=1", house.company.manager)
    assert "<header" not in text
    assert '<noscript><meta http-equiv="refresh" content="20;url=/?page=2&amp;wall=1"></noscript>' in text
    last = board.board(house.company.manager, Filters(wall=True), now=clock.now()).pages
    assert 'hx-get="/board/clocks/?wall=1"' in read(client, f"/?wall=1&page={last}", house.company.manager)


def test_the_list_finds_by_number_title_and_owner(client: Client, house: scale.House) -> None:
    user = house.company.manager
    assert "1 incident<" in read(client, "/incidents/?q=S-000007", user)
    assert "No incident fits what you chose." in read(client, "/incidents/?q=nothing-like-it", user)
    mine = Incident.objects.filter(owner__username="handler3").count()
    assert f"{mine} incident" in read(client, "/incidents/?owner=handler3", user)


@pytest.mark.django_db(transaction=True)
def test_an_open_board_follows_time_and_news_by_itself(browser_page: Any, live_site: Callable[..., str]) -> None:
    company = make_company()
    incident = make_incident(company, at=clock.now() - timedelta(minutes=10), code="2026-001")
    page, site = browser_page, live_site()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(f"{site}/accounts/login/?next=/")
    page.fill("#id_username", "manager")
    page.fill("#id_password", PASSWORD)
    page.click("main button")
    page.wait_for_selector("[data-until]")
    # An hour later by the same clock: the browser counts down on its own.
    before = page.text_content("[data-until]")
    page.evaluate("document.querySelector('#clocks').dataset.offset = String(3600 * 1000)")
    page.wait_for_function("said => document.querySelector('[data-until]').textContent !== said", arg=before)
    # Another person records something; the part of the page is asked for again, and only it changes.
    services.fact_record(incident=incident, name="leak.suspected", value=True, at=clock.now(), by=company.owner)
    make_incident(company, at=clock.now(), code="2026-002")
    page.evaluate("window.untouched = true; document.querySelector('#clocks').dispatchEvent(new Event('due'))")
    page.wait_for_selector("text=2026-002")
    assert page.evaluate("window.untouched") is True
    # The keyboard: help, then the list of incidents.
    page.keyboard.press("?")
    page.wait_for_selector("dialog#keys[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url(f"{site}/incidents/")
    assert problems == []
