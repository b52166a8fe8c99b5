"""The surface as an application of its own: at the root of a listener, or mounted under its name."""

from __future__ import annotations

from typing import Any

from litestar import Router
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp

from backend.services.roles import require_admin
from backend.surfaces.application import application
from backend.surfaces.credentials import guard_by, principal_of
from backend.surfaces.description import describe
from backend.surfaces.devpocket.about import about
from backend.surfaces.devpocket.errors import FAILURES
from backend.surfaces.devpocket.routes_auth import auth_routes
from backend.surfaces.devpocket.routes_clusters import cluster_routes
from backend.surfaces.devpocket.routes_environments import environment_routes
from backend.surfaces.devpocket.routes_health import health_routes
from backend.surfaces.devpocket.routes_templates import template_routes
from backend.surfaces.devpocket.socket_logs import log_routes
from backend.surfaces.devpocket.socket_terminal import terminal_routes
from backend.surfaces.documentation import documentation_routes
from backend.surfaces.services import Services

NAME = "devpocket"


def devpocket_app(services: Services, version: str) -> ASGIApp:
    """Serves `/health` and `/api/v1/...` as the DevPocket document says; described at `/openapi.json` and `/docs`."""
    operations = [
        *auth_routes(services),
        *environment_routes(services),
        *template_routes(services),
        *cluster_routes(services),
        *health_routes(services),
        *terminal_routes(services),
        *log_routes(services),
    ]
    guarded = Router("/", route_handlers=operations, guards=[guard_by(services.accounts), _guard_administration])
    documentation = documentation_routes(lambda: describe(operations, about(version)))
    return application([guarded, *documentation], FAILURES, max_body_bytes=services.max_body_bytes)


async def _guard_administration(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Operations with `admin=True` refuse others before they look at the body. The services refuse them too."""
    if connection.scope["type"] == ScopeType.HTTP and handler.opt.get("admin"):
        require_admin(principal_of(connection))
