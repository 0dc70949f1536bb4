"""Signed webhooks as the Standard Webhooks specification (standardwebhooks.com) has them.

Headers ``webhook-id`` (the same through every repeat), ``webhook-timestamp`` (of this attempt, seconds since 1970) and
``webhook-signature: v1,<base64 of HMAC-SHA256 over "id.timestamp.body">``. A secret is ``whsec_`` and base64 of its bytes.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import urlsplit

import requests

from incidents import channels
from incidents.channels import Undelivered, guard
from incidents.models import OutboxMessage

PREFIX = "whsec_"
SECRET_BYTES = 32
# Connecting, and each wait for the next byte; and everything together, against a server that answers byte by byte.
TIMEOUT_SECONDS = 5.0
DEADLINE_SECONDS = 15.0
OK, GONE, MULTIPLE = 200, 410, 300


def new_secret() -> str:
    """A fresh secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, *, identity: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``.

    Raises:
        Undelivered: the stored secret is none.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise Undelivered("bad secret", permanent=True) from None
    signed = f"{identity}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def webhook_id(row: OutboxMessage) -> str:
    """The stable name of a message, by which a receiver knows a repeat."""
    return "msg_" + row.message_id.strip("<>").partition("@")[0]


def send(row: OutboxMessage, now: datetime) -> None:
    """POST ``row`` to its endpoint. Only an answer 2xx counts; redirects are not followed, the answer is not read.

    Raises:
        Undelivered: anything else.
    """
    endpoint = row.endpoint
    if endpoint is None:
        raise Undelivered("no endpoint", permanent=True)
    body, identity, timestamp = row.body.encode(), webhook_id(row), int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Breachclock",
        "webhook-id": identity,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(endpoint.secret, identity=identity, timestamp=timestamp, body=body),
    }
    status = _post(endpoint.target, body, headers)
    if not OK <= status < MULTIPLE:
        raise Undelivered(f"http {status}", permanent=status == GONE)


def _post(target: str, body: bytes, headers: dict[str, str]) -> int:
    with requests.Session() as session, guard.outside_only(seconds=DEADLINE_SECONDS) as sending:
        # No proxies, no passwords from the surroundings.
        session.trust_env = False
        try:
            with session.post(
                target, data=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True
            ) as response:
                if sending.cut:
                    # What was read until then can look like a whole answer.
                    raise TimeoutError
                return int(response.status_code)
        except (guard.AddressRefused, requests.RequestException, OSError) as error:
            raise undelivered(error, sending) from None


def undelivered(error: Exception, sending: guard.Sending) -> Undelivered:
    """What went wrong, without the address."""
    if sending.cut or isinstance(error, requests.Timeout | TimeoutError):
        return Undelivered("no answer in time", unreachable=True)
    if isinstance(error, guard.AddressRefused):
        return Undelivered("address inside the house", permanent=True)
    return Undelivered(f"no connection ({type(error).__name__})", unreachable=True)


def shown(target: str) -> str:
    """Scheme and host; the rest of a webhook's address is often a secret."""
    parts = urlsplit(target)
    return f"{parts.scheme}://{parts.hostname}/…"


channels.register(channels.Channel(channels.WEBHOOK, send, guard.check_web_address, shown))
