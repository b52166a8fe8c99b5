"""Who may make an account: anybody, those invited, or nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from backend.domain.errors import Conflict, Forbidden, Invalid
from backend.services import account_rules
from backend.services.tokens import hash_of, new_invitation_code
from backend.storage import accounts as users
from backend.storage import invitations
from backend.storage.database import Database

DEFAULT_DAYS = 7
MOST_DAYS = 90

_KEPT = timedelta(days=30)
_CLOSED = "registration is closed: ask an administrator for an account"
_UNINVITED = (
    "registration is by invitation: an administrator hands out codes, which go into the header X-Invitation-Code"
)
_REFUSED = (
    "the invitation is not good for this address: it was used, has expired, or went to another one; ask an "
    "administrator for a new one"
)
_NOT_ASKED = "registration is by invitation, and nobody has invited {email!r}: ask an administrator"


class RegistrationMode(StrEnum):
    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Invitation:
    """`code` is the secret, shown this once."""

    email: str
    code: str
    expires_at: datetime


class Registration:
    """The one who says who may register, and hands out invitations: each for one address, to be used once."""

    def __init__(self, database: Database, mode: str, clock: Callable[[], datetime]) -> None:
        """Raises Invalid at registration for an unknown mode."""
        try:
            self.mode = RegistrationMode(mode)
        except ValueError as error:
            raise Invalid.at("registration", f"registration must be one of {', '.join(RegistrationMode)}") from error
        self._database = database
        self._clock = clock

    async def invite(self, email: str, days: int = DEFAULT_DAYS) -> Invitation:
        """An invitation for an address; older ones to it end. Raises Invalid at email or days, Conflict where an
        account has the address."""
        faults = account_rules.Faults()
        address = account_rules.email(email, faults)
        if not 1 <= days <= MOST_DAYS:
            faults.add("days", f"days must be from 1 to {MOST_DAYS}, not {days}")
        faults.check()
        now = self._clock()
        made = Invitation(address, new_invitation_code(), now + timedelta(days=days))
        async with self._database.transaction() as session:
            if await users.email_taken(session, address):
                raise Conflict(f"email {address!r} is already registered", details={"field": "email"})
            await invitations.forget(session, now - _KEPT)
            await invitations.end_of(session, address, now)
            await invitations.insert(session, hash_of(made.code), address, now, made.expires_at)
        return made

    def check(self, code: str) -> None:
        """Refuse at once, before any work, where nobody could be let in. Raises Forbidden."""
        if self.mode is RegistrationMode.CLOSED:
            raise Forbidden(_CLOSED)
        if self.mode is RegistrationMode.INVITE and not code:
            raise Forbidden(_UNINVITED)

    async def look(self, session: AsyncSession, email: str, code: str) -> None:
        """Whether `admit` would let this address in now. Raises Forbidden."""
        self.check(code)
        if self.mode is RegistrationMode.INVITE and not await invitations.invites(
            session, hash_of(code), email, self._clock()
        ):
            raise Forbidden(_REFUSED)

    async def admit(self, session: AsyncSession, email: str, code: str) -> None:
        """Let this address in, inside the transaction that makes its account: its invitation is used up. Raises
        Forbidden."""
        self.check(code)
        if self.mode is not RegistrationMode.INVITE:
            return
        if not await invitations.use(session, email, self._clock(), code_hash=hash_of(code)):
            raise Forbidden(_REFUSED)

    async def admit_proved(self, session: AsyncSession, email: str) -> None:
        """As `admit`, for one who proved the address: the invitation to it needs no code then. Raises Forbidden."""
        if self.mode is RegistrationMode.CLOSED:
            raise Forbidden(_CLOSED)
        if self.mode is RegistrationMode.INVITE and not await invitations.use(session, email, self._clock()):
            raise Forbidden(_NOT_ASKED.format(email=email))
