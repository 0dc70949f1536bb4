"""A SAML identity provider (pysaml2) for the tests: whoever comes is the person of the state file, and is signed for.

``python -m tests.saml_idp PORT SITE FOLDER``; the folder holds key.pem, cert.pem and state.json.
"""

import json
import shutil
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.config import IdPConfig
from saml2.saml import NAME_FORMAT_URI, NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

PASSWORD_CLASS = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


def provider(port: int, site: str, folder: Path) -> Server:
    """The provider, which knows the site by its metadata."""
    base = f"http://localhost:{port}"
    known = folder / "site.xml"
    with urllib.request.urlopen(f"{site}/accounts/saml/house-saml/metadata/") as answer:
        known.write_bytes(answer.read())
    return Server(
        config=IdPConfig().load(
            {
                "entityid": f"{base}/idp",
                "service": {
                    "idp": {
                        "endpoints": {"single_sign_on_service": [(f"{base}/sso", BINDING_HTTP_REDIRECT)]},
                        "policy": {"default": {"lifetime": {"minutes": 5}, "name_form": NAME_FORMAT_URI}},
                        "signing_algorithm": SIG_RSA_SHA256,
                        "digest_algorithm": DIGEST_SHA256,
                    }
                },
                "key_file": str(folder / "key.pem"),
                "cert_file": str(folder / "cert.pem"),
                "xmlsec_binary": shutil.which("xmlsec1"),
                "metadata": {"local": [str(known)]},
            }
        )
    )


def answer_to(server: Server, query: dict[str, list[str]], state: dict[str, Any]) -> str:
    """The page that posts the signed answer to the site; spoiled where the state says so."""
    asked = server.parse_authn_request(query["SAMLRequest"][0], BINDING_HTTP_REDIRECT)
    given = server.response_args(asked.message)
    response = server.create_authn_response(
        state["attributes"],
        userid=state["id"],
        name_id=NameID(format=NAMEID_FORMAT_PERSISTENT, text=state["id"]),
        authn={"class_ref": PASSWORD_CLASS, "authn_auth": "http://localhost"},
        sign_response=state.get("signed", True),
        sign_assertion=state.get("signed", True),
        in_response_to=given["in_response_to"],
        destination=given["destination"],
        sp_entity_id=given["sp_entity_id"],
    )
    text = str(response)
    for old, new in state.get("spoil", {}).items():
        text = text.replace(old, new)
    relay = query.get("RelayState", [""])[0]
    made = server.apply_binding(BINDING_HTTP_POST, text, given["destination"], relay, response=True)
    return str(made["data"])


def main(port: int, site: str, folder: Path) -> None:
    server = provider(port, site, folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state = json.loads((folder / "state.json").read_text())
            page = answer_to(server, parse_qs(urlsplit(self.path).query), state).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page)

    HTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
