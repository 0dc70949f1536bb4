"""Calls to addresses that an administrator has set: HTTP and HTTPS only, a short patience, nothing from the answer trusted."""

import http.client
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

LARGEST_ANSWER = 1_000_000


class NoAnswer(RuntimeError):
    """The other side could not be reached, was too slow, or said no."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An answer that points elsewhere is no answer: nobody but the administrator says where we call."""

    def redirect_request(self, *args: Any, **options: Any) -> None:
        return None


def post(url: str, body: bytes, *, content_type: str, timeout: float) -> bytes:
    """Send ``body`` and answer what came back. ``timeout``: seconds.

    Raises:
        NoAnswer: unreachable, too slow, redirected, or a status other than 2xx.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise NoAnswer("expected an address of HTTP or HTTPS")
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.HTTPHandler(), urllib.request.HTTPSHandler(), urllib.request.HTTPErrorProcessor(),
                    urllib.request.HTTPDefaultErrorHandler(), _NoRedirects()):  # fmt: skip
        opener.add_handler(handler)
    request = urllib.request.Request(  # noqa: S310  checked above
        url, data=body, method="POST", headers={"Content-Type": content_type, "User-Agent": "breachclock"}
    )
    try:
        with opener.open(request, timeout=timeout) as answer:
            return bytes(answer.read(LARGEST_ANSWER))
    except urllib.error.HTTPError as error:
        with error:
            raise NoAnswer(f"answered with status {error.code}") from None
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"{type(error).__name__}: {error}") from error
