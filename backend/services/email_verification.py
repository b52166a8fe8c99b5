"""Whether an e-mail address is its user's: a token by mail, and the token back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.domain.accounts import Principal, User
from backend.domain.errors import Conflict, TooMany, Unauthorized, Unavailable
from backend.services.mail import Mails
from backend.services.tokens import hash_of, new_verification_token
from backend.storage import account_details as details
from backend.storage import accounts as users
from backend.storage import email_verifications as verifications
from backend.storage.database import Database

LIFETIME = timedelta(hours=24)
MOST_PER_HOUR = 3

_HOUR = timedelta(hours=1)
_KEPT = timedelta(days=7)
_UNKNOWN = "the verification token is not valid: take it from the newest mail, or ask for a new one"
_USED = "the verification token was already used: the address is verified"
_EXPIRED = "the verification token has expired, or a newer one or another address took its place: ask for a new one"


class EmailVerifications:
    def __init__(self, database: Database, clock: Callable[[], datetime], mails: Mails | None) -> None:
        self._database = database
        self._clock = clock
        self._mails = mails

    @property
    def sends(self) -> bool:
        """Whether this process can mail tokens."""
        return self._mails is not None

    async def send(self, session: AsyncSession, user: User) -> None:
        """Mail a token for the user's address, inside a transaction; older ones end. Call `wake` when it is
        committed."""
        if self._mails is None:
            raise Unavailable("no mails are sent by this process")
        now = self._clock()
        await verifications.forget_verifications(session, now - _KEPT)
        await verifications.end_verifications(session, user.id, now)
        token = new_verification_token()
        token_hash = hash_of(token)
        await verifications.insert_verification(session, user, token_hash, now, now + LIFETIME)
        await self._mails.add_verification(session, user, token, f"verify:{token_hash}", now + LIFETIME)

    def wake(self) -> None:
        """What was sent is committed."""
        if self._mails is not None:
            self._mails.wake()

    async def resend(self, who: Principal) -> None:
        """Raises Conflict where the address is verified already, TooMany after three mails within an hour."""
        async with self._database.transaction() as session:
            account = await details.account_by_id(session, who.user.id)
            if account is None:
                raise Unauthorized("this account is gone")
            if account.details.is_verified:
                raise Conflict(f"the email {account.user.email!r} is verified already")
            sent = await verifications.asked_since(session, who.user.id, self._clock() - _HOUR)
            if len(sent) >= MOST_PER_HOUR:
                wait = (sent[-MOST_PER_HOUR] + _HOUR - self._clock()).total_seconds()
                raise TooMany(f"{len(sent)} mails were sent within an hour: look into them", retry_after=wait)
            await self.send(session, account.user)
        self.wake()

    async def verify(self, token: str) -> None:
        """The token's address is its user's; the token is used up. Raises Conflict (its field is token) where it is
        unknown, used or expired, or where the user has another address by now."""
        token_hash = hash_of(token)
        async with self._database.transaction() as session:
            found = await verifications.verification_by_hash(session, token_hash)
            if found is None:
                raise _refused(_UNKNOWN)
            if found.used_at is not None:
                raise _refused(_USED)
            login = await users.login_by_id(session, found.user_id)
            if found.expires_at <= self._clock() or login is None or login.user.email != found.email:
                raise _refused(_EXPIRED)
            await verifications.mark_used(session, token_hash, self._clock())
            await details.set_verified(session, found.user_id, True)


def _refused(reason: str) -> Conflict:
    return Conflict(reason, details={"field": "token"})
