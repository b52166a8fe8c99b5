"""Failures as HTTP answers: every surface has the same statuses and headers, and a body of its own."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, WebSocketDisconnect
from litestar.types import Scope

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
from backend.surfaces.responses import path_of, raw_json, shown_path

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

# Status, body and headers of a failure.
Answer = tuple[int, bytes, Mapping[str, str]]


def status_of(error: DomainError) -> int:
    """The HTTP status of a kind of failure; 500 for one without."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def code_of(status: int) -> str:
    """A word for a status, for documents whose errors carry a code."""
    return _CODES.get(status, "INTERNAL_ERROR" if status >= 500 else "INVALID_REQUEST")


class Failures:
    """One document's failures. `of_error` makes the body of a domain error, `of_status` that of a plain sentence."""

    def __init__(
        self,
        of_error: Callable[[int, DomainError], bytes],
        of_status: Callable[[int, str], bytes],
        status: Callable[[DomainError], int] = status_of,
    ) -> None:
        """`status` is the HTTP status of a kind of failure in this document."""
        self._of_error = of_error
        self._of_status = of_status
        self.status = status
        self.handlers: dict[Any, Any] = {
            DomainError: self._on_domain_error,
            HTTPException: self._on_http_error,
            Exception: self._on_unexpected,
        }

    def body(self, status: int, message: str) -> bytes:
        """The body of a failure that is told in a sentence."""
        return self._of_status(status, message)

    def answer(self, error: DomainError) -> Answer:
        """Status, body and headers of a failure."""
        status = self.status(error)
        if status == 500:
            log.error("a failure without a status of its own: %r", error)
            return 500, self._of_status(500, _INTERNAL), {}
        headers: dict[str, str] = {}
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if isinstance(error, TooMany):
            headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
        return status, self._of_error(status, error), headers

    def _on_domain_error(self, _: Request[Any, Any, Any], error: DomainError) -> Response[Any]:
        status, body, headers = self.answer(error)
        return raw_json(body, status, headers)

    def _on_http_error(self, request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
        """What the framework itself refuses: unknown paths, wrong methods, bodies over the limit."""
        status = error.status_code
        if status >= 500:
            return self._on_unexpected(request, error)
        if status == 404:
            message = f"There is nothing at {path_of(request)}"
        elif status == 405:
            message = f"{request.method} is not possible at {path_of(request)}"
        elif status == 413:
            message = f"The body is too large: at most {request.app.request_max_body_size} bytes"
        else:
            status, message = 400, str(error.detail)
        headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
        return raw_json(self._of_status(status, message), status, headers)

    def _on_unexpected(self, request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        _log_unexpected(request.method, request.scope, error)
        return raw_json(self._of_status(500, _INTERNAL), 500)

    async def log_of_socket(self, error: Exception, scope: Scope) -> None:
        """A hook of the framework's, which closes a socket whose handler fails and tells nobody why."""
        expected = isinstance(error, DomainError | WebSocketDisconnect)
        if isinstance(error, HTTPException):
            expected = error.status_code < 500
        if scope["type"] == ScopeType.WEBSOCKET and not expected:
            _log_unexpected("socket", scope, error)


def _log_unexpected(what: str, scope: Scope, error: Exception) -> None:
    log.error("%s %s failed", what, shown_path(scope["path"]), exc_info=error)
