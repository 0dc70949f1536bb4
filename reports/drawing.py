"""What a document is drawn with, as digests: when a drawing differs years later, this tells what changed since."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import weasyprint

from reports.forms import get_form
from reports.forms.registry import FOLDER

HERE = Path(__file__).resolve().parent
FONTS = HERE / "fonts"


def drawn_with(form: str) -> dict[str, str]:
    """The form's version, its template, what all templates share, our program, the typefaces, and the renderer."""
    return {
        "form_version": get_form(form).version,
        "template": _digest((FOLDER / form).glob("*.html")),
        "shared": _digest((*(FOLDER / "_shared").iterdir(), HERE / "sayings.yaml")),
        "program": _program(),
        "fonts": _fonts(),
        "weasyprint": weasyprint.__version__,
    }


@cache
def _program() -> str:
    """What turns a statement into pages and into the files attached to them."""
    return _digest(
        (HERE / "render.py", HERE / "conformance.py", HERE / "typography.py", *(HERE / "exports").glob("*.py"))
    )


@cache
def _fonts() -> str:
    """Read once: they are large and only change with the program."""
    return _digest(FONTS.iterdir())


def _digest(paths: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        total.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
