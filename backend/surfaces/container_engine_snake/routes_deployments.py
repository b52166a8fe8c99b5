"""Deployments: create, list, read, update, scale, stop, start, delete."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, delete, get, patch, post, put
from litestar.types import ASGIApp

from backend.domain.deployments import DeploymentStatus
from backend.surfaces import query
from backend.surfaces.container_engine_snake import convert
from backend.surfaces.container_engine_snake.described import answered_by
from backend.surfaces.credentials import principal_of
from backend.surfaces.deployment_bodies import from_wire_create, from_wire_update
from backend.surfaces.described import needs
from backend.surfaces.openapi import reads
from backend.surfaces.parameters import DEPLOYMENT_PAGE, STATUSES
from backend.surfaces.request_body import read_json
from backend.surfaces.responses import json_answer, json_response
from backend.surfaces.services import Services
from backend.wire import container_engine_snake as wire

_FILTERS = tuple(DeploymentStatus(status) for status in STATUSES)
_ONE = "/v1/deployments/{deployment_id:str}"
_TAGS = ["deployments"]


def deployment_routes(services: Services) -> list[Any]:
    return [*_reading(services), *_changing(services), *_turning(services)]


def _reading(services: Services) -> list[Any]:
    deployments = services.deployments

    @get(
        "/v1/deployments",
        operation_class=reads(query=DEPLOYMENT_PAGE),
        responses=answered_by(200, wire.DeploymentListResponse, 400, *needs()),
        tags=_TAGS,
    )
    async def list_deployments(request: Request[Any, Any, Any]) -> ASGIApp:
        """The caller's deployments, newest first, of every status or of one."""
        status = query.choice(request, "status", DeploymentStatus, _FILTERS)
        page = await deployments.page(principal_of(request), query.page(request), status)
        return json_answer(convert.to_wire_list(page, [deployments.url(item) for item in page.items]))

    @get(_ONE, responses=answered_by(200, wire.DeploymentDetailResponse, *needs(found=True)), tags=_TAGS)
    async def get_deployment(request: Request[Any, Any, Any], deployment_id: str) -> Response[bytes]:
        """Everything that is known of a deployment, but for its secrets."""
        found = await deployments.get(principal_of(request), deployment_id)
        return json_response(convert.to_wire_detail(found, deployments.url(found)))

    return [list_deployments, get_deployment]


def _changing(services: Services) -> list[Any]:
    deployments, settling = services.deployments, services.settling

    @post(
        "/v1/deployments",
        operation_class=reads(wire.DeploymentCreateRequest),
        responses=answered_by(201, wire.DeploymentCreateResponse, 400, 409, 422, *needs()),
        tags=_TAGS,
    )
    async def create_deployment(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Run an image. Its tag is resolved now and kept until the image is changed."""
        body = await read_json(request, wire.DeploymentCreateRequest)
        made = await deployments.create(principal_of(request), from_wire_create(body))
        return json_response(convert.to_wire_created(made), 201)

    @put(
        _ONE,
        operation_class=reads(wire.DeploymentUpdateRequest),
        responses=answered_by(200, wire.DeploymentUpdateResponse, 400, 422, *needs(found=True)),
        tags=_TAGS,
    )
    async def update_deployment(request: Request[Any, Any, Any], deployment_id: str) -> Response[bytes]:
        """Change what is given and roll it out without an interruption; env replaces all variables."""
        body = await read_json(request, wire.DeploymentUpdateRequest)
        changed = await deployments.update(principal_of(request), deployment_id, from_wire_update(body))
        return json_response(convert.to_wire_updated(changed))

    @patch(
        f"{_ONE}/scale",
        operation_class=reads(wire.ScaleRequest),
        responses=answered_by(200, wire.DeploymentScaleResponse, 400, *needs(found=True)),
        tags=_TAGS,
    )
    async def scale_deployment(request: Request[Any, Any, Any], deployment_id: str) -> Response[bytes]:
        """Run as many replicas, 0 to 100; the answer comes when they do, or when waiting has taken too long."""
        body = await read_json(request, wire.ScaleRequest)
        changed = await settling.scale(principal_of(request), deployment_id, body.replicas)
        return json_response(convert.to_wire_scaled(changed))

    return [create_deployment, update_deployment, scale_deployment]


def _turning(services: Services) -> list[Any]:
    settling = services.settling

    @post(
        f"{_ONE}/stop",
        status_code=200,
        responses=answered_by(200, wire.DeploymentStopResponse, *needs(found=True)),
        tags=_TAGS,
    )
    async def stop_deployment(request: Request[Any, Any, Any], deployment_id: str) -> Response[bytes]:
        """End the containers and keep the deployment; the answer comes when they are gone."""
        changed = await settling.stop(principal_of(request), deployment_id)
        return json_response(convert.to_wire_stopped(changed))

    @post(
        f"{_ONE}/start",
        status_code=200,
        responses=answered_by(200, wire.DeploymentStartResponse, *needs(found=True)),
        tags=_TAGS,
    )
    async def start_deployment(request: Request[Any, Any, Any], deployment_id: str) -> Response[bytes]:
        """Run a stopped deployment again; the answer comes when it does."""
        changed = await settling.start(principal_of(request), deployment_id)
        return json_response(convert.to_wire_started(changed))

    @delete(
        _ONE,
        status_code=200,
        responses=answered_by(200, wire.DeploymentDeleteResponse, *needs(found=True)),
        tags=_TAGS,
    )
    async def delete_deployment(request: Request[Any, Any, Any], deployment_id: str) -> Response[bytes]:
        """Remove the deployment with its containers and domains."""
        deletion = await settling.delete(principal_of(request), deployment_id)
        return json_response(convert.to_wire_deleted(deletion))

    return [stop_deployment, start_deployment, delete_deployment]
