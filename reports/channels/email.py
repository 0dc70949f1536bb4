"""By e-mail, with the document attached. A mail server that has taken it may have passed it on: it is never handed over twice."""

import smtplib
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, mailers
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from compliance.engine import LocalText
from compliance.errors import BadInput
from reports import channels, storage
from reports.models import Dispatch


def check(target: str) -> str:
    """One mailbox.

    Raises:
        BadInput: not an e-mail address.
    """
    address = target.strip()
    try:
        validate_email(address)
    except ValidationError:
        raise BadInput(
            _("%(value)s is not an e-mail address."), code="not_an_address", field="target", value=address[:80]
        ) from None
    return address


def deliver(dispatch: Dispatch, now: datetime) -> None:
    """Hand the mail to the mail server, once.

    Raises:
        channels.NotSent: the server was not there, or took it for nobody.
    """
    email = _mail(dispatch)
    connection = mailers.default
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        raise channels.NotSent(f"no connection ({type(error).__name__})") from None
    try:
        taken = connection.send_messages([email])
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        raise channels.NotSent(f"refused ({type(error).__name__})") from None
    finally:
        _close(connection)
    if not taken:
        raise channels.NotSent("not taken")


def _mail(dispatch: Dispatch) -> EmailMessage:
    message, filing = dispatch.message, dispatch.filing
    if message is None or filing.document is None:
        raise channels.NotSent("nothing to send")
    email = EmailMessage(
        subject=message.subject, body=message.body, to=[dispatch.target], headers={"Message-ID": message.message_id}
    )
    signature = getattr(filing, "signature", None)
    document = signature.document if signature else filing.document
    try:
        content = storage.read(document)
    except storage.MissingDocument:
        raise channels.NotSent("document missing or changed") from None
    email.attach(f"{str(filing).replace('/', '-')}.pdf", content, "application/pdf")
    return email


def _close(connection: object) -> None:
    """A server that is gone at the farewell had taken the mail, or the error of before says otherwise."""
    try:
        connection.close()  # type: ignore[attr-defined]
    except (OSError, smtplib.SMTPException):
        return


channels.register(
    channels.Way(channels.EMAIL, LocalText(ko="전자우편", en="E-mail"), check, deliver, offered=lambda: True)
)
