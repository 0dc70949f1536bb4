"""Every form's sample by the rules of PDF/A-3a and PDF/UA-1: two readers that share no code with what writes it, and its text."""

import io
import re
import subprocess
from functools import cache
from pathlib import Path

import page
import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, IndirectObject

from compliance.engine import canonical_json
from reports import exports, render
from reports.forms import get_form
from reports.forms.registry import all_forms
from reports.sample import sample_statement
from tests.reports.pdf import fonts_of, fullest, text_of, told

FORMS = sorted(all_forms())
every_form = pytest.mark.parametrize("key", FORMS)


@cache
def sample(key: str) -> bytes:
    """Drawn once, whichever tests look at it."""
    return render.to_pdf(sample_statement(get_form(key), fullest(get_form(key))))


def reader(key: str) -> PdfReader:
    return PdfReader(io.BytesIO(sample(key)))


def objects(pdf: PdfReader) -> list[DictionaryObject]:
    found = (pdf.get_object(IndirectObject(number, 0, pdf)) for number in range(1, pdf.trailer["/Size"]))
    return [item for item in found if isinstance(item, DictionaryObject)]


def findings(content: bytes, profile: str) -> set[str]:
    """The rules broken, one false alarm left out: a stream that ends in CR looks shorter to this validator; qpdf measures it."""
    broken = {item.rule_id for item in page.validate_pdf_bytes(content, profile=profile).failures}
    return broken - ({"PDFA3A-STREAM-LENGTH-001"} if b"\r\nendstream" in content else set())


@every_form
def test_a_sample_breaks_no_rule_of_pdf_a_3a(key: str) -> None:
    assert findings(sample(key), "3a") == set()


@every_form
def test_a_sample_breaks_no_rule_of_pdf_ua_1(key: str) -> None:
    assert findings(sample(key), "ua1") == set()


def test_the_validator_finds_what_is_wrong() -> None:
    good = sample("kr_incident_report")
    assert findings(good.replace(b"pdfuaid:part>1", b"pdfuaid:part>7"), "ua1") == {"PDFUA1-ID-PART-001"}
    assert findings(good.replace(b'pdfaid:part="3"', b'pdfaid:part="1"'), "3a")


def test_every_stream_and_reference_is_as_qpdf_reads_it(tmp_path: Path) -> None:
    for key in FORMS:
        (tmp_path / f"{key}.pdf").write_bytes(sample(key))
        done = subprocess.run(["qpdf", "--check", tmp_path / f"{key}.pdf"], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), key


@every_form
def test_nothing_in_a_sample_runs_opens_or_points_outside(key: str) -> None:
    pdf = reader(key)
    assert not pdf.is_encrypted
    for item in objects(pdf):
        assert not {"/JS", "/JavaScript", "/AA", "/OpenAction", "/URI", "/Annots", "/FFilter"} & set(item)
        assert item.get("/Type") != "/Action"
        assert (
            item.get("/F") is None or item.get("/Type") == "/Filespec" or isinstance(item["/F"], DictionaryObject | int)
        )


@every_form
def test_every_face_is_inside_and_a_letter_is_found_by_its_number_in_every_reader(key: str) -> None:
    """A CFF face whose glyphs are numbered otherwise than its letters shows blanks in some readers."""
    fonts = fonts_of(sample(key))
    assert fonts
    assert all("Pretendard" in name or "Noto-Sans-JP" in name for name in fonts)
    for font in fonts.values():
        assert font["/CIDToGIDMap"] == "/Identity"
        assert "/FontFile2" in font["/FontDescriptor"]


@every_form
def test_what_is_attached_is_the_statement_and_its_machine_readable_version(key: str) -> None:
    made, pdf = sample_statement(get_form(key), fullest(get_form(key))), reader(key)
    expected = {"statement.json": canonical_json(made)}
    if (name := exports.format_of(made)) is not None:
        expected[f"{name}.json"] = exports.export(made)
    assert {name: content for name, [content] in pdf.attachments.items()} == expected
    names = pdf.root_object["/Names"]["/EmbeddedFiles"]["/Names"]
    assert list(names[::2]) == sorted(expected)
    relations = {item.get_object()["/F"]: item.get_object()["/AFRelationship"] for item in pdf.root_object["/AF"]}
    assert relations == {name: "/Source" if name == "statement.json" else "/Alternative" for name in expected}
    assert len(pdf.root_object["/AF"]) == len(expected)


@every_form
def test_metadata_say_what_it_is_whose_and_when_and_agree_with_each_other(key: str) -> None:
    form, pdf = get_form(key), reader(key)
    made, info, xmp = sample_statement(form, fullest(form)), pdf.metadata, pdf.xmp_metadata
    title = f"{form.title.get(form.language)} ({form.stages[fullest(form)].get(form.language)}) {made['filing']}"
    assert info.title == xmp.dc_title["x-default"] == title
    assert [info.author] == xmp.dc_creator == [made["entity"]["name"]]
    assert info.subject == xmp.dc_description["x-default"] == form.basis.get(form.language)
    assert info.creation_date.isoformat() == made["frozen_at"]
    assert xmp.xmp_create_date.isoformat() == made["frozen_at"].removesuffix("+00:00")
    assert pdf.root_object["/Lang"] == form.language
    assert pdf.root_object["/ViewerPreferences"]["/DisplayDocTitle"]
    assert pdf.root_object["/OutputIntents"][0]["/DestOutputProfile"]


@every_form
def test_a_sample_is_read_out_field_by_field_in_the_order_of_the_form(key: str) -> None:
    form = get_form(key)
    made = sample_statement(form, fullest(form))
    text, kinds = told(reader(key))
    place = 0
    for section in made["sections"]:
        for field in (field for field in section["fields"] if not field["omitted"]):
            for words in (field["label"].get(form.language) or field["label"]["en"], field["text"]):
                words = "".join(words.split())
                assert words in text[place:], f"{field['key']}: {words} is not read out after what stands before it"
                place = text.index(words, place) + len(words)
    assert {"/H1", "/P"} <= kinds
    assert {"/Table", "/TR", "/TH", "/TD"} <= kinds or {"/H2", "/P"} <= kinds
    assert made["journal_head"] not in text


@every_form
def test_a_sample_prints_its_fields_in_the_order_of_the_form(key: str) -> None:
    form = get_form(key)
    sections = sample_statement(form, fullest(form))["sections"]
    fields = [field for section in sections for field in section["fields"] if not field["omitted"]]
    text = "".join(text_of(sample(key)).split())
    labels = ["".join((field["label"].get(form.language) or field["label"]["en"]).split()) for field in fields]
    found = [
        re.search(rf"{field['number']}\.?{re.escape(label)}", text) for field, label in zip(fields, labels, strict=True)
    ]
    assert None not in found
    places = [match.start() for match in found if match]
    assert places == sorted(places)
    for words in ("누락", "확인중(추후", "기재하지않음", "itemmissing]", "Notknownyet(will", "Notstated"):
        assert words not in text.replace("“확인중”", "")


@every_form
def test_each_value_is_read_with_its_header(key: str) -> None:
    """Every data cell of a table names headers, and each name is found in the tree's index."""
    pdf = reader(key)
    cells = [item for item in objects(pdf) if item.get("/S") == "/TD"]
    index = pdf.root_object["/StructTreeRoot"].get("/IDTree", {"/Names": []})["/Names"]
    headers = {
        bytes(name.original_bytes): item.get_object() for name, item in zip(index[::2], index[1::2], strict=True)
    }
    assert bool(cells) == bool(headers)
    for cell in cells:
        assert cell["/A"]["/Headers"]
        assert all(headers[bytes(name.original_bytes)]["/S"] == "/TH" for name in cell["/A"]["/Headers"])
    assert {item["/A"]["/Scope"] for item in headers.values()} <= {"/Row", "/Column"}


def test_english_beside_another_language_is_read_as_english() -> None:
    english = [item["/Lang"] for item in objects(reader("kr_incident_report")) if "/Lang" in item]
    assert "en" in english
    assert not [item for item in objects(reader("us_nydfs_incident")) if item.get("/S") and "/Lang" in item]


def test_running_heads_are_no_part_of_what_is_read() -> None:
    text, _kinds = told(reader("kr_incident_report"))
    assert text.count("모의훈련(DRILL)·실제신고ㆍ통지아님") == 1
    assert "기재내용SHA-256" not in text
