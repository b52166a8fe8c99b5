"""The document's two sockets: events of the caller's deployments, and the log of one."""

from __future__ import annotations

from typing import Any

from litestar import WebSocket, websocket

from backend.surfaces.container_engine.convert import event_text
from backend.surfaces.container_engine.errors import FAILURES
from backend.surfaces.event_sockets import serve_events
from backend.surfaces.observing import serve_log_socket
from backend.surfaces.services import Services


def socket_routes(services: Services) -> list[Any]:
    @websocket("/v1/events")
    async def events(socket: WebSocket[Any, Any, Any]) -> None:
        await serve_events(socket, services, FAILURES, event_text)

    @websocket("/v1/deployments/{deployment_id:str}/logs/stream")
    async def logs_stream(socket: WebSocket[Any, Any, Any], deployment_id: str) -> None:
        await serve_log_socket(socket, services, FAILURES, deployment_id)

    return [events, logs_stream]
