"""Failures in the document's one shape: `{"error": {"code", "message", "details"?}}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.domain.errors import DomainError
from backend.surfaces.error_text import wire_details, wire_message
from backend.surfaces.failures import Failures, code_of
from backend.wire.container_engine import ErrorDetail, ErrorResponse


def error_body(status: int, message: str, details: Mapping[str, Any] | None = None) -> bytes:
    """The document's error body."""
    detail = ErrorDetail(code=code_of(status), message=message, details=dict(details) if details else None)
    return ErrorResponse(error=detail).model_dump_json(by_alias=True, exclude_none=True).encode()


def _of_error(status: int, error: DomainError) -> bytes:
    return error_body(status, wire_message(error), wire_details(error))


FAILURES = Failures(_of_error, error_body)
