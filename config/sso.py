"""Single sign-on from one file: who is asked, and which of their groups gives which role. docs/sign-in.md explains it.

Read while the settings are, so nothing here may need the database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.utils.functional import lazy
from django.utils.translation import get_language

from compliance.engine.strict import Node, read_file
from compliance.engine.types import LocalText

LEAST_SECRET = 16
# What stands in examples and forgotten templates.
PLACEHOLDERS = ("changeme", "change-me", "secret", "password", "example", "placeholder")


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in an entity, by its key."""

    entity: str
    role: str


@dataclass(frozen=True, slots=True)
class Provider:
    """One identity provider. ``origins``: where a form may lead to; ``verifies``: it asks for a second factor itself."""

    key: str
    kind: str
    app: Mapping[str, Any]
    origins: tuple[str, ...]
    groups_from: str
    groups: Mapping[str, tuple[Grant, ...]]
    verifies: bool
    trusted_domains: tuple[str, ...]

    def wanted(self, held: Iterable[str]) -> frozenset[Grant]:
        """The roles that ``held``, names of groups, give."""
        return frozenset(grant for group in held for grant in self.groups.get(group, ()))


def read_providers(path: Path) -> dict[str, Provider]:
    """The providers of the file, by their keys.

    Raises:
        compliance.engine.LawError: unreadable, an unknown word, a weak secret.
    """
    node = read_file(path, root=path.parent)
    node.mapping(required={"providers"})
    found = [_provider(item, path.parent) for item in node.at("providers").items(least=1)]
    return {provider.key: provider for provider in found}


COMMON = {"id", "kind", "name", "groups_from", "groups"}
OPTIONAL = {"second_factor", "email_domains", "origins"}


def _provider(node: Node, folder: Path) -> Provider:
    kind = node.at("kind").one_of({"openid_connect", "saml"}) if node.has("kind") else None
    if kind is None:
        raise node.fail("missing", "kind")
    read = _openid if kind == "openid_connect" else _saml
    app, addresses = read(node, folder)
    factor = node.at("second_factor").one_of({"here", "provider"}) if node.has("second_factor") else "here"
    more = [item.text() for item in node.at("origins").items()] if node.has("origins") else []
    return Provider(
        key=_key(node.at("id")),
        kind=kind,
        app={**app, "provider_id": _key(node.at("id")), "name": _shown(node.at("name").local())},
        origins=tuple(sorted({_origin(address) for address in (*addresses, *more)})),
        groups_from=node.at("groups_from").text(),
        groups={group: _grants(item) for group, item in node.at("groups").entries()},
        verifies=factor == "provider",
        trusted_domains=tuple(item.text().lower() for item in node.at("email_domains").items())
        if node.has("email_domains")
        else (),
    )


def _openid(node: Node, folder: Path) -> tuple[dict[str, Any], list[str]]:
    node.mapping(required={*COMMON, "server", "client_id", "client_secret_file"}, optional={*OPTIONAL, "scopes"})
    server = _address(node.at("server"))
    scopes = [item.text() for item in node.at("scopes").items()] if node.has("scopes") else []
    app = {
        "client_id": node.at("client_id").text(),
        "secret": _secret(node.at("client_secret_file"), folder),
        "settings": {
            "server_url": server,
            "oauth_pkce_enabled": True,
            "scope": ["openid", "profile", "email", *scopes],
        },
    }
    return app, [server]


def _saml(node: Node, folder: Path) -> tuple[dict[str, Any], list[str]]:
    needed = {"entity_id", "sso_address", "certificate_file", "email_from"}
    node.mapping(
        required={*COMMON, *needed}, optional={*OPTIONAL, "name_from", "private_key_file", "own_certificate_file"}
    )
    advanced: dict[str, Any] = {
        "strict": True,
        "want_assertion_signed": True,
        "reject_idp_initiated_sso": True,
        "reject_deprecated_algorithm": True,
        # Names without a dot are common inside a house.
        "allow_single_label_domains": True,
    }
    if node.has("private_key_file"):
        advanced |= {
            "private_key": _content(node.at("private_key_file"), folder),
            "x509cert": _content(node.at("own_certificate_file"), folder),
            "authn_request_signed": True,
            "metadata_signed": True,
        }
    mapping = {"email": [node.at("email_from").text()]}
    if node.has("name_from"):
        mapping["first_name"] = [node.at("name_from").text()]
    address = _address(node.at("sso_address"))
    app = {
        "client_id": _key(node.at("id")),
        "settings": {
            "idp": {
                "entity_id": node.at("entity_id").text(),
                "sso_url": address,
                "x509cert": _content(node.at("certificate_file"), folder),
            },
            "attribute_mapping": mapping,
            "use_nameid_for_email": False,
            "advanced": advanced,
        },
    }
    return app, [address]


def _key(node: Node) -> str:
    found = node.text()
    if not found.replace("-", "").isalnum() or not found.isascii() or len(found) > 30:
        raise node.fail(f"{found!r}: expected at most 30 letters, digits and hyphens")
    return found


def _address(node: Node) -> str:
    found = node.text()
    parts = urlsplit(found)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and local)):
        raise node.fail(f"{found!r}: expected an address that begins with https://")
    return found


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _content(node: Node, folder: Path) -> str:
    path = folder / node.text()
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise node.fail(f"{path}: expected a readable file") from error


def _secret(node: Node, folder: Path) -> str:
    found = _content(node, folder)
    if len(found) < LEAST_SECRET or found.lower() in PLACEHOLDERS:
        raise node.fail(f"expected a file with a secret of at least {LEAST_SECRET} characters")
    return found


def _grants(node: Node) -> tuple[Grant, ...]:
    def grant(item: Node) -> Grant:
        item.mapping(required={"entity", "role"})
        return Grant(entity=item.at("entity").text(), role=item.at("role").text())

    return node.each(grant, least=1)


def _shown(name: LocalText) -> Any:
    """The name in the language of the page."""
    return lazy(lambda: name.ko if (get_language() or "").startswith("ko") else name.en, str)()


def apps_of(providers: Mapping[str, Provider]) -> dict[str, Any]:
    """The setting ``SOCIALACCOUNT_PROVIDERS``."""
    found: dict[str, Any] = {"openid_connect": {"APPS": []}, "saml": {"APPS": []}}
    for provider in providers.values():
        found[provider.kind]["APPS"].append(dict(provider.app))
    return found


def groups_of(provider: Provider, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of groups that ``provider`` said with ``data``: claims of OpenID Connect or attributes of SAML."""
    claims = data.get("userinfo") or data.get("id_token") or data
    told = claims.get(provider.groups_from)
    if told is None and "id_token" in data:
        told = data["id_token"].get(provider.groups_from)
    if isinstance(told, str):
        return (told,)
    return tuple(str(item) for item in told) if isinstance(told, list | tuple) else ()
