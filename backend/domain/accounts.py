"""Users, tenants, sessions and credentials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """What a user may do: within its own tenant, for its whole tenant, or for the installation."""

    USER = "user"
    TENANT_ADMIN = "tenant_admin"
    ADMIN = "admin"


class CredentialKind(StrEnum):
    """What a request was authenticated with. Making keys and changing passwords needs a session."""

    SESSION = "session"
    API_KEY = "api_key"


@dataclass(frozen=True, slots=True)
class User:
    id: str
    short_id: str
    tenant_id: str
    username: str
    email: str
    role: Role
    is_active: bool
    created_at: datetime
    updated_at: datetime
    last_login: datetime | None


@dataclass(frozen=True, slots=True)
class UserDetails:
    """What only the user's own profile shows. `is_verified` tells that the address proved to be the user's."""

    full_name: str | None = None
    is_verified: bool = False
    avatar_url: str | None = None
    subscription_plan: str = "free"


@dataclass(frozen=True, slots=True)
class Account:
    """A user with its details."""

    user: User
    details: UserDetails


@dataclass(frozen=True, slots=True)
class GoogleIdentity:
    """Whom a verified ID token of Google speaks of; its address is the person's, as Google says. `subject` never
    changes, the rest may."""

    subject: str
    email: str
    full_name: str | None
    avatar_url: str | None


class GoogleTokens(Protocol):
    """Reads Google's ID tokens."""

    async def read(self, token: str) -> GoogleIdentity:
        """Raises Unauthorized where the token does not hold, Unavailable where Google's keys cannot be had."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request: a user, and the credential that proved it. `expires_at` is when the credential, an
    access token or an API key, ends by itself."""

    user: User
    credential: CredentialKind
    session_id: str | None = None
    api_key_id: str | None = None
    expires_at: datetime | None = None

    @property
    def tenant_id(self) -> str:
        return self.user.tenant_id


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A new session's tokens. `refresh_token` is None where only the access token was renewed."""

    access_token: str
    refresh_token: str | None
    expires_at: datetime
    user: User


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    short_id: str
    user_id: str
    name: str
    description: str
    prefix: str
    created_at: datetime
    expires_at: datetime | None
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class CreatedApiKey:
    """A new key with its secret, which is shown this once and stored only as a hash."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class Profile:
    user: User
    deployment_count: int
    api_key_count: int
