"""What can go wrong between the app and a backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """A request that came to nothing. `message` is a sentence for people."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unreachable(ClientError):
    """No answer: the backend is not there, or the connection broke."""


class ApiError(ClientError):
    """The backend refused. `status` is the HTTP status, `code` the document's error code."""

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details: Mapping[str, Any] = details or {}

    @property
    def field_errors(self) -> dict[str, str]:
        """Faults by field, as dotted wire names (`resources.memory`); empty where the error names none."""
        fields = self.details.get("fields", self.details)
        if isinstance(fields, list):
            return {
                str(entry["field"]): str(entry.get("message", self.message))
                for entry in fields
                if isinstance(entry, dict) and "field" in entry
            }
        if isinstance(fields, dict) and isinstance(fields.get("field"), str):
            return {fields["field"]: self.message}
        if isinstance(fields, dict) and fields is not self.details:
            return {str(name): str(message) for name, message in fields.items()}
        return {}


class LoginNeeded(ApiError):
    """Nothing works at this backend before somebody logs in."""

    def __init__(self, message: str) -> None:
        super().__init__(401, "UNAUTHORIZED", message)


class StartFault(ClientError):
    """The bundled backend did not come up. `tail` is the end of its log, `log_file` where the rest is."""

    def __init__(self, message: str, *, tail: str = "", log_file: str = "") -> None:
        super().__init__(message)
        self.tail = tail
        self.log_file = log_file
