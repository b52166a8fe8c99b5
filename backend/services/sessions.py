"""Sessions: login, renewal, logout, and what an access token stands for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.domain.accounts import CredentialKind, Principal, TokenPair, User
from backend.domain.errors import NotFound, Unauthorized
from backend.domain.ids import new_uuid
from backend.domain.shown import shown
from backend.services import account_rules
from backend.services.passwords import Passwords
from backend.services.tokens import REFRESH_LIFETIME, REFRESH_PREFIX, AccessTokens, hash_of, new_refresh_token
from backend.storage import accounts as users
from backend.storage import sessions
from backend.storage.accounts import Login
from backend.storage.database import Database
from backend.storage.sessions import StoredSession

# Ended sessions stay this long, so that their tokens are answered with the reason.
_KEEP_ENDED = timedelta(days=1)
_WRONG_LOGIN = "email or password is wrong"
_WRONG_PASSWORD = "the password is wrong"
DEACTIVATED = "this account is deactivated: ask an administrator"


class Sessions:
    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        tokens: AccessTokens,
        clock: Callable[[], datetime],
        *,
        strict: bool,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._tokens = tokens
        self._clock = clock
        self._strict = strict

    async def login(self, email: str, password: str, *, strict: bool = False) -> TokenPair:
        """Raises Unauthorized for a wrong password or a deactivated account, and for an unknown address NotFound, or,
        where logins are strict, what a wrong password raises after as much work."""
        strict = strict or self._strict
        while True:
            login = await self._find(email)
            if login is None and not strict:
                raise NotFound(f"no user has the email {shown(email)}: register first")
            verdict = await self._passwords.verify(login.password_hash if login else None, password)
            if login is None or not verdict.right:
                raise Unauthorized(_WRONG_LOGIN if strict else _WRONG_PASSWORD)
            if not login.user.is_active:
                raise Unauthorized(DEACTIVATED)
            renewed = await self._passwords.hash(password) if verdict.outdated else login.password_hash
            pair = await self._begin_unless_changed(login, renewed)
            if pair is not None:
                return pair

    async def begin(self, session: AsyncSession, user: User) -> TokenPair:
        """A new session of this user, inside a transaction."""
        now = self._clock()
        session_id, refresh_token, ends = new_uuid(), new_refresh_token(), now + REFRESH_LIFETIME
        await sessions.forget_ended_sessions(session, user.id, now - _KEEP_ENDED)
        await sessions.insert_session(session, session_id, user, hash_of(refresh_token), now, ends)
        await users.touch_last_login(session, user.id, now)
        access_token, expires_at = self._tokens.issue(user.id, session_id, ends)
        return TokenPair(access_token, refresh_token, expires_at, user)

    async def refresh(self, refresh_token: str) -> TokenPair:
        """A new access token of the same session; the refresh token stays good. Raises Unauthorized."""
        async with self._database.session() as session:
            stored = await sessions.session_by_refresh_hash(session, hash_of(refresh_token))
        if stored is None:
            raise Unauthorized("the refresh token is not valid: log in again")
        self._check(stored)
        access_token, expires_at = self._tokens.issue(stored.user.id, stored.id, stored.expires_at)
        return TokenPair(access_token, None, expires_at, stored.user)

    async def end(self, session_id: str) -> None:
        async with self._database.transaction() as session:
            await sessions.revoke_session(session, session_id, self._clock())

    async def authenticate(self, access_token: str) -> Principal:
        """Raises Unauthorized where the token is no good or its session ended."""
        if access_token.startswith(REFRESH_PREFIX):
            raise Unauthorized("this is a refresh token: exchange it for an access token first")
        claims = self._tokens.read(access_token)
        stored = await self.living(claims.session_id, claims.user_id)
        return Principal(stored.user, CredentialKind.SESSION, session_id=stored.id, expires_at=claims.expires_at)

    async def living(self, session_id: str, user_id: str) -> StoredSession:
        """The user's session, whatever became of its access tokens. Raises Unauthorized where it ended."""
        async with self._database.glance() as session:
            stored = await sessions.session_by_id(session, session_id)
        if stored is None or stored.user.id != user_id:
            raise Unauthorized("the session of this token is over: log in again")
        self._check(stored)
        return stored

    async def _find(self, email: str) -> Login | None:
        faults = account_rules.Faults()
        address = account_rules.email(email, faults)
        if faults:
            return None
        async with self._database.session() as session:
            return await users.login_by_email(session, address)

    async def _begin_unless_changed(self, login: Login, renewed: str | None) -> TokenPair | None:
        """None where the account changed while its password was being checked: check again."""
        async with self._database.transaction() as session:
            current = await users.login_by_id(session, login.user.id)
            if current is None or current.password_hash != login.password_hash or not current.user.is_active:
                return None
            if renewed is not None and renewed != login.password_hash:
                await users.set_password_hash(session, login.user.id, login.password_hash, renewed)
            return await self.begin(session, current.user)

    def _check(self, stored: StoredSession) -> None:
        if stored.revoked_at is not None:
            raise Unauthorized("the session of this token is over: log in again")
        if stored.expires_at <= self._clock():
            raise Unauthorized("the session of this token has expired: log in again")
        if not stored.user.is_active:
            raise Unauthorized(DEACTIVATED)
