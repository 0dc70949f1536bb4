"""Into a directory that something else fetches from. The file appears whole or not at all, and after a crash one can look."""

import os
import tempfile
from datetime import datetime
from pathlib import Path

from django.conf import settings

from compliance.engine import LocalText
from reports import channels, storage
from reports.models import Dispatch, Document


def offered() -> bool:
    """Whether a directory is configured."""
    return bool(settings.FILING_DROP)


def check(target: str) -> str:
    """The directory is the house's setting; what is typed is not used."""
    return "drop"


def path_of(dispatch: Dispatch) -> Path:
    """Where the document of a dispatch goes: its name says which filing and which bytes."""
    document = document_of(dispatch)
    return Path(settings.FILING_DROP) / f"{str(dispatch.filing).replace('/', '-')}-{document.sha256[:16]}.pdf"


def document_of(dispatch: Dispatch) -> Document:
    """The signed copy where there is one, else the frozen document."""
    signature = getattr(dispatch.filing, "signature", None)
    document = signature.document if signature else dispatch.filing.document
    if document is None:
        raise channels.NotSent("nothing to send")
    return document


def deliver(dispatch: Dispatch, now: datetime) -> None:
    """Write the file, synced, under a hidden name first.

    Raises:
        channels.NotSent: the document is missing, or the directory cannot be written.
    """
    try:
        content = storage.read(document_of(dispatch))
        _write(path_of(dispatch), content)
    except storage.MissingDocument:
        raise channels.NotSent("document missing or changed") from None
    except OSError as error:
        if arrived(dispatch):
            return
        raise channels.NotSent(f"not written ({type(error).__name__})") from None


def _write(target: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def arrived(dispatch: Dispatch) -> bool:
    """Whether the whole document lies there. Somebody may have fetched it already: then nobody can tell."""
    try:
        return path_of(dispatch).read_bytes() == storage.read(document_of(dispatch))
    except (OSError, storage.MissingDocument):
        return False


channels.register(
    channels.Way(
        channels.DROP, LocalText(ko="파일 전달 폴더", en="File drop"), check, deliver, offered=offered, arrived=arrived
    )
)
