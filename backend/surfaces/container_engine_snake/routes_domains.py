"""Custom domains of a deployment: add, list, remove."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, delete, get, post

from backend.surfaces.container_engine_snake import convert_domains as convert
from backend.surfaces.container_engine_snake.described import answered_by
from backend.surfaces.credentials import principal_of
from backend.surfaces.described import needs
from backend.surfaces.openapi import reads
from backend.surfaces.request_body import read_json
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.wire import container_engine_snake as wire

_PATH = "/v1/deployments/{deployment_id:str}/domains"
_TAGS = ["domains"]


def domain_routes(services: Services) -> list[Any]:
    domains = services.domains

    @post(
        _PATH,
        operation_class=reads(wire.DomainAddRequest),
        responses=answered_by(201, wire.DomainAddResponse, 400, 409, *needs(found=True)),
        tags=_TAGS,
    )
    async def add_domain(request: Request[Any, Any, Any], deployment_id: str) -> Response[bytes]:
        """Ask for a domain of one's own. It is served once its DNS records are found."""
        body = await read_json(request, wire.DomainAddRequest)
        added = await domains.add(principal_of(request), deployment_id, body.domain)
        return json_response(convert.to_wire_added_domain(added), 201)

    @get(_PATH, responses=answered_by(200, wire.DomainListResponse, *needs(found=True)), tags=_TAGS)
    async def list_domains(request: Request[Any, Any, Any], deployment_id: str) -> Response[bytes]:
        """The domains of a deployment and how far each has come."""
        found = await domains.list(principal_of(request), deployment_id)
        return json_response(convert.to_wire_domains(found))

    @delete(
        f"{_PATH}/{{domain_id:str}}",
        status_code=200,
        responses=answered_by(200, wire.MessageResponse, *needs(found=True)),
        tags=_TAGS,
    )
    async def remove_domain(request: Request[Any, Any, Any], deployment_id: str, domain_id: str) -> Response[bytes]:
        """The domain is not served any more."""
        await domains.remove(principal_of(request), deployment_id, domain_id)
        return json_response(wire.MessageResponse(message="Custom domain removed successfully"))

    return [add_domain, list_domains, remove_domain]
