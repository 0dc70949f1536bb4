"""Every form folder is read strictly, says what it is, and answers the duties it names."""

from typing import Any

import pytest
import yaml

from compliance.engine import LawError
from compliance.engine.strict import Node, read_yaml
from compliance.library import get_library
from reports import prefill
from reports.forms import Form, form_for, forms_for, get_form, tailored
from reports.forms.formats import problem
from reports.forms.registry import FOLDER, all_forms, read_form, serving
from reports.forms.tailor import duty_of
from reports.sample import sample_statement

FOLDERS = sorted(all_forms())


def content(key: str) -> dict[str, Any]:
    return read_yaml((FOLDER / key / "form.yaml").read_text(encoding="utf-8"), file="form.yaml")


def wrong(made: dict[str, Any]) -> str:
    written = read_yaml(yaml.safe_dump(made, allow_unicode=True, sort_keys=False), file="form.yaml")
    with pytest.raises(LawError) as refused:
        read_form(Node(written, file="form.yaml", key=""), key=made["form"])
    return str(refused.value)


FORM_MISTAKES = [
    ({"language": "de"}, "form.yaml: language: 'de': expected one of en, ja, ko"),
    ({"takes": ["adressee"]}, "form.yaml: takes[0]: 'adressee': expected one of addressee, audience, basis, contents, language, stages, title"),
    ({"export": "xml"}, "form.yaml: export: 'xml': expected one of dora, edpb"),
    ({"title": {"ko": "글", "en": "text", "de": "Text"}}, "form.yaml: title.de: unknown key; expected one of en, ja, ko"),
    ({"opening": {"lettre": {"ko": "글", "en": "text"}}}, "form.yaml: opening.lettre: unknown stage; expected one of letter, *"),
    ({"contents_need": "perhaps"}, "form.yaml: contents_need: 'perhaps': expected one of if_known, optional, required"),
    ({"serves": [{"rule": "us.*.breach", "stage": "nobody", "as": "letter"}]}, "form.yaml: serves[0].stage: 'nobody': expected one of "),
    ({"serves": [{"rule": "xx.*.breach", "stage": "individuals", "as": "letter"}]}, "form.yaml: serves[0].rule: 'xx.*.breach': expected one of "),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), FORM_MISTAKES)
def test_a_wrong_form_is_named_with_what_was_expected(change: dict[str, Any], message: str) -> None:
    assert wrong(content("us_resident_letter") | change).startswith(message)


SHARED = "form.yaml: sections[0].fields[0]"
CHOSEN = "form.yaml: sections[0].fields[0]"
FIELD_MISTAKES = [
    ({"use": "circumstance"}, f"{SHARED}.use: 'circumstance': expected one of "),
    (
        {"required_when": {"nothing": ["a"]}},
        f"{SHARED}.required_when.nothing: expected the key of another field of this form",
    ),
    ({"need": "always"}, f"{SHARED}.need: 'always': expected one of if_known, optional, required"),
    ({"format": "isbn"}, f"{SHARED}.format: 'isbn': expected one of "),
    ({"type": "choice"}, f"{SHARED}.options: expected with a choice, and only there"),
    ({"options": {"a": {"ko": "글", "en": "text"}}}, f"{SHARED}.options: expected with a choice, and only there"),
    (
        {"type": "choice", "options": {"a": {"ko": "글", "en": "text"}}, "translate": {"x": "b"}},
        f"{SHARED}.translate.x: 'b': expected one of a",
    ),
]


@pytest.mark.parametrize(("change", "message"), FIELD_MISTAKES)
def test_a_wrong_use_of_a_shared_field_is_named(change: dict[str, Any], message: str) -> None:
    made = content("us_resident_letter")
    made["sections"][0]["fields"][0].update(change)
    assert wrong(made).startswith(message)


def test_a_shared_field_is_taken_once() -> None:
    made = content("us_resident_letter")
    made["sections"][0]["fields"].append({"use": "circumstances", "no": "9", "need": "optional"})
    assert wrong(made).endswith("circumstances: given twice; expected once")


def test_what_a_form_says_of_a_shared_field_comes_before_what_is_shared() -> None:
    item = get_form("us_resident_letter").field("circumstances")
    assert (item.label.en, item.source_name) == ("What happened", "leak.circumstances")


def words_of(form: Form) -> list[Any]:
    fields = [item for section in form.sections for item in section.fields]
    shown = [form.title, form.addressee, form.basis, form.note, *form.stages.values(), *form.opening.values()]
    return shown + [section.title for section in form.sections] + [item.label for item in fields]


@pytest.mark.parametrize("key", [key for key in FOLDERS if all_forms()[key].language == "ja"])
def test_a_japanese_form_has_every_word_in_japanese(key: str) -> None:
    assert [words.en for words in words_of(get_form(key)) if "ja" not in words.to_json()] == []


@pytest.mark.parametrize("key", FOLDERS)
def test_no_form_pretends_to_be_the_official_sheet(key: str) -> None:
    note = get_form(key).note.en.lower()
    assert "not" in note or "without a statutory form" in note or get_form(key).audience in ("data_subjects", "other")


@pytest.mark.parametrize("key", FOLDERS)
def test_every_stage_of_every_form_asks_for_something_and_has_a_sample(key: str) -> None:
    form = get_form(key)
    for stage in form.stages:
        fields = [field for section in sample_statement(form, stage)["sections"] for field in section["fields"]]
        assert fields
        assert [field["key"] for field in fields if not field["text"]] == []


@pytest.mark.parametrize("key", FOLDERS)
def test_the_samples_are_written_as_each_field_asks(key: str) -> None:
    form = get_form(key)
    for stage in form.stages:
        values = {field["key"]: field["value"] for section in sample_statement(form, stage)["sections"] for field in section["fields"]}  # fmt: skip
        wrongly = [item.key for item in form.fields(stage) if item.type != "table" and problem(item, values[item.key])]
        assert wrongly == []


@pytest.mark.parametrize(
    ("rule", "stage", "key"),
    [
        ("eu.gdpr.breach", "initial", "eu_gdpr_art33"),
        ("eu.gdpr.breach", "data_subjects", "eu_gdpr_art34"),
        ("eu.nis2.at", "early_warning", "eu_nis2_incident"),
        ("eu.dora.incident", "final", "eu_dora_incident"),
        ("eu.dora.incident", "reclassification", "eu_dora_incident"),
        ("gb.uk-gdpr.breach", "initial", "gb_ico_breach"),
        ("jp.appi.leak", "preliminary", "jp_ppc_report"),
        ("us.ma.breach", "individuals", "us_ma_resident_letter"),
        ("us.ca.breach", "individuals", "us_resident_letter"),
        ("us.tx.breach", "attorney_general", "us_state_ag"),
        ("us.sec.8k-1-05", "initial", "us_sec_8k"),
        ("kr.pipa.posting-instead", "posting_instead", "kr_site_posting"),
    ],
)
def test_the_duty_is_answered_by_its_look_alike(rule: str, stage: str, key: str) -> None:
    assert form_for(rule, stage)[0].key == key


def test_a_form_is_addressed_to_the_authority_of_the_duty() -> None:
    duty = dict(duty_of("eu.gdpr.breach", "initial")) | {"addressees": [{"ko": "베를린", "en": "Berlin authority"}]}
    form, _stage = forms_for("eu.gdpr.breach", "initial", duty)[0]
    assert form.addressee.en == "Berlin authority"


def test_each_state_asks_for_its_own_items() -> None:
    texas, florida = (form_for(f"us.{state}.breach", "attorney_general")[0] for state in ("tx", "fl"))
    items = [{item.label.en for item in form.fields("notice") if item.key.startswith("content_")} for form in (texas, florida)]  # fmt: skip
    assert "Number of Texas residents" in items[0]
    assert items[0] != items[1]


def test_a_massachusetts_letter_has_no_place_for_the_nature_of_the_breach_or_a_number_of_residents() -> None:
    form, stage = form_for("us.ma.breach", "individuals")
    assert {"circumstances", "people", "summary"}.isdisjoint(item.key for item in form.fields(stage))


def test_what_a_notice_must_not_say_is_no_item_of_it_but_told_to_its_author() -> None:
    form = tailored(get_form("us_resident_letter"), duty_of("us.ma.breach", "individuals"))
    assert "MUST NOT describe the nature of the breach" in form.note.en
    assert not any("MUST NOT" in item.label.en for item in form.fields("letter"))


def test_no_resident_letter_states_how_many_residents_of_the_state_are_affected() -> None:
    assert "people" not in {item.key for item in get_form("us_resident_letter").fields("letter")}


def test_a_star_serves_every_rule_that_has_the_stage() -> None:
    rules = {key for key in get_library().rules if key.startswith("eu.nis2.")}
    served = {key for key in rules if serving(key, "early_warning")}
    asked = {key for key in rules if any(version.stage("early_warning") for version in get_library().rules[key].versions)}  # fmt: skip
    assert served == asked


FIELDS = [
    ("dora_1_14", "12345", "an LEI of 20 characters"),
    ("dora_1_14", "00000000000000000098", None),
    ("dora_3_15", "5:11", "days:hours:minutes (01:06:30)"),
    ("dora_2_6", "Germany", "country codes (DE, FR)"),
    ("dora_2_7", "a dream", "one of it_security, staff"),
    ("dora_4_1", "human_error, magic", "one of malicious_actions"),
    ("dora_4_1", "human_error, external_event", None),
    ("dora_2_9", "perhaps", "true or false"),
]


@pytest.mark.parametrize(("key", "text", "expected"), FIELDS)
def test_a_value_is_checked_as_the_authority_does(key: str, text: str, expected: str | None) -> None:
    found = problem(get_form("eu_dora_incident").field(key), text)
    assert found is None if expected is None else found is not None and found.en.startswith(expected)


def test_a_day_that_the_calendar_lacks_is_no_date() -> None:
    assert problem(get_form("eu_gdpr_art33").field("field_98"), "2026-02-30") is not None


def test_a_choice_is_shown_in_the_words_of_the_documents_language() -> None:
    item = get_form("eu_gdpr_art33").field("field_61")
    assert prefill.shown({"value": "d"}, item, "UTC", "en") == "External malicious"
    assert prefill.shown({"value": "d"}, item, "UTC", "ko") == "외부, 악의"
