"""Reading a document back."""

import io
from typing import Any

from pypdf import PdfReader

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
