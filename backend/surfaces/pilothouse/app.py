"""The surface as an application of its own, mounted at `/pilothouse`."""

from __future__ import annotations

from litestar import Litestar
from litestar.types import ASGIApp

from backend.surfaces.credentials import guard_by
from backend.surfaces.pilothouse.errors import FAILURES
from backend.surfaces.pilothouse.live import live_routes
from backend.surfaces.pilothouse.routes import pilothouse_routes
from backend.surfaces.pilothouse.terminal import terminal_routes
from backend.surfaces.services import Services
from backend.surfaces.unrouted import Unrouted


def pilothouse_app(services: Services) -> ASGIApp:
    """Serves `/v1/...` as the docstring of `backend.wire.pilothouse` says."""
    app = Litestar(
        route_handlers=[*pilothouse_routes(services), *live_routes(services), *terminal_routes(services)],
        guards=[guard_by(services.accounts)],
        exception_handlers=FAILURES.handlers,
        request_max_body_size=services.max_body_bytes,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    return Unrouted(app, FAILURES)
