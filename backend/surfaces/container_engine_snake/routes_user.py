"""The caller's own profile and password."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, put

from backend.surfaces.container_engine_snake.convert import to_wire_profile, to_wire_profile_update
from backend.surfaces.container_engine_snake.described import answered_by
from backend.surfaces.credentials import principal_of
from backend.surfaces.described import needs
from backend.surfaces.openapi import reads
from backend.surfaces.request_body import read_json
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.wire import container_engine_snake as wire


def user_routes(services: Services) -> list[Any]:
    accounts = services.accounts

    @get("/v1/user/profile", responses=answered_by(200, wire.ProfileResponse, *needs()), tags=["profile"])
    async def get_profile(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Who the caller is."""
        return json_response(to_wire_profile(await accounts.profile(principal_of(request))))

    @put(
        "/v1/user/profile",
        operation_class=reads(wire.ProfileUpdateRequest),
        responses=answered_by(200, wire.ProfileUpdateResponse, 400, 409, *needs(session=True)),
        tags=["profile"],
    )
    async def update_profile(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Change the username, the e-mail address, or both; another address needs an access token."""
        body = await read_json(request, wire.ProfileUpdateRequest)
        user = await accounts.update_profile(principal_of(request), body.username, body.email)
        return json_response(to_wire_profile_update(user))

    @put(
        "/v1/user/password",
        operation_class=reads(wire.PasswordChangeRequest),
        responses=answered_by(200, wire.MessageResponse, 400, *needs(session=True)),
        tags=["profile"],
    )
    async def change_password(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Needs the current password and an access token. Other sessions of the account end."""
        body = await read_json(request, wire.PasswordChangeRequest)
        await accounts.change_password(
            principal_of(request), body.current_password, body.new_password, body.confirm_new_password
        )
        return json_response(wire.MessageResponse(message="Password updated successfully"))

    return [get_profile, update_profile, change_password]
