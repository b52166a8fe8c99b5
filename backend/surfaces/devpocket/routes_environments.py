"""Environments: create, list, read, change, delete, start, stop, restart, metrics, logs."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, delete, get, post, put
from litestar.openapi.spec import OpenAPIFormat, OpenAPIType

from backend.domain.environments import EnvironmentStatus
from backend.surfaces import query
from backend.surfaces.credentials import principal_of
from backend.surfaces.devpocket import convert_environments as convert
from backend.surfaces.devpocket.described import answered_by, needs
from backend.surfaces.openapi import reads
from backend.surfaces.request_body import read_json
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.wire import devpocket_environments as wire
from backend.wire.devpocket import MessageResponse

_PATH = "/api/v1/environments"
_ONE = f"{_PATH}/{{environment_id:str}}"
_TAGS = ["environments"]
_STATUSES = tuple(EnvironmentStatus)
_LIST: dict[str, dict[str, Any]] = {
    "status": {"type": OpenAPIType.STRING, "enum": [status.value for status in _STATUSES]},
    "template_id": {"type": OpenAPIType.STRING, "min_length": 1, "max_length": 100},
}
_LOGS: dict[str, dict[str, Any]] = {
    "lines": {"type": OpenAPIType.INTEGER, "default": 100, "minimum": 1, "maximum": 1000},
    "since": {"type": OpenAPIType.STRING, "format": OpenAPIFormat.DATE_TIME},
}


def environment_routes(services: Services) -> list[Any]:
    return [*_reading(services), *_observing(services), *_changing(services), *_turning(services)]


def _reading(services: Services) -> list[Any]:
    environments = services.environments

    @get(
        _PATH,
        operation_class=reads(query=_LIST),
        responses=answered_by(200, wire.EnvironmentListResponse, 422, *needs()),
        tags=_TAGS,
    )
    async def list_environments(request: Request[Any, Any, Any]) -> Response[bytes]:
        """The caller's environments, newest first. Terminated ones only where that status is asked for."""
        status = query.choice(request, "status", EnvironmentStatus, _STATUSES)
        template_id = query.text(request, "template_id", longest=100)
        found = await environments.all(principal_of(request), status, template_id)
        return json_response(wire.EnvironmentListResponse([convert.to_wire_environment(one) for one in found]))

    @get(_ONE, responses=answered_by(200, wire.EnvironmentResponse, *needs(found=True)), tags=_TAGS)
    async def get_environment(request: Request[Any, Any, Any], environment_id: str) -> Response[bytes]:
        """Everything that is known of an environment."""
        found = await environments.get(principal_of(request), environment_id)
        return json_response(convert.to_wire_environment(found))

    return [list_environments, get_environment]


def _observing(services: Services) -> list[Any]:
    environments = services.environments

    @get(
        f"{_ONE}/metrics",
        responses=answered_by(200, wire.EnvironmentMetricsResponse, *needs(found=True)),
        tags=_TAGS,
    )
    async def environment_metrics(request: Request[Any, Any, Any], environment_id: str) -> Response[bytes]:
        """What it uses now: CPU in cores, memory and storage in bytes, each beside its limit."""
        who = principal_of(request)
        usage = await environments.usage(who, environment_id)
        return json_response(convert.to_wire_metrics(await environments.get(who, environment_id), usage))

    @get(
        f"{_ONE}/logs",
        operation_class=reads(query=_LOGS),
        responses=answered_by(200, wire.EnvironmentLogsResponse, 422, *needs(found=True)),
        tags=_TAGS,
    )
    async def environment_logs(request: Request[Any, Any, Any], environment_id: str) -> Response[bytes]:
        """The newest lines of the installation and of the container, oldest first."""
        who = principal_of(request)
        lines = query.integer(request, "lines", 100, least=1, most=1000) or 100
        since = query.moment(request, "since")
        logs = await environments.logs(who, environment_id, lines=lines, since=since)
        return json_response(convert.to_wire_logs(await environments.get(who, environment_id), logs))

    return [environment_metrics, environment_logs]


def _changing(services: Services) -> list[Any]:
    environments = services.environments

    @post(
        _PATH,
        operation_class=reads(wire.EnvironmentCreateRequest),
        responses=answered_by(201, wire.EnvironmentResponse, 400, 404, 422, *needs()),
        tags=_TAGS,
    )
    async def create_environment(request: Request[Any, Any, Any]) -> Response[bytes]:
        """A new environment from a template. It is creating, then installing, then running."""
        body = await read_json(request, wire.EnvironmentCreateRequest)
        made = await environments.create(principal_of(request), convert.from_wire_create(body))
        return json_response(convert.to_wire_environment(made), 201)

    @put(
        _ONE,
        operation_class=reads(wire.EnvironmentUpdateRequest),
        responses=answered_by(200, wire.EnvironmentResponse, 400, 422, *needs(found=True)),
        tags=_TAGS,
    )
    async def update_environment(request: Request[Any, Any, Any], environment_id: str) -> Response[bytes]:
        """Change what is given. CPU and memory change in place; another image, port or variables make a new container,
        which is installed anew and keeps the home folder."""
        body = await read_json(request, wire.EnvironmentUpdateRequest)
        changed = await environments.update(principal_of(request), environment_id, convert.from_wire_update(body))
        return json_response(convert.to_wire_environment(changed))

    @delete(_ONE, status_code=204, responses=answered_by(204, None, 400, *needs(found=True)), tags=_TAGS)
    async def delete_environment(request: Request[Any, Any, Any], environment_id: str) -> None:
        """The environment goes, and with it its home folder."""
        await environments.delete(principal_of(request), environment_id)

    return [create_environment, update_environment, delete_environment]


def _turning(services: Services) -> list[Any]:
    environments = services.environments
    answers = answered_by(200, MessageResponse, 400, *needs(found=True))

    @post(f"{_ONE}/start", status_code=200, responses=answers, tags=_TAGS)
    async def start_environment(request: Request[Any, Any, Any], environment_id: str) -> Response[bytes]:
        """Run a stopped environment again."""
        turned = await environments.start(principal_of(request), environment_id)
        return json_response(MessageResponse(message=f"Environment {turned.name} is starting"))

    @post(f"{_ONE}/stop", status_code=200, responses=answers, tags=_TAGS)
    async def stop_environment(request: Request[Any, Any, Any], environment_id: str) -> Response[bytes]:
        """End what runs in a running environment; its home folder stays."""
        turned = await environments.stop(principal_of(request), environment_id)
        return json_response(MessageResponse(message=f"Environment {turned.name} is stopping"))

    @post(f"{_ONE}/restart", status_code=200, responses=answers, tags=_TAGS)
    async def restart_environment(request: Request[Any, Any, Any], environment_id: str) -> Response[bytes]:
        """Start a running, stopped or failed environment anew."""
        turned = await environments.restart(principal_of(request), environment_id)
        return json_response(MessageResponse(message=f"Environment {turned.name} is restarting"))

    return [start_environment, stop_environment, restart_environment]
