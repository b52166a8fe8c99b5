"""Templates: everybody reads them, administrators write them."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, delete, get, post, put
from litestar.openapi.spec import OpenAPIType

from backend.domain.environments import TemplateCategory, TemplateStatus
from backend.surfaces import query
from backend.surfaces.credentials import principal_of
from backend.surfaces.devpocket.convert_templates import from_wire_create, from_wire_update, to_wire_template
from backend.surfaces.devpocket.described import answered_by, needs
from backend.surfaces.openapi import reads
from backend.surfaces.request_body import read_json
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.wire import devpocket_environments as wire
from backend.wire.devpocket import MessageResponse

_PATH = "/api/v1/templates"
_ONE = f"{_PATH}/{{template_id:str}}"
_ADMIN = {"admin": True}
_TAGS = ["templates"]
_CATEGORIES, _STATUSES = tuple(TemplateCategory), tuple(TemplateStatus)
_LIST = {
    "category": {"type": OpenAPIType.STRING, "enum": [category.value for category in _CATEGORIES]},
    "status": {"type": OpenAPIType.STRING, "enum": [status.value for status in _STATUSES]},
}


def template_routes(services: Services) -> list[Any]:
    return [*_reading(services), *_changing(services)]


def _reading(services: Services) -> list[Any]:
    templates = services.templates

    @get(
        _PATH,
        operation_class=reads(query=_LIST),
        responses=answered_by(200, wire.TemplateListResponse, 422, *needs()),
        tags=_TAGS,
    )
    async def list_templates(request: Request[Any, Any, Any]) -> Response[bytes]:
        """What environments are made from. Deprecated ones only where that status is asked for."""
        category = query.choice(request, "category", TemplateCategory, _CATEGORIES)
        status = query.choice(request, "status", TemplateStatus, _STATUSES)
        found = await templates.all(principal_of(request), category, status)
        return json_response(wire.TemplateListResponse([to_wire_template(one) for one in found]))

    @get(_ONE, responses=answered_by(200, wire.TemplateResponse, *needs(found=True)), tags=_TAGS)
    async def get_template(request: Request[Any, Any, Any], template_id: str) -> Response[bytes]:
        """One template, by its id or name."""
        return json_response(to_wire_template(await templates.get(principal_of(request), template_id)))

    return [list_templates, get_template]


def _changing(services: Services) -> list[Any]:
    templates = services.templates

    @post(
        f"{_PATH}/initialize",
        opt=_ADMIN,
        status_code=200,
        responses=answered_by(200, MessageResponse, *needs(admin=True)),
        tags=_TAGS,
    )
    async def initialize_templates(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Make those of the default templates that are not there."""
        await templates.initialize(principal_of(request))
        return json_response(MessageResponse(message="Default templates initialized successfully"))

    @post(
        _PATH,
        opt=_ADMIN,
        operation_class=reads(wire.TemplateCreateRequest),
        responses=answered_by(201, wire.TemplateResponse, 400, 422, *needs(admin=True)),
        tags=_TAGS,
    )
    async def create_template(request: Request[Any, Any, Any]) -> Response[bytes]:
        """A new template. Its startup commands are the steps of an installation."""
        body = await read_json(request, wire.TemplateCreateRequest)
        made = await templates.create(principal_of(request), from_wire_create(body))
        return json_response(to_wire_template(made), 201)

    @put(
        _ONE,
        opt=_ADMIN,
        operation_class=reads(wire.TemplateUpdateRequest),
        responses=answered_by(200, wire.TemplateResponse, 400, 422, *needs(admin=True, found=True)),
        tags=_TAGS,
    )
    async def update_template(request: Request[Any, Any, Any], template_id: str) -> Response[bytes]:
        """Change what is given; environments that were made from it stay as they are."""
        body = await read_json(request, wire.TemplateUpdateRequest)
        changed = await templates.update(principal_of(request), template_id, from_wire_update(body))
        return json_response(to_wire_template(changed))

    @delete(
        _ONE,
        opt=_ADMIN,
        status_code=200,
        responses=answered_by(200, MessageResponse, *needs(admin=True, found=True)),
        tags=_TAGS,
    )
    async def delete_template(request: Request[Any, Any, Any], template_id: str) -> Response[bytes]:
        """The template becomes deprecated: no new environments are made from it."""
        await templates.deprecate(principal_of(request), template_id)
        return json_response(MessageResponse(message="Template deleted successfully"))

    return [initialize_templates, create_template, update_template, delete_template]
