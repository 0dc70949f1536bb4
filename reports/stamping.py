"""What makes a signature last: a time stamp of the house's authority (RFC 3161), and proof that nothing was revoked.

Both are settings. Nothing is fetched but the stamp: certificates and revocation lists lie in a folder that the house keeps up to
date, so that a signature never waits for, or tells, anybody else.
"""

from collections.abc import Iterator
from pathlib import Path

from asn1crypto import crl, pem, tsp, x509
from django.conf import settings
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator import ValidationContext

from incidents import stamps


class Authority(TimeStamper):
    """The time-stamping authority of TSA_URL; what it answers is checked against TSA_ROOTS before it is used."""

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """The answer to ``req``.

        Raises:
            incidents.stamps.NoStamp: none, or none that holds.
        """
        imprint = req["message_imprint"]["hashed_message"].native
        return tsp.TimeStampResp.load(stamps.ask(req.dump(), imprint, nonce=req["nonce"].native))


def authority() -> Authority | None:
    """The configured authority, if there is one."""
    return Authority() if settings.TSA_URL else None


def revocation() -> ValidationContext | None:
    """The certificates and revocation lists of BREACHCLOCK_SIGNING_REVOCATION and the roots of TSA_ROOTS.

    Every certificate but a root must be covered by a list: one that is not makes the signature fail rather than last less long.

    Raises:
        ValueError: a file that cannot be read as what its name says.
    """
    if not settings.SIGNING_REVOCATION:
        return None
    folder = Path(settings.SIGNING_REVOCATION)
    files = [*sorted(folder.glob("*.pem")), Path(settings.TSA_ROOTS)]
    certificates = [x509.Certificate.load(item) for path in files for item in _items(path)]
    lists = [crl.CertificateList.load(item) for path in sorted(folder.glob("*.crl")) for item in _items(path)]
    return ValidationContext(
        trust_roots=[item for item in certificates if item.self_issued],
        other_certs=[item for item in certificates if not item.self_issued],
        crls=lists,
        allow_fetching=False,
        revocation_mode="require",
    )


def _items(path: Path) -> Iterator[bytes]:
    """The DER of everything in a file, which may hold several in PEM."""
    content = path.read_bytes()
    if pem.detect(content):
        yield from (der for _kind, _headers, der in pem.unarmor(content, multiple=True))
    else:
        yield content
