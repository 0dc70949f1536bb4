"""Machine-readable versions: made from the frozen statement, and telling what is unknown."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pypdf import PdfReader

from reports import exports, render
from reports import services as reports
from reports import statement as statements
from reports.exports import dora, edpb
from reports.forms import get_form
from reports.models import Filing
from reports.sample import sample_statement, sample_values
from tests.factories import later
from tests.reports.conftest import NOW, Case

EDPB, DORA = "eu_gdpr_art33", "eu_dora_incident"


def statement(form: str, stage: str, **values: str | None) -> dict[str, Any]:
    """The sample with some values by field number; None: not known."""
    made = sample_statement(get_form(form), stage)
    for section in made["sections"]:
        for field in section["fields"]:
            if field["number"] in values:
                value = values[field["number"]]
                status = "given" if value is not None else "unknown"
                field |= {"value": value, "text": value or "", "status": status}
    return made


def test_every_required_field_of_the_common_template_is_there_at_every_stage() -> None:
    for stage in get_form(EDPB).stages:
        made = edpb.export(statement(EDPB, stage))
        assert [number for number in edpb.REQUIRED if f"field_{number}" not in made] == []


def test_choices_are_given_by_the_letter_of_the_template() -> None:
    made = edpb.export(statement(EDPB, "first"))
    for item in get_form(EDPB).fields("first"):
        if item.options and f"field_{item.number}" in made:
            assert made[f"field_{item.number}"] in item.options


def test_further_choices_are_named_in_the_description() -> None:
    made = edpb.export(statement(EDPB, "first", **{"65": "a, g"}))
    assert made["field_65"] == "a"
    assert "Field 65, all that apply" in made["field_66"]


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("61", "e"),
        ("67", "d"),
        ("97", "c"),
        ("90", "Not known yet (will follow)"),
        ("41", "Not known yet (will follow)"),
    ],
)
def test_what_is_unknown_is_said_to_be_unknown_in_the_json_too(number: str, value: str) -> None:
    assert edpb.export(statement(EDPB, "first", **{number: None}))[f"field_{number}"] == value


def test_a_number_that_is_not_known_never_looks_like_none() -> None:
    made = edpb.export(statement(EDPB, "first", **{"72": None, "73": None}))
    assert (made["field_72"], made["field_73"]) == ("d", 0)
    assert "Field 73: Not known yet (will follow)" in made["field_53"]


def test_the_dora_report_is_nested_as_its_data_standard_says() -> None:
    made = dora.export(statement(DORA, "final"))
    assert made["incidentSubmission"] == "final_report"
    assert made["affectedEntity"][0]["affectedEntityType"] == ["credit_institution"]
    assert made["incident"]["detectionDateTime"] == "2026-11-02T05:00:00Z"
    assert made["impactAssessment"]["affectedAssets"]["affectedClients"] == {"number": 120000, "percentage": 12.5}
    criteria = {item["classificationCriterion"]: item for item in made["incident"]["classificationTypes"]}
    assert criteria["geographical_spread"]["countryCodeMaterialityThresholds"] == ["DE", "FR"]
    assert "economicImpactMaterialityThreshold" in criteria["economic_impact"]


def test_an_initial_dora_report_says_nothing_of_later_stages() -> None:
    made = dora.export(statement(DORA, "initial"))
    assert "impactAssessment" not in made
    assert "rootCauseHLClassification" not in made["incident"]


def test_what_is_not_known_is_left_out_of_the_dora_report() -> None:
    made = dora.export(statement(DORA, "intermediate", **{"3.2": None, "3.4": None}))
    assert "incidentOccurrenceDateTime" not in made["incident"]
    assert "number" not in made["impactAssessment"]["affectedAssets"]["affectedClients"]


def test_several_affected_entities_keep_their_codes() -> None:
    made = dora.export(
        statement(DORA, "initial", **{"1.5": "A SE; B SE", "1.6": "00000000000000000098; 00000000000000000001"})
    )
    assert [(item["name"], item["LEI"]) for item in made["affectedEntity"]] == [
        ("A SE", "00000000000000000098"),
        ("B SE", "00000000000000000001"),
    ]


def test_every_number_of_the_dora_template_has_its_place() -> None:
    placed = {number for number, _place, _read in dora.PLACES}
    placed |= {number for rows in dora.OF_CRITERION.values() for number, _place, _read in rows}
    asked = {item.number for section in get_form(DORA).sections for item in section.fields}
    assert asked - placed == {"1.3", "1.4", "1.5", "1.6", "2.5"}  # the entities and the criteria themselves
    assert placed <= asked


def test_the_machine_readable_version_is_attached_beside_the_statement() -> None:
    made = statement(DORA, "initial")
    attached = PdfReader(io.BytesIO(render.to_pdf(made))).attachments
    assert set(attached) == {"statement.json", "dora.json"}
    assert attached["dora.json"] == [exports.export(made)]


def test_a_filing_without_a_machine_readable_version_is_refused(case: Case, tmp_path: Path) -> None:
    case.frozen()
    with pytest.raises(CommandError, match="2025-014/F1: kr_incident_report has no format dora"):
        call_command("export_filing", "2025-014", "1", "--format", "dora", "--out", str(tmp_path / "x.json"))
    assert not (tmp_path / "x.json").exists()


def test_a_draft_has_no_machine_readable_version(case: Case, tmp_path: Path) -> None:
    case.draft()
    with pytest.raises(CommandError, match="2025-014/F1: expected a frozen filing"):
        call_command("export_filing", "2025-014", "1", "--format", "dora", "--out", str(tmp_path / "x.json"))


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen DORA filing, without the way there."""
    from reports.management.commands import export_filing

    monkeypatch.setattr(export_filing, "_statement", lambda *_named: statement(DORA, "initial"))


@pytest.mark.usefixtures("exported")
def test_the_export_is_checked_against_the_authoritys_schema_before_it_is_written(tmp_path: Path) -> None:
    schema = {"required": ["incident"], "properties": {"incidentSubmission": {"const": "final_report"}}}
    (tmp_path / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
    named = ["--format", "dora", "--out", str(tmp_path / "x.json"), "--schema", str(tmp_path / "schema.json")]
    with pytest.raises(CommandError, match="incidentSubmission: 'final_report' was expected"):
        call_command("export_filing", "2026-001", "1", *named)
    assert not (tmp_path / "x.json").exists()
    (tmp_path / "schema.json").write_text(json.dumps({"required": ["incident"]}), encoding="utf-8")
    call_command("export_filing", "2026-001", "1", *named)
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["incidentSubmission"] == "initial_notification"


@pytest.mark.usefixtures("exported")
def test_a_file_that_is_no_schema_is_named(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text("{", encoding="utf-8")
    named = ["--format", "dora", "--out", str(tmp_path / "x.json"), "--schema", str(tmp_path / "schema.json")]
    with pytest.raises(CommandError, match=r"schema\.json: expected a JSON Schema"):
        call_command("export_filing", "2026-001", "1", *named)


@pytest.fixture
def dora_filing(case: Case) -> Filing:
    """A frozen initial DORA notification, written by hand."""
    row, people = case.duty, case.company
    row.rule, row.stage = "eu.dora.incident", "initial"
    row.save()
    case.give_reason()
    filing = reports.filing_start(incident=case.incident, obligations=[row], at=NOW, by=people.owner)
    sample, form = sample_values(get_form(DORA)), get_form(DORA)
    required = [item.key for item in form.fields("initial") if item.needed("initial") == "required"]
    required.append("dora_2_6")  # the sample's criteria name the geographical spread
    values = {key: sample[key] for key in required if filing.values[key]["status"] != "given"}
    values["contact_phone"] = sample["contact_phone"]  # the record's lacks the country code that DORA asks for
    filing = reports.filing_edit(filing=filing, values=values, edition=1, at=NOW, by=people.owner)
    reports.filing_send_to_review(filing=filing, at=NOW, by=people.owner)
    for approver in (people.counsel, people.approver):
        filing.refresh_from_db()
        if filing.state == "in_review":
            reports.filing_approve(filing=filing, at=later(NOW, minutes=10), by=approver)
    return reports.filing_freeze(filing=filing, at=later(NOW, minutes=20), by=people.owner)


def test_a_conditional_field_is_required_as_soon_as_its_condition_is_met() -> None:
    form = get_form(DORA)
    filing = Filing(form=DORA, stage="initial")
    held = {"dora_2_5": {"value": "data_losses, geographical_spread"}}
    assert statements._asked_for(form.field("dora_2_6"), held)
    assert not statements._asked_for(form.field("dora_2_6"), {"dora_2_5": {"value": "data_losses"}})
    assert not statements._asked_for(form.field("dora_2_6"), filing.values)


def test_a_frozen_dora_report_is_downloaded_as_its_page_offers(client: Client, case: Case, dora_filing: Filing) -> None:
    client.force_login(case.company.owner)
    page = f"/incidents/2025-014/filings/{dora_filing.number}/"
    assert f'{page}machine.json">DORA JSON</a>' in client.get(page).content.decode()
    answer = client.get(f"{page}machine.json")
    assert answer.content == exports.export(dora_filing.statement)
    assert json.loads(answer.content)["incident"]["classificationTypes"]


def test_a_stranger_gets_no_machine_readable_version(client: Client, case: Case, dora_filing: Filing) -> None:
    client.force_login(case.company.stranger)
    assert client.get(f"/incidents/2025-014/filings/{dora_filing.number}/machine.json").status_code == 404


def test_a_form_without_a_machine_readable_version_has_no_such_address(client: Client, case: Case) -> None:
    client.force_login(case.company.owner)
    assert client.get(f"/incidents/2025-014/filings/{case.frozen().number}/machine.json").status_code == 404
