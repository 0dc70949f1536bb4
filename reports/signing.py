"""An optional PAdES signature over a frozen document, time-stamped where the house has an authority, with a seal on its first page.

The signed copy is a document of its own: the unsigned bytes stay as they were frozen and can be drawn again at any time. The
certificate (PKCS#12) and the file with its passphrase are settings; the passphrase is read when it is needed and kept nowhere.
"""

import hashlib
import io
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, Margins, SimpleBoxLayoutRule
from pyhanko.sign import fields, signers
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_signer import DSSContentSettings, SigDSSPlacementPreference
from pyhanko.sign.timestamps import TimestampRequestError
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import ValidationError
from weasyprint import HTML

from compliance.errors import BadInput, Refused
from incidents import access, journal
from incidents.services.common import changing
from incidents.stamps import NoStamp
from reports import prefill, record, stamping, storage
from reports.forms.tailor import GENERIC
from reports.kit import kit_of
from reports.models import Document, Filing, Signature
from reports.render import ASSETS, PackagedFiles
from reports.states import FilingState

journal.register({"filing.signed": _("Filing signed")})

FIELD = "Breachclock"
# Of the seal, in points from the lower left corner of the first page (A4): in the upper margin, left, where nothing is printed.
BOX = (47, 792, 207, 826)


@dataclass(frozen=True, slots=True)
class Sealer:
    """The certificate that signs."""

    signer: signers.SimpleSigner

    @property
    def subject(self) -> str:
        """Whose certificate it is."""
        return str(self.signer.signing_cert.subject.human_friendly)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate."""
        return hashlib.sha256(self.signer.signing_cert.dump()).hexdigest()


def configured() -> bool:
    """Whether this house has a certificate for filings."""
    return bool(settings.SIGNING_CERTIFICATE)


def sealer() -> Sealer:
    """The configured certificate with its key.

    Raises:
        BadInput: none is configured, or it cannot be read with its passphrase.
    """
    path, secret = settings.SIGNING_CERTIFICATE, settings.SIGNING_PASSPHRASE_FILE
    if not path:
        raise BadInput(_("No certificate is configured (BREACHCLOCK_SIGNING_CERTIFICATE)."), code="no_certificate")
    try:
        passphrase = Path(secret).read_bytes().strip() if secret else None
        loaded = signers.SimpleSigner.load_pkcs12(path, passphrase=passphrase)
    except OSError:
        loaded = None
    if loaded is None or loaded.signing_cert is None:
        raise BadInput(
            _("The certificate in BREACHCLOCK_SIGNING_CERTIFICATE cannot be read with its passphrase."),
            code="bad_certificate",
        )
    return Sealer(loaded)


def level() -> str:
    """How long a signature made now can be checked, as PAdES calls it (ETSI EN 319 142-1): B-B, B-T or B-LT.

    B-B while the certificate is good; B-T says when it was made, so that it outlives the certificate as long as somebody else
    still tells what was revoked; B-LT carries that along.
    """
    if not settings.TSA_URL:
        return "B-B"
    return "B-LT" if settings.SIGNING_REVOCATION else "B-T"


def sign(content: bytes, made: Sealer, *, words: str) -> bytes:
    """``content`` (a PDF) with a PAdES signature of :func:`level` and a seal that says ``words``.

    Raises:
        Refused: the time-stamping authority gave no stamp, or a certificate is revoked or covered by no revocation list.
    """
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    known = _revocation()
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        subfilter=SigSeedSubFilter.PADES,
        md_algorithm="sha256",
        name=made.subject[:200],
        embed_validation_info=known is not None,
        validation_context=known,
        # In the same revision: the signature then still covers the whole file.
        dss_settings=DSSContentSettings(include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE),
    )
    field = SigFieldSpec(FIELD, on_page=0, box=BOX)
    fields.append_signature_field(writer, field)
    with tempfile.TemporaryDirectory() as folder:
        # The seal's page is read from a file when the signature is made.
        seal = Path(folder) / "seal.pdf"
        seal.write_bytes(_seal(words))
        signer = signers.PdfSigner(
            metadata, signer=made.signer, stamp_style=_style(seal), timestamper=stamping.authority()
        )
        try:
            return bytes(signer.sign_pdf(writer, existing_fields_only=True).getbuffer())
        except (NoStamp, TimestampRequestError) as error:
            raise Refused(
                _("The time-stamping authority gave no time stamp. Nothing was signed; try again later."),
                code="no_time_stamp",
            ) from error
        except (SigningError, ValidationError) as error:
            raise Refused(
                _("It cannot be shown that no certificate is revoked. Bring the revocation lists up to date."),
                code="revocation_unknown",
            ) from error


def _revocation() -> ValidationContext | None:
    try:
        return stamping.revocation()
    except (ValueError, OSError) as error:
        raise BadInput(_("A file in BREACHCLOCK_SIGNING_REVOCATION cannot be read."), code="bad_revocation") from error


def _seal(words: str) -> bytes:
    """Drawn by the same renderer as the documents, so that its typeface is inside as PDF/A asks."""
    width, height = BOX[2] - BOX[0], BOX[3] - BOX[1]
    lines = "<br>".join(escape(line) for line in words.split("\n"))
    page = (
        '<html lang="ko"><head><link rel="stylesheet" href="breachclock:page.css"><style>'
        f"@page {{ size: {width}pt {height}pt; margin: 0; @top-left {{ content: none }} @top-right {{ content: none }}"
        " @bottom-left { content: none } @bottom-right { content: none } @bottom-center { content: none } }"
        "body { margin: 2pt; font: 6pt/1.25 Pretendard; color: #1a1a1a }"
        "div { border: 0.7pt solid #b02a2a; color: #b02a2a; padding: 2pt 4pt }</style></head>"
        f"<body><div>{lines}</div></body></html>"
    )
    html = HTML(string=page, base_url=ASSETS, url_fetcher=PackagedFiles(kit_of(GENERIC, "ko")))
    pdf: bytes = html.write_pdf(pdf_variant="pdf/a-3b")
    return pdf


def _style(seal: Path) -> StaticStampStyle:
    middle = AxisAlignment.ALIGN_MID
    layout = SimpleBoxLayoutRule(x_align=middle, y_align=middle, margins=Margins(0, 0, 0, 0))
    return StaticStampStyle.from_pdf_file(str(seal), border_width=0, background_opacity=1, background_layout=layout)


def filing_sign(*, filing: Filing, at: datetime, by: User) -> Signature:
    """Sign the frozen document of ``filing`` with the house's certificate. Repeating answers the signature there is.

    Raises:
        NotPermitted: neither counsel nor approver.
        Refused: not frozen, handed over already, no time stamp, or revocation that is not known.
        BadInput: no certificate, or one that cannot be read.
    """
    access.require_decide(by, filing.incident)
    if made := Signature.objects.filter(filing=filing).first():
        return made
    # The authority is asked before the incident is locked: nobody waits for it but who signs.
    frozen, with_key = _signable(filing), sealer()
    words = f"{with_key.subject}\n{prefill.local_text(at, filing.entity.zone)}\n{filing}"
    signed = sign(storage.read(frozen), with_key, words=words)
    with changing(filing.incident, at=at) as incident:
        access.require_decide(by, incident)
        made = Signature.objects.filter(filing=filing).first()
        if made is not None:
            return made
        _signable(filing)
        held = Filing.objects.select_related("incident", "entity").get(pk=filing.pk)
        name = f"{str(held).replace('/', '-')}-signed.pdf"
        document = storage.store(signed, media_type="application/pdf", name=name, at=at)
        row = Signature.objects.create(
            filing=held,
            document=document,
            subject=with_key.subject[:300],
            fingerprint=with_key.fingerprint,
            signed_by=by,
            signed_at=at,
            level=level(),
        )
        detail = {"document": document.sha256, "certificate": with_key.fingerprint, "level": row.level}
        record.write(held, "filing.signed", at=at, by=by, detail=detail)
        return row


def _signable(filing: Filing) -> Document:
    """The frozen document, while nobody has handed it over.

    Raises:
        Refused: it is not frozen, or has left the house.
    """
    held = Filing.objects.select_related("document").get(pk=filing.pk)
    if held.state != FilingState.FROZEN or held.document is None:
        raise Refused(_("Only a frozen filing that was not handed over yet can be signed."), code="wrong_state")
    return held.document
