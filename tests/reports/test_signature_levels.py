"""A signature that lasts: a real time stamp of a real authority, and revocation lists inside."""

import io
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import DocumentSecurityStore, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from compliance import clock
from compliance.errors import BadInput, Refused
from incidents.models import JournalEntry
from reports import signing, storage
from reports.models import Signature
from tests.factories import later
from tests.reports.conftest import NOW, Case
from tests.tsa import Tsa

AT = later(NOW, minutes=30)


class House:
    """A certification authority of the test, the house's certificate, and its revocation list."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.start = folder, clock.now() - timedelta(days=1)
        self.key, self.root = self._root()
        self.number = x509.random_serial_number()
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        usage = x509.KeyUsage(True, True, False, False, False, False, False, False, False)
        made = self._builder("한빛통신 신고 인증서", key.public_key(), self.number).add_extension(usage, critical=True)
        made = made.sign(self.key, hashes.SHA256())
        content = pkcs12.serialize_key_and_certificates(b"seal", key, made, [self.root], serialization.NoEncryption())
        (folder / "seal.p12").write_bytes(content)
        (folder / "root.pem").write_bytes(self.root.public_bytes(serialization.Encoding.PEM))

    def _root(self) -> Any:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        made = self._builder("Test house root", key.public_key(), 1)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return key, made.add_extension(usage, critical=True).sign(key, hashes.SHA256())

    def _builder(self, name: str, key: Any, number: int) -> Any:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        builder = x509.CertificateBuilder().subject_name(named(name)).issuer_name(named("Test house root"))
        builder = builder.public_key(key).serial_number(number)
        return builder.not_valid_before(self.start).not_valid_after(self.start + timedelta(days=3650))

    def revoke(self, *numbers: int) -> bytes:
        """A revocation list of these certificates."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.root.subject)
        builder = builder.last_update(self.start).next_update(self.start + timedelta(days=30))
        for number in numbers:
            row = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(self.start).build()
            builder = builder.add_revoked_certificate(row)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.fixture
def tsa(tmp_path: Path, settings) -> Iterator[Tsa]:
    (tmp_path / "tsa").mkdir()
    made = Tsa(tmp_path / "tsa")
    settings.TSA_URL, settings.TSA_ROOTS = made.url, str(made.roots)
    yield made
    made.stop()


@pytest.fixture
def house(tmp_path: Path, settings) -> House:
    (tmp_path / "house").mkdir()
    made = House(tmp_path / "house")
    settings.SIGNING_CERTIFICATE, settings.SIGNING_PASSPHRASE_FILE = str(made.folder / "seal.p12"), ""
    return made


@pytest.fixture
def lists(house: House, tsa: Tsa, tmp_path: Path, settings) -> Path:
    """The folder with the house's root and fresh lists of both authorities."""
    folder = tmp_path / "revocation"
    folder.mkdir()
    (folder / "root.pem").write_bytes((house.folder / "root.pem").read_bytes())
    (folder / "house.crl").write_bytes(house.revoke())
    _list_of(tsa, folder / "tsa.crl")
    settings.SIGNING_REVOCATION = str(folder)
    return folder


def _list_of(tsa: Tsa, out: Path) -> None:
    (tsa.folder / "index.txt").write_text("")
    (tsa.folder / "ca.conf").write_text(
        f"[ca]\ndefault_ca = a\n[a]\ndatabase = {tsa.folder}/index.txt\ndefault_md = sha256\ndefault_crl_days = 30\n"
    )
    subprocess.run(
        [tsa.openssl, "ca", "-gencrl", "-config", "ca.conf", "-keyfile", "root.key", "-cert", "root.pem", "-out", str(out)],
        cwd=tsa.folder, check=True, capture_output=True,
    )  # fmt: skip


def sign(case: Case) -> Signature:
    return signing.filing_sign(filing=case.frozen(), at=AT, by=case.company.counsel)


def embedded(row: Signature) -> Any:
    (found,) = PdfFileReader(io.BytesIO(storage.read(row.document))).embedded_signatures
    return found


def roots(*paths: Path) -> list[asn1.Certificate]:
    return [load_cert_from_pemder(str(path)) for path in paths]


def test_without_an_authority_it_is_a_baseline_signature(case: Case, house: House) -> None:
    assert sign(case).level == "B-B"


def test_a_time_stamp_of_the_houses_authority_is_inside_and_holds(case: Case, house: House, tsa: Tsa) -> None:
    row = sign(case)
    trusted = ValidationContext(trust_roots=roots(house.folder / "root.pem", tsa.roots))
    status = validate_pdf_signature(embedded(row), trusted, ts_validation_context=trusted)
    assert status.bottom_line
    assert status.coverage.name == "ENTIRE_FILE"
    assert status.timestamp_validity.intact
    assert status.timestamp_validity.trusted
    assert row.level == "B-T"
    assert JournalEntry.objects.get(action="filing.signed").detail["level"] == "B-T"


def test_with_revocation_lists_it_can_be_checked_without_asking_anybody(
    case: Case, lists: Path, house: House, tsa: Tsa
) -> None:
    row = sign(case)
    known = {
        "trust_roots": roots(house.folder / "root.pem", tsa.roots),
        "allow_fetching": False,
        "revocation_mode": "require",
    }
    inside = DocumentSecurityStore.read_dss(PdfFileReader(io.BytesIO(storage.read(row.document))))
    assert len(inside.crls) == 2
    carried = inside.as_validation_context(known)
    status = validate_pdf_signature(embedded(row), carried, ts_validation_context=carried)
    assert status.bottom_line
    assert status.coverage.name == "ENTIRE_FILE"
    assert row.level == "B-LT"


def test_a_revoked_certificate_signs_nothing(case: Case, lists: Path, house: House) -> None:
    (lists / "house.crl").write_bytes(house.revoke(house.number))
    with pytest.raises(Refused) as refused:
        sign(case)
    assert refused.value.code == "revocation_unknown"
    assert not Signature.objects.exists()


def test_a_certificate_that_no_list_covers_signs_nothing(case: Case, lists: Path) -> None:
    (lists / "house.crl").unlink()
    with pytest.raises(Refused) as refused:
        sign(case)
    assert refused.value.code == "revocation_unknown"


def test_a_list_that_cannot_be_read_is_said_to_be_one(case: Case, lists: Path) -> None:
    (lists / "house.crl").write_bytes(b"no list")
    with pytest.raises(BadInput) as refused:
        sign(case)
    assert refused.value.code == "bad_revocation"


def test_an_authority_that_does_not_answer_signs_nothing(case: Case, house: House, tsa: Tsa) -> None:
    tsa.stop()
    with pytest.raises(Refused) as refused:
        sign(case)
    assert refused.value.code == "no_time_stamp"
    assert not Signature.objects.exists()


def test_a_stamp_of_a_stranger_is_none(case: Case, house: House, tsa: Tsa, settings) -> None:
    settings.TSA_ROOTS = str(house.folder / "root.pem")
    with pytest.raises(Refused) as refused:
        sign(case)
    assert refused.value.code == "no_time_stamp"
