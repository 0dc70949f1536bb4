"""Chat, pagers and SMS gateways through Apprise: one address, one of a hundred services.

Apprise also reaches things on this very machine (desktop, system log, files named in an address). So only the services
that the settings name may be used, addresses that name a file are refused, and connections are guarded as webhooks' are.
"""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from compliance.errors import BadInput
from incidents import channels
from incidents.channels import Undelivered, guard
from incidents.models import OutboxMessage

DEADLINE_SECONDS = 20.0
TIMEOUT = "5"
# Parameters with which an address could make Apprise read a file.
FILE_PARAMETERS = frozenset({"template", "keyfile", "subfile", "pem", "cert", "image", "attach", "include"})
# Services whose address names a host of one's own choice: that host must lie outside.
OWN_HOST = frozenset({"json", "jsons", "xml", "xmls", "form", "forms", "apprise", "apprises", "gotify", "gotifys",
                      "mmost", "mmosts", "rocket", "rockets", "nctalk", "nctalks"})  # fmt: skip


def send(row: OutboxMessage, now: datetime) -> None:
    """Hand ``row`` to the service.

    Raises:
        Undelivered: the service is not there or does not take it. Apprise does not tell why.
    """
    if row.endpoint is None:
        raise Undelivered("no endpoint", permanent=True)
    service = _service(row.endpoint.target)
    if service is None:
        raise Undelivered("bad address", permanent=True)
    with guard.outside_only(seconds=DEADLINE_SECONDS) as sending:
        try:
            taken = service.notify(body=row.body, title=row.subject, body_format="text")
        except guard.AddressRefused:
            raise Undelivered("address inside the house", permanent=not sending.cut, unreachable=sending.cut) from None
        except Exception as error:  # noqa: BLE001  a hundred plugins raise what they like, with addresses in the text
            raise Undelivered(f"service failed ({type(error).__name__})") from None
    if not taken:
        raise Undelivered("no answer in time" if sending.cut else "service did not take it", unreachable=sending.cut)


def check(target: str) -> None:
    """Refuse an address that Apprise does not know, or that reaches into the house.

    Raises:
        BadInput: another service than the settings allow, a file in it, or a host inside.
    """
    scheme = _scheme(target)
    if scheme not in settings.CHAT_SERVICES:
        raise BadInput(
            _("“%(scheme)s” is not among the services that the settings allow: %(services)s."),
            code="service_not_allowed",
            field="target",
            scheme=scheme[:20],
            services=", ".join(sorted(settings.CHAT_SERVICES)),
        )
    if FILE_PARAMETERS & {name.lower() for name in parse_qs(_query(target), keep_blank_values=True)}:
        raise BadInput(_("This address names a file. Expected none."), code="names_a_file", field="target")
    service = _service(target)
    if service is None:
        raise BadInput(
            _("Apprise cannot read this address. Expected one as its documentation gives it for the service."),
            code="bad_address",
            field="target",
        )
    if scheme in OWN_HOST:
        guard.check_host(str(service.host))


def shown(target: str) -> str:
    """The service alone: everything behind it may be a key."""
    return f"{_scheme(target)}://…"


def _scheme(target: str) -> str:
    return target.partition("://")[0].strip().lower()


def _query(target: str) -> str:
    return target.partition("?")[2]


def _service(target: str) -> Any:
    # Imported where it is needed: it loads a module for each service it knows.
    import apprise

    asset = apprise.AppriseAsset(
        async_mode=False, secure_logging=True, allow_templates=False, service_timeout=0, storage_mode="memory"
    )
    service = apprise.Apprise.instantiate(target, asset=asset, suppress_exceptions=True)
    if service is not None:
        service.redirects = False
    return service


channels.register(channels.Channel(channels.CHAT, send, check, shown))
