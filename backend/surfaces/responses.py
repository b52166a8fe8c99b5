"""Responses made from pydantic models in one step, without the framework's second conversion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from litestar.types import ASGIApp, Receive, Scope, Send
from pydantic import BaseModel

JSON = "application/json"
_LONGEST_PATH = 200


def json_response(model: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """A model as a JSON body, its fields by their wire names."""
    body = model.__pydantic_serializer__.to_json(model, by_alias=True)
    return Response(body, status_code=status, media_type=JSON, headers=dict(headers) if headers else None)


class _JsonAnswer:
    """A 200 with a JSON body, sent as it is."""

    __slots__ = ("_body",)

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self._body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})


def json_answer(model: BaseModel) -> ASGIApp:
    """As `json_response` with a 200, without the framework's work on headers and cookies, for what is asked often. The
    handler must be annotated with `ASGIApp`."""
    return _JsonAnswer(model.__pydantic_serializer__.to_json(model, by_alias=True))


def raw_json(body: bytes, status: int, headers: Mapping[str, str] | None = None) -> Response[Any]:
    """A body that is JSON already."""
    return Response(body, status_code=status, media_type=JSON, headers=dict(headers) if headers else None)


def path_of(request: Request[Any, Any, Any]) -> str:
    """The path that was asked for within the surface, without the slash that mounting adds, cut where it is long."""
    return shown_path(request.scope["path"])


def shown_path(path: str) -> str:
    """A path as it may stand in a message."""
    text = path.rstrip("/") or "/"
    return text if len(text) <= _LONGEST_PATH else f"{text[: _LONGEST_PATH - 3]}..."
