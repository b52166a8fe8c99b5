"""The mails that are sent, and how they go into the outbox and out of it. Plain text; users' words stay in the body."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncSession

from backend.domain.accounts import User
from backend.domain.outbox import Channel, Delivery, Mail, MailSender
from backend.services.outbox import Outbox


class Mails:
    """`public_url` is the address of the pages that people see, where there are any; links in mails begin with it."""

    def __init__(self, outbox: Outbox, sender: MailSender, *, public_url: str = "") -> None:
        self._outbox = outbox
        self._sender = sender
        self._public_url = public_url.rstrip("/")
        outbox.carry(Channel.MAIL, self._deliver)

    async def add_reset(self, session: AsyncSession, user: User, token: str, source: str, expires_at: datetime) -> None:
        """The mail with the token of a password reset, in the caller's transaction; `wake` when it is committed."""
        await self._add(session, user, password_reset(user, token, expires_at, self._public_url), source, expires_at)

    async def add_changed(self, session: AsyncSession, user: User, source: str, at: datetime) -> None:
        """The mail that tells of a password that was reset, in the caller's transaction."""
        await self._add(session, user, password_was_reset(user, at), source, None)

    async def add_verification(
        self, session: AsyncSession, user: User, token: str, source: str, expires_at: datetime
    ) -> None:
        """The mail with the token that proves an address, in the caller's transaction."""
        await self._add(
            session, user, email_verification(user, token, expires_at, self._public_url), source, expires_at
        )

    def wake(self) -> None:
        """What was added is committed."""
        self._outbox.wake()

    async def _add(self, session: AsyncSession, user: User, mail: Mail, source: str, until: datetime | None) -> None:
        await self._outbox.add(
            session,
            Channel.MAIL,
            tenant_id=user.tenant_id,
            recipient=mail.to,
            source=source,
            content={"to": mail.to, "subject": mail.subject, "text": mail.text},
            until=until,
        )

    async def _deliver(self, delivery: Delivery) -> None:
        content = delivery.content
        mail = Mail(content["to"], content["subject"], content["text"])
        await self._sender.send(mail, delivery.id, delivery.created_at)


def password_reset(user: User, token: str, expires_at: datetime, public_url: str) -> Mail:
    """With a link where there is a page to link to; the token by itself for the operation that takes it."""
    link = f"{public_url}/reset-password?token={quote(token, safe='')}"
    opening = (
        f"Open this link to choose a new one:\n\n    {link}\n\nOr send" if public_url else "To set a new one, send"
    )
    return Mail(
        to=user.email,
        subject="Reset your password",
        text=(
            f"Hello {user.username},\n\n"
            "somebody, most likely you, asked to reset the password of your account.\n\n"
            f"{opening} this token with the new password to the operation\n"
            "POST /v1/auth/reset-password, as token and new_password:\n\n"
            f"    {token}\n\n"
            f"It works once, until {_moment(expires_at)}. Setting a new password ends all your sessions.\n\n"
            "If you did not ask for this, do nothing: your password stays as it is.\n"
        ),
    )


def email_verification(user: User, token: str, expires_at: datetime, public_url: str) -> Mail:
    """With a link where there is a page to link to; the token by itself for the operation that takes it."""
    link = f"{public_url}/verify-email?token={quote(token, safe='')}"
    opening = f"Open this link:\n\n    {link}\n\nOr send" if public_url else "Send"
    return Mail(
        to=user.email,
        subject="Is this your e-mail address?",
        text=(
            f"Hello {user.username},\n\n"
            "somebody, most likely you, gave this address for an account. To show that it is yours:\n\n"
            f"{opening} this token to the operation POST /api/v1/auth/verify-email, as token:\n\n"
            f"    {token}\n\n"
            f"It works once, until {_moment(expires_at)}.\n\n"
            "If you made no account, do nothing.\n"
        ),
    )


def password_was_reset(user: User, at: datetime) -> Mail:
    return Mail(
        to=user.email,
        subject="Your password was changed",
        text=(
            f"Hello {user.username},\n\n"
            f"the password of your account was reset at {_moment(at)}, and all its sessions were ended.\n"
            "API keys go on working.\n\n"
            "If that was not you, ask for a password reset at once, and tell your administrator.\n"
        ),
    )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
