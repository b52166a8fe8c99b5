"""`/openapi.json` and `/docs` of a surface: readable by everybody, and with nothing from elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, get

from backend.surfaces.description_page import page_of

SPEC_PATH = "/openapi.json"
PAGE_PATH = "/docs"
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class _Description:
    """Made when first asked for, in a thread: a start-up need not wait for it."""

    def __init__(self, describe: Callable[[], dict[str, Any]]) -> None:
        self._describe = describe
        self._making: asyncio.Task[dict[str, Any]] | None = None

    async def at(self, address: str) -> dict[str, Any]:
        """The description with the address that the surface is served at."""
        if self._making is None:
            self._making = asyncio.create_task(asyncio.to_thread(self._describe))
        return {**await asyncio.shield(self._making), "servers": [{"url": address}]}


def documentation_routes(describe: Callable[[], dict[str, Any]]) -> list[Any]:
    """Handlers that need no credential and are not described themselves."""
    description = _Description(describe)

    @get(SPEC_PATH, opt={"public": True}, include_in_schema=False)
    async def openapi_json(request: Request[Any, Any, Any]) -> Response[bytes]:
        found = await description.at(_address(request, SPEC_PATH))
        return Response(msgspec.json.encode(found), media_type="application/json")

    @get(PAGE_PATH, opt={"public": True}, include_in_schema=False)
    async def docs(request: Request[Any, Any, Any]) -> Response[bytes]:
        found = await description.at(_address(request, PAGE_PATH))
        return Response(page_of(found), media_type="text/html", headers=_PAGE_HEADERS)

    return [openapi_json, docs]


def _address(request: Request[Any, Any, Any], path: str) -> str:
    """Where the surface begins on this listener: the root, or the name it is mounted under."""
    asked = request.scope["raw_path"].decode("latin-1").partition("?")[0].rstrip("/")
    return asked.removesuffix(path).rstrip("/") or "/"
