"""What the bodies of both container-engine documents ask for, in the vocabulary of the domain. Pure."""

from __future__ import annotations

from backend.domain.deployments import DeploymentChange, DeploymentRequest, HealthCheck, RegistryAuth, Resources
from backend.wire import container_engine, container_engine_snake

CreateBody = container_engine.DeploymentCreateRequest | container_engine_snake.DeploymentCreateRequest
UpdateBody = container_engine.DeploymentUpdateRequest | container_engine_snake.DeploymentUpdateRequest


def from_wire_create(body: CreateBody) -> DeploymentRequest:
    defaults = Resources()
    resources, check, auth = body.resources, body.health_check, body.registry_auth
    return DeploymentRequest(
        app_name=body.app_name,
        image=body.image,
        port=body.port,
        env=body.env_vars,
        replicas=body.replicas,
        resources=defaults
        if resources is None
        else Resources(
            cpu=defaults.cpu if resources.cpu is None else resources.cpu,
            memory=defaults.memory if resources.memory is None else resources.memory,
        ),
        health_check=None if check is None else HealthCheck(**dict(check)),
        registry_auth=None if auth is None else RegistryAuth(auth.username, auth.password),
    )


def from_wire_update(body: UpdateBody) -> DeploymentChange:
    return DeploymentChange(
        image=body.image,
        env=body.env_vars,
        replicas=body.replicas,
        cpu=body.resources.cpu if body.resources else None,
        memory=body.resources.memory if body.resources else None,
    )
