"""Reading a document back."""

import io
import re
from typing import Any

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject

from reports.forms import Form


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def fonts_of(content: bytes) -> dict[str, Any]:
    """The face behind each name."""
    fonts = {}
    for page in PdfReader(io.BytesIO(content)).pages:
        for font in page["/Resources"]["/Font"].values():
            face = font.get_object()["/DescendantFonts"][0].get_object()
            fonts[face["/BaseFont"]] = face
    return fonts


def fullest(form: Form) -> str:
    """The stage that shows most fields: all stages of a form are made by one template."""
    return max(form.stages, key=lambda stage: len(form.fields(stage)))


def told(pdf: PdfReader) -> tuple[str, set[str]]:
    """What a screen reader says, in its order, without blanks; and the kinds of elements it passes."""
    marks = {at: marked(page) for at, page in enumerate(pdf.pages)}
    numbers = {page.indirect_reference.idnum: at for at, page in enumerate(pdf.pages)}
    kinds: set[str] = set()

    def walk(node: DictionaryObject) -> str:
        kinds.add(node["/S"])
        kids = node.get("/K", [])
        text = ""
        for kid in kids if isinstance(kids, ArrayObject) else [kids]:
            item = kid.get_object()
            text += marks[numbers[node.raw_get("/Pg").idnum]].get(item, "") if isinstance(item, int) else walk(item)
        return text

    [document] = pdf.root_object["/StructTreeRoot"]["/K"]
    return "".join(walk(document.get_object()).split()), kinds


def marked(page: object) -> dict[int, str]:
    """The text of each marked content of ``page``: codes read through the font's own table to Unicode."""
    found: dict[int, str] = {}
    tables: dict[str, dict[str, str]] = {}
    mark, font = None, ""
    for operands, operator in page.get_contents().operations:
        if operator == b"BDC":
            mark = operands[1].get("/MCID")
        elif operator == b"BMC" or operator == b"EMC":
            mark = None
        elif operator == b"Tf":
            font = operands[0]
            tables.setdefault(font, to_unicode(page["/Resources"]["/Font"][font]))
        elif operator == b"TJ" and mark is not None:
            codes = b"".join(raw(part) for part in operands[0] if not isinstance(part, int | float)).hex()
            letters = (tables[font][codes[at : at + 4]] for at in range(0, len(codes), 4))
            found[mark] = found.get(mark, "") + "".join(letters)
    return found


def raw(part: object) -> bytes:
    return part if isinstance(part, bytes) else part.original_bytes


def to_unicode(font: DictionaryObject) -> dict[str, str]:
    table = font["/ToUnicode"].get_data().decode()
    return {
        code.lower(): bytes.fromhex(letters).decode("utf-16-be")
        for code, letters in re.findall(r"<([0-9a-fA-F]{4})> <([0-9a-fA-F]+)>", table)
    }
