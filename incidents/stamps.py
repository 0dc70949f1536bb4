"""Time stamps of an authority after RFC 3161: that bytes existed at a moment, signed by somebody who does not know us."""

import hashlib
from pathlib import Path

from cryptography import x509
from django.conf import settings
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from incidents.fetching import NoAnswer, post

TIMEOUT_SECONDS = 15


class NoStamp(RuntimeError):
    """No time stamp, or one that does not hold."""


def fetch(content: bytes) -> bytes:
    """A time stamp over ``content`` from the authority TSA_URL, checked, as the DER of its response.

    Raises:
        NoStamp: the authority did not answer, refused, or answered with something that does not hold.
    """
    request = TimestampRequestBuilder(data=content, hash_algorithm=HashAlgorithm.SHA256).build()
    return ask(request.as_bytes(), hashlib.sha256(content).digest(), nonce=request.nonce)


def ask(query: bytes, imprint: bytes, *, nonce: int | None) -> bytes:
    """What TSA_URL answers to ``query`` (DER), a request for a stamp over something of the digest ``imprint``, checked.

    Raises:
        NoStamp: the authority did not answer, refused, or answered with something that does not hold.
    """
    try:
        answer = post(
            settings.TSA_URL,
            query,
            content_type="application/timestamp-query",
            timeout=TIMEOUT_SECONDS,
        )
    except NoAnswer as error:
        raise NoStamp(str(error)) from error
    _verify(_decoded(answer), imprint, nonce=nonce)
    return answer


def check(stamp: bytes, content: bytes, *, signature: bool) -> None:
    """Whether ``stamp`` is one over ``content``; with ``signature`` also whether the authority signed it.

    The signature is checked with today's certificates: one whose certificate has run out since no longer holds that way.

    Raises:
        NoStamp: it is not.
    """
    response = _decoded(stamp)
    if bytes(response.tst_info.message_imprint.message) != hashlib.sha256(content).digest():
        raise NoStamp("it was made over something else")
    if signature:
        _verify(response, hashlib.sha256(content).digest(), nonce=None)


def _decoded(answer: bytes) -> TimeStampResponse:
    try:
        response = decode_timestamp_response(answer)
        _granted = response.tst_info  # only a granted response has one
    except ValueError as error:
        raise NoStamp(f"not a granted time stamp: {error}") from error
    return response


def _verify(response: TimeStampResponse, imprint: bytes, *, nonce: int | None) -> None:
    builder = VerifierBuilder()
    for root in x509.load_pem_x509_certificates(Path(settings.TSA_ROOTS).read_bytes()):
        builder = builder.add_root_certificate(root)
    if nonce is not None:
        builder = builder.nonce(nonce)
    try:
        builder.build().verify(response, imprint)
    except (VerificationError, ValueError) as error:
        raise NoStamp(str(error)) from error
