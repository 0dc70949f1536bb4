"""Whatever somebody writes into whichever field: it is printed as text, within the page, and nothing is reached for."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import page
import pytest
from pypdf import PdfReader

from compliance.engine import canonical_json
from reports import render
from reports.forms import get_form
from reports.forms.registry import all_forms
from reports.sample import sample_statement
from reports.typography import printable
from tests.reports.pdf import fullest, told

HOSTILE = [
    "<script>alert(1)</script><img src='http://203.0.113.1/x.png'><iframe src=//203.0.113.1>",
    "</td></table></body><style>@import url(file:///etc/passwd); *{display:none}</style>{{ 7|add:7 }}{% include 'x' %}",
    "<svg xmlns='http://www.w3.org/2000/svg'><image href='https://203.0.113.1/a.png'/><use href='file:///etc/hostname#a'/></svg>",
    "<link rel=attachment href='file:///etc/passwd'><a href='javascript:alert(1)' style='background:url(http://203.0.113.1)'>x</a>",
    "breachclock:page.css url(breachclock:../../config/settings.py) expression(alert(1)) \\\"'`--><!-- ]]> %PDF-1.7 endobj",
    "가" * 400 + " " + "W" * 400 + " " + "ab-" * 200,
    "שלום עולם مرحبا \u202e\u2066RTL\u2069 😀👩‍👩‍👧 \x00\x07\x1b[31m\ufeff\u200b\ud7ff\U0010ffff Z̸̡͙a̸̛l̷̨g̶o",
    "\n" * 300 + "end" + "\t" * 300 + "x" + " " * 3000 + "y",
]
# What a page of A4 is wide and high in points, and the margin nothing may enter at the sides.
WIDTH, HEIGHT, SIDE = 595.3, 841.9, 40


def filled(key: str, turn: int) -> dict[str, Any]:
    """The sample with hostile text in every place that somebody may have written: fields, names, changes, reasons."""
    form = get_form(key)
    made = sample_statement(form, fullest(form))
    texts = [HOSTILE[(turn + at) % len(HOSTILE)] for at in range(len(HOSTILE))]
    fields = [field for section in made["sections"] for field in section["fields"]]
    for at, field in enumerate(fields):
        text = texts[at % len(texts)]
        if field["type"] == "table":
            field["value"] = [dict.fromkeys(("name", "purpose", "finding", "found", "found_by"), text)]
        field |= {"text": text, "printed": text, "omitted": False}
    label = {"ko": "항목", "en": "Item", "ja": "項目"}
    made |= {"changes": [{"key": "x", "label": label, "before": texts[0], "after": texts[1]}], "previous": texts[2]}
    made |= {"author": texts[3], "approver": texts[4], "filing": texts[5][:90]}
    made["entity"]["name"] = texts[6]
    return made


# Renders in a process of its own, in which every socket, program and file outside the package ends in an error and is noted.
WATCHED = """
import json, sys, django
django.setup()
from pathlib import Path
from reports.render import HERE, to_pdf
import tempfile
made = json.load(open(sys.argv[1], encoding="utf-8"))
to_pdf(made[0])  # whatever is imported or read once
reached, temporary = [], tempfile.gettempdir() + "/weasyprint-"
writes = Path(sys.argv[2]).resolve()

def watch(event, args):
    if event == "open":
        path = args[0] if isinstance(args[0], (str, bytes)) else ""
        path = path.decode() if isinstance(path, bytes) else path
        allowed = not path or path.startswith((str(HERE), str(writes), temporary, sys.prefix, sys.base_prefix, "/usr/share/zoneinfo"))
        if allowed:
            return
    elif not event.startswith(("socket.", "urllib.", "http.", "ftplib.", "subprocess.", "os.system", "os.exec", "os.spawn", "os.posix_spawn")):
        return
    reached.append(f"{event} {args!r}"[:200])
    raise RuntimeError(f"reached for {event}")

sys.addaudithook(watch)
for number, item in enumerate(made):
    (writes / f"{number}.pdf").write_bytes(to_pdf(item))
assert not reached, reached
try:
    import socket
    socket.create_connection(("127.0.0.1", 9))
except RuntimeError:
    print("watched")
"""


def drawn(statements: list[dict[str, Any]], folder: Path) -> list[bytes]:
    """The documents, made under watch."""
    (folder / "statements.json").write_bytes(canonical_json(statements))
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(render.HERE.parent)}
    command = [sys.executable, "-c", WATCHED, str(folder / "statements.json"), str(folder)]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "watched\n"), done.stderr
    return [(folder / f"{number}.pdf").read_bytes() for number in range(len(statements))]


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, Any], bytes]]:
    """Every form with every hostile text in some field, and which text in which field turns from form to form."""
    made = {key: filled(key, turn) for turn, key in enumerate(sorted(all_forms()))}
    contents = drawn(list(made.values()), tmp_path_factory.mktemp("hostile"))
    return {key: (item, content) for (key, item), content in zip(made.items(), contents, strict=True)}


def squeezed(text: str) -> str:
    return "".join(printable(text).split())


@pytest.mark.parametrize("key", sorted(all_forms()))
def test_hostile_text_in_every_field_is_printed_as_text_within_the_page(
    key: str, documents: dict[str, tuple[dict[str, Any], bytes]]
) -> None:
    made, content = documents[key]
    pdf = PdfReader(io.BytesIO(content))
    text, _kinds = told(pdf)
    for field in (field for section in made["sections"] for field in section["fields"]):
        assert squeezed(field["text"]) in text, field["key"]
    assert squeezed(made["entity"]["name"]) in text
    fields = sum(len(section["fields"]) for section in made["sections"])
    assert len(pdf.pages) <= 3 + fields / 2
    assert sorted(pdf.attachments)[-1] == "statement.json"
    assert json.loads(pdf.attachments["statement.json"][0]) == made
    broken = page.validate_pdf_bytes(content, profile="ua1").failures
    assert [(item.rule_id, item.message) for item in broken] == []
    assert outside(content) == []


def outside(content: bytes) -> list[str]:
    """The words that leave the page or its side margins, measured by poppler."""
    done = subprocess.run(["pdftotext", "-bbox", "-", "-"], input=content, capture_output=True, check=True)
    found = []
    for line in done.stdout.decode().splitlines():
        if "<word" in line:
            left, top, right, bottom = (float(part) for part in line.split('"')[1:8:2])
            if not (SIDE <= left <= right <= WIDTH - SIDE and 0 <= top <= bottom <= HEIGHT):
                found.append(line.strip()[:160])
    return found


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("kr_incident_report", "서버를 격리함. " * 11_112),
        ("eu_gdpr_art34", "<b>" * 33_334),
        ("jp_ppc_report", "W" * 100_000),
        ("generic", "漏えい等の報告" * 14_286),
    ],
)
def test_a_hundred_thousand_characters_fill_some_pages_and_no_more(key: str, text: str) -> None:
    made = sample_statement(get_form(key), fullest(get_form(key)))
    field = next(field for section in made["sections"] for field in section["fields"] if field["type"] != "table")
    field["value"] = field["text"] = field["printed"] = text
    content = render.to_pdf(made)
    pdf = PdfReader(io.BytesIO(content))
    assert len(text) >= 100_000
    assert squeezed(text) in told(pdf)[0]
    assert len(pdf.pages) < 110
    assert outside(content) == []
