"""Wire models of the `devpocket` surface (snake_case JSON, bare arrays, base path `/api/v1`): accounts, health, errors.

Environments and templates are in `backend.wire.devpocket_environments`, clusters in `backend.wire.devpocket_clusters`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, RootModel

from backend.wire.timestamps import Timestamp


class Request(BaseModel):
    """A request body: an unknown field is an error, and no type is bent."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ErrorItem(BaseModel):
    """One fault. `field` is a dotted path as it was sent; `type` is `missing`, `invalid`, `conflict` or `malformed`."""

    field: str
    message: str
    type: str


class ErrorResponse(BaseModel):
    """`errors` is there always, and empty where no field is at fault."""

    detail: str
    errors: list[ErrorItem]


class MessageResponse(BaseModel):
    message: str


# --- accounts ---------------------------------------------------------------------------------------------


class RegisterRequest(Request):
    username: str
    email: str
    password: str
    full_name: str | None = None


class LoginRequest(Request):
    email: str
    password: str


class GoogleLoginRequest(Request):
    """`token` is the ID token that Google gave to the client; `id_token` is taken as another name of it."""

    token: str = Field(validation_alias=AliasChoices("token", "id_token"))


class RefreshRequest(Request):
    refresh_token: str


class VerifyEmailRequest(Request):
    token: str


class UserResponse(BaseModel):
    id: str
    username: str
    email: str
    full_name: str | None
    is_active: bool
    is_verified: bool
    avatar_url: str | None
    subscription_plan: str
    created_at: Timestamp
    last_login: Timestamp | None


class UserSummary(BaseModel):
    id: str
    username: str
    email: str


class AccessTokenResponse(BaseModel):
    """`expires_in` is in seconds."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int


class TokenResponse(AccessTokenResponse):
    refresh_token: str
    user: UserSummary


# --- health -----------------------------------------------------------------------------------------------


class HealthResponse(BaseModel):
    """`environment` is `development` while only this machine reaches the server, else `production`."""

    status: Literal["healthy", "unhealthy"]
    service: str
    version: str
    environment: str
    timestamp: Timestamp


class ReadyResponse(BaseModel):
    """`checks` has `healthy`, or what is wrong, of `database` and `engine`."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str]
    timestamp: Timestamp


class LiveResponse(BaseModel):
    status: Literal["alive"] = "alive"
    timestamp: Timestamp


class InfoResponse(BaseModel):
    name: str
    version: str
    api_version: str
    description: str
    environment: str


class Names(RootModel[list[str]]):
    """A bare array of names."""
