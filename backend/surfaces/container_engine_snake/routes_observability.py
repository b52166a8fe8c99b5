"""What a deployment says and uses: logs (also as they come), metrics, status."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, WebSocket, get, websocket

from backend.surfaces.container_engine_snake.convert import to_wire_status
from backend.surfaces.container_engine_snake.described import answered_by
from backend.surfaces.container_engine_snake.errors import FAILURES
from backend.surfaces.credentials import principal_of
from backend.surfaces.described import needs
from backend.surfaces.observing import answer_logs, answer_metrics, serve_log_socket
from backend.surfaces.openapi import reads
from backend.surfaces.parameters import LOGS, METRICS
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.wire import container_engine_snake as wire
from backend.wire.observed import LogsResponse, MetricsResponse

_ONE = "/v1/deployments/{deployment_id:str}"
_TAGS = ["monitoring"]


def observability_routes(services: Services) -> list[Any]:
    @get(
        f"{_ONE}/logs",
        operation_class=reads(query=LOGS),
        responses=answered_by(200, LogsResponse, 400, *needs(found=True)),
        tags=_TAGS,
    )
    async def get_logs(request: Request[Any, Any, Any], deployment_id: str) -> Response[Any]:
        """The newest lines of all replicas in the order of time; with follow=true line by line as they come."""
        return await answer_logs(request, services, FAILURES, deployment_id)

    @websocket(f"{_ONE}/logs/stream")
    async def logs_stream(socket: WebSocket[Any, Any, Any], deployment_id: str) -> None:
        await serve_log_socket(socket, services, FAILURES, deployment_id)

    @get(
        f"{_ONE}/metrics",
        operation_class=reads(query=METRICS),
        responses=answered_by(200, MetricsResponse, 400, *needs(found=True)),
        tags=_TAGS,
    )
    async def get_metrics(request: Request[Any, Any, Any], deployment_id: str) -> Response[bytes]:
        """CPU in cores, memory in bytes, and requests, by interval. Where nothing was measured there is no point."""
        return await answer_metrics(request, services, deployment_id)

    @get(
        f"{_ONE}/status",
        responses=answered_by(200, wire.DeploymentStatusResponse, *needs(found=True)),
        tags=_TAGS,
    )
    async def get_status(request: Request[Any, Any, Any], deployment_id: str) -> Response[bytes]:
        """How a deployment is now: its replicas, health, uptime and restarts."""
        state = await services.deployments.state(principal_of(request), deployment_id)
        return json_response(to_wire_status(state))

    return [get_logs, logs_stream, get_metrics, get_status]
