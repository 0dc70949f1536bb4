"""Mail by SMTP, as text with an HTML alternative."""

import smtplib
from datetime import datetime

from django.core.mail import EmailMultiAlternatives

from incidents import channels
from incidents.channels import Undelivered
from incidents.models import OutboxMessage


def send(row: OutboxMessage, now: datetime) -> None:
    """Hand ``row`` over to the mail server.

    Raises:
        Undelivered: the server is not there, hangs, or does not take it.
    """
    if not row.address:
        raise Undelivered("no address", permanent=True)
    # Mail programs must not answer it with "I am away".
    headers = {"Message-ID": row.message_id, "Auto-Submitted": "auto-generated"}
    email = EmailMultiAlternatives(subject=row.subject, body=row.body, to=[row.address], headers=headers)
    if row.html:
        email.attach_alternative(row.html, "text/html")
    try:
        email.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _text in error.recipients.values()]
        raise Undelivered(f"smtp {codes[0]}", permanent=min(codes) >= 500) from None
    except smtplib.SMTPResponseException as error:
        # A wrong password is no better for the next message, and too many of them lock the account.
        closed = isinstance(error, smtplib.SMTPConnectError | smtplib.SMTPHeloError | smtplib.SMTPAuthenticationError)
        raise Undelivered(f"smtp {error.smtp_code}", unreachable=closed) from None
    except TimeoutError:
        raise Undelivered("no answer in time", unreachable=True) from None
    except (OSError, smtplib.SMTPServerDisconnected) as error:
        raise Undelivered(f"no connection ({type(error).__name__})", unreachable=True) from None
    except ValueError:
        # An address that no header can hold.
        raise Undelivered("bad address", permanent=True) from None


def check(target: str) -> None:
    """Mailboxes belong to people, not to endpoints; nothing to check."""


def shown(target: str) -> str:
    """A mailbox is no secret."""
    return target


channels.register(channels.Channel(channels.MAIL, send, check, shown))
