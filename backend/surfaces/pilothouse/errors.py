"""Failures of this surface: `{"error": {"code", "message", "details"?}}`, codes as in HTTP's own words."""

from __future__ import annotations

import json
import logging
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

log = logging.getLogger(__name__)

_KINDS: tuple[tuple[type[DomainError], int, str], ...] = (
    (Invalid, 400, "INVALID_REQUEST"),
    (Unauthorized, 401, "UNAUTHORIZED"),
    (Forbidden, 403, "FORBIDDEN"),
    (NotFound, 404, "NOT_FOUND"),
    (Conflict, 409, "CONFLICT"),
    (ImageRejected, 422, "UNPROCESSABLE_ENTITY"),
    (TooMany, 429, "RATE_LIMITED"),
    (Unavailable, 503, "SERVICE_UNAVAILABLE"),
)
_FRAMEWORK_CODES = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "PAYLOAD_TOO_LARGE"}


def error_code(error: DomainError) -> str:
    """The code of a kind of failure."""
    return next((code for kind, _, code in _KINDS if isinstance(error, kind)), "INTERNAL_ERROR")


def _body(code: str, message: str, details: object = None) -> bytes:
    error: dict[str, object] = {"code": code, "message": message}
    if details:
        error["details"] = details
    return json.dumps({"error": error}, default=str).encode()


def error_answer(error: DomainError) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of a failure."""
    status = next((status for kind, status, _ in _KINDS if isinstance(error, kind)), 500)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return status, _body(error_code(error), wire_message(error), wire_details(error)), headers


def on_domain_error(_: Request[Any, Any, Any], error: DomainError) -> Response[Any]:
    status, body, headers = error_answer(error)
    return raw_json(body, status, headers)


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    if error.status_code >= 500:
        return on_unexpected(request, error)
    code = _FRAMEWORK_CODES.get(error.status_code, "INVALID_REQUEST")
    status = error.status_code if error.status_code in _FRAMEWORK_CODES else 400
    return raw_json(_body(code, f"{request.method} {path_of(request)}: {error.detail}"), status)


def on_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    log.error("%s %s failed", request.method, path_of(request), exc_info=error)
    return raw_json(_body("INTERNAL_ERROR", "Something went wrong on the server; its log says what"), 500)


EXCEPTION_HANDLERS: dict[Any, Any] = {
    DomainError: on_domain_error,
    HTTPException: on_http_error,
    Exception: on_unexpected,
}
