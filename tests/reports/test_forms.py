"""A form file is read strictly, and each stage has its own numbers and words."""

from typing import Any

import pytest
import yaml

from compliance.engine import LawError
from compliance.engine.strict import Node, read_yaml
from reports import sample
from reports.forms import get_form
from reports.forms.registry import FOLDER, PARTICULARS, read_form


def form_file() -> dict[str, Any]:
    text = (FOLDER / "kr_subject_notice" / "form.yaml").read_text(encoding="utf-8")
    return read_yaml(text, file="form.yaml")


def read(content: dict[str, Any]) -> None:
    written = read_yaml(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), file="form.yaml")
    read_form(Node(written, file="form.yaml", key=""), key="kr_subject_notice")


def wrong(content: dict[str, Any]) -> str:
    with pytest.raises(LawError) as refused:
        read(content)
    return str(refused.value)


def test_the_form_file_as_it_stands_is_read() -> None:
    read(form_file())


ITEMS = "form.yaml: sections[0].fields[0]"
FIELD_MISTAKES = [
    ({"labels": "x"}, f"{ITEMS}.labels: unknown key; did you mean label?"),
    ({"need": {"everybody": "required"}}, f"{ITEMS}.need.everybody: unknown stage; expected one of subjects, supplement, possible, all_clear"),
    ({"need": {}}, f"{ITEMS}.need: expected one or more of subjects, supplement, possible, all_clear"),
    ({"need": {"subjects": "always"}}, f"{ITEMS}.need.subjects: 'always': expected one of if_known, optional, required"),
    ({"in_stage": {"all_clear": {"no": "9"}}}, f"{ITEMS}.in_stage.all_clear: unknown stage; expected one of subjects, supplement, possible"),
    ({"in_stage": {"possible": {"help": "x"}}}, f"{ITEMS}.in_stage.possible.help: unknown key; expected one of label, no"),
    ({"omit_blank": "yes"}, f"{ITEMS}.omit_blank: 'yes': expected true or false"),
    ({"from": {"fact": "leak.itemz"}}, f"{ITEMS}.from.fact: leak.itemz: expected a fact of facts.yaml"),
    ({"from": {"particular": "shoe_size"}}, f"{ITEMS}.from.particular: shoe_size: expected one of {', '.join(sorted(PARTICULARS))}"),
    ({"from": {"derived": "people", "fact": "leak.items"}}, f"{ITEMS}.from: expected one of awareness, derived, fact, particular"),
    ({"key": "relief"}, "form.yaml: sections[0].fields[5].key: relief: given twice; expected once"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), FIELD_MISTAKES)
def test_a_wrong_field_is_named_with_what_was_expected(change: dict[str, Any], message: str) -> None:
    content = form_file()
    content["sections"][0]["fields"][0].update(change)
    assert wrong(content) == message


def test_a_form_in_another_folder_than_its_name_says_is_refused() -> None:
    assert (
        wrong(form_file() | {"form": "kr_other"})
        == "form.yaml: form: kr_other: expected kr_subject_notice, the name of its folder"
    )


def test_a_duty_that_no_law_knows_is_refused() -> None:
    content = form_file()
    content["serves"][0]["stage"] = "subject"
    assert wrong(content).startswith("form.yaml: serves[0].stage: 'subject': expected one of ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": ["perhaps"]}, "form.yaml: contradictions[0].stages[0]: 'perhaps': expected one of all_clear, possible, subjects, supplement"),
        ({"when": {"fact": "leak.confirmd", "is": True}}, "form.yaml: contradictions[0].when.fact: leak.confirmd: expected a fact of facts.yaml"),
        ({"says": {"ko": "글"}}, "form.yaml: contradictions[0].says.en: missing"),
    ],
)  # fmt: skip
def test_a_wrong_contradiction_is_named_with_what_was_expected(change: dict[str, Any], message: str) -> None:
    content = form_file()
    content["contradictions"][0].update(change)
    assert wrong(content) == message


@pytest.mark.parametrize(
    ("stage", "shown"),
    [
        ("subjects", ("1", "유출등이 된 개인정보의 항목")),
        ("possible", ("1", "유출등이 되었을 가능성이 있는 개인정보의 항목")),
    ],
)
def test_a_stage_calls_a_field_by_its_own_words(stage: str, shown: tuple[str, str]) -> None:
    item = next(item for item in get_form("kr_subject_notice").fields(stage) if item.key == "items")
    assert (item.number, item.label.ko) == shown


def test_a_stage_numbers_its_fields_itself() -> None:
    fields = get_form("kr_subject_notice").fields("all_clear")
    assert [(item.number, item.key) for item in fields] == [("1", "established"), ("2", "claims_contact")]


def test_the_printed_sample_of_a_stage_carries_its_words() -> None:
    statement = sample.sample_statement(get_form("kr_subject_notice"), "possible")
    labels = [field["label"]["ko"] for section in statement["sections"] for field in section["fields"]]
    assert "유출등이 의심되거나 인식된 시점" in labels
    assert "유출등이 된 시점" not in labels
