"""Whether the service is well: asked once, or told over a socket when it changes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from litestar import Request, Response, WebSocket, get, websocket

from backend.domain.errors import DomainError
from backend.surfaces.container_engine_snake.described import answered_by
from backend.surfaces.container_engine_snake.errors import FAILURES
from backend.surfaces.credentials import credential_of
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.surfaces.sockets import Socket, accept, ignore_input, refuse, run_socket, send_text, watch_credential
from backend.wire import container_engine_snake as wire

SERVICE = "container-engine"
LOOK_SECONDS = 2.0
REPEAT_SECONDS = 30.0
_TAGS = ["health"]


def health_routes(services: Services) -> list[Any]:
    @get("/health", opt={"public": True}, responses=answered_by(200, wire.HealthResponse), tags=_TAGS)
    async def health(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Whether the service is well. Needs no credential."""
        return json_response(await _health(services))

    @get("/v1/ws/health", opt={"public": True}, responses=answered_by(200, wire.HealthResponse), tags=_TAGS)
    async def health_over_http(request: Request[Any, Any, Any]) -> Response[bytes]:
        """The same over plain HTTP; as a socket this path tells when it changes."""
        return json_response(await _health(services))

    @websocket("/v1/ws/health")
    async def health_socket(socket: WebSocket[Any, Any, Any]) -> None:
        accounts = services.accounts
        try:
            credential = credential_of(socket, allow_query=True)
            who = await accounts.authenticate(credential)
        except DomainError as error:
            await refuse(socket, *FAILURES.answer(error))
            return
        await accept(socket)
        await run_socket(
            socket,
            _send_health(socket, services),
            ignore_input(socket),
            watch_credential(accounts, credential, who),
        )

    return [health, health_over_http, health_socket]


async def _health(services: Services) -> wire.HealthResponse:
    ready = await services.system.ready()
    return wire.HealthResponse(
        status="healthy" if ready else "unhealthy", service=SERVICE, version=services.facts.version
    )


async def _send_health(socket: Socket, services: Services) -> None:
    """At once, when it changes, and now and then, so that a client can tell a quiet service from a lost one. However
    many look, the parts of the system are asked once a second at most."""
    known: wire.HealthResponse | None = None
    sent_at = 0.0
    while True:
        found = await _health(services)
        if found != known or time.monotonic() - sent_at >= REPEAT_SECONDS:
            await send_text(socket, found.model_dump_json())
            known, sent_at = found, time.monotonic()
        await asyncio.sleep(LOOK_SECONDS)
