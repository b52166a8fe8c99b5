"""Templates: between the domain and this document. Pure."""

from __future__ import annotations

from backend.domain.environments import (
    EnvironmentResources,
    Template,
    TemplateCategory,
    TemplateChange,
    TemplateRequest,
    TemplateStatus,
)
from backend.surfaces.devpocket.convert_environments import variables
from backend.wire import devpocket_environments as wire


def to_wire_template(template: Template) -> wire.TemplateResponse:
    resources = template.default_resources
    return wire.TemplateResponse(
        id=template.id,
        name=template.name,
        display_name=template.display_name,
        description=template.description,
        category=template.category.value,
        tags=list(template.tags),
        docker_image=template.image,
        default_port=template.default_port,
        default_resources=wire.ResourcesResponse(cpu=resources.cpu, memory=resources.memory, storage=resources.storage),
        environment_variables=dict(template.env),
        startup_commands=list(template.startup_commands),
        documentation_url=template.documentation_url,
        icon_url=template.icon_url,
        status=template.status.value,
        version=template.version,
        created_at=template.created_at,
        updated_at=template.updated_at,
        usage_count=template.usage_count,
    )


def from_wire_create(body: wire.TemplateCreateRequest) -> TemplateRequest:
    usual, given = EnvironmentResources(), body.default_resources or wire.ResourcesModel()
    return TemplateRequest(
        name=body.name,
        display_name=body.display_name,
        image=body.docker_image,
        category=TemplateCategory(body.category),
        description=body.description,
        tags=tuple(body.tags),
        default_port=body.default_port,
        default_resources=EnvironmentResources(
            cpu=given.cpu if given.cpu is not None else usual.cpu,
            memory=given.memory if given.memory is not None else usual.memory,
            storage=given.storage if given.storage is not None else usual.storage,
        ),
        env=variables(body.environment_variables),
        startup_commands=tuple(body.startup_commands),
        documentation_url=body.documentation_url,
        icon_url=body.icon_url,
        status=TemplateStatus(body.status),
        version=body.version,
    )


def from_wire_update(body: wire.TemplateUpdateRequest) -> TemplateChange:
    given = body.default_resources or wire.ResourcesModel()
    return TemplateChange(
        name=body.name,
        display_name=body.display_name,
        image=body.docker_image,
        category=None if body.category is None else TemplateCategory(body.category),
        description=body.description,
        tags=None if body.tags is None else tuple(body.tags),
        default_port=body.default_port,
        cpu=given.cpu,
        memory=given.memory,
        storage=given.storage,
        env=None if body.environment_variables is None else variables(body.environment_variables),
        startup_commands=None if body.startup_commands is None else tuple(body.startup_commands),
        documentation_url=body.documentation_url,
        icon_url=body.icon_url,
        status=None if body.status is None else TemplateStatus(body.status),
        version=body.version,
    )
