"""A signed copy beside the frozen document: PAdES, a seal that is seen, and the unsigned bytes as they were."""

import io
from datetime import timedelta
from pathlib import Path

import pypdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from compliance.errors import BadInput, NotPermitted, Refused
from reports import signing, storage
from reports.models import Filing, Signature, Submission
from reports.verification import frozen_filings, verify
from tests.factories import later
from tests.reports.conftest import NOW, Case

AT = later(NOW, minutes=30)
SECRET = "a passphrase of this test"


@pytest.fixture
def certificate(settings, tmp_path: Path) -> Path:
    """A certificate of our own making and its file, as the settings name them; answers the certificate alone."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "한빛통신 신고 인증서")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(True, True, False, False, False, True, True, False, False),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    encryption = serialization.BestAvailableEncryption(SECRET.encode())
    (tmp_path / "seal.p12").write_bytes(pkcs12.serialize_key_and_certificates(b"seal", key, made, None, encryption))
    (tmp_path / "secret").write_text(SECRET + "\n", encoding="utf-8")
    settings.SIGNING_CERTIFICATE = str(tmp_path / "seal.p12")
    settings.SIGNING_PASSPHRASE_FILE = str(tmp_path / "secret")
    (tmp_path / "seal.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return tmp_path / "seal.pem"


def signed(case: Case) -> Signature:
    return signing.filing_sign(filing=case.frozen(), at=AT, by=case.company.counsel)


def test_the_signature_is_valid_and_covers_the_whole_document(case: Case, certificate: Path) -> None:
    content = storage.read(signed(case).document)
    (embedded,) = PdfFileReader(io.BytesIO(content)).embedded_signatures
    trusted = ValidationContext(trust_roots=[load_cert_from_pemder(str(certificate))], moment=AT)
    status = validate_pdf_signature(embedded, trusted)
    assert status.bottom_line
    assert status.coverage.name == "ENTIRE_FILE"
    assert embedded.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"


def test_a_changed_byte_breaks_the_signature(case: Case, certificate: Path) -> None:
    content = bytearray(storage.read(signed(case).document))
    content[2000] ^= 1
    (embedded,) = PdfFileReader(io.BytesIO(bytes(content))).embedded_signatures
    trusted = ValidationContext(trust_roots=[load_cert_from_pemder(str(certificate))], moment=AT)
    assert not validate_pdf_signature(embedded, trusted).intact


def test_the_unsigned_document_stays_and_both_verify(case: Case, certificate: Path) -> None:
    row = signed(case)
    filing = frozen_filings().get(pk=row.filing_id)
    before = storage.read(filing.document)
    assert storage.read(row.document).startswith(before)
    assert list(verify(filing)) == []
    storage.path_of(row.document.sha256).unlink()
    assert [fault.kind for fault in verify(filing)] == ["document_missing"]


def test_the_seal_is_seen_on_the_first_page_and_its_typeface_is_inside(case: Case, certificate: Path) -> None:
    reader = pypdf.PdfReader(io.BytesIO(storage.read(signed(case).document)))
    widget = next(item for item in reader.pages[0]["/Annots"] if item.get_object().get("/FT") == "/Sig").get_object()
    assert [float(number) for number in widget["/Rect"]] == [float(number) for number in signing.BOX]
    fonts = _fonts(widget["/AP"]["/N"].get_object())
    assert fonts
    assert all("/FontFile3" in descriptor or "/FontFile2" in descriptor for descriptor in fonts)


def _fonts(form) -> list:
    """The descriptors of every font below an appearance."""
    found, resources = [], form.get("/Resources", {})
    for font in (resources.get("/Font") or {}).values():
        inner = font.get_object()
        descendants = inner.get("/DescendantFonts")
        inner = descendants[0].get_object() if descendants else inner
        found.append(inner["/FontDescriptor"].get_object())
    for child in (resources.get("/XObject") or {}).values():
        found += _fonts(child.get_object())
    return found


def test_signing_again_answers_the_first(case: Case, certificate: Path) -> None:
    filing = case.frozen()
    first, again = (signing.filing_sign(filing=filing, at=AT, by=case.company.counsel) for _ in range(2))
    assert first.pk == again.pk


def test_a_handler_may_not_sign(case: Case, certificate: Path) -> None:
    with pytest.raises(NotPermitted):
        signing.filing_sign(filing=case.frozen(), at=AT, by=case.company.owner)


def test_only_what_is_frozen_and_still_here_is_signed(case: Case, certificate: Path) -> None:
    with pytest.raises(Refused) as refused:
        signing.filing_sign(filing=case.draft(), at=AT, by=case.company.counsel)
    assert refused.value.code == "wrong_state"


@pytest.mark.parametrize(("name", "code"), [("", "no_certificate"), ("/nowhere.p12", "bad_certificate")])
def test_without_a_certificate_nothing_is_signed(case: Case, settings, name: str, code: str) -> None:
    settings.SIGNING_CERTIFICATE = name
    with pytest.raises(BadInput) as refused:
        signing.filing_sign(filing=case.frozen(), at=AT, by=case.company.counsel)
    assert refused.value.code == code


def test_a_wrong_passphrase_is_said_to_be_one(case: Case, certificate: Path, settings) -> None:
    Path(settings.SIGNING_PASSPHRASE_FILE).write_text("wrong", encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        signing.filing_sign(filing=case.frozen(), at=AT, by=case.company.counsel)
    assert refused.value.code == "bad_certificate"


def test_the_signed_copy_is_what_goes_out(case: Case, certificate: Path, settings, tmp_path: Path) -> None:
    from incidents import outbox
    from reports.dispatch import submission_send

    settings.FILING_DROP = str(tmp_path / "drop")
    (tmp_path / "drop").mkdir()
    row = signed(case)
    filing = Filing.objects.get(pk=row.filing_id)
    submission_send(filing=filing, channel="drop", target="", request_key="k", at=AT, by=case.company.owner)
    outbox.send_due(now=AT)
    (file,) = (tmp_path / "drop").iterdir()
    assert file.read_bytes() == storage.read(row.document)
    assert Submission.objects.filter(filing=filing).exists()
