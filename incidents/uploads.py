"""Files that people hand in: what they are by their content, whether they are safe to keep, and a name that can be trusted.

Nothing here believes a name or a media type that came along. What is refused is refused with a reason; what is only to be
known (a macro, a script in a PDF) is flagged.
"""

import io
import re
import unicodedata
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.utils.translation import gettext_lazy as _
from PIL import Image

from compliance.errors import BadInput
from incidents import clamd

PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
SIGNATURES = {b"%PDF-": PDF, b"\x89PNG\r\n\x1a\n": PNG, b"\xff\xd8\xff": JPEG}
ENDINGS = {PDF: ("pdf",), PNG: ("png",), JPEG: ("jpg", "jpeg")}
PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
# Of an image, so that nobody's viewer is asked for gigabytes.
MOST_PIXELS = 100_000_000
# Of what is packed: files, bytes when unpacked, how many times its size one may become, how far into one another.
MOST_MEMBERS, MOST_UNPACKED, MOST_RATIO = 2_000, 200 * 1024 * 1024, 200
PACKED_ENDINGS = (".zip", ".jar", ".docx", ".xlsx", ".xlsm", ".pptx", ".gz", ".bz2", ".xz", ".7z", ".rar", ".zst")
ACTIVE_PDF = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|OpenAction|RichMedia)\b")
MACRO = re.compile(r"(vbaproject\.bin|vbadata\.xml|/macrosheets/|/activex/)", re.IGNORECASE)
NAME_MOST = 120


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that may be kept: its type by content, a name that can be trusted, and what is to be known of it."""

    content: bytes
    media_type: str
    name: str
    flags: tuple[str, ...] = ()


def examine(name: str, content: bytes, *, most: int) -> Upload:
    """A PDF, PNG or JPEG file of at most ``most`` bytes.

    Raises:
        BadInput: empty, too large, of another type, two types at once, not what its name says, or with malware (where a
            scanner is set up; one that cannot be reached refuses as well).
    """
    if not content or len(content) > most:
        raise BadInput(
            _("Expected a file of at most %(most)s MB."), code="proof_size", field="proof", most=most // 2**20
        )
    media_type = next((kind for signature, kind in SIGNATURES.items() if content.startswith(signature)), None)
    if media_type is None:
        raise BadInput(_("Expected a PDF, PNG or JPEG file."), code="proof_type", field="proof")
    _whole(content, media_type)
    kept = safe_name(name)
    ending = kept.rpartition(".")[2].lower() if "." in kept else ""
    if ending and ending not in ENDINGS[media_type]:
        raise BadInput(
            _("The name ends with .%(ending)s, but the file is another kind: %(kind)s."),
            code="proof_name", field="proof", ending=ending, kind=media_type,
        )  # fmt: skip
    clamd.refuse_malware(content)
    flags = ("active_pdf",) if media_type == PDF and ACTIVE_PDF.search(content) else ()
    return Upload(content, media_type, kept, flags)


def _whole(content: bytes, media_type: str) -> None:
    """Refuse what ends otherwise than its type does: something else hangs on it, or it is cut off."""
    if media_type == PDF:
        whole = b"%%EOF" in content[-1024:] and not zipfile.is_zipfile(io.BytesIO(content))
    else:
        whole = content.endswith(PNG_END if media_type == PNG else b"\xff\xd9") and _picture(content, media_type)
    if not whole:
        raise BadInput(
            _("The file is damaged, or something else hangs on it. Expected a whole PDF, PNG or JPEG file."),
            code="proof_not_whole", field="proof",
        )  # fmt: skip


def _picture(content: bytes, media_type: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=[media_type.rpartition("/")[2].upper()]) as image:
                width, height = image.size
                image.verify()
    except Exception:  # noqa: BLE001  whatever a broken picture makes the library say
        return False
    return width * height <= MOST_PIXELS


def safe_name(given: str) -> str:
    """``given`` as a name to offer on download: no path, no control or direction characters, no device, not too long."""
    text = unicodedata.normalize("NFC", given).replace("\\", "/")
    text = PurePosixPath(text).name if text.strip("/. ") else ""
    text = "".join(letter for letter in text if unicodedata.category(letter)[0] not in "C")
    text = re.sub(r'[<>:"|?*/%\s]+', " ", text).strip(" .")
    stem, dot, ending = text.rpartition(".")
    if dot and len(ending) <= 10:
        text = f"{stem[: NAME_MOST - len(ending) - 1].rstrip()}.{ending}"
    return text[:NAME_MOST] or "file"


def check_packed(content: bytes) -> tuple[str, ...]:
    """Flags of a packed file (a workbook, say) that is safe to open: ``macro`` where it carries programs.

    Raises:
        BadInput: no packed file, too many or too large members, one that grows too much, one inside another, or a path
            that leads elsewhere.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            members = packed.infolist()
            _small(packed, members)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise _unsafe() from None
    return ("macro",) if any(MACRO.search(member.filename) for member in members) else ()


def _small(packed: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
    """By what really comes out, not by what the file says of itself."""
    if len(members) > MOST_MEMBERS:
        raise _unsafe()
    left = MOST_UNPACKED
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/")).parts
        if ".." in parts or member.filename.startswith("/") or member.filename.lower().endswith(PACKED_ENDINGS):
            raise _unsafe()
        most = min(left, max(member.compress_size, 1) * MOST_RATIO + 1024)
        with packed.open(member) as file:
            came = _count(file, most)
        left -= came


def _count(file: object, most: int) -> int:
    came = 0
    while chunk := file.read(1 << 16):  # type: ignore[attr-defined]
        if came == 0 and chunk[:4] in (b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"7z\xbc\xaf", b"Rar!"):
            raise _unsafe()
        came += len(chunk)
        if came > most:
            raise _unsafe()
    return came


def _unsafe() -> BadInput:
    return BadInput(
        _("This packed file is not opened: it is damaged, grows too large, or holds packed files or paths that lead elsewhere."),
        code="packed_unsafe", field="file",
    )  # fmt: skip
