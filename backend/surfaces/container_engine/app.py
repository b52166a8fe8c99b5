"""The surface as an application of its own: at the root of a listener, or mounted under its name."""

from __future__ import annotations

from litestar import Router
from litestar.types import ASGIApp

from backend.surfaces.application import application
from backend.surfaces.container_engine.about import about
from backend.surfaces.container_engine.errors import FAILURES
from backend.surfaces.container_engine.routes_api_keys import api_key_routes
from backend.surfaces.container_engine.routes_auth import auth_routes
from backend.surfaces.container_engine.routes_deployments import deployment_routes
from backend.surfaces.container_engine.routes_domains import domain_routes
from backend.surfaces.container_engine.routes_observability import observability_routes
from backend.surfaces.container_engine.routes_user import user_routes
from backend.surfaces.container_engine.sockets import socket_routes
from backend.surfaces.credentials import guard_by
from backend.surfaces.description import describe
from backend.surfaces.documentation import documentation_routes
from backend.surfaces.services import Services

NAME = "container-engine"


def container_engine_app(services: Services, version: str) -> ASGIApp:
    """Serves `/v1/...` as the container-engine document says; described at `/openapi.json` and `/docs`."""
    operations = [
        *auth_routes(services),
        *api_key_routes(services),
        *user_routes(services),
        *deployment_routes(services),
        *domain_routes(services),
        *observability_routes(services),
        *socket_routes(services),
    ]
    guarded = Router("/", route_handlers=operations, guards=[guard_by(services.accounts)])
    documentation = documentation_routes(lambda: describe(operations, about(version)))
    return application([guarded, *documentation], FAILURES, max_body_bytes=services.max_body_bytes)
