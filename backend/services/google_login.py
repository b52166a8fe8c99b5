"""Login with Google: an ID token that holds finds its account, or makes one."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

from backend.domain.accounts import GoogleIdentity, GoogleTokens, User, UserDetails
from backend.domain.errors import Conflict, Unauthorized, Unavailable
from backend.services import account_rules
from backend.storage import account_details as details
from backend.storage import accounts as users

NOT_CONFIGURED = (
    "login with Google is not set up on this server: its administrator sets google_client_id (GOOGLE_CLIENT_ID)"
)
_UNVERIFIED = (
    "an account with the address {email!r} is there whose address was never verified: log in with its password and "
    "verify the address first"
)
_OTHER = "the account with the address {email!r} belongs to another Google account"
_MOST_TRIES = 20

# Makes a user without a password and answers with it.
NewUser = Callable[[AsyncSession, str, str], Awaitable[User]]


class GoogleLogins:
    def __init__(self, tokens: GoogleTokens | None, new_user: NewUser) -> None:
        """Without `tokens` every login is refused."""
        self._tokens = tokens
        self._new_user = new_user

    async def identify(self, token: str) -> GoogleIdentity:
        """Raises Unavailable where Google is not set up or does not answer, Unauthorized where the token does not
        hold."""
        if self._tokens is None:
            raise Unavailable(NOT_CONFIGURED)
        faults = account_rules.Faults()
        found = await self._tokens.read(token)
        email = account_rules.email(found.email, faults)
        if faults:
            raise Unauthorized("the Google token names no usable e-mail address")
        return GoogleIdentity(found.subject, email, found.full_name, found.avatar_url)

    async def user_of(self, session: AsyncSession, identity: GoogleIdentity) -> User:
        """The account of this person, made where there is none, inside a transaction. An account that has the address
        is the person's only where the address was verified: else somebody who registered it in advance would get in
        too. Raises Conflict where it is not, Forbidden where there is none and registration is not open."""
        user_id = await details.id_by_google_subject(session, identity.subject)
        if user_id is not None:
            login = await users.login_by_id(session, user_id)
            assert login is not None, "the row was found in this transaction"
            return login.user
        login = await users.login_by_email(session, identity.email)
        if login is not None:
            return await self._linked(session, login.user, identity)
        user = await self._new_user(session, await _free_username(session, identity), identity.email)
        await details.set_details(session, user.id, UserDetails(identity.full_name, True, identity.avatar_url))
        await details.link_google(session, user.id, identity.subject)
        return user

    async def _linked(self, session: AsyncSession, user: User, identity: GoogleIdentity) -> User:
        account = await details.account_by_id(session, user.id)
        assert account is not None, "the row was found in this transaction"
        if not account.details.is_verified:
            raise Conflict(_UNVERIFIED.format(email=user.email))
        if await details.google_subject(session, user.id) is not None:
            raise Conflict(_OTHER.format(email=user.email))
        await details.link_google(session, user.id, identity.subject)
        return user


async def _free_username(session: AsyncSession, identity: GoogleIdentity) -> str:
    """From the address's first part, with a number where it is taken."""
    shortest, longest = account_rules.USERNAME_LENGTHS
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", identity.email.partition("@")[0]).strip("-")[: longest - 9]
    if len(name) < shortest:
        name = f"user-{name}".strip("-")
    candidate = name
    for _ in range(_MOST_TRIES):
        if not await users.username_taken(session, candidate):
            return candidate
        candidate = f"{name}-{secrets.token_hex(4)}"
    raise Conflict("no username could be found for this account: register one")
