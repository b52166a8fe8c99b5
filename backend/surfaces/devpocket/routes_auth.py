"""Accounts: register, login (also with Google), profile, logout, refresh, and whether an address is its user's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from litestar import Request, Response, get, post

from backend.surfaces.credentials import credential_of, invitation_of, principal_of
from backend.surfaces.devpocket.convert_accounts import to_wire_access_token, to_wire_tokens, to_wire_user
from backend.surfaces.devpocket.described import answered_by, needs
from backend.surfaces.openapi import reads
from backend.surfaces.request_body import body_of, read_json
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.wire import devpocket as wire

_TAGS = ["authentication"]
_PUBLIC = {"public": True}


def auth_routes(services: Services) -> list[Any]:
    return [*_entering(services), *_within(services), *_proving(services)]


def _entering(services: Services) -> list[Any]:
    accounts = services.accounts

    @post(
        "/api/v1/auth/register",
        opt=_PUBLIC,
        operation_class=reads(wire.RegisterRequest),
        responses=answered_by(201, wire.UserResponse, 400, 403, 422),
        tags=_TAGS,
    )
    async def register(request: Request[Any, Any, Any]) -> Response[bytes]:
        """A new account, and a mail that asks whether the address is its user's.

        Where registration is by invitation, the header `X-Invitation-Code` carries the code."""
        body = await read_json(request, wire.RegisterRequest)
        made = await accounts.register_to_verify(
            body.username, body.email, body.password, body.full_name, invitation=invitation_of(request)
        )
        return json_response(to_wire_user(made), 201)

    @post(
        "/api/v1/auth/login",
        status_code=200,
        opt=_PUBLIC,
        operation_class=reads(wire.LoginRequest),
        responses=answered_by(200, wire.TokenResponse, 401, 422),
        tags=_TAGS,
    )
    async def login(request: Request[Any, Any, Any]) -> Response[bytes]:
        """A new session: an access token for an hour, and a refresh token for the time after."""
        body = await read_json(request, wire.LoginRequest)
        tokens = await accounts.login(body.email, body.password, strict=True)
        return json_response(to_wire_tokens(tokens, datetime.now(UTC)))

    @post(
        "/api/v1/auth/google",
        status_code=200,
        opt=_PUBLIC,
        operation_class=reads(wire.GoogleLoginRequest),
        responses=answered_by(200, wire.TokenResponse, 400, 401, 403, 422),
        tags=_TAGS,
    )
    async def google_login(request: Request[Any, Any, Any]) -> Response[bytes]:
        """A new session by an ID token of Google; the first one makes the account. 503 where this server has no Google
        client id."""
        body = await read_json(request, wire.GoogleLoginRequest)
        return json_response(to_wire_tokens(await accounts.login_with_google(body.token), datetime.now(UTC)))

    @post(
        "/api/v1/auth/refresh",
        status_code=200,
        opt=_PUBLIC,
        operation_class=reads(wire.RefreshRequest),
        responses=answered_by(200, wire.AccessTokenResponse, 401, 422),
        tags=_TAGS,
    )
    async def refresh_token(request: Request[Any, Any, Any]) -> Response[bytes]:
        """A new access token. The refresh token stays good until it expires or its session ends; without a body it may
        also stand in the Authorization header."""
        if await body_of(request):
            token = (await read_json(request, wire.RefreshRequest)).refresh_token
        else:
            token = credential_of(request, allow_query=False)
        return json_response(to_wire_access_token(await accounts.refresh(token), datetime.now(UTC)))

    return [register, login, google_login, refresh_token]


def _within(services: Services) -> list[Any]:
    accounts = services.accounts

    @get("/api/v1/auth/me", responses=answered_by(200, wire.UserResponse, *needs()), tags=_TAGS)
    async def get_me(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Who the caller is."""
        return json_response(to_wire_user(await accounts.account(principal_of(request))))

    @post(
        "/api/v1/auth/logout",
        status_code=200,
        responses=answered_by(200, wire.MessageResponse, *needs(session=True)),
        tags=_TAGS,
    )
    async def logout(request: Request[Any, Any, Any]) -> Response[bytes]:
        """The session's tokens stop working at once."""
        await accounts.logout(principal_of(request))
        return json_response(wire.MessageResponse(message="Successfully logged out"))

    return [get_me, logout]


def _proving(services: Services) -> list[Any]:
    accounts = services.accounts

    @post(
        "/api/v1/auth/verify-email",
        status_code=200,
        opt=_PUBLIC,
        operation_class=reads(wire.VerifyEmailRequest),
        responses=answered_by(200, wire.MessageResponse, 400, 422),
        tags=_TAGS,
    )
    async def verify_email(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Proves an address by the token that was mailed to it, once."""
        body = await read_json(request, wire.VerifyEmailRequest)
        await accounts.verify_email(body.token)
        return json_response(wire.MessageResponse(message="Email verified successfully"))

    @post(
        "/api/v1/auth/resend-verification",
        status_code=200,
        responses=answered_by(200, wire.MessageResponse, 400, *needs()),
        tags=_TAGS,
    )
    async def resend_verification(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Another mail with a token; those before it stop working. Three an hour."""
        await accounts.resend_verification(principal_of(request))
        return json_response(wire.MessageResponse(message="Verification email sent"))

    return [verify_email, resend_verification]
