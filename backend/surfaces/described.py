"""The errors that operations of the container-engine documents can answer, for their OpenAPI pages."""

from __future__ import annotations

from collections.abc import Callable

from litestar.openapi.datastructures import ResponseSpec
from pydantic import BaseModel

from backend.surfaces.openapi import answers

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


def answers_with(error: type[BaseModel]) -> Callable[..., dict[int, ResponseSpec]]:
    """A function of success status, model and errors: the responses of an operation whose errors have one shape, with
    those that any operation can have."""

    def answered_by(status: int, model: type[BaseModel], *errors: int) -> dict[int, ResponseSpec]:
        return answers(status, model, {code: _WHEN[code] for code in (*errors, 500, 503)}, error)

    return answered_by
