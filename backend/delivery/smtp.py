"""Mails through an SMTP server, encrypted by STARTTLS or from the start."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import aiosmtplib

from backend.delivery.message import Sender, compose
from backend.domain.outbox import DeliveryFailed, DeliveryRefused, Mail

REPLY_SECONDS = 20.0
IMPLICIT_TLS_PORT = 465


class Security(StrEnum):
    """How the connection is protected. `none` is for a relay on the same machine or network: mails hold tokens."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mails are handed over, and as whom; no username, no login."""

    host: str
    port: int = 587
    username: str = ""
    password: str = field(default="", repr=False)
    security: Security = Security.STARTTLS


class SmtpSender:
    """One connection a mail: mails are few, and a server that was lost is then no concern of the next."""

    def __init__(self, server: SmtpServer, sender: Sender, *, context: ssl.SSLContext | None = None) -> None:
        """`context` decides which certificates are trusted; the system's store by default."""
        self._server = server
        self._sender = sender
        self._context = context or ssl.create_default_context()

    async def send(self, mail: Mail, message_id: str, written_at: datetime) -> None:
        """Raises DeliveryRefused where the server refuses this recipient or this mail for good, else DeliveryFailed:
        a server that cannot be reached or refuses the login may be put right meanwhile."""
        message = compose(mail, self._sender, message_id, written_at)
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username or None,
            password=server.password or None,
            use_tls=server.security is Security.TLS,
            start_tls=server.security is Security.STARTTLS,
            tls_context=None if server.security is Security.NONE else self._context,
            # Looking up one's own full name may take a resolver's whole timeout.
            local_hostname=socket.gethostname(),
            timeout=REPLY_SECONDS,
        )
        place = f"the mail server {server.host}:{server.port}"
        try:
            async with client:
                await client.send_message(message, sender=self._sender.address, recipients=[mail.to])
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _by_code(f"{place} refuses the recipient", error.recipients[0]) from error
        except (aiosmtplib.SMTPDataError, aiosmtplib.SMTPRecipientRefused) as error:
            raise _by_code(f"{place} refuses the mail", error) from error
        except aiosmtplib.SMTPException as error:
            raise DeliveryFailed(f"{place} does not take the mail: {_text(error)}") from error
        except (OSError, ValueError) as error:
            raise DeliveryFailed(f"{place} does not take the mail: {error}") from error


def _by_code(what: str, error: aiosmtplib.SMTPResponseException) -> DeliveryFailed | DeliveryRefused:
    kind = DeliveryRefused if 500 <= error.code <= 599 else DeliveryFailed
    return kind(f"{what}: {_text(error)}")


def _text(error: aiosmtplib.SMTPException) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}".replace("\n", " ")
    return error.message.replace("\n", " ")
