"""Responses made from pydantic models in one step, without the framework's second conversion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from pydantic import BaseModel

JSON = "application/json"


def json_response(model: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """A model as a JSON body, its fields by their wire names."""
    body = model.__pydantic_serializer__.to_json(model, by_alias=True)
    return Response(body, status_code=status, media_type=JSON, headers=dict(headers) if headers else None)


def raw_json(body: bytes, status: int, headers: Mapping[str, str] | None = None) -> Response[Any]:
    """A body that is JSON already."""
    return Response(body, status_code=status, media_type=JSON, headers=dict(headers) if headers else None)


def path_of(request: Request[Any, Any, Any]) -> str:
    """The path that was asked for within the surface, without the slash that mounting adds."""
    return request.scope["path"].rstrip("/") or "/"
