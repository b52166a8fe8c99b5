"""Failures of this surface: `{"error": {"code", "message", "details"?}}`, codes as in HTTP's own words."""

from __future__ import annotations

import json

from backend.domain.errors import DomainError
from backend.surfaces.error_text import wire_details, wire_message
from backend.surfaces.failures import Failures, code_of, status_of


def error_code(error: DomainError) -> str:
    """The code of a kind of failure."""
    return code_of(status_of(error))


def _body(status: int, message: str, details: object = None) -> bytes:
    error: dict[str, object] = {"code": code_of(status), "message": message}
    if details:
        error["details"] = details
    return json.dumps({"error": error}, default=str).encode()


def _of_error(status: int, error: DomainError) -> bytes:
    return _body(status, wire_message(error), wire_details(error))


FAILURES = Failures(_of_error, _body)
error_answer = FAILURES.answer
