"""Accounts: who may use this installation, and with what credential."""

from __future__ import annotations

import getpass
import re
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from backend.domain.accounts import (
    Account,
    ApiKey,
    CreatedApiKey,
    CredentialKind,
    GoogleTokens,
    Principal,
    Profile,
    Role,
    TokenPair,
    User,
    UserDetails,
)
from backend.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from backend.domain.ids import Kind, new_short_id, new_uuid
from backend.domain.paging import Page, PageRequest
from backend.domain.shown import shown
from backend.services import account_rules
from backend.services.api_keys import CONTAINER_ENGINE_PREFIX, PREFIXES, ApiKeys
from backend.services.email_verification import EmailVerifications
from backend.services.google_login import GoogleLogins
from backend.services.mail import Mails
from backend.services.password_resets import PasswordResets
from backend.services.passwords import Passwords
from backend.services.registration import Registration, RegistrationMode
from backend.services.revocations import Revocations
from backend.services.sessions import DEACTIVATED, Sessions
from backend.services.tokens import AccessTokens
from backend.storage import account_details as details
from backend.storage import accounts as users
from backend.storage import email_verifications as verifications
from backend.storage import installation, password_resets, sessions
from backend.storage.database import Database

_OWNER_EMAIL = "owner{}@pilothouse.local"
_OWNER_NAME = "owner"


def _now() -> datetime:
    return datetime.now(UTC)


class AccountService:
    def __init__(
        self,
        database: Database,
        *,
        jwt_secret: bytes,
        registration: str = RegistrationMode.OPEN,
        strict_login: bool = False,
        clock: Callable[[], datetime] = _now,
        passwords: Passwords | None = None,
        mails: Mails | None = None,
        google: GoogleTokens | None = None,
    ) -> None:
        """Without `mails`, forgotten passwords cannot be reset and addresses not be verified; without `google`, nobody
        logs in with Google. Raises Invalid at `registration` or `jwt_secret`."""
        self._database = database
        self._clock = clock
        self.registration = Registration(database, registration, clock)
        self._passwords = passwords or Passwords()
        self._sessions = Sessions(
            database, self._passwords, AccessTokens(jwt_secret, clock), clock, strict=strict_login
        )
        self._keys = ApiKeys(database, clock)
        self._resets = PasswordResets(database, self._passwords, clock, mails)
        self._verifications = EmailVerifications(database, clock, mails)
        self._google = GoogleLogins(google, self._new_google_user)
        self.revocations = Revocations()

    def close(self) -> None:
        """Let the hashing threads go."""
        self._passwords.close()

    # --- accounts -----------------------------------------------------------------------------------------

    async def register(
        self, username: str, email: str, password: str, confirm_password: str | None = None, *, invitation: str = ""
    ) -> User:
        """A new user with a tenant of its own. Raises Forbidden where registration is not open and the code of the
        invitation not good, Invalid at username, email, password or confirm_password, Conflict where a name or address
        is taken."""
        return await self._create(username, email, password, confirm_password, Role.USER, invitation=invitation)

    async def register_to_verify(
        self, username: str, email: str, password: str, full_name: str | None, *, invitation: str = ""
    ) -> Account:
        """As `register`, with a mail that asks whether the address is the user's. Raises Invalid at full_name too."""
        self.registration.check(invitation)
        faults = account_rules.Faults()
        profile = UserDetails(None if full_name is None else account_rules.full_name(full_name, faults))
        user = await self._create(
            username, email, password, None, Role.USER, faults, profile=profile, invitation=invitation
        )
        return Account(user, profile)

    async def sign_up(
        self, username: str, email: str, password: str, confirm_password: str | None = None, *, invitation: str = ""
    ) -> TokenPair:
        """Register and log in at once; raises as `register` does."""
        user = await self.register(username, email, password, confirm_password, invitation=invitation)
        async with self._database.transaction() as session:
            return await self._sessions.begin(session, user)

    async def create_admin(self, username: str, email: str, password: str, confirm_password: str | None = None) -> User:
        """An administrator, whatever the registration; raises as `register` does."""
        return await self._create(username, email, password, confirm_password, Role.ADMIN)

    async def set_active(self, email: str, active: bool) -> User:
        """Deactivate an account, which ends its sessions for good and leaves its keys without effect, or activate it
        again; its apps go on running. Raises NotFound."""
        async with self._database.transaction() as session:
            login = await users.login_by_email(session, email.strip())
            if login is None:
                raise NotFound(f"no user has the email {shown(email)}")
            user = login.user
            await users.set_active(session, user.id, active, self._clock())
            if not active:
                await password_resets.end_resets(session, user.id, self._clock())
                await sessions.revoke_other_sessions(session, user.id, None, self._clock())
        self.revocations.tell(user.id)
        return user

    async def profile(self, who: Principal) -> Profile:
        async with self._database.session() as session:
            profile = await users.profile(session, who.user.id, self._clock())
        if profile is None:
            raise Unauthorized("this account is gone")
        return profile

    async def account(self, who: Principal) -> Account:
        """The caller with what only its own profile shows."""
        async with self._database.session() as session:
            account = await details.account_by_id(session, who.user.id)
        if account is None:
            raise Unauthorized("this account is gone")
        return account

    async def usernames(self, who: Principal) -> dict[str, str]:
        """Names of the users of the caller's tenant, by short id."""
        async with self._database.session() as session:
            return await users.usernames_of_tenant(session, who.tenant_id)

    async def update_profile(self, who: Principal, username: str | None = None, email: str | None = None) -> User:
        """What is None stays. Raises Invalid at username or email, Conflict where one is taken, and Forbidden where
        the caller came with an API key and asks for another address: who gets the mails can reset the password. Tokens
        that went to the old address end, and the new one is not verified."""
        faults = account_rules.Faults()
        username = None if username is None else account_rules.username(username, faults)
        email = None if email is None else account_rules.email(email, faults)
        faults.check()
        async with self._database.transaction() as session:
            current = await self._current(session, who)
            username, email = username or current.user.username, email or current.user.email
            if email != current.user.email:
                if who.credential is CredentialKind.API_KEY:
                    raise Forbidden("an API key cannot change the email: log in and use the access token")
                await password_resets.end_resets(session, who.user.id, self._clock())
                await verifications.end_verifications(session, who.user.id, self._clock())
                await details.set_verified(session, who.user.id, False)
            if (username, email) != (current.user.username, current.user.email):
                await self._refuse_taken(session, username, email, by_other_than=who.user.id)
                await users.update_user(session, who.user.id, username, email, self._clock())
            return (await self._current(session, who)).user

    async def change_password(self, who: Principal, current: str, new: str, confirm: str | None = None) -> None:
        """Ends every other session of the user, and reset tokens that were mailed. An account without a password takes
        an empty current one. Raises Forbidden where the caller came with an API key, Invalid at current_password,
        new_password or confirm_new_password."""
        if who.credential is CredentialKind.API_KEY:
            raise Forbidden("an API key cannot change the password: log in and use the access token")
        faults = account_rules.Faults()
        account_rules.password(new, confirm, faults, prefix="new_")
        faults.check()
        async with self._database.session() as session:
            old_hash = (await self._current(session, who)).password_hash
        await self._check_current(old_hash, current)
        new_hash = await self._passwords.hash(new)
        async with self._database.transaction() as session:
            if not await users.set_password_hash(session, who.user.id, old_hash, new_hash):
                raise Conflict("the password was changed by somebody else meanwhile: log in again")
            await password_resets.end_resets(session, who.user.id, self._clock())
            await sessions.revoke_other_sessions(session, who.user.id, who.session_id, self._clock())
        self.revocations.tell(who.user.id)

    async def forgot_password(self, email: str) -> None:
        """Mail a reset token, good for an hour, where an account has this address; older ones end. The answer does not
        tell whether one has. Raises Invalid at email where it is no address at all."""
        await self._resets.forgot(email)

    async def reset_password(self, token: str, new_password: str) -> None:
        """Ends every session of the user and uses the token up. Raises Invalid at token (unknown, used or expired) or
        new_password."""
        self.revocations.tell(await self._resets.reset(token, new_password))

    async def resend_verification(self, who: Principal) -> None:
        """Mail a token that proves the caller's address, good for a day; older ones end. Raises Conflict where the
        address is verified already, TooMany after three mails within an hour."""
        await self._verifications.resend(who)

    async def verify_email(self, token: str) -> None:
        """Uses the token up. Raises Conflict where it is unknown, used or expired."""
        await self._verifications.verify(token)

    # --- sessions -----------------------------------------------------------------------------------------

    async def login(self, email: str, password: str, *, strict: bool = False) -> TokenPair:
        """A new session. Raises NotFound for an unknown address (Unauthorized where logins are strict, by the setting
        or this one), Unauthorized for a wrong password or a deactivated account."""
        return await self._sessions.login(email, password, strict=strict)

    async def login_with_google(self, token: str) -> TokenPair:
        """A new session of the account behind an ID token of Google, which is made at the first. Raises Unauthorized
        where the token does not hold or the account is deactivated, Conflict where another account has the address
        without having proved it, Forbidden where there is no account and registration is not open, Unavailable where
        Google is not set up or its keys cannot be had."""
        identity = await self._google.identify(token)
        async with self._database.transaction() as session:
            user = await self._google.user_of(session, identity)
            if not user.is_active:
                raise Unauthorized(DEACTIVATED)
            return await self._sessions.begin(session, user)

    async def refresh(self, refresh_token: str) -> TokenPair:
        """A new access token; `refresh_token` is None in the answer, for the old one stays good. Raises
        Unauthorized."""
        return await self._sessions.refresh(refresh_token)

    async def logout(self, who: Principal) -> None:
        """The session's tokens stop working at once. Raises Forbidden where the caller came with an API key."""
        if who.session_id is None:
            raise Forbidden("an API key has no session to end: revoke the key instead")
        await self._sessions.end(who.session_id)
        self.revocations.tell(who.user.id)

    async def authenticate(self, credential: str) -> Principal:
        """The caller behind an access token or an API key. Raises Unauthorized."""
        if not credential:
            raise Unauthorized("no credential: send 'Authorization: Bearer <access token or API key>'")
        if credential.startswith(PREFIXES):
            return await self._keys.authenticate(credential)
        return await self._sessions.authenticate(credential)

    async def authenticate_again(self, who: Principal, credential: str) -> None:
        """Whether the caller may go on: an API key while it is good, and a session's caller while the session lives,
        also where the access token that it came with has expired since. Raises Unauthorized."""
        if who.session_id is None:
            await self.authenticate(credential)
        else:
            await self._sessions.living(who.session_id, who.user.id)

    async def local_owner_session(self) -> TokenPair:
        """A session of the local owner, an administrator without a password, made when first asked for. Only a caller
        that proved to be this process's own user may ask. Raises Unauthorized where the account is deactivated."""
        async with self._database.transaction() as session:
            owner = await installation.owner_id(session)
            login = None if owner is None else await users.login_by_id(session, owner)
            user = login.user if login else await self._make_owner(session)
            if not user.is_active:
                raise Unauthorized(DEACTIVATED)
            return await self._sessions.begin(session, user)

    # --- API keys -----------------------------------------------------------------------------------------

    async def create_api_key(
        self,
        who: Principal,
        name: str,
        description: str = "",
        expires_at: datetime | None = None,
        prefix: str = CONTAINER_ENGINE_PREFIX,
    ) -> CreatedApiKey:
        """The key with its secret, this once. Raises Forbidden where the caller came with an API key, Invalid at name,
        description or expires_at."""
        return await self._keys.create(who, name, description, expires_at, prefix)

    async def api_keys(self, who: Principal, request: PageRequest) -> Page[ApiKey]:
        """The caller's own, newest first."""
        return await self._keys.page(who, request)

    async def revoke_api_key(self, who: Principal, key_id: str) -> None:
        """It stops working at once. Raises NotFound."""
        await self._keys.revoke(who, key_id)
        self.revocations.tell(who.user.id)

    # --- what they share ----------------------------------------------------------------------------------

    async def _create(
        self,
        username: str,
        email: str,
        password: str,
        confirm: str | None,
        role: Role,
        faults: account_rules.Faults | None = None,
        *,
        profile: UserDetails | None = None,
        invitation: str = "",
    ) -> User:
        """`faults` are those found already. With `profile` the address is asked for a proof, where mails are sent."""
        if role is Role.USER:
            self.registration.check(invitation)
        faults = faults or account_rules.Faults()
        account_rules.username(username, faults)
        email = account_rules.email(email, faults)
        account_rules.password(password, confirm, faults)
        faults.check()
        async with self._database.session() as session:
            # Before the hash, so that a name that is taken costs no work; the uninvited learn of no names.
            if role is Role.USER:
                await self.registration.look(session, email, invitation)
            await self._refuse_taken(session, username, email)
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as session:
            await self._refuse_taken(session, username, email)
            if role is Role.USER:
                await self.registration.admit(session, email, invitation)
            user = self._new_user(username, email, role)
            await users.insert_user(session, user, password_hash)
            if profile is not None:
                await details.set_details(session, user.id, profile)
                if self._verifications.sends:
                    await self._verifications.send(session, user)
        if profile is not None:
            self._verifications.wake()
        return user

    async def _new_google_user(self, session: AsyncSession, username: str, email: str) -> User:
        await self.registration.admit_proved(session, email)
        user = self._new_user(username, email, Role.USER)
        await users.insert_user(session, user, None)
        return user

    async def _make_owner(self, session: AsyncSession) -> User:
        name, number = _owner_name(), 1
        username, email = name, _OWNER_EMAIL.format("")
        while await users.username_taken(session, username) or await users.email_taken(session, email):
            number += 1
            username, email = f"{name}-{number}", _OWNER_EMAIL.format(f"-{number}")
        user = self._new_user(username, email, Role.ADMIN)
        await users.insert_user(session, user, None)
        await installation.set_owner(session, user.id, user.created_at)
        return user

    def _new_user(self, username: str, email: str, role: Role) -> User:
        now = self._clock()
        return User(
            id=new_uuid(),
            short_id=new_short_id(Kind.USER),
            tenant_id=new_uuid(),
            username=username,
            email=email,
            role=role,
            is_active=True,
            created_at=now,
            updated_at=now,
            last_login=None,
        )

    async def _refuse_taken(self, session: AsyncSession, username: str, email: str, *, by_other_than: str = "") -> None:
        if await users.username_taken(session, username, by_other_than=by_other_than):
            raise Conflict(f"username {username!r} is already taken", details={"field": "username"})
        if await users.email_taken(session, email, by_other_than=by_other_than):
            raise Conflict(f"email {email!r} is already registered", details={"field": "email"})

    async def _current(self, session: AsyncSession, who: Principal) -> users.Login:
        login = await users.login_by_id(session, who.user.id)
        if login is None:
            raise Unauthorized("this account is gone")
        return login

    async def _check_current(self, password_hash: str | None, current: str) -> None:
        if password_hash is None and not current:
            return
        if not (await self._passwords.verify(password_hash, current)).right:
            raise Invalid.at("current_password", "the current password is wrong")


def _owner_name() -> str:
    """The system's name of the user who runs this, as a valid username."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        name = _OWNER_NAME
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:40]
    return name if len(name) >= account_rules.USERNAME_LENGTHS[0] else f"{name}-{_OWNER_NAME}".strip("-")
