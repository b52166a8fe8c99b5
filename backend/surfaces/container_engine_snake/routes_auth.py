"""Accounts and sessions: register, login, refresh, logout, forgotten passwords."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, post

from backend.surfaces.container_engine_snake.convert import to_wire_login
from backend.surfaces.container_engine_snake.described import answered_by
from backend.surfaces.credentials import invitation_of, principal_of
from backend.surfaces.described import needs
from backend.surfaces.openapi import reads
from backend.surfaces.request_body import read_json
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.wire import container_engine_snake as wire

_TAGS = ["accounts"]
_LINK_SENT = "If an account with that email exists, a password reset link has been sent."


def auth_routes(services: Services) -> list[Any]:
    return [*_sessions(services), *_forgotten(services)]


def _sessions(services: Services) -> list[Any]:
    accounts = services.accounts

    @post(
        "/v1/auth/register",
        opt={"public": True},
        operation_class=reads(wire.RegisterRequest),
        responses=answered_by(201, wire.LoginResponse, 400, 403, 409),
        tags=_TAGS,
    )
    async def register(request: Request[Any, Any, Any]) -> Response[bytes]:
        """A new account, and a first session of it.

        Where registration is by invitation, the header `X-Invitation-Code` carries the code."""
        body = await read_json(request, wire.RegisterRequest)
        tokens = await accounts.sign_up(
            body.username, body.email, body.password, body.confirm_password, invitation=invitation_of(request)
        )
        return json_response(to_wire_login(tokens), 201)

    @post(
        "/v1/auth/login",
        status_code=200,
        opt={"public": True},
        operation_class=reads(wire.LoginRequest),
        responses=answered_by(200, wire.LoginResponse, 400, 401, 404),
        tags=_TAGS,
    )
    async def login(request: Request[Any, Any, Any]) -> Response[bytes]:
        """A new session: an access token for an hour, and a refresh token for the time after."""
        body = await read_json(request, wire.LoginRequest)
        return json_response(to_wire_login(await accounts.login(body.email, body.password)))

    @post(
        "/v1/auth/refresh",
        status_code=200,
        opt={"public": True},
        operation_class=reads(wire.RefreshRequest),
        responses=answered_by(200, wire.RefreshResponse, 400, 401),
        tags=_TAGS,
    )
    async def refresh(request: Request[Any, Any, Any]) -> Response[bytes]:
        """A new access token. The refresh token stays good until it expires or its session ends."""
        body = await read_json(request, wire.RefreshRequest)
        tokens = await accounts.refresh(body.refresh_token)
        return json_response(wire.RefreshResponse(access_token=tokens.access_token, expires_at=tokens.expires_at))

    @post(
        "/v1/auth/logout",
        status_code=200,
        responses=answered_by(200, wire.MessageResponse, *needs(session=True)),
        tags=_TAGS,
    )
    async def logout(request: Request[Any, Any, Any]) -> Response[bytes]:
        """The session's tokens stop working at once."""
        await accounts.logout(principal_of(request))
        return json_response(wire.MessageResponse(message="Successfully logged out"))

    return [register, login, refresh, logout]


def _forgotten(services: Services) -> list[Any]:
    accounts = services.accounts

    @post(
        "/v1/auth/forgot-password",
        status_code=200,
        opt={"public": True},
        operation_class=reads(wire.ForgotPasswordRequest),
        responses=answered_by(200, wire.MessageResponse, 400),
        tags=_TAGS,
    )
    async def forgot_password(request: Request[Any, Any, Any]) -> Response[bytes]:
        """A mail with a token that sets a new password once. The answer is the same for unknown addresses."""
        body = await read_json(request, wire.ForgotPasswordRequest)
        await accounts.forgot_password(body.email)
        return json_response(wire.MessageResponse(message=_LINK_SENT))

    @post(
        "/v1/auth/reset-password",
        status_code=200,
        opt={"public": True},
        operation_class=reads(wire.ResetPasswordRequest),
        responses=answered_by(200, wire.MessageResponse, 400),
        tags=_TAGS,
    )
    async def reset_password(request: Request[Any, Any, Any]) -> Response[bytes]:
        """A new password by the token of a mail. All sessions of the account end."""
        body = await read_json(request, wire.ResetPasswordRequest)
        await accounts.reset_password(body.token, body.new_password)
        return json_response(wire.MessageResponse(message="Password reset successfully"))

    return [forgot_password, reset_password]
