"""The surface as an application of its own, mounted at `/pilothouse`."""

from __future__ import annotations

from litestar.types import ASGIApp

from backend.surfaces.application import application
from backend.surfaces.credentials import guard_by
from backend.surfaces.pilothouse.errors import FAILURES
from backend.surfaces.pilothouse.live import live_routes
from backend.surfaces.pilothouse.routes import pilothouse_routes
from backend.surfaces.pilothouse.terminal import terminal_routes
from backend.surfaces.services import Services


def pilothouse_app(services: Services) -> ASGIApp:
    """Serves `/v1/...` as the docstring of `backend.wire.pilothouse` says."""
    return application(
        [*pilothouse_routes(services), *live_routes(services), *terminal_routes(services)],
        FAILURES,
        guards=[guard_by(services.accounts)],
        max_body_bytes=services.max_body_bytes,
    )
