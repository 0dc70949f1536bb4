"""No message leaves for an address inside the house: a guard against requests forged through somebody's webhook.

A target is checked when it is saved, by name and by what the name resolves to. That alone would not do, since a name can
resolve differently a moment later and a server can redirect. So while a message is being sent, every connection of this
thread is looked at once more where it is made, after name resolution: :func:`sys.addaudithook` sees each
``socket.connect`` with the numeric address.
"""

import contextlib
import ipaddress
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from compliance.errors import BadInput

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Inside by their purpose, though not every Python version counts them as such: local translation, site-local.
_INSIDE = (ipaddress.ip_network("64:ff9b:1::/48"), ipaddress.ip_network("fec0::/10"))


@dataclass(slots=True)
class Sending:
    """What one thread connects to while it sends. ``cut``: it took too long and its connections were shut."""

    allowed: frozenset[Address]
    cut: bool = False
    sockets: list[socket.socket] = field(default_factory=list)

    def stop(self) -> None:
        """Shut every connection, whatever waits on it."""
        self.cut = True
        for held in self.sockets:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)


_sending: ContextVar[Sending | None] = ContextVar("sending", default=None)


class AddressRefused(Exception):
    """A connection to an address inside the house, stopped before it was made."""


def check_host(host: str) -> None:
    """Refuse a host that is, or resolves to, an address inside the house, unless the settings allow it.

    Raises:
        BadInput: inside, or not known to the resolver.
    """
    if host.lower() in _allowed_hosts():
        return
    found = _resolve(host)
    if not found:
        raise BadInput(_("The address %(host)s is not known."), code="unknown_host", field="target", host=host)
    if not all(map(is_outside, found)):
        raise BadInput(
            _(
                "%(host)s lies inside the house. Expected an address on the public network, or a host that the settings allow."
            ),
            code="inside",
            field="target",
            host=host,
        )


def check_web_address(target: str) -> None:
    """Refuse what is no http or https address of the outside.

    Raises:
        BadInput: another scheme, no host, a password in it, a port that is none, or inside.
    """
    try:
        parts = urlsplit(target)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or parts.username is not None or parts.password is not None or any(map(str.isspace, target)):
        raise BadInput(
            _("Expected an address that begins with https:// or http://, with a host and without a password."),
            code="bad_address",
            field="target",
        )
    check_host(parts.hostname or "")


def is_outside(address: Address) -> bool:
    """Whether ``address`` lies on the public network. Addresses that carry another inside them are unwrapped first."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_outside(inner)
        if any(address in network for network in _INSIDE):
            return False
    return address.is_global and not address.is_multicast


@contextlib.contextmanager
def outside_only(*, seconds: float) -> Iterator[Sending]:
    """Within the block this thread connects to the public network and to allowed hosts only, for ``seconds`` at most.

    Raises:
        AddressRefused: from within the block, when something tries otherwise.
    """
    sending = Sending(frozenset(address for host in _allowed_hosts() for address in _resolve(host)))
    token = _sending.set(sending)
    timer = threading.Timer(seconds, sending.stop)
    timer.daemon = True
    timer.start()
    try:
        yield sending
    finally:
        _sending.reset(token)
        timer.cancel()
        for held in sending.sockets:
            held.close()


def _allowed_hosts() -> frozenset[str]:
    return frozenset(host.lower() for host in settings.WEBHOOK_HOSTS)


def _resolve(host: str) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [_address(item[4][0]) for item in found]


def _address(text: Any) -> Address:
    return ipaddress.ip_address(str(text).partition("%")[0])


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in ("socket.connect", "socket.sendto"):
        return
    sending = _sending.get()
    if sending is None:
        return
    if sending.cut:
        raise AddressRefused("too late")
    try:
        address = _address(arguments[1][0])
    except (ValueError, TypeError, IndexError):
        raise AddressRefused("no numeric address") from None
    if address not in sending.allowed and not is_outside(address):
        raise AddressRefused("inside")
    # A handle of our own on the same connection: TLS moves the socket into another object.
    sending.sockets.append(socket.socket(fileno=os.dup(arguments[0].fileno())))


sys.addaudithook(_watch)
