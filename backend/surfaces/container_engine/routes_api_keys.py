"""API keys: create, list, revoke."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, delete, get, post

from backend.surfaces import query
from backend.surfaces.container_engine.convert import to_wire_api_keys, to_wire_created_api_key
from backend.surfaces.container_engine.described import answered_by
from backend.surfaces.credentials import principal_of
from backend.surfaces.described import needs
from backend.surfaces.openapi import reads
from backend.surfaces.parameters import PAGE
from backend.surfaces.request_body import read_json
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.wire import container_engine as wire


def api_key_routes(services: Services) -> list[Any]:
    accounts = services.accounts

    @post(
        "/v1/api-keys",
        operation_class=reads(wire.ApiKeyCreateRequest),
        responses=answered_by(201, wire.ApiKeyCreateResponse, 400, *needs(session=True)),
        tags=["API keys"],
    )
    async def create_api_key(request: Request[Any, Any, Any]) -> Response[bytes]:
        """A new API key. Its secret is in this answer and never again; with an API key this is refused."""
        body = await read_json(request, wire.ApiKeyCreateRequest)
        created = await accounts.create_api_key(principal_of(request), body.name, body.description, body.expires_at)
        return json_response(to_wire_created_api_key(created), 201)

    @get(
        "/v1/api-keys",
        operation_class=reads(query=PAGE),
        responses=answered_by(200, wire.ApiKeyListResponse, 400, *needs()),
        tags=["API keys"],
    )
    async def list_api_keys(request: Request[Any, Any, Any]) -> Response[bytes]:
        """The caller's API keys, newest first, without their secrets."""
        return json_response(to_wire_api_keys(await accounts.api_keys(principal_of(request), query.page(request))))

    @delete(
        "/v1/api-keys/{key_id:str}",
        status_code=200,
        responses=answered_by(200, wire.MessageResponse, *needs(session=True, found=True)),
        tags=["API keys"],
    )
    async def revoke_api_key(request: Request[Any, Any, Any], key_id: str) -> Response[bytes]:
        """The key stops working at once."""
        await accounts.revoke_api_key(principal_of(request), key_id)
        return json_response(wire.MessageResponse(message="API key revoked successfully"))

    return [create_api_key, list_api_keys, revoke_api_key]
