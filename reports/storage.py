"""Bytes by their SHA-256, outside the web root, encrypted at rest. Written and synced before the row that names them commits."""

import hashlib
import os
import tempfile
from datetime import datetime
from pathlib import Path

from django.conf import settings

from compliance import vault
from reports.models import Document


class MissingDocument(RuntimeError):
    """A stored document is not on disk, or not what its digest says."""


def path_of(sha256: str) -> Path:
    """Where the bytes of a digest lie."""
    return Path(settings.FILES_ROOT) / sha256[:2] / sha256


def digest_of(content: bytes) -> str:
    """The SHA-256 by which ``content`` is kept."""
    return hashlib.sha256(content).hexdigest()


def store(content: bytes, *, media_type: str, name: str, at: datetime, public: bool = False) -> Document:
    """Keep ``content`` once, encrypted at rest unless it is ``public`` (our own templates and typefaces).

    A crash in between leaves at most a file that no row names.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    if not _there(sha256):
        _write(path_of(sha256), content if public else vault.seal(content, sha256))
    document, _made = Document.objects.get_or_create(
        sha256=sha256,
        defaults={"size": len(content), "media_type": media_type, "name": name, "created_at": at},
    )
    return document


def _there(sha256: str) -> bool:
    """Whether the file of that digest is there and opens: one that no row named may be left under a key that is gone."""
    try:
        read_by(sha256)
    except MissingDocument:
        return False
    return True


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        _sync(target.parent)
        _sync(target.parent.parent)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """The new name must survive a power cut too, before a row relies on it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(document: Document) -> bytes:
    """The bytes of ``document``.

    Raises:
        MissingDocument: gone or changed.
    """
    return read_by(document.sha256)


def read_by(sha256: str) -> bytes:
    """The bytes of a digest.

    Raises:
        MissingDocument: gone or changed.
    """
    try:
        content = path_of(sha256).read_bytes()
    except OSError as error:
        raise MissingDocument(sha256) from error
    if digest_of(content) == sha256:  # public, or from before encryption
        return content
    try:
        content = vault.unseal(content, sha256)
    except vault.Unopened as error:
        raise MissingDocument(sha256) from error
    if digest_of(content) != sha256:
        raise MissingDocument(sha256)
    return content


def reseal(sha256: str) -> bool:
    """Encrypt the file of that digest under today's key; whether there was anything to do. It is replaced whole or not at all.

    Raises:
        MissingDocument: gone or changed.
    """
    content = read_by(sha256)
    if key_of(sha256) == vault.ring().current:
        return False
    _write(path_of(sha256), vault.seal(content, sha256))
    return True


def delete(sha256: str) -> None:
    """Take the file of that digest away; its row stays, so that everybody sees that there was one."""
    path_of(sha256).unlink(missing_ok=True)


def key_of(sha256: str) -> str:
    """The name of the key under which the file of that digest is encrypted; empty where it is not, or is not there."""
    try:
        with path_of(sha256).open("rb") as file:
            head = file.read(40).decode("ascii", "replace")
    except OSError:
        return ""
    return head.split(":", 2)[1] if vault.is_sealed(head) else ""
