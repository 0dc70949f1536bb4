"""The PDF: what is inside, that it never differs, and that hostile text is only text."""

import io
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils.safestring import mark_safe
from pypdf import PdfReader

from compliance.engine import LawError, canonical_json, digest
from reports import render, statement, storage, typography
from reports import services as reports
from reports.forms import get_form
from reports.forms.registry import all_forms
from reports.forms.words import LANGUAGES
from reports.kit import kit_of
from reports.sample import sample_statement
from reports.sayings import say
from tests.reports.conftest import NOW, Case
from tests.reports.pdf import fonts_of, text_of


@pytest.fixture
def document(case: Case) -> tuple[dict, bytes]:
    filing = case.frozen()
    return filing.statement, storage.read(filing.document)


def test_the_statement_is_attached_byte_for_byte(document: tuple[dict, bytes]) -> None:
    statement, content = document
    attached = PdfReader(io.BytesIO(content)).attachments["statement.json"]
    assert attached == [canonical_json(statement)]


def test_korean_can_be_read_back_and_every_page_carries_its_seals(document: tuple[dict, bytes]) -> None:
    statement, content = document
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]
    assert "침해사고 신고서" in pages[0]
    assert "외부 전문업체의 서버 점검 결과를 통보받음" in "\n".join(pages)
    for number, page in enumerate(pages, start=1):
        assert f"{number} / {len(pages)}" in page
        assert statement["journal_head"] in page.replace("\n", "")
        assert digest(statement) in page.replace("\n", "")


def test_unknown_is_printed_as_unknown(document: tuple[dict, bytes]) -> None:
    assert "확인 중 (추후 보완 예정)" in text_of(document[1])


def is_ours(name: str) -> bool:
    return "Pretendard" in name or "Noto-Sans-JP" in name


def test_only_the_vendored_faces_are_used_and_they_are_inside(document: tuple[dict, bytes]) -> None:
    fonts = fonts_of(document[1])
    assert fonts
    assert all(is_ours(name) for name in fonts)
    assert all("/FontFile2" in face["/FontDescriptor"] for face in fonts.values())


DRAW = """
import json, sys, django
django.setup()
from hashlib import sha256
from reports.render import to_pdf
for made in json.load(open(sys.argv[1], encoding="utf-8")):
    print(sha256(to_pdf(made)).hexdigest())
"""
SURROUNDINGS = [
    {"TZ": "America/New_York", "LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "7", "LANGUAGE_CODE": "en"},
    {
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "POSIX",
        "PYTHONHASHSEED": "4711",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    },
]


@pytest.mark.parametrize("surroundings", SURROUNDINGS, ids=["New York", "Kiritimati"])
def test_another_process_elsewhere_in_another_language_makes_the_same_bytes(
    document: tuple[dict, bytes], surroundings: dict[str, str], tmp_path: Path
) -> None:
    """Zone, locale, hash seed, umask, folder, home, and a machine without any typeface of its own."""
    stages = {
        "jp_ppc_report": "preliminary",
        "eu_dora_incident": "final",
        "eu_gdpr_art34": "letter",
        "kr_leak_report": "initial",
    }
    made = [sample_statement(get_form(key), stage) for key, stage in stages.items()]
    (tmp_path / "statements.json").write_bytes(canonical_json([document[0], *made]))
    (tmp_path / "fonts.conf").write_text("<fontconfig/>")
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(render.HERE).parent),
        "HOME": str(tmp_path),
        "FONTCONFIG_FILE": str(tmp_path / "fonts.conf"),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "BREACHCLOCK_VAR": str(tmp_path / "var"),
        **surroundings,
    }
    done = subprocess.run(
        [sys.executable, "-c", DRAW, "statements.json"],
        env=env,
        cwd=tmp_path,
        umask=0o077,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    contents = [document[1], *(render.to_pdf(item) for item in made)]
    assert done.stdout.split() == [storage.digest_of(content) for content in contents]


HOSTILE = [
    "<script>alert(1)</script><img src='http://203.0.113.1/x.png'>",
    "<style>@import url(file:///etc/passwd)</style>{{ 7|add:7 }}{% include 'x' %}",
    "<svg><image href='https://203.0.113.1/a'/></svg>",
    "긴" * 3000,
    "a" * 3000,
    "שלום עולם مرحبا 😀👩‍👩‍👧 \x00\x07\u202e txt",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_is_printed_as_text_and_opens_no_socket(
    case: Case, hostile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    filing = case.draft()
    reports.filing_edit(
        filing=filing, values={"summary": hostile, "cause": hostile}, edition=1, at=NOW, by=case.company.owner
    )

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a socket was opened while rendering")

    filing.refresh_from_db()
    made = statement.build(filing, at=NOW, journal_head="0" * 64, frozen=False)
    monkeypatch.setattr(socket, "socket", refuse)
    text = text_of(render.to_pdf(made)).replace("\n", "")
    assert "침해사고 신고서" in text
    if hostile.startswith("<"):
        assert "".join(hostile.split())[:20] in "".join(text.split())


def draft_text(case: Case, **values: str) -> str:
    """What the draft says on paper, without blanks: a line may break anywhere in a long value."""
    filing = case.draft()
    reports.filing_edit(filing=filing, values=values, edition=1, at=NOW, by=case.company.owner)
    filing = type(filing).objects.get(pk=filing.pk)
    return "".join(text_of(reports.preview(filing, at=NOW, by=filing.author)).split())


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("\u0e01대표", "[U+0E01]대표"),
        ("李대표", "李대표"),
        ("경보😀끝", "경보[U+1F600]끝"),
        ("계좌\u202e021-000", "계좌[U+202E]021-000"),
        ("이름\u2066나\u2069다", "이름[U+2066]나[U+2069]다"),
        ("가\u200b나\u200d다", "가[U+200B]나[U+200D]다"),
        ("로고\uf000", "로고[U+F000]"),
        ("\u1112\u1161\u11ab글", "한글"),
        ("㈜한빛ㆍ①…“”≥", "㈜한빛ㆍ①…“”≥"),
    ],
)
def test_a_character_that_the_face_cannot_show_is_printed_as_its_code_point(
    case: Case, written: str, printed: str
) -> None:
    assert printed in draft_text(case, cause=written)


def test_the_statement_keeps_a_text_as_it_was_written(case: Case) -> None:
    filing = case.draft()
    reports.filing_edit(filing=filing, values={"cause": "계좌\u202e021"}, edition=1, at=NOW, by=case.company.owner)
    made = statement.build(type(filing).objects.get(pk=filing.pk), at=NOW, journal_head="0" * 64, frozen=False)
    [cause] = [item for section in made["sections"] for item in section["fields"] if item["key"] == "cause"]
    assert cause["value"] == "계좌\u202e021"


def test_unprintable_characters_are_listed_once_for_the_page() -> None:
    assert typography.unprintable(["\u0e01", "\u0e01가", "나\u202e"]) == ["[U+0E01]", "[U+202E]"]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("서버를 격리함", "서~버~를 격~리~함"),
        ("손해배상ㆍ분쟁조정", "손~해~배~상~ㆍ분~쟁~조~정"),
        ("2026-11-02 web", "2~0~2~6~-~1~1~-~0~2 web"),
        ("가" * 13, "가" * 13),
        ("가\n나", "가\n나"),
        ("<b>글", "&lt;~b~&gt;~글"),
        (mark_safe("갑&amp;을"), "갑~&amp;~을"),
        ("", ""),
        ("x" * 121, "/".join(["x" * 16] * 7 + ["x" * 9])),
        ("<" * 121, "/".join(["&lt;" * 16] * 7 + ["&lt;" * 9])),
        ("가\n\n나\n\n\n\n\n다", "가\n\n나\n\n\n다"),
        ("가" + " " * 500 + "나", "가" + " " * 120 + "나"),
    ],
)
def test_lines_break_between_korean_words_and_nothing_is_unescaped(text: str, html: str) -> None:
    assert typography.words(text) == html.replace("~", "\u2060").replace("/", "\u200b")


def test_a_field_without_a_value_that_may_be_left_out_is_not_printed(case: Case) -> None:
    made = sample_statement(all_forms()["kr_incident_report"], "supplement")
    field = made["sections"][-1]["fields"][-1]
    assert "지연사유" in "".join(text_of(render.to_pdf(made)).split())
    field |= {"value": None, "text": "", "status": "blank", "printed": "기재하지 않음", "omitted": True}
    assert "지연사유" not in "".join(text_of(render.to_pdf(made)).split())


def test_a_draft_leaves_out_the_reason_for_a_delay_that_nobody_gave_and_prints_the_other_blanks(case: Case) -> None:
    text = draft_text(case, cause="조사 중")
    assert "지연사유" not in text
    assert "연락처(전자우편)E-mail기재하지않음" in text


def test_a_late_filing_names_the_duty_and_prints_the_reason(document: tuple[dict, bytes]) -> None:
    text = "".join(text_of(document[1]).split())
    assert "지연사유(인지ㆍ결정경과)Reasonforthedelay내부보고가늦어결정이지연됨" in text
    assert "".join(document[0]["obligations"][0]["title"]["ko"].split()) + "(24시간)" in text


@pytest.mark.parametrize("form", ["kr_incident_report", "kr_subject_notice", "generic", "generic_letter"])
def test_no_face_of_the_machine_steps_in_for_characters_that_ours_lack(form: str) -> None:
    made = sample_statement(all_forms()[form], next(iter(all_forms()[form].stages)))
    for section in made["sections"]:
        for field in section["fields"]:
            if field["type"] != "table":
                field["text"] = field["printed"] = f"{field['text']} 李 ひらがな Ж Ω שלום \u202e 😀 \u0e01"
    made["entity"]["name"] += "李"
    assert all(is_ours(name) for name in fonts_of(render.to_pdf(made)))


def test_an_address_that_is_not_packaged_is_refused() -> None:
    from weasyprint.urls import FatalURLFetchingError

    for url in ("file:///etc/passwd", "http://127.0.0.1/", "breachclock:../settings.py"):
        with pytest.raises(FatalURLFetchingError):
            render.PackagedFiles(kit_of("generic", "en")).fetch(url)


def test_a_sample_that_misses_a_field_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reports import sample

    form = all_forms()["kr_leak_report"]
    (tmp_path / form.key).mkdir()
    (tmp_path / form.key / "sample.yaml").write_text("kind: x\n", encoding="utf-8")
    monkeypatch.setattr(sample, "FOLDER", tmp_path)
    with pytest.raises(LawError, match=r"kr_leak_report/sample\.yaml: address: missing"):
        sample.sample_values(form)


@pytest.mark.parametrize("key", ["eu_gdpr_art34", "generic", "jp_ppc_report"])
def test_hostile_text_stays_text_in_letters_and_in_other_languages(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = sample_statement(all_forms()[key], next(iter(all_forms()[key].stages)))
    for section in made["sections"]:
        for field in section["fields"]:
            field["text"] = field["printed"] = HOSTILE[0]

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a socket was opened while rendering")

    monkeypatch.setattr(socket, "socket", refuse)
    text = "".join(text_of(render.to_pdf(made)).split())
    assert text.count("".join(HOSTILE[0].split())) >= 5


def test_japanese_can_be_read_back_in_its_order_and_the_document_says_its_language() -> None:
    reader = PdfReader(io.BytesIO(render.to_pdf(sample_statement(all_forms()["jp_ppc_report"], "preliminary"))))
    text = "".join("".join(page.extract_text() for page in reader.pages).split())
    sentences = (
        "個人データの漏えい等の報告書",
        "報告者",
        "東京都千代田区仮町1番地",
        "ウェブシェルが発見され、隔離して",
        "第7号公表の実施状況",
        "上記のとおり報告します。",
        "個人情報保護委員会御中",
    )
    places = [text.find(sentence) for sentence in sentences]
    assert -1 not in places
    assert places == sorted(places)
    assert reader.root_object["/Lang"] == "ja"
    assert any(
        "Noto-Sans-JP" in name
        for name in fonts_of(render.to_pdf(sample_statement(all_forms()["jp_ppc_report"], "preliminary")))
    )


@pytest.mark.parametrize(
    ("form", "language"), [("kr_incident_report", "ko"), ("eu_gdpr_art34", "en"), ("jp_subject_notice", "ja")]
)
def test_a_document_says_in_which_language_it_is_written(form: str, language: str) -> None:
    made = sample_statement(all_forms()[form], next(iter(all_forms()[form].stages)))
    assert PdfReader(io.BytesIO(render.to_pdf(made))).root_object["/Lang"] == language


def test_what_is_unknown_is_said_so_in_each_language() -> None:
    assert [say("unknown", language) for language in LANGUAGES] == [
        "확인 중 (추후 보완 예정)",
        "Not known yet (will follow)",
        "確認中（追って報告します）",
    ]
