"""Failures in the document's one shape: `{"error": {"code", "message", "details"?}}`."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from backend.domain.errors import (
    Conflict,
    DomainError,
    Forbidden,
    ImageRejected,
    Invalid,
    NotFound,
    TooMany,
    Unauthorized,
    Unavailable,
)
from backend.surfaces.error_text import wire_details, wire_message
from backend.surfaces.responses import path_of, raw_json
from backend.wire.container_engine import ErrorDetail, ErrorResponse

log = logging.getLogger(__name__)

_STATUSES: tuple[tuple[type[DomainError], int], ...] = (
    (Invalid, 400),
    (Unauthorized, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (ImageRejected, 422),
    (TooMany, 429),
    (Unavailable, 503),
)
_CODES = {
    400: "INVALID_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    422: "UNPROCESSABLE_ENTITY",
    429: "RATE_LIMITED",
    503: "SERVICE_UNAVAILABLE",
}
_INTERNAL = "Something went wrong on the server; its log says what"


def status_of(error: DomainError) -> int:
    """The HTTP status of a kind of failure."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def error_body(status: int, message: str, details: Mapping[str, Any] | None = None) -> bytes:
    """The document's error body."""
    code = _CODES.get(status, "INTERNAL_ERROR" if status >= 500 else "INVALID_REQUEST")
    detail = ErrorDetail(code=code, message=message, details=dict(details) if details else None)
    return ErrorResponse(error=detail).model_dump_json(by_alias=True, exclude_none=True).encode()


def error_answer(error: DomainError) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of a failure."""
    status = status_of(error)
    if status == 500:
        log.error("a failure without a status of its own: %r", error)
        return 500, error_body(500, _INTERNAL), {}
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    return status, error_body(status, wire_message(error), wire_details(error)), headers


def on_domain_error(_: Request[Any, Any, Any], error: DomainError) -> Response[Any]:
    status, body, headers = error_answer(error)
    return raw_json(body, status, headers)


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What the framework itself refuses: unknown paths, wrong methods, bodies over the limit."""
    status = error.status_code
    if status >= 500:
        return on_unexpected(request, error)
    if status == 404:
        message = f"There is nothing at {path_of(request)}"
    elif status == 405:
        message = f"{request.method} is not possible at {path_of(request)}"
    elif status == 413:
        message = "The body is too large"
    else:
        status, message = 400, str(error.detail)
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return raw_json(error_body(status, message), status, headers)


def on_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    log.error("%s %s failed", request.method, path_of(request), exc_info=error)
    return raw_json(error_body(500, _INTERNAL), 500)


EXCEPTION_HANDLERS: dict[Any, Any] = {
    DomainError: on_domain_error,
    HTTPException: on_http_error,
    Exception: on_unexpected,
}
