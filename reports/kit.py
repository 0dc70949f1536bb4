"""What a document is drawn with beside its statement: template, styles, fixed words and typefaces of one form.

A filing keeps the kit it was drawn with, so that it can be drawn again when its template has changed long since. Programs are
not kept: what is stored is read, never run.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from compliance.engine import canonical_json
from reports.forms.registry import FOLDER
from reports.sayings import words_in

FONTS = Path(__file__).resolve().parent / "fonts"
SCHEMA = "breachclock.kit/1"


@dataclass(frozen=True, eq=False)
class Kit:
    """Templates and styles by name, words of the document's language by key, typefaces by file name."""

    files: Mapping[str, str]
    words: Mapping[str, str]
    fonts: Mapping[str, Path]

    @cached_property
    def content(self) -> bytes:
        """The kit as canonical JSON; typefaces by their SHA-256."""
        fonts = {name: sha256_of(path) for name, path in self.fonts.items()}
        return canonical_json({"schema": SCHEMA, "files": dict(self.files), "words": dict(self.words), "fonts": fonts})

    def read(self, name: str) -> bytes | None:
        """The style or typeface that a page may ask for by ``name``; None for any other."""
        if name in self.fonts:
            return self.fonts[name].read_bytes()
        style = self.files.get(f"_shared/{name}") if name.endswith(".css") else None
        return None if style is None else style.encode()


@cache
def kit_of(form: str, language: str) -> Kit:
    """The packaged kit of ``form``, read once."""
    paths = [*(FOLDER / form).glob("*.html"), *(FOLDER / "_shared").glob("*.html"), *(FOLDER / "_shared").glob("*.css")]
    files = {path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8") for path in sorted(paths)}
    return Kit(files, words_in(language), {path.name: path for path in sorted(FONTS.glob("*.ttf"))})


def kit_from(content: bytes, fonts: Mapping[str, Path]) -> Kit:
    """A kit that was kept. ``fonts``: where its typefaces lie, by SHA-256."""
    node: dict[str, Any] = json.loads(content)
    return Kit(node["files"], node["words"], {name: fonts[sha256] for name, sha256 in node["fonts"].items()})


def fonts_in(content: bytes) -> list[str]:
    """The SHA-256 of each typeface of a kit that was kept."""
    return list(json.loads(content)["fonts"].values())


@cache
def sha256_of(path: Path) -> str:
    """Of a packaged typeface: large, and only changed with the program."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
