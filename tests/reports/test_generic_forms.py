"""No duty without a document: the generic filing, made from what the obligation is pinned to."""

import io
from typing import Any

import pytest
from pypdf import PdfReader

from compliance.library import get_library
from incidents import services
from incidents.models import Obligation
from reports import prefill, render, statement
from reports import services as reports
from reports.conflicts import topic_of
from reports.forms import form_for, forms_for
from reports.forms.tailor import duty_of
from reports.sample import sample_statement
from tests.factories import Company, later
from tests.reports.conftest import NOW, Case

STAGES = sorted({(rule.key, stage.key) for rule in get_library().rules.values() for version in rule.versions for stage in version.stages})  # fmt: skip


def duty(**changes: Any) -> dict[str, Any]:
    return {**duty_of("us.tx.breach", "attorney_general"), **changes}


def printed(form: Any, stage: str) -> str:
    pages = PdfReader(io.BytesIO(render.to_pdf(sample_statement(form, stage)))).pages
    return "".join("".join(page.extract_text() for page in pages).split())


def test_every_stage_of_the_library_has_a_form_that_asks_for_something() -> None:
    assert [key for key in STAGES if not form_for(*key)[0].fields(form_for(*key)[1])] == []


def test_the_filing_of_every_stage_of_the_library_can_be_laid_out() -> None:
    for rule, stage in STAGES:
        form, form_stage = form_for(rule, stage)
        made = sample_statement(form, form_stage)
        assert f'<html lang="{form.language}">' in render.to_html(made, statement_digest="0" * 64)


def test_a_look_alike_comes_before_the_generic_form() -> None:
    forms = forms_for("kr.pipa.regulator-report", "initial")
    assert [form.key for form, _stage in forms] == ["kr_leak_report", "generic"]


def test_the_statutory_items_are_fields_in_their_order() -> None:
    items = [{"ko": "가", "en": "first"}, {"ko": "나", "en": "second"}]
    form, stage = forms_for("us.tx.breach", "attorney_general", duty(contents=items))[-1]
    fields = [item for item in form.fields(stage) if item.key.startswith("content_")]
    assert [(item.number, item.label.en, item.type) for item in fields] == [
        ("1", "First", "longtext"),
        ("2", "Second", "longtext"),
    ]


@pytest.mark.parametrize(("jurisdiction", "language"), [("KR", "ko"), ("US-TX", "en"), ("JP", "en"), ("BR", "en")])
def test_a_generic_filing_is_written_in_korean_for_korea_and_in_english_elsewhere(
    jurisdiction: str, language: str
) -> None:
    form, _stage = forms_for("us.tx.breach", "attorney_general", duty(jurisdiction=jurisdiction))[-1]
    assert form.language == language


def test_people_get_a_letter_and_authorities_a_report() -> None:
    assert forms_for("br.lgpd.incident", "data_subjects")[-1][0].key == "generic_letter"
    assert forms_for("br.lgpd.incident", "regulator")[-1][0].key == "generic"


def test_an_own_duty_names_no_authority_and_is_recorded_not_reported() -> None:
    form, stage = forms_for("kr.network-act.investigation", "cause_analysis")[-1]
    text = printed(form, stage)
    assert form.addressee.en == ""
    assert "위와같이기록합니다" in text
    assert "위와같이신고합니다" not in text


def test_a_generic_filing_never_pretends_to_be_an_official_sheet() -> None:
    form, stage = forms_for("us.tx.breach", "attorney_general")[-1]
    text = printed(form, stage)
    assert "Preparedintheorderofthestatutoryitems.Thisisnotanofficialsheet" in text
    assert "NoticetotheAttorneyGeneral" in text
    assert "AttorneyGeneralofTexas" in text


@pytest.fixture
def pinned(case: Case) -> Obligation:
    """A duty whose contents, as pinned, are not those of the library."""
    row = case.duty
    row.rule, row.stage = "kr.network-act.phishing", "initial"
    row.duty |= {"stage": "initial", "contents": [{"ko": "옛 항목", "en": "the old item"}]}
    row.save()
    return row


def test_the_form_follows_the_text_the_obligation_is_pinned_to(
    case: Case, company: Company, pinned: Obligation
) -> None:
    filing = reports.filing_start(incident=case.incident, obligations=[pinned], at=NOW, by=company.owner)
    labels = [item.label.ko for item in prefill.form_of(filing).fields(filing.stage)]
    assert (filing.form, filing.stage) == ("generic", "initial")
    assert "옛 항목" in labels


def test_an_item_nobody_wrote_is_said_to_be_unknown(case: Case, company: Company, pinned: Obligation) -> None:
    filing = reports.filing_start(incident=case.incident, obligations=[pinned], at=NOW, by=company.owner)
    made = statement.build(filing, at=later(NOW, minutes=1), journal_head="0" * 64, frozen=False)
    [item] = [field for section in made["sections"] for field in section["fields"] if field["key"] == "content_1"]
    assert (item["status"], item["printed"]) == ("unknown", "확인 중 (추후 보완 예정)")


def test_a_generic_filing_is_filled_from_the_record(case: Case, company: Company, pinned: Obligation) -> None:
    filing = reports.filing_start(incident=case.incident, obligations=[pinned], at=NOW, by=company.owner)
    assert filing.values["contact"]["value"] == "정보보안단, 처리 담당, 02-000-0000"
    assert "2025-09-15 14:00 KST" in filing.values["times"]["value"]
    assert filing.values["clock_start"]["provenance"] == {"kind": "derived", "from": "clock_start"}


def test_moments_and_duties_that_differ_by_law_are_no_contradiction_between_filings() -> None:
    form = forms_for("us.tx.breach", "attorney_general")[-1][0]
    assert [topic_of(form.field(key)) for key in ("clock_start", "times", "other_filings", "summary")] == [
        "",
        "",
        "",
        "incident.summary",
    ]


def field_of(form: Any, stage: str, key: str) -> Any:
    return next(item for item in form.fields(stage) if item.key == key)


@pytest.mark.parametrize(
    ("words", "source"),
    [
        ("Types of information", ("fact", "leak.items")),
        ("Nature, chronology, number of persons", ("contents", "nature,chronology,people")),
        ("date of occurrence and of knowledge", ("contents", "occurred,awareness")),
        ("Copy of the notice", (None, "")),
        ("Outline of the operator", (None, "")),
    ],
)
def test_what_fills_a_statutory_item_is_told_by_its_words(words: str, source: tuple[str | None, str]) -> None:
    form, stage = forms_for("us.tx.breach", "attorney_general", duty(contents=[{"ko": "항목", "en": words}]))[-1]
    item = field_of(form, stage, "content_1")
    assert (item.source, item.source_name) == source


def test_a_statutory_item_is_filled_from_the_fact_and_says_from_which(
    case: Case, company: Company, pinned: Obligation
) -> None:
    pinned.duty |= {
        "contents": [{"ko": "개요", "en": "Nature of the incident"}, {"ko": "개요와 조치", "en": "nature and measures"}]
    }
    pinned.save()
    filing = reports.filing_start(incident=case.incident, obligations=[pinned], at=NOW, by=company.owner)
    single, several = filing.values["content_1"], filing.values["content_2"]
    assert (single["provenance"]["kind"], single["provenance"]["name"]) == ("fact", "incident.summary")
    assert several["value"].splitlines() == [
        f"내용: {filing.values['summary']['value']}",
        f"조치: {filing.values['measures']['value']}",
    ]
    assert [part["name"] for part in several["provenance"]["parts"]] == ["incident.summary", "incident.measures"]


def test_the_number_of_people_is_that_of_the_place_whose_law_asks(
    case: Case, company: Company, pinned: Obligation
) -> None:
    given = [{"residence": place, "count": count, "categories": []} for place, count in (("KR", 40), ("JP", 2))]
    services.people_list_record(
        incident=case.incident, entity=company.entity, people=given, confirmed_at=NOW, at=NOW, by=company.owner
    )
    pinned.duty |= {"contents": [{"ko": "이용자 수", "en": "Number of users"}]}
    pinned.save()
    filing = reports.filing_start(incident=case.incident, obligations=[pinned], at=NOW, by=company.owner)
    assert filing.values["content_1"]["value"] == "40명"
    assert filing.values["people"]["value"] == "총 42명 (JP 2명, KR 40명)"


def test_a_provision_whose_number_was_not_seen_is_not_put_before_an_authority() -> None:
    assert "verify" not in form_for("eu.nis2.at", "notification")[0].basis.en


def test_a_letter_with_headings_of_its_own_does_not_say_everything_twice() -> None:
    form, stage = form_for("us.ca.breach", "individuals")
    brought = [item for item in form.fields(stage) if item.key.startswith("content_")]
    assert brought
    assert {item.source for item in brought} == {None}
