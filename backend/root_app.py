"""The root application: health, what can be read about the API, and the surfaces under their names."""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from litestar import Request, Response, get, route
from litestar.enums import HttpMethod
from litestar.types import ASGIApp, Receive, Scope, Send

from backend.domain.errors import DomainError
from backend.services.system import SystemService
from backend.surfaces.application import application
from backend.surfaces.pilothouse.errors import FAILURES, error_answer
from backend.surfaces.refusals import Refusing, send_answer


class RootApp:
    """The surfaces by the first part of the path, and what is the installation's own.

    The framework's own mounting takes the first mounted name that a path starts with, so that of two surfaces of which
    one's name begins with the other's it finds the wrong one.
    """

    def __init__(self, surfaces: Mapping[str, ASGIApp], own: ASGIApp) -> None:
        self._surfaces = dict(surfaces)
        self._own = own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app, inner = self._found(scope)
        await app(inner, receive, send)

    async def refuse(self, scope: Scope, receive: Receive, send: Send, error: DomainError) -> None:
        """Answer a request that goes no further as the surface that it is for would."""
        app, inner = self._found(scope)
        if isinstance(app, Refusing):
            await app.refuse(inner, receive, send, error)
        else:
            await send_answer(inner, receive, send, error_answer(error))

    def _found(self, scope: Scope) -> tuple[ASGIApp, Scope]:
        name, _, rest = scope["path"][1:].partition("/")
        surface = self._surfaces.get(name)
        if surface is None:
            return self._own, scope
        inner: Any = {**scope, "path": f"/{rest}"}
        return surface, inner


def root_app(
    surfaces: Mapping[str, ASGIApp], documented: Collection[str], system: SystemService, version: str
) -> RootApp:
    """`/health/live`, `/health/ready`, `/docs` with links to those surfaces that describe themselves, and each surface
    at `/<name>`."""
    described = [name for name in surfaces if name in documented]
    own = application([*_health(system), _docs(described, version)], FAILURES)
    return RootApp(surfaces, own)


def _health(system: SystemService) -> list[Any]:
    @route("/health/live", http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def live(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Whether the process answers at all."""
        return _json({"status": "ok"}, 200)

    @route("/health/ready", http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def ready(request: Request[Any, Any, Any]) -> Response[bytes]:
        """The truth about each part: 200 where all are well, else 503."""
        found = await system.status()
        parts = {"storage": found.storage, "engine": found.engine, "ingress": found.ingress}
        words = {name: {"status": part.status.value, "message": part.message} for name, part in parts.items()}
        overall = "ok" if found.ready else "unavailable"
        return _json({"status": overall, "components": words}, 200 if found.ready else 503)

    return [live, ready]


def _docs(described: Sequence[str], version: str) -> Any:
    names = [html.escape(name) for name in described]
    items = "".join(
        f'<li><b>{name}</b>: base path <code>/{name}</code>, <a href="/{name}/docs">operations</a>, '
        f'<a href="/{name}/openapi.json">OpenAPI 3.1 description</a></li>'
        for name in names
    )
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pilothouse</title>'
        f"<h1>Pilothouse {html.escape(version)}</h1><ul>{items}</ul></html>"
    ).encode()

    @get("/docs")
    async def docs(request: Request[Any, Any, Any]) -> Response[bytes]:
        return Response(page, media_type="text/html")

    return docs


def _json(body: object, status: int) -> Response[bytes]:
    return Response(json.dumps(body).encode(), status_code=status, media_type="application/json")
