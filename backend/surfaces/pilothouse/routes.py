"""What is asked for once: the local owner's session, the system's status, a deployment, its journal."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post

from backend.domain.accounts import Role
from backend.domain.errors import NotFound
from backend.surfaces import query
from backend.surfaces.credentials import principal_of
from backend.surfaces.local_caller import is_local_owner
from backend.surfaces.pilothouse import convert
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.wire.pilothouse import JournalResponse, LocalSessionResponse

MAX_ENTRIES = 500


def pilothouse_routes(services: Services) -> list[Any]:
    @post("/v1/session", status_code=200, opt={"public": True})
    async def local_session(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Only on the unix socket, whose listener lets none but the owner in; elsewhere there is nothing here."""
        if not is_local_owner(request):
            raise NotFound("There is nothing at this path: log in with an e-mail address and a password instead")
        tokens = await services.accounts.local_owner_session()
        assert tokens.refresh_token is not None, "the owner's session is a new one"
        return json_response(
            LocalSessionResponse(
                access_token=tokens.access_token,
                refresh_token=tokens.refresh_token,
                expires_at=tokens.expires_at,
                username=tokens.user.username,
            )
        )

    @get("/v1/system")
    async def system(request: Request[Any, Any, Any]) -> Response[bytes]:
        admin = principal_of(request).user.role is Role.ADMIN
        return json_response(convert.to_wire_system(await services.system.status(), services.facts, admin=admin))

    @get("/v1/deployments/{deployment_id:str}")
    async def deployment(request: Request[Any, Any, Any], deployment_id: str) -> Response[bytes]:
        who = principal_of(request)
        found = await services.deployments.get(who, deployment_id)
        state = await services.deployments.state(who, deployment_id)
        return json_response(convert.to_wire_deployment(found, state, services.deployments.url(found)))

    @get("/v1/deployments/{deployment_id:str}/journal")
    async def journal(request: Request[Any, Any, Any], deployment_id: str) -> Response[bytes]:
        before = query.integer(request, "before", None, least=1)
        limit = query.integer(request, "limit", 100, least=1, most=MAX_ENTRIES) or 100
        who = principal_of(request)
        entries = await services.deployments.history(who, deployment_id, before=before, limit=limit)
        names = await services.accounts.usernames(who)
        return json_response(JournalResponse(entries=[convert.to_wire_entry(entry, names) for entry in entries]))

    return [local_session, system, deployment, journal]
