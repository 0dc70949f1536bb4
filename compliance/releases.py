"""Which library speaks about an incident: the release it was begun under, with the days off known then.

A new release on disk changes nothing that runs. A person compares (``services.law_preview``) and accepts
(``services.law_accept``), one incident after the other.
"""

import json
import zlib
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from compliance.engine import LawError, Library, canonical_json
from compliance.engine.library import library_of
from compliance.engine.reading import law_files
from compliance.library import LAW, get_library
from compliance.models import DayOff, LawRelease

KEPT_IN_MEMORY = 4


def keep(library: Library, *, at: datetime) -> None:
    """Store the whole of ``library`` the first time an incident relies on it."""
    if LawRelease.objects.filter(digest=library.digest).exists():
        return
    content = zlib.compress(canonical_json(dict(library.files.contents)))
    LawRelease.objects.bulk_create(
        [LawRelease(digest=library.digest, content=content, first_used_at=at)], ignore_conflicts=True
    )


def library_at(digest: str, *, days_known_at: datetime) -> Library:
    """The release ``digest`` (empty: the one in use) with the days off that were known at ``days_known_at``."""
    current = get_library()
    library = current if digest in ("", current.digest) else _kept(digest)
    added: dict[str, dict[date, str]] = {}
    for day in DayOff.objects.filter(added_at__lte=days_known_at):
        added.setdefault(day.calendar, {})[day.on] = day.name
    return library.with_days_off(added) if added else library


@lru_cache(maxsize=KEPT_IN_MEMORY)
def _kept(digest: str) -> Library:
    """An earlier release as it was kept.

    Raises:
        LawError: the kept content no longer has its digest.
    """
    content = LawRelease.objects.values_list("content", flat=True).get(digest=digest)
    files = law_files(json.loads(zlib.decompress(content)), root=Path(LAW))
    if files.digest != digest:
        raise LawError(f"release {digest[:16]}", "digest", f"expected {digest}, found {files.digest}: it was changed")
    return library_of(files, proved=False)
