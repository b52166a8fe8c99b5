"""The errors that operations of this document can answer, for its OpenAPI page."""

from __future__ import annotations

from litestar.openapi.datastructures import ResponseSpec
from pydantic import BaseModel

from backend.surfaces.openapi import answers
from backend.wire.container_engine import ErrorResponse

_WHEN = {
    400: "Invalid request parameters",
    401: "Missing or invalid authentication",
    403: "Insufficient permissions",
    404: "Resource not found",
    409: "Resource conflict",
    422: "Invalid image or registry access",
    500: "Server error",
    503: "A part of the server does not answer now",
}


def needs(*, session: bool = False, found: bool = False) -> tuple[int, ...]:
    """Statuses of an operation that needs a caller, a session rather than an API key, or an object that is there."""
    return (401, *((403,) if session else ()), *((404,) if found else ()))


def answered_by(status: int, model: type[BaseModel], *errors: int) -> dict[int, ResponseSpec]:
    """The responses of an operation: its success, these errors, and those that any operation can have."""
    return answers(status, model, {code: _WHEN[code] for code in (*errors, 500, 503)}, ErrorResponse)
