"""A small time-stamping authority on this machine: real certificates and real RFC 3161 answers, made by openssl."""

import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests import servers

CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Test authority
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[stamper]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = tsa1
[tsa1]
serial = {folder}/serial
signer_cert = {folder}/stamper.pem
signer_key = {folder}/stamper.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Listener:
    """An HTTP server on this machine that keeps what it is sent and answers as told."""

    def __init__(self, answer: Callable[[str, bytes], tuple[int, bytes, dict[str, str]]]) -> None:
        self.seen: list[tuple[str, bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.seen.append((self.path, body))
                status, content, headers = answer(self.path, body)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/watch"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Tsa(Listener):
    """The authority. ``roots`` is the file of its root certificate."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.openssl = servers.program("openssl", "openssl")
        (folder / "config").write_text(CONFIG.format(folder=folder))
        self._certificate("root", "root", [])
        self._certificate("stamper", "stamper", ["-CA", "root.pem", "-CAkey", "root.key"])
        self.roots = folder / "root.pem"
        super().__init__(self._reply)

    def _certificate(self, name: str, section: str, signed_by: list[str]) -> None:
        self._run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-config", "config", "-extensions", section,
                  "-subj", f"/CN=Test {name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", *signed_by)  # fmt: skip

    def _reply(self, path: str, query: bytes) -> tuple[int, bytes, dict[str, str]]:
        (self.folder / "query").write_bytes(query)
        self._run("ts", "-reply", "-config", "config", "-queryfile", "query", "-out", "answer")
        return 200, (self.folder / "answer").read_bytes(), {"Content-Type": "application/timestamp-reply"}

    def _run(self, *arguments: str) -> None:
        subprocess.run([self.openssl, *arguments], cwd=self.folder, check=True, capture_output=True)
