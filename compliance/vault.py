"""Encryption at rest: AES-256-GCM under keys that have names, from a file or a command, for columns and files.

A sealed text is ``bc1:<key>:<nonce and ciphertext in base64>``; a sealed file the same in bytes. ``place`` is bound to it
(model and column, or the digest of a file), so that a value moved elsewhere does not open. The first key seals; every key opens.
"""

import base64
import functools
import os
import re
import secrets
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

MARK = "bc1:"
KEY_BYTES, NONCE_BYTES = 32, 12
COMMAND_SECONDS = 30
_LINE = re.compile(r"([a-z0-9]{1,16}) ([A-Za-z0-9+/]{43}=)")


class Unopened(ValueError):
    """A sealed value that does not open: its key is not here, it was changed, or it belongs elsewhere. Holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys by name; the first one seals."""

    keys: Mapping[str, AESGCM]

    @property
    def current(self) -> str:
        """The name of the key that seals."""
        return next(iter(self.keys))


def parse(text: str, *, where: str) -> Ring:
    """The keys in ``text``: one a line, a name and 32 bytes in base64; what begins with # is a remark.

    Raises:
        ImproperlyConfigured: no key, a line that is none, a name twice, or a key that is no random one.
    """
    keys: dict[str, AESGCM] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise ImproperlyConfigured(f"{where}: line {number}: expected a name and 32 bytes in base64")
        name, raw = found[1], base64.b64decode(found[2])
        if len(set(raw)) < KEY_BYTES // 2:
            raise ImproperlyConfigured(f"{where}: line {number}: expected 32 random bytes, not a pattern")
        if name in keys:
            raise ImproperlyConfigured(f"{where}: line {number}: key {name} is there twice")
        keys[name] = AESGCM(raw)
    if not keys:
        raise ImproperlyConfigured(f"{where}: expected at least one key")
    return Ring(keys)


def new_line() -> str:
    """A fresh key as a line of the file."""
    return f"k{secrets.token_hex(5)} {base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def make_file(path: Path) -> None:
    """A key file with one fresh key, for its owner alone, unless there is one. It appears whole or not at all."""
    if path.exists():
        return
    temporary = _written(path, new_line() + "\n")
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass  # another process was first
    finally:
        temporary.unlink()


def add_key(path: Path) -> str:
    """Put a fresh key first in the file; its name. The others stay and go on opening."""
    line = new_line()
    os.replace(_written(path, f"{line}\n{path.read_text(encoding='ascii')}"), path)
    return line.split()[0]


def retire_keys(path: Path, keep: set[str]) -> None:
    """Move every key that is not in ``keep`` to the file's neighbour ``.retired``, which old backups need."""
    retired = path.with_name(path.name + ".retired")
    lines = path.read_text(encoding="ascii").splitlines()
    before = retired.read_text(encoding="ascii") if retired.exists() else ""
    gone = [line for line in lines if line.split(" ")[0] not in keep]
    os.replace(_written(retired, before + "".join(f"{line}\n" for line in gone)), retired)
    os.replace(_written(path, "".join(f"{line}\n" for line in lines if line not in gone)), path)


def _written(path: Path, text: str) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent)  # for its owner alone, from the first moment
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def ring() -> Ring:
    """The keys, read again when the file changes.

    Raises:
        ImproperlyConfigured: no keys, weak ones, a file that others may read, or a command that fails.
    """
    if settings.KEY_COMMAND:
        return _from_command(settings.KEY_COMMAND)
    path = Path(settings.KEY_FILE)
    try:
        found = path.stat()
    except OSError:
        raise ImproperlyConfigured(f"BREACHCLOCK_KEY_FILE: {path}: expected a readable file of keys") from None
    return _from_file(path, found.st_mtime_ns, found.st_ino, found.st_mode & 0o077)


@functools.lru_cache(maxsize=4)
def _from_file(path: Path, changed: int, inode: int, others: int) -> Ring:
    if others and settings.KEY_FILE_OWNER_ONLY:
        raise ImproperlyConfigured(
            f"BREACHCLOCK_KEY_FILE: {path}: expected a file that its owner alone may read (0600)"
        )
    try:
        return parse(path.read_text(encoding="ascii"), where=f"BREACHCLOCK_KEY_FILE: {path}")
    except (OSError, UnicodeDecodeError):
        raise ImproperlyConfigured(f"BREACHCLOCK_KEY_FILE: {path}: expected a readable file of keys") from None


@functools.lru_cache(maxsize=1)
def _from_command(command: str) -> Ring:
    try:
        done = subprocess.run(  # the house's own setting, without a shell  # noqa: S603  # nosec B603
            shlex.split(command), capture_output=True, timeout=COMMAND_SECONDS, check=True, text=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        said = type(error).__name__  # never its output, which may hold a key
        raise ImproperlyConfigured(f"BREACHCLOCK_KEY_COMMAND: expected keys, got {said}") from None
    return parse(done.stdout, where="BREACHCLOCK_KEY_COMMAND")


def forget() -> None:
    """Read the keys anew at the next use."""
    _from_file.cache_clear()
    _from_command.cache_clear()


def seal(content: bytes, place: str) -> bytes:
    """``content`` under the first key, bound to ``place``."""
    held = ring()
    nonce = secrets.token_bytes(NONCE_BYTES)
    head = f"{MARK}{held.current}:".encode()
    return head + nonce + held.keys[held.current].encrypt(nonce, content, place.encode())


def unseal(sealed: bytes, place: str) -> bytes:
    """What was sealed for ``place``.

    Raises:
        Unopened: see there.
    """
    mark, _colon, rest = sealed.partition(b":")
    name, _colon, rest = rest.partition(b":")
    if mark + b":" != MARK.encode():
        raise Unopened(f"{place}: not sealed")
    key = ring().keys.get(name.decode("ascii", "replace"))
    if key is None and settings.KEY_COMMAND:  # perhaps a newer one than this process knows
        forget()
        key = ring().keys.get(name.decode("ascii", "replace"))
    if key is None:
        raise Unopened(f"{place}: its key is not here")
    try:
        return key.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError):
        raise Unopened(f"{place}: changed, or sealed for another place") from None


def seal_text(text: str, place: str) -> str:
    """``text`` sealed, as text."""
    sealed = seal(text.encode(), place)
    head = len(MARK) + sealed[len(MARK) :].index(b":") + 1
    return sealed[:head].decode() + base64.b64encode(sealed[head:]).decode()


def unseal_text(sealed: str, place: str) -> str:
    """What :func:`seal_text` sealed.

    Raises:
        Unopened: see there.
    """
    head, _colon, rest = sealed.rpartition(":")
    try:
        raw = base64.b64decode(rest, validate=True)
    except ValueError:
        raise Unopened(f"{place}: changed") from None
    return unseal(f"{head}:".encode() + raw, place).decode()


def is_sealed(text: str) -> bool:
    """Whether ``text`` is a sealed one."""
    return text.startswith(MARK)


def under_current(text: str) -> bool:
    """Whether ``text`` is sealed under the key that seals today."""
    return text.startswith(f"{MARK}{ring().current}:")
