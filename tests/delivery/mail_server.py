"""A real SMTP server on a loopback port."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class MailServer:
    """What it took, and what it is told to answer: `replies` has one for each recipient, then the usual answer."""

    port: int = 0
    login: tuple[str, str] | None = None
    recipient_replies: list[str] = field(default_factory=list)
    data_replies: list[str] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str | None, list[str]]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.recipient_replies:
            return self.recipient_replies.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data_replies:
            return self.data_replies.pop(0)
        content = cast(bytes, envelope.content)
        self.taken.append(cast(EmailMessage, email.message_from_bytes(content, policy=email.policy.default)))
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        self.encrypted.append(session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None)
        self.arrived.set()
        return "250 OK"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        given = (data.login.decode(), data.password.decode())
        self.logins.append(given[0])
        return AuthResult(success=given == self.login, handled=False)


@asynccontextmanager
async def mail_server(
    context: ssl.SSLContext | None = None,
    *,
    starttls: bool = True,
    login: tuple[str, str] | None = None,
    port: int = 0,
) -> AsyncIterator[MailServer]:
    """Listening until the block ends. With a context it demands STARTTLS, or speaks TLS from the start."""
    state = MailServer(login=login)

    def connection() -> SMTP:
        with warnings.catch_warnings():
            # It does not see that the connection is encrypted from the start.
            warnings.simplefilter("ignore", UserWarning)
            return speaker()

    def speaker() -> SMTP:
        return SMTP(
            state,
            hostname="mail.test",
            tls_context=context if starttls else None,
            require_starttls=context is not None and starttls,
            authenticator=state.authenticate if login else None,
            auth_required=login is not None,
            auth_require_tls=context is not None and starttls,
            enable_SMTPUTF8=True,
        )

    server = await asyncio.get_running_loop().create_server(
        connection, "127.0.0.1", port, ssl=None if starttls else context
    )
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        await server.wait_closed()
