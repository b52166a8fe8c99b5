"""Failures in the document's one shape: `{"detail", "errors"}`, of which `errors` names the fields at fault."""

from __future__ import annotations

from backend.domain.errors import DomainError, FieldError, Invalid
from backend.surfaces.error_text import WireInvalid, wire_message, wire_path
from backend.surfaces.failures import Failures
from backend.surfaces.request_body import NotJson
from backend.wire.devpocket import ErrorItem, ErrorResponse

# Validation is 422 here, and whatever the state forbids or somebody else has taken is 400.
_STATUSES = {400: 422, 409: 400}
# Where this document has another word than the domain.
_NAMES = {
    "env_vars": "environment_variables",
    "image": "docker_image",
    "storage": "resources.storage",
    "new_password": "password",
}


def spelled(name: str) -> str:
    """The document's name of a field."""
    return _NAMES.get(name, name)


def error_body(status: int, message: str) -> bytes:
    """The body of a failure that no field is to blame for."""
    return ErrorResponse(detail=message, errors=[]).model_dump_json().encode()


def _of_error(status: int, error: DomainError) -> bytes:
    body = ErrorResponse(detail=wire_message(error, spelled), errors=_items(error))
    return body.model_dump_json().encode()


def _items(error: DomainError) -> list[ErrorItem]:
    if isinstance(error, NotJson):
        return [ErrorItem(field="body", message=error.message, type="json_invalid")]
    if isinstance(error, Invalid):
        return [_item(fault, as_sent=isinstance(error, WireInvalid)) for fault in error.fields]
    field = error.details.get("field")
    if isinstance(field, str):
        return [ErrorItem(field=wire_path(field, spelled), message=error.message, type="conflict")]
    return []


def _item(fault: FieldError, *, as_sent: bool) -> ErrorItem:
    field = fault.field if as_sent else wire_path(fault.field, spelled)
    return ErrorItem(field=field, message=fault.message, type=fault.kind)


FAILURES = Failures(_of_error, error_body, _STATUSES)
