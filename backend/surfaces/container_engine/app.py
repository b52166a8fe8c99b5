"""The surface as an application of its own: at the root of a listener, or mounted under its name."""

from __future__ import annotations

from litestar import Litestar, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from backend.surfaces.container_engine.errors import FAILURES
from backend.surfaces.container_engine.routes_api_keys import api_key_routes
from backend.surfaces.container_engine.routes_auth import auth_routes
from backend.surfaces.container_engine.routes_deployments import deployment_routes
from backend.surfaces.container_engine.routes_domains import domain_routes
from backend.surfaces.container_engine.routes_observability import observability_routes
from backend.surfaces.container_engine.routes_user import user_routes
from backend.surfaces.container_engine.sockets import socket_routes
from backend.surfaces.credentials import guard_by
from backend.surfaces.services import Services

NAME = "container-engine"


def container_engine_app(services: Services, version: str) -> Litestar:
    """Serves `/v1/...` as the container-engine document says; its OpenAPI description is at `/schema/openapi.json`."""
    operations = [
        *auth_routes(services),
        *api_key_routes(services),
        *user_routes(services),
        *deployment_routes(services),
        *domain_routes(services),
        *observability_routes(services),
        *socket_routes(services),
    ]
    return Litestar(
        # The guard is the router's, so that the description of the API can be read by everybody.
        route_handlers=[Router("/", route_handlers=operations, guards=[guard_by(services.accounts)])],
        exception_handlers=FAILURES.handlers,
        request_max_body_size=services.max_body_bytes,
        openapi_config=OpenAPIConfig(
            title="Container Engine API",
            version=version,
            components=Components(
                security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")},
            ),
            security=[{"bearer": []}],
        ),
        logging_config=None,
        debug=False,
    )
