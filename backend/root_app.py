"""The root application: health, what can be read about the API, and the surfaces under their names."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

from litestar import Litestar, Request, Response, asgi, get
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Receive, Scope, Send

from backend.services.system import SystemService
from backend.surfaces.responses import path_of


def root_app(surfaces: Mapping[str, ASGIApp], system: SystemService, version: str) -> Litestar:
    """`/health/live`, `/health/ready`, `/docs`, and each surface at `/<name>`."""
    return Litestar(
        route_handlers=[*_health(system), _docs(surfaces, version), *(_mount(n, app) for n, app in surfaces.items())],
        exception_handlers={HTTPException: _on_http_error},
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


def _mount(name: str, app: ASGIApp) -> Any:
    @asgi(f"/{name}", is_mount=True, copy_scope=True)
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return mounted


def _health(system: SystemService) -> list[Any]:
    @get("/health/live")
    async def live(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Whether the process answers at all."""
        return _json({"status": "ok"}, 200)

    @get("/health/ready")
    async def ready(request: Request[Any, Any, Any]) -> Response[bytes]:
        """The truth about each part: 200 where all are well, else 503."""
        found = await system.status()
        parts = {"storage": found.storage, "engine": found.engine, "ingress": found.ingress}
        words = {name: {"status": part.status.value, "message": part.message} for name, part in parts.items()}
        overall = "ok" if found.ready else "unavailable"
        return _json({"status": overall, "components": words}, 200 if found.ready else 503)

    return [live, ready]


def _docs(surfaces: Mapping[str, ASGIApp], version: str) -> Any:
    described = [
        name
        for name, app in surfaces.items()
        if isinstance(app, Litestar) and app.openapi_config is not None
    ]  # fmt: skip
    items = "".join(
        f"<li><b>{html.escape(name)}</b>: base path <code>/{html.escape(name)}</code>, "
        f'<a href="/{html.escape(name)}/schema/openapi.json">OpenAPI description</a></li>'
        for name in described
    )
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pilothouse</title>'
        f"<h1>Pilothouse {html.escape(version)}</h1><ul>{items}</ul></html>"
    ).encode()

    @get("/docs")
    async def docs(request: Request[Any, Any, Any]) -> Response[bytes]:
        return Response(page, media_type="text/html; charset=utf-8")

    return docs


def _json(body: object, status: int) -> Response[bytes]:
    return Response(json.dumps(body).encode(), status_code=status, media_type="application/json")


def _on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    codes = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}
    code = codes.get(error.status_code, "INVALID_REQUEST" if error.status_code < 500 else "INTERNAL_ERROR")
    message = f"There is nothing at {path_of(request)}" if error.status_code == 404 else str(error.detail)
    return _json({"error": {"code": code, "message": message}}, error.status_code)
