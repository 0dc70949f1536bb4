"""A changed byte, a missing document, another template: each is found and named; what changed since does not touch what was filed."""

import dataclasses
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from incidents.models import Heartbeat
from incidents.services import fact_record
from reports import drawing, kit, render, sealed, storage, verification
from reports.forms import registry
from reports.kit import fonts_in
from reports.models import Document, Filing
from reports.sayings import words_in
from reports.tasks import verify_filings
from tests.factories import later
from tests.reports.conftest import NOW, Case


@pytest.fixture
def filing(case: Case) -> Filing:
    return case.frozen()


def examine(filing: Filing) -> list[verification.Fault]:
    return list(verification.examine(verification.frozen_filings().get(pk=filing.pk)))


def kinds(filing: Filing) -> list[str]:
    """The faults; what is only remarked is none."""
    return [fault.kind for fault in verification.verify(verification.frozen_filings().get(pk=filing.pk))]


def stored(filing: Filing) -> Path:
    return storage.path_of(filing.document.sha256)


@pytest.fixture
def unsealed(db: None):
    """As somebody with the database's own password could."""
    with connection.cursor() as cursor:
        for line in sealed.removal(connection.vendor):
            cursor.execute(line)


def test_a_frozen_filing_verifies(filing: Filing) -> None:
    assert kinds(filing) == []


def test_a_changed_byte_is_found(filing: Filing) -> None:
    content = bytearray(stored(filing).read_bytes())
    content[len(content) // 2] ^= 1
    stored(filing).write_bytes(bytes(content))
    assert kinds(filing) == ["document_changed", "drawing_differs"]


def test_a_missing_document_is_found(filing: Filing) -> None:
    stored(filing).unlink()
    assert kinds(filing) == ["document_missing"]


def test_a_changed_statement_is_found(filing: Filing, unsealed) -> None:
    statement = filing.statement | {"author": "somebody else"}
    Filing.objects.filter(pk=filing.pk).update(statement=statement)
    assert kinds(filing) == ["statement_changed", "drawing_differs"]


def test_another_document_in_its_place_is_found_by_the_journal(filing: Filing, unsealed) -> None:
    other = storage.store(b"%PDF-1.7 another", media_type="application/pdf", name="x.pdf", at=NOW)
    Filing.objects.filter(pk=filing.pk).update(document=other)
    assert kinds(filing) == ["journal_differs", "drawing_differs"]


def test_a_filing_the_journal_knows_nothing_of_is_found(filing: Filing, unsealed) -> None:
    Filing.objects.filter(pk=filing.pk).update(number=77)
    assert "journal_differs" in kinds(filing)


@pytest.fixture
def another_year(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Templates, styles, words and typefaces as a later version may have them."""
    folder, fonts = tmp_path / "forms", tmp_path / "fonts"
    for path in [*registry.FOLDER.rglob("*.html"), *registry.FOLDER.rglob("*.css")]:
        target = folder / path.relative_to(registry.FOLDER)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8").replace("<h1>", "<h1>New: ").replace("18mm 17mm", "30mm 30mm")
        target.write_text(text, encoding="utf-8")
    fonts.mkdir()
    swapped = {"Pretendard-Regular.ttf": "Pretendard-Bold.ttf", "Pretendard-Bold.ttf": "Pretendard-Regular.ttf"}
    for path in kit.FONTS.glob("*.ttf"):
        (fonts / swapped.get(path.name, path.name)).symlink_to(path)
    for module, name, value in (
        (drawing, "FOLDER", folder), (kit, "FOLDER", folder), (drawing, "FONTS", fonts), (kit, "FONTS", fonts),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(kit, "words_in", lambda language: {**words_in(language), "we_report": "otherwise"})
    for cached in (kit.kit_of, drawing._fonts):
        cached.cache_clear()
    yield
    monkeypatch.undo()
    for cached in (kit.kit_of, drawing._fonts):
        cached.cache_clear()


def test_a_filing_of_an_older_template_is_drawn_again_with_what_was_kept_and_the_change_is_named(
    filing: Filing, another_year: None
) -> None:
    content = storage.read(filing.document)
    assert render.to_pdf(filing.statement) != content
    assert render.to_pdf(filing.statement, drawing.kept(filing.drawn_with["kit"])) == content
    (remark,) = examine(filing)
    assert (remark.kind, remark.grave) == ("template_changed", False)
    for part in ("template", "shared styles and templates", "typefaces"):
        assert part in remark.detail


def test_another_version_of_the_form_is_named(filing: Filing, monkeypatch: pytest.MonkeyPatch) -> None:
    form = registry.get_form(filing.form)
    monkeypatch.setattr(drawing, "get_form", lambda key: dataclasses.replace(form, version="99"))
    (remark,) = examine(filing)
    assert remark.detail.endswith(f"version of the form ({filing.form_version} → 99)")
    assert kinds(filing) == []


def test_a_filing_whose_form_is_gone_is_still_drawn_again(filing: Filing, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(key: str) -> None:
        raise KeyError(key)

    monkeypatch.setattr(drawing, "get_form", gone)
    (remark,) = examine(filing)
    assert (remark.kind, remark.grave) == ("template_changed", False)
    assert "the form is gone" in remark.detail


def test_without_what_was_kept_a_changed_template_is_all_that_can_be_said(
    filing: Filing, unsealed, another_year: None
) -> None:
    held = {key: value for key, value in filing.drawn_with.items() if key != "kit"}
    Filing.objects.filter(pk=filing.pk).update(drawn_with=held)
    (remark,) = examine(filing)
    assert (remark.kind, remark.grave) == ("template_changed", False)
    assert "cannot be drawn again" in remark.detail


@pytest.mark.parametrize("part", ["kit", "typeface"])
def test_a_lost_template_or_typeface_is_found(filing: Filing, part: str) -> None:
    sha256 = filing.drawn_with["kit"]
    if part == "typeface":
        sha256 = fonts_in(storage.read_by(sha256))[0]
    storage.path_of(sha256).write_bytes(b"something else")
    assert kinds(filing) == ["template_missing"]


def test_what_a_form_is_drawn_with_is_kept_once(filing: Filing) -> None:
    before = Document.objects.count()
    assert drawing.keep(filing.form, "ko", at=NOW) == filing.drawn_with
    assert Document.objects.count() == before


def test_another_renderer_that_draws_otherwise_is_remarked_and_the_document_stands(
    filing: Filing, unsealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = filing.drawn_with | {"libraries": "pango 1.0"}
    Filing.objects.filter(pk=filing.pk).update(drawn_with=held)
    monkeypatch.setattr(render, "ATTACHMENT", "otherwise.json")
    (remark,) = examine(filing)
    assert (remark.kind, remark.grave) == ("renderer_changed", False)
    assert "libraries (pango 1.0 → pango" in remark.detail


def test_a_program_that_cannot_draw_it_any_more_is_found(filing: Filing, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> bytes:
        raise ValueError

    monkeypatch.setattr(render, "to_pdf", broken)
    assert kinds(filing) == ["not_drawn"]


def test_another_version_of_the_renderer_that_draws_the_same_is_no_fault(filing: Filing, unsealed) -> None:
    Filing.objects.filter(pk=filing.pk).update(drawn_with=filing.drawn_with | {"weasyprint": "1.0"})
    assert kinds(filing) == []


def test_labels_names_and_facts_that_change_later_change_nothing(
    filing: Filing, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    fact_record(
        incident=case.incident, name="incident.measures", value="다름", at=later(NOW, hours=1), by=case.company.owner
    )
    type(case.company.entity).objects.update(name="새 이름", name_en="New name")
    form = registry.get_form(filing.form)
    monkeypatch.setattr(type(form.sections[0].fields[0].label), "get", lambda self, language: "새 항목명")
    assert kinds(filing) == []


def test_the_command_ends_with_one_and_names_the_filing(filing: Filing, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_filings")
    stored(filing).unlink()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_filings", "--incident", "2025-014")
    assert ended.value.code == 1
    assert capsys.readouterr().out.startswith("2025-014/F1: document_missing")


def test_the_command_names_a_changed_template_and_ends_well(
    filing: Filing, another_year: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify_filings")
    told = capsys.readouterr()
    assert told.out.startswith("2025-014/F1: template_changed: drawn again alike with what was kept at freezing")
    assert told.err.endswith("1 frozen filings, 0 faults, 1 remarks\n")


def test_the_nightly_check_leaves_a_heartbeat_that_turns_health_red(filing: Filing) -> None:
    stored(filing).unlink()
    assert verify_filings() == 1
    assert Heartbeat.objects.get(name="filings").detail["wrong_since"]
