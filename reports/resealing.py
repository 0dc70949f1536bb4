"""Sealing everything under today's key: columns and files. Each step stands in the system's journal."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance import rekey, vault
from incidents import journal
from reports import storage
from reports.models import Document

journal.register(
    {
        "keys.added": _("Key of encryption added"),
        "keys.resealed": _("Everything encrypted under the newest key"),
        "keys.retired": _("Keys of encryption retired"),
    }
)


class StillUsed(RuntimeError):
    """Something is sealed under a key that should go."""


def add_key(*, at: datetime) -> str:
    """Make a key that seals from now on; its name. The others go on opening."""
    with transaction.atomic():
        name = vault.add_key(Path(settings.KEY_FILE))
        _write("keys.added", {"key": name}, at=at)
    return name


def reseal(*, at: datetime, batch: int = rekey.BATCH) -> Iterator[tuple[str, int]]:
    """Seal every column and file under today's key; after each batch, what it was and how much of it changed.

    A run that dies loses nothing; the next one goes on with what is left.
    """
    key, done = vault.ring().current, {"rows": 0, "files": 0}
    for column in rekey.columns():
        for changed in rekey.reseal(column, batch=batch):
            done["rows"] += changed
            yield column.field.place, changed
    for document in Document.objects.order_by("pk").iterator(chunk_size=batch):
        if not _public(document) and storage.reseal(document.sha256):
            done["files"] += 1
            yield "files", 1
    if any(done.values()):
        with transaction.atomic():
            _write("keys.resealed", {"key": key, **done}, at=at)


def retire(*, at: datetime) -> list[str]:
    """Take out of the key file what no row and file needs any more; the names. They are put beside it, for old backups.

    Raises:
        StillUsed: something is sealed under another key than today's.
    """
    held = vault.ring()
    used = {name for column in rekey.columns() for name in rekey.keys_used(column)} | _of_files()
    if used - {held.current}:
        raise StillUsed(f"keys {', '.join(sorted(used - {held.current}))}: expected none in use; run rotate_keys first")
    gone = [name for name in held.keys if name != held.current]
    if gone:
        with transaction.atomic():
            _write("keys.retired", {"keys": gone}, at=at)
            vault.retire_keys(Path(settings.KEY_FILE), {held.current})
    return gone


def _public(document: Document) -> bool:
    """Our own templates and typefaces, which hold nothing of anybody."""
    return document.media_type == "font/ttf" or document.name.endswith("-kit.json")


def _of_files() -> set[str]:
    return {
        name
        for document in Document.objects.order_by("pk").iterator()
        if not _public(document) and (name := storage.key_of(document.sha256))
    }


def _write(action: str, detail: dict[str, object], *, at: datetime) -> None:
    journal.write(incident=None, at=at, by=None, action=action, subject="keys", detail=detail)
