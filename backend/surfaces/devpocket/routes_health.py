"""Whether the service is well, and what it is. No credential is asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from litestar import Request, Response, get

from backend.domain.errors import Unavailable
from backend.services.system import PartState, SystemStatus
from backend.surfaces.devpocket.described import answered_by
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.wire import devpocket as wire

SERVICE = "devpocket"
_TAGS = ["health"]
_PUBLIC = {"public": True}


def health_routes(services: Services) -> list[Any]:
    facts = services.facts

    @get("/health", opt=_PUBLIC, responses=answered_by(200, wire.HealthResponse), tags=_TAGS)
    async def health(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Whether storage and the container engine answer, with version and environment; 200 also where they do
        not."""
        faults = _faults(await services.system.status())
        return json_response(
            wire.HealthResponse(
                status="unhealthy" if faults else "healthy",
                service=SERVICE,
                version=facts.version,
                environment=facts.environment,
                timestamp=datetime.now(UTC),
            )
        )

    @get("/health/ready", opt=_PUBLIC, responses=answered_by(200, wire.ReadyResponse), tags=_TAGS)
    async def health_ready(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Whether the database is connected and the container engine answers; 503 with what is wrong where not."""
        faults = _faults(await services.system.status())
        if faults:
            raise Unavailable("Not ready: " + "; ".join(f"{name}: {text}" for name, text in faults.items()))
        checks = dict.fromkeys(("database", "engine"), "healthy")
        return json_response(wire.ReadyResponse(status="ready", checks=checks, timestamp=datetime.now(UTC)))

    @get("/health/live", opt=_PUBLIC, responses=answered_by(200, wire.LiveResponse), tags=_TAGS)
    async def health_live(request: Request[Any, Any, Any]) -> Response[bytes]:
        """That the service answers at all."""
        return json_response(wire.LiveResponse(timestamp=datetime.now(UTC)))

    @get("/api/v1/info", opt=_PUBLIC, responses=answered_by(200, wire.InfoResponse), tags=_TAGS)
    async def api_info(request: Request[Any, Any, Any]) -> Response[bytes]:
        """What this API is."""
        return json_response(
            wire.InfoResponse(
                name="DevPocket API",
                version=facts.version,
                api_version="v1",
                description="Development environments in containers, with a home that is kept and a terminal",
                environment=facts.environment,
            )
        )

    return [health, health_ready, health_live, api_info]


def _faults(status: SystemStatus) -> dict[str, str]:
    """What is wrong with the parts that environments need."""
    parts = {"database": status.storage, "engine": status.engine}
    return {name: part.message for name, part in parts.items() if part.status is not PartState.OK}
