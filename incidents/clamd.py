"""Asking ClamAV's daemon about a file, where the house has one (``BREACHCLOCK_CLAMD``): INSTREAM over a socket.

The protocol is a page long (clamd(8)): ``zINSTREAM``, chunks with their length before them, a length of zero, one answer.
"""

import socket
import struct

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from compliance.errors import BadInput, Refused

CHUNK = 1 << 16
SECONDS = 30


def refuse_malware(content: bytes) -> None:
    """Refuse ``content`` in which the scanner finds something. Without a scanner nothing is asked.

    Raises:
        BadInput: malware.
        Refused: the scanner cannot be reached or does not know: not scanned is not clean.
    """
    if not settings.CLAMD:
        return
    try:
        answer = ask(settings.CLAMD, content)
    except (OSError, ValueError):
        answer = ""
    if answer == "stream: OK":
        return
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        raise BadInput(_("The scanner finds malware in this file. It is not kept."), code="malware", field="proof")
    raise Refused(_("The scanner for malware does not answer. Try again later; nothing was kept."), code="not_scanned")


def ask(address: str, content: bytes) -> str:
    """What the daemon at ``address`` (a path, or host:port) says.

    Raises:
        OSError: not reached, or it hung up.
        ValueError: no such address.
    """
    with _connected(address) as wire:
        wire.settimeout(SECONDS)
        wire.sendall(b"zINSTREAM\0")
        for begin in range(0, len(content), CHUNK):
            chunk = content[begin : begin + CHUNK]
            wire.sendall(struct.pack("!I", len(chunk)) + chunk)
        wire.sendall(struct.pack("!I", 0))
        answer = b""
        while not answer.endswith(b"\0") and len(answer) < 4096:
            more = wire.recv(4096)
            if not more:
                break
            answer += more
    return answer.rstrip(b"\0\n").decode("utf-8", "replace")


def _connected(address: str) -> socket.socket:
    if address.startswith("/"):
        wire = socket.socket(socket.AF_UNIX)
        wire.settimeout(SECONDS)
        try:
            wire.connect(address)
        except OSError:
            wire.close()
            raise
        return wire
    host, _colon, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=SECONDS)
