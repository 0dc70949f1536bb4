"""Affected systems in bulk: everything or nothing, every error by row and column, nothing calculated."""

import csv
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook

from compliance.errors import BadInput
from incidents import bulk, services
from incidents.models import Incident, SystemImport
from tests.factories import PASSWORD, Company, kst, make_company, make_incident

AT = kst("2026-11-02 09:00")
HERE = "/incidents/2026-777/systems"
HEAD = ["시스템", "주소", "종류", "상태", "최초 발견", "발견자", "비고", "증거"]


@pytest.fixture
def incident(company: Company) -> Incident:
    made = make_incident(company, at=AT, code="2026-777")
    services.evidence_add(incident=made, title="로그", at=AT, by=company.owner)
    return made


def sheet(*rows: list[Any]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def bring(client: Client, content: bytes, name: str = "systems.xlsx", **given: str) -> Any:
    file = io.BytesIO(content)
    file.name = name
    begun = client.post(f"{HERE}/import/", {"file": file, **given})
    if begun.status_code != 302:
        return begun
    client.post(begun.url, {"action": "step"})
    return client.get(begun.url)


def test_a_workbook_is_read_checked_and_recorded_whole(client: Client, company: Company, incident: Incident) -> None:
    client.force_login(company.owner)
    client.cookies["django_language"] = "en"
    rows = [
        [f"web-{number:05}", "10.0.0.1", "서버", "격리", "2026-11-01 10:00", "관제", "=1+1", "E1"]
        for number in range(300)
    ]
    text = bring(client, sheet(HEAD, *rows)).content.decode()
    assert "300 systems would be recorded." in text
    assert incident.systems.count() == 0
    client.post(f"{HERE}/import/{SystemImport.objects.get().pk}/", {"action": "adopt"})
    assert incident.systems.count() == 300
    row = incident.systems.get(name="web-00007")
    assert (row.state, row.note, row.evidence.number) == ("isolated", "=1+1", 1)
    assert row.found_at == kst("2026-11-01 10:00")


def test_every_error_is_named_by_row_and_column_and_nothing_is_recorded(
    client: Client, company: Company, incident: Incident
) -> None:
    client.force_login(company.owner)
    client.cookies["django_language"] = "en"
    services.systems_add(incident=incident, systems=[{"name": "old", "found_by": "관제"}], at=AT, by=company.owner)
    bad = [
        ["a", "", "", "gone", "", "관제"], ["a", "", "", "", "yesterday", "관제"], ["", "x", "", "", "", "관제"],
        ["old", "", "", "", "2999-01-01 00:00", "관제"], ["b", "", "", "", "", "", "", "E9"],
    ]  # fmt: skip
    text = bring(client, sheet(HEAD, *bad)).content.decode()
    held = SystemImport.objects.get()
    found = {(item["row"], item["column"], item["kind"]) for item in held.errors}
    assert found == {
        (2, "state", "state"), (3, "name", "twice"), (3, "found_at", "time"), (4, "name", "missing"),
        (5, "name", "recorded"), (5, "found_at", "future"), (6, "found_by", "missing"), (6, "evidence", "evidence"),
    }  # fmt: skip
    assert "each system once; it stands in row 2 already" in text
    client.post(f"{HERE}/import/{held.pk}/", {"action": "adopt"})
    assert incident.systems.count() == 1


def test_pasted_cells_are_read_too(client: Client, company: Company, incident: Incident) -> None:
    client.force_login(company.owner)
    begun = client.post(f"{HERE}/import/", {"text": "host\tip\nweb-1\t10.0.0.1\n", "found_by": "보안팀"})
    client.post(begun.url, {"action": "step"})
    client.post(begun.url, {"action": "adopt"})
    assert incident.systems.get().found_by == "보안팀"


def test_a_list_that_was_cancelled_is_gone(client: Client, company: Company, incident: Incident) -> None:
    client.force_login(company.owner)
    begun = client.post(f"{HERE}/import/", {"text": "host\nweb-1\n", "found_by": "보안팀"})
    client.post(begun.url, {"action": "cancel"})
    client.post(begun.url, {"action": "adopt"})
    assert incident.systems.count() == 0
    assert SystemImport.objects.get().content is None


def test_who_only_reads_brings_nothing_in(client: Client, company: Company, incident: Incident) -> None:
    client.force_login(company.auditor)
    assert client.post(f"{HERE}/import/", {"text": "host\nweb-1\n"}).status_code == 403
    client.force_login(company.stranger)
    assert client.get(f"{HERE}/").status_code == 404


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", b" " * (80 * 2**20))
    return file.getvalue()


def entities() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (bomb, "file_too_large"), (entities, "not_a_table"), (lambda: b"PK\x03\x04 no zip", "not_a_table"),
        (lambda: b"host\n" + b"x\n" * 50_002, "too_many_rows"), (lambda: b"host\n", "no_rows"),
        (lambda: b"\x00\x01", "not_a_table"), (lambda: b"," * 50 + b"\n1,2\n", "too_many_columns"),
        (lambda: b"x" * (10 * 2**20 + 1), "file_too_large"), (lambda: b'host\n"open\n', "not_a_table"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused_before_it_costs_anything(content: Callable[[], bytes], code: str) -> None:
    with pytest.raises(BadInput) as refused:
        bulk.read(content(), "list")
    assert refused.value.code == code


def test_a_formula_leaves_as_text(client: Client, company: Company, incident: Incident) -> None:
    given = {"name": "=cmd|' /C calc'!A0", "found_by": "관제", "note": "+1"}
    services.systems_add(incident=incident, systems=[given], at=AT, by=company.owner)
    client.force_login(company.auditor)
    text = client.get(f"{HERE}.csv").content.decode("utf-8-sig")
    (row,) = list(csv.DictReader(io.StringIO(text)))
    assert [cell for cell in row.values() if cell.startswith(("=", "+"))] == []


def test_33000_systems_go_in_and_the_list_costs_few_queries(
    client: Client, company: Company, incident: Incident
) -> None:
    client.force_login(company.owner)
    lines = "\n".join(
        f"srv-{number:05},10.{number // 65536}.{number // 256 % 256}.{number % 256}" for number in range(33_000)
    )
    bring(client, f"host,ip\n{lines}\n".encode(), "s.csv", found_by="관제")
    client.post(f"{HERE}/import/{SystemImport.objects.get().pk}/", {"action": "adopt"})
    assert incident.systems.count() == 33_000
    client.get(f"{HERE}/")
    with CaptureQueriesContext(connection) as seen:
        assert client.get(f"{HERE}/?q=srv-0&page=3").status_code == 200
    assert len(seen) <= 12


@pytest.mark.django_db(transaction=True)
def test_bad_rows_are_shown_and_the_corrected_list_goes_in(browser_page: Any, live_site: Callable[..., str]) -> None:
    company = make_company()
    incident = make_incident(company, at=AT, code="2026-777")
    page, site = browser_page, live_site()
    page.goto(f"{site}/accounts/login/")
    page.fill("#id_username", "owner")
    page.fill("#id_password", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{site}/")
    lines = [f"srv-{number:05},관제,{'엉뚱' if number == 12_345 else '격리'}" for number in range(20_000)]
    for content, words in (
        ("\n".join(lines), "오류 1건"),
        ("\n".join(lines).replace("엉뚱", "격리"), "시스템 20000개를 기록합니다"),
    ):
        page.goto(f"{site}{HERE}/import/")
        data = f"시스템,발견자,상태\n{content}\n".encode()
        page.set_input_files("#file", {"name": "목록.csv", "mimeType": "text/csv", "buffer": data})
        page.get_by_role("button", name="목록 읽기").click()
        page.get_by_text(words).wait_for()
        if "엉뚱" in content:
            row = page.locator(".import-errors tbody tr")
            assert row.inner_text().split("\t")[:3] == ["12347", "상태", "엉뚱"]
            assert page.get_by_role("button", name="모두 기록").count() == 0
    page.get_by_role("button", name="모두 기록").click()
    page.wait_for_url(f"**{HERE}/")
    assert incident.systems.count() == 20_000
