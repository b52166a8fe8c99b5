"""Passwords that were forgotten: a token by mail, and a new password for the token."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from backend.domain.errors import Invalid, Unavailable
from backend.services import account_rules
from backend.services.mail import Mails
from backend.services.passwords import Passwords
from backend.services.tokens import hash_of, new_reset_token
from backend.storage import accounts as users
from backend.storage import password_resets as resets
from backend.storage import sessions
from backend.storage.database import Database

log = logging.getLogger(__name__)

LIFETIME = timedelta(hours=1)
MOST_PER_HOUR = 3
ANSWER_SECONDS = 0.25

_KEPT = timedelta(days=7)
_UNKNOWN = "the reset token is not valid: take it from the newest mail, or ask for a new one"
_USED = "the reset token was already used: ask for a new one"
_EXPIRED = "the reset token has expired, or a newer one or a new password took its place: ask for a new one"


class PasswordResets:
    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        clock: Callable[[], datetime],
        mails: Mails | None,
        *,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._clock = clock
        self._mails = mails
        self._answer_seconds = answer_seconds

    async def forgot(self, email: str) -> None:
        """Mail a token where an account has this address. Nobody learns whether one has: the answer is the same, and
        takes the same time. Raises Invalid at email where it is no address at all."""
        faults = account_rules.Faults()
        address = account_rules.email(email, faults)
        faults.check()
        if self._mails is None:
            raise Unavailable("no mails are sent by this process")
        _, sent = await asyncio.gather(asyncio.sleep(self._answer_seconds), self._send(self._mails, address))
        if sent:
            self._mails.wake()

    async def _send(self, mails: Mails, address: str) -> bool:
        now = self._clock()
        async with self._database.transaction() as session:
            login = await users.login_by_email(session, address)
            # Without a password there is none to reset: the local owner's made-up address is nobody's to get mail at.
            if login is None or login.password_hash is None or not login.user.is_active:
                return False
            user = login.user
            if await resets.asked_since(session, user.id, now - timedelta(hours=1)) >= MOST_PER_HOUR:
                log.info("user %s asked for more than %d password resets in an hour", user.short_id, MOST_PER_HOUR)
                return False
            await resets.forget_resets(session, now - _KEPT)
            await resets.end_resets(session, user.id, now)
            token = new_reset_token()
            token_hash = hash_of(token)
            await resets.insert_reset(session, user, token_hash, now, now + LIFETIME)
            await mails.add_reset(session, user, token, f"reset:{token_hash}", now + LIFETIME)
        return True

    async def reset(self, token: str, new_password: str) -> str:
        """Set the password and end every session of the user, whose id is the answer; the token is used up. Raises
        Invalid at token or new_password."""
        faults = account_rules.Faults()
        account_rules.password(new_password, None, faults, prefix="new_")
        faults.check()
        token_hash = hash_of(token)
        async with self._database.session() as session:
            # Before the hash, so that a wrong token costs no work.
            self._check(await resets.reset_by_hash(session, token_hash))
        new_hash = await self._passwords.hash(new_password)
        now = self._clock()
        async with self._database.transaction() as session:
            reset = self._check(await resets.reset_by_hash(session, token_hash))
            login = await users.login_by_id(session, reset.user_id)
            if login is None or not login.user.is_active:
                raise Invalid.at("token", _UNKNOWN)
            await resets.mark_used(session, token_hash, now)
            await resets.end_resets(session, reset.user_id, now)
            if not await users.set_password_hash(session, reset.user_id, login.password_hash, new_hash):
                raise Invalid.at("token", _EXPIRED)  # the password was changed in the same moment, which ends tokens
            await sessions.revoke_other_sessions(session, reset.user_id, None, now)
            if self._mails:
                await self._mails.add_changed(session, login.user, f"was-reset:{token_hash}", now)
        if self._mails:
            self._mails.wake()
        return reset.user_id

    def _check(self, reset: resets.StoredReset | None) -> resets.StoredReset:
        if reset is None:
            raise Invalid.at("token", _UNKNOWN)
        if reset.used_at is not None:
            raise Invalid.at("token", _USED)
        if reset.expires_at <= self._clock():
            raise Invalid.at("token", _EXPIRED)
        return reset
