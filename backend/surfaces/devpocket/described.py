"""What operations of this document answer, for its OpenAPI page."""

from __future__ import annotations

from litestar.openapi.datastructures import ResponseSpec
from pydantic import BaseModel

from backend.surfaces.openapi import answers
from backend.wire.devpocket import ErrorResponse

_WHEN = {
    400: "The state forbids it, or somebody else has the name",
    401: "Missing or invalid authentication",
    403: "Only an administrator may do this",
    404: "Not found",
    422: "A field is wrong, or the body is no JSON",
    500: "Server error",
    503: "A part of the server does not answer now",
}


def answered_by(status: int, model: type[BaseModel] | None, *errors: int) -> dict[int, ResponseSpec]:
    """The responses of an operation: its success (without a body where `model` is None), its errors, and those that any
    operation can have."""
    return answers(status, model, {code: _WHEN[code] for code in (*errors, 500, 503)}, ErrorResponse)


def needs(*, admin: bool = False, session: bool = False, found: bool = False) -> tuple[int, ...]:
    """Statuses of an operation that needs a caller, one of a kind, or an object that is there."""
    return (401, *((403,) if admin or session else ()), *((404,) if found else ()))
