"""What a document is drawn with, as digests, and kept: so that it can be drawn again, or that it is told what changed since."""

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

import fontTools
import pydyf
import weasyprint
from weasyprint.text.ffi import pango

from reports import storage
from reports.forms import get_form
from reports.forms.registry import FOLDER
from reports.kit import FONTS, Kit, fonts_in, kit_from, kit_of
from reports.models import Document

HERE = Path(__file__).resolve().parent


def keep(form: str, language: str, *, at: datetime) -> dict[str, str]:
    """Store what a document of ``form`` is drawn with at ``at``, each part once; :func:`drawn_with` and the kit's digest.

    Within the transaction of the filing that it is kept for.
    """
    kit = kit_of(form, language)
    sha256 = storage.digest_of(kit.content)
    if not Document.objects.filter(sha256=sha256).exists() or not storage.path_of(sha256).exists():
        for name, path in kit.fonts.items():
            storage.store(path.read_bytes(), media_type="font/ttf", name=name, at=at, public=True)
        storage.store(kit.content, media_type="application/json", name=f"{form}-kit.json", at=at, public=True)
    return drawn_with(form) | {"kit": sha256}


def kept(sha256: str) -> Kit:
    """The kit of that digest, as it was kept.

    Raises:
        MissingDocument: the kit or one of its typefaces is gone or changed.
    """
    content = storage.read_by(sha256)
    fonts = fonts_in(content)
    for font in fonts:
        storage.read_by(font)
    return kit_from(content, {font: storage.path_of(font) for font in fonts})


def drawn_with(form: str) -> dict[str, str]:
    """The form's version, its template, what all templates share, our program, the typefaces, and the renderer."""
    return {
        "form_version": get_form(form).version,
        "template": _digest((FOLDER / form).glob("*.html")),
        "shared": _digest((*(FOLDER / "_shared").iterdir(), HERE / "sayings.yaml")),
        "program": _program(),
        "fonts": _fonts(),
        "weasyprint": weasyprint.__version__,
        "libraries": _libraries(),
    }


# What of it is kept in the kit.
IN_THE_KIT = frozenset({"form_version", "template", "shared", "fonts"})


def changed_since(held: Mapping[str, str], form: str) -> list[str]:
    """The parts of ``held`` that are otherwise today. A part that was not noted then is not compared."""
    now = drawn_with(form)
    return [key for key, value in held.items() if key in now and now[key] != value]


@cache
def _program() -> str:
    """What turns a statement into pages and into the files attached to them."""
    names = ("render.py", "kit.py", "conformance.py", "typography.py")
    return _digest((*(HERE / name for name in names), *(HERE / "exports").glob("*.py")))


@cache
def _libraries() -> str:
    """What WeasyPrint leaves the setting, the typefaces and the packing to."""
    number = pango.pango_version()
    setting = f"pango {number // 10000}.{number // 100 % 100}.{number % 100}"
    return f"{setting}, fontTools {fontTools.version}, pydyf {pydyf.__version__}, zlib {zlib.ZLIB_RUNTIME_VERSION}"


@cache
def _fonts() -> str:
    """Read once: they are large and only change with the program."""
    return _digest(FONTS.iterdir())


def _digest(paths: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        total.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
