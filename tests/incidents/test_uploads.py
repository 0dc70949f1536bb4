"""Hostile files: what they say they are, what hangs on them, what they grow to, and what they are called."""

import io
import socket
import struct
import threading
import zipfile

import pytest
from PIL import Image

from compliance.errors import BadInput, Refused
from incidents import uploads

MOST = 1 << 20
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def picture(kind: str = "PNG", size: tuple[int, int] = (4, 4)) -> bytes:
    held = io.BytesIO()
    Image.new("1" if kind == "PNG" else "L", size).save(held, kind)
    return held.getvalue()


def packed(members: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [("접수증.pdf", PDF, uploads.PDF), ("a.png", picture(), uploads.PNG), ("b.JPG", picture("JPEG"), uploads.JPEG)],
)
def test_the_type_is_told_from_the_content(name: str, content: bytes, kind: str) -> None:
    held = uploads.examine(name, content, most=MOST)
    assert (held.media_type, held.name, held.flags) == (kind, name, ())


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.pdf", b"", "proof_size"),
        ("a.pdf", PDF + b"x" * MOST, "proof_size"),
        ("a.pdf", b"<html><script>alert(1)</script>", "proof_type"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "proof_type"),
        ("a.pdf", b"\n" * 100 + PDF, "proof_type"),
        ("a.pdf", PDF + packed({"evil.class": b"x"}), "proof_not_whole"),
        ("a.pdf", b"%PDF-1.7 cut off", "proof_not_whole"),
        ("a.png", picture() + b"<script>alert(1)</script>", "proof_not_whole"),
        ("a.png", picture()[:-20], "proof_not_whole"),
        ("a.jpg", picture("JPEG") + PDF, "proof_not_whole"),
        ("a.png", picture(size=(20_000, 20_000)), "proof_not_whole"),
        ("a.exe", PDF, "proof_name"),
        ("a.png", PDF, "proof_name"),
        ("a\u202egnp.exe", PDF, "proof_name"),
    ],
)
def test_what_is_not_what_it_should_be_is_refused(name: str, content: bytes, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        uploads.examine(name, content, most=MOST)
    assert refused.value.code == code


def test_a_pdf_that_does_something_is_flagged() -> None:
    assert uploads.examine("a.pdf", PDF.replace(b"<<>>", b"<</S/JavaScript/JS(x)>>", 1), most=MOST).flags == (
        "active_pdf",
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\접수증.pdf", "접수증.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie x.pdf"),
        ("\u202efdp.exe", "fdp.exe"),
        ("a\x00.pdf", "a.pdf"),
        ('"><img src=x>.pdf', "img src=x.pdf"),
        ("....", "file"),
        ("", "file"),
        ("가" * 300 + ".pdf", "가" * 116 + ".pdf"),
    ],
)
def test_a_name_is_never_trusted(given: str, kept: str) -> None:
    assert uploads.safe_name(given) == kept


@pytest.mark.parametrize(
    "content",
    [
        packed({"bomb": b"\0" * (50 << 20)}),
        packed({f"{number}": b"" for number in range(2_001)}),
        packed({"inner.zip": packed({"a": b"a"})}),
        packed({"harmless.txt": packed({"a": b"a"})}),
        packed({"../../up": b"a"}),
        packed({"/etc/passwd": b"a"}),
        b"PK\x03\x04 nothing",
    ],
    ids=["grows", "many", "nested", "nested under another name", "up", "absolute", "broken"],
)
def test_a_bomb_is_not_opened(content: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        uploads.check_packed(content)
    assert refused.value.code == "packed_unsafe"


def test_a_workbook_with_a_program_in_it_is_flagged() -> None:
    assert uploads.check_packed(packed({"xl/vbaProject.bin": b"x", "xl/workbook.xml": b"<x/>"})) == ("macro",)
    assert uploads.check_packed(packed({"xl/workbook.xml": b"<x/>"})) == ()


class Scanner:
    """Speaks clamd's INSTREAM over a real socket; finds what holds EICAR."""

    def __init__(self, answer: bytes | None = None) -> None:
        self.answer, self.seen = answer, b""
        self.door = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.door.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        wire, _from = self.door.accept()
        with wire, wire.makefile("rb") as file:
            assert file.read(10) == b"zINSTREAM\0"
            while size := struct.unpack("!I", file.read(4))[0]:
                self.seen += file.read(size)
            found = b"stream: Eicar-Test-Signature FOUND\0" if b"EICAR" in self.seen else b"stream: OK\0"
            wire.sendall(found if self.answer is None else self.answer)
        self.door.close()


def test_a_file_that_the_scanner_finds_clean_is_kept(settings) -> None:
    scanner = Scanner()
    settings.CLAMD = scanner.address
    content = PDF.replace(b"trailer", b" " * 200_000 + b"trailer")
    uploads.examine("a.pdf", content, most=MOST)
    assert scanner.seen == content


def test_malware_is_refused(settings) -> None:
    settings.CLAMD = Scanner().address
    with pytest.raises(BadInput) as refused:
        uploads.examine("a.pdf", PDF.replace(b"trailer", b"EICAR trailer"), most=MOST)
    assert refused.value.code == "malware"


@pytest.mark.parametrize("answer", [b"", b"INSTREAM size limit exceeded. ERROR\0", b"stream: OKAY\0"])
def test_what_was_not_scanned_is_not_clean(settings, answer: bytes) -> None:
    settings.CLAMD = Scanner(answer).address
    with pytest.raises(Refused) as refused:
        uploads.examine("a.pdf", PDF, most=MOST)
    assert refused.value.code == "not_scanned"


def test_a_scanner_that_is_not_there_refuses(settings) -> None:
    for settings.CLAMD in ("/nowhere/clamd.sock", "127.0.0.1:1", "nonsense"):
        with pytest.raises(Refused):
            uploads.examine("a.pdf", PDF, most=MOST)
