"""Failures in the document's one shape: `{"error": {"message", "details"?}}`, details being a text."""

from __future__ import annotations

from backend.domain.errors import DomainError
from backend.surfaces.error_text import snake, wire_faults, wire_message
from backend.surfaces.failures import Failures
from backend.wire.container_engine_snake import ErrorDetail, ErrorResponse


def error_body(status: int, message: str, details: str | None = None) -> bytes:
    """The document's error body; the status is not part of it."""
    detail = ErrorDetail(message=message, details=details or None)
    return ErrorResponse(error=detail).model_dump_json(exclude_none=True).encode()


def _of_error(status: int, error: DomainError) -> bytes:
    return error_body(status, wire_message(error, snake), details_text(error))


def details_text(error: DomainError) -> str:
    """What is wrong with each field (`port: must be a whole number; image: is required`), or what else the error
    knows; empty where that is nothing."""
    faults = wire_faults(error, snake)
    parts = [f"{name}: {_without_name(name, message)}" for name, message in faults.items()]
    parts += [f"{name}: {value}" for name, value in error.details.items() if name != "field"]
    return "; ".join(parts)


def _without_name(name: str, message: str) -> str:
    """What a message says of the field whose name stands before it."""
    for begin in (f"{name} ", f"{name.rpartition('.')[2]} "):
        if message.startswith(begin):
            return message.removeprefix(begin)
    return message


FAILURES = Failures(_of_error, error_body)
